import Foundation
import GRDB
import Glibc
import Phrasebook
import Synchronization
import Telemetry

/// Why the store could not do something.
public enum StoreFault: Error, Sendable, CustomStringConvertible {
    /// The disk takes no more.
    case full(String)
    /// The disk, the folder or the file may not be written to.
    case unwritable(String)
    /// The file is damaged.
    case corrupt(String)
    /// Anything else the data base said.
    case failed(String)

    init(_ error: any Error) {
        if let fault = error as? StoreFault {
            self = fault
            return
        }
        guard let error = error as? DatabaseError else {
            // Making the folder, setting the file's rights.
            self = error is CocoaError || error is POSIXError ? .unwritable(error.localizedDescription) : .failed("\(error)")
            return
        }
        switch error.resultCode {
        // Which of the disk's refusals it was (https://sqlite.org/rescode.html): a full one, a failing one, a descriptor that is none.
        case .SQLITE_FULL, .SQLITE_IOERR: self = .full("\(error.message ?? "SQLite"), code \(error.extendedResultCode.rawValue)")
        case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM:
            self = .unwritable("\(error.message ?? "SQLite"), code \(error.extendedResultCode.rawValue)")
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: self = .corrupt(error.message ?? "\(error.resultCode)")
        default: self = .failed(error.message ?? "\(error.resultCode)")
        }
    }

    /// Whether the disk is at fault, not what stands on it: somebody frees, mends or mounts it, and all is well.
    public var isOfDisk: Bool {
        switch self {
        case .full, .unwritable: true
        case .corrupt, .failed: false
        }
    }

    /// What happened.
    public var description: String { text.english }

    /// What happened, in both languages; what the data base itself says is English.
    public var text: LocalizedText {
        switch self {
        case .full(let what): .said("磁盘写不进去了（\(what)）", "the disk takes no more (\(what))")
        case .unwritable(let what): .said("存储是只读的，或不许写（\(what)）", "the disk is read-only, or may not be written to (\(what))")
        case .corrupt(let what): .said("数据库文件已损坏（\(what)）", "the data base file is damaged (\(what))")
        case .failed(let what): .said(what, what)
        }
    }
}

/// The gateway's memory: one SQLite file in WAL mode, every commit durable (`synchronous=FULL`) when the call returns.
///
/// Calls block; from asynchronous code use `read`/`write`, which GRDB runs on its own queues, off the cooperative pool.
public final class Store: Sendable {
    let pool: DatabasePool
    /// The file.
    public let path: String
    private let seenDamage = Mutex<String?>(nil)
    /// Damage that SQLite met while reading or writing; nil while there was none.
    public var damage: String? { seenDamage.withLock { $0 } }

    private let substituted = Mutex<StoreFault?>(nil)
    /// Why this record stands in for the real one, which cannot be written; nil for a record that lasts. See `SubstituteRecord`.
    public var substitutes: StoreFault? { substituted.withLock { $0 } }
    /// Whether what is committed outlasts the power.
    public var isLasting: Bool { substitutes == nil }
    /// From here on this record stands in for another.
    func standIn(_ why: StoreFault) { substituted.withLock { $0 = why } }

    /// The log beside the file is cut back to this whenever it begins anew.
    public static let mostLogBytes: Int64 = 16 << 20
    /// Bytes of the log beside the file.
    public var bytesOfLog: Int64 {
        var status = stat()
        return stat(path + "-wal", &status) == 0 ? Int64(status.st_size) : 0
    }

    /// Opens or creates the file, bringing an older one up to the present schema.
    /// - Throws: `StoreFault`
    public init(path: String) throws(StoreFault) {
        self.path = path
        var configuration = Configuration()
        configuration.maximumReaderCount = 3
        // A command beside a running gateway writes too: whoever comes second waits for a moment instead of failing.
        configuration.busyMode = .timeout(5)
        // Series are never deleted and their numbers come from one place, `StoreWriter.append`: a look-up of the parent
        // for every reading would cost a fifth of the write rate and could find nothing.
        configuration.foreignKeysEnabled = false
        configuration.prepareDatabase { database in
            // A new file can give pages back to the disk. Of one that has tables this would change nothing but its header, which a full disk refuses.
            if !database.configuration.readonly, try Int.fetchOne(database, sql: "PRAGMA page_count") == 0 {
                try database.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
            }
            // 1 MiB of cache for each connection; the gateway has a gigabyte in all.
            try database.execute(sql: "PRAGMA cache_size = -1024")
        }
        do {
            try FileManager.default.createDirectory(
                at: URL(fileURLWithPath: path).deletingLastPathComponent(), withIntermediateDirectories: true)
            pool = try DatabasePool(path: path, configuration: configuration)
            // Here and not in `prepareDatabase`: when a pool turns WAL on, it sets NORMAL, with which the last commits go with the power.
            // What a burst made long is cut when the log begins anew.
            try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = \(Self.mostLogBytes)") }
            guard try !pool.read(StoreSchema.migrator.hasBeenSuperseded) else {
                throw StoreFault.failed("the file was written by a newer release; install that release again, or restore an older backup")
            }
            try StoreSchema.migrator.migrate(pool)
            // Who lives alone is in this file: nobody but the gateway's user reads it.
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        } catch {
            throw StoreFault(error)
        }
    }

    /// Reads, off the cooperative pool.
    public func read<Value: Sendable>(_ body: @escaping @Sendable (StoreReader) throws -> Value) async throws(StoreFault) -> Value {
        do { return try await pool.read { try body(StoreReader(database: $0)) } } catch { throw noted(error) }
    }

    private func noted(_ error: any Error) -> StoreFault {
        let fault = StoreFault(error)
        if case .corrupt(let what) = fault { seenDamage.withLock { $0 = what } }
        return fault
    }

    /// Writes in one durable transaction, off the cooperative pool: all of it happens or nothing.
    public func write<Value: Sendable>(_ body: @escaping @Sendable (StoreWriter) throws -> Value) async throws(StoreFault) -> Value {
        do { return try await pool.write { try body(StoreWriter(database: $0)) } } catch { throw noted(error) }
    }

    /// Reads on the caller's thread: for start-up and commands.
    public func readNow<Value>(_ body: (StoreReader) throws -> Value) throws(StoreFault) -> Value {
        do { return try pool.read { try body(StoreReader(database: $0)) } } catch { throw noted(error) }
    }

    /// Writes on the caller's thread: for start-up, commands and benches.
    public func writeNow<Value>(_ body: (StoreWriter) throws -> Value) throws(StoreFault) -> Value {
        do { return try pool.write { try body(StoreWriter(database: $0)) } } catch { throw noted(error) }
    }

    /// Checks every page and index.
    /// - Returns: what is wrong; empty when all is well.
    public func integrityFaults() throws(StoreFault) -> [String] {
        let file = try fileFaults()
        guard file.isEmpty else { return file }
        do { return try pool.read { try StoreReader(database: $0).dayFaults() } } catch { throw StoreFault(error) }
    }

    /// Checks every page and index, not what the packed days hold.
    func fileFaults() throws(StoreFault) -> [String] {
        do { return try pool.read { try StoreReader(database: $0).fileFaults() } } catch { throw StoreFault(error) }
    }

    /// Copies the whole record into another file while it is in use; what is committed meanwhile is in it or not, as a whole.
    public func backup(to path: String) throws(StoreFault) {
        do {
            let copy = try DatabaseQueue(path: path)
            try pool.backup(to: copy)
            try copy.writeWithoutTransaction { database in
                // One file, without a log beside it, that says it was closed in order.
                try database.execute(sql: "DELETE FROM facts WHERE name = 'running'")
                try database.execute(sql: "PRAGMA journal_mode = DELETE")
            }
            try copy.close()
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        } catch { throw StoreFault(error) }
    }

    /// Writes the log back into the file and empties it.
    public func writeLogBack() throws(StoreFault) {
        do { try pool.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) } } catch { throw StoreFault(error) }
    }

    /// The same, off the cooperative pool.
    func writeLogBackSoon() async throws(StoreFault) {
        do { try await pool.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) } } catch { throw noted(error) }
    }

    /// Writes the log back into the file, notes that the end was in order, and closes.
    /// - Parameter inOrder: false for a command beside a running gateway, which must not speak for it
    public func close(inOrder: Bool = true) throws(StoreFault) {
        if inOrder {
            // On a full disk the note fails, and the next start takes a closer look: that is all.
            try? pool.write { try $0.execute(sql: "DELETE FROM facts WHERE name = 'running'") }
            try? writeLogBack()
        }
        // A page that still reads, or care for the record that still writes, gives way.
        pool.interrupt()
        do {
            try pool.close()
        } catch { throw StoreFault(error) }
    }
}

extension Store {
    /// Limits the file to so many pages, so that a test can see SQLite's own answer to a full disk.
    public func limitSizeForTesting(pages: Int) throws(StoreFault) {
        do {
            try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA max_page_count = \(pages)") }
        } catch { throw StoreFault(error) }
    }

    /// Changes the file behind the program's back, so that a test can see it noticed.
    public func tamperForTesting(_ sql: String) throws(StoreFault) {
        do { try pool.writeWithoutTransaction { try $0.execute(sql: sql) } } catch { throw StoreFault(error) }
    }
}
