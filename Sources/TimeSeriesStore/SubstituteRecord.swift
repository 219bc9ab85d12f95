import Foundation
import GRDB
import Glibc
import Telemetry

/// A record in memory (a file in a tmpfs), for a start on a disk that takes nothing: read-only, full, not ours, gone.
///
/// It begins with what can be read of the real record, so that open cases, notices and watches go on. It lies under a fixed name, so that a
/// restart goes on with it; the first start that can write the real record carries it back and deletes it. A loss of power ends it.
public struct SubstituteRecord: Sendable {
    /// What is kept of the real record. Readings stay behind: they are many. What waits to be sent upstream waits on the disk.
    static let derived = ["cases", "notices", "watches", "facts", "erased", "corrections", "audit"]
    /// A record and its log of up to this size are copied, so that also what stands in the log only is seen.
    static let mostCopied = 64 << 20
    private static let mostJournal = 5_000
    private static let (identity, isDerived, journalAfter) = ("substitute_id", "substitute_is_derived", "substitute_journal_after")
    /// The first number for cases where those of the real record are not known.
    public static let firstNumber = "substitute_first_number"
    private static let attempts = "substitute_attempts"
    /// Facts that are each record's own.
    private static let own = [identity, isDerived, journalAfter, firstNumber, attempts, "running", "tag", UpstreamTags.fact]
    private static let carriedBack = "substitute_carried_back"

    private let record: String
    private let roots: [String]

    /// The substitute of a record.
    /// - Parameter roots: folders it may lie in, in the order of preference: by default the service's runtime directory, then the shared memory
    public init(for record: String, roots: [String]? = nil) {
        self.record = URL(fileURLWithPath: record).standardizedFileURL.path
        let runtime = ProcessInfo.processInfo.environment["RUNTIME_DIRECTORY"]?.split(separator: ":").first.map(String.init)
        self.roots = roots ?? ([runtime].compactMap { $0 } + ["/dev/shm", FileManager.default.temporaryDirectory.path])
    }

    /// One that an earlier run left.
    public var existing: String? { folders.map { "\($0)/record.sqlite" }.first { FileManager.default.fileExists(atPath: $0) } }

    private var folders: [String] {
        // FNV-1a: one folder for each record and user.
        let hash = record.utf8.reduce(UInt64(0xcbf2_9ce4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return roots.map { "\($0)/wellward-\(geteuid())-\(String(hash, radix: 16))" }.filter(Self.isOurs)
    }

    /// Whether a folder is ours alone, or could become so: others may write in the shared memory too.
    private static func isOurs(_ folder: String) -> Bool {
        var status = stat()
        guard lstat(folder, &status) == 0 else { return errno == ENOENT }
        return status.st_mode & S_IFMT == S_IFDIR && status.st_uid == geteuid() && status.st_mode & 0o077 == 0
    }

    /// Takes up the one that is there, or makes one.
    /// - Parameter why: what the real record's disk answered
    public func open(why: StoreFault) throws(StoreFault) -> (opening: StoreOpening, lock: StoreLock) {
        var last = why
        let present = existing.map { URL(fileURLWithPath: $0).deletingLastPathComponent().path }
        for folder in present.map({ [$0] }) ?? folders {
            if mkdir(folder, 0o700) != 0, errno != EEXIST { continue }
            guard Self.isOurs(folder) else { continue }
            do throws(StoreFault) {
                let path = "\(folder)/record.sqlite"
                let lock = try StoreLock(path: path)
                let opening = try StoreOpening(path: path)
                if try opening.store.readNow({ try $0.fact(Self.identity) }) == nil { try derive(opening.store, in: folder) }
                opening.store.standIn(why)
                return (opening, lock)
            } catch {
                if case .failed = error { throw error }
                last = error
            }
        }
        throw last
    }

    private func derive(_ store: Store, in folder: String) throws(StoreFault) {
        let copy = "\(folder)/copy.sqlite"
        defer { for suffix in ["", "-wal", "-shm"] { unlink(copy + suffix) } }
        let source = source(copiedTo: copy)
        if let source { _ = try StoreOpening.carryOver(from: source, to: store, tables: Self.derived, journal: Self.mostJournal) }
        let (isThere, now) = (errnoOfLook != ENOENT, Int(Date().timeIntervalSince1970))
        try store.writeNow { writer in
            try writer.setFact(Self.identity, UUID().uuidString)
            if source != nil {
                try writer.setFact(Self.isDerived, "1")
                try writer.beginUpstreamTag()
            } else if isThere {
                // Cases are there that cannot be read, and their numbers must not come again.
                try writer.setFact(Self.firstNumber, "\(max(1, (now - 1_577_836_800) / 60))")
            }
            let last = try Int64.fetchOne(writer.database, sql: "SELECT max(id) FROM journal") ?? 0
            try writer.setFact(Self.journalAfter, "\(last)")
        }
    }

    private var errnoOfLook: Int32 {
        var status = stat()
        return stat(record, &status) == 0 ? 0 : errno
    }

    /// The real record, opened so that nothing of it is written.
    private func source(copiedTo copy: String) -> DatabaseQueue? {
        let files = FileManager.default
        func size(_ path: String) -> Int { ((try? files.attributesOfItem(atPath: path))?[.size] as? NSNumber)?.intValue ?? 0 }
        guard files.isReadableFile(atPath: record), size(record) > 0 else { return nil }
        var configuration = Configuration()
        if size(record) + size(record + "-wal") <= Self.mostCopied {
            let isCopied: Void? = try? {
                try files.copyItem(atPath: record, toPath: copy)
                if files.fileExists(atPath: record + "-wal") { try files.copyItem(atPath: record + "-wal", toPath: copy + "-wal") }
            }()
            if isCopied != nil, let queue = try? DatabaseQueue(path: copy, configuration: configuration), Self.answers(queue) { return queue }
        }
        configuration.readonly = true
        if let queue = try? DatabaseQueue(path: record, configuration: configuration), Self.answers(queue) { return queue }
        // Without its log, which cannot be read here: what was written last is missing.
        let escaped = record.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? record
        guard let queue = try? DatabaseQueue(path: "file:\(escaped)?immutable=1", configuration: configuration), Self.answers(queue) else { return nil }
        return queue
    }

    private static func answers(_ queue: DatabaseQueue) -> Bool {
        (try? queue.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM facts") }) != nil
    }

    /// Whether the real record could be opened for writing now.
    public var isRecordWritable: Bool {
        let folder = URL(fileURLWithPath: record).deletingLastPathComponent().path
        var room = statvfs()
        guard statvfs(folder, &room) == 0, Int64(room.f_bavail) * Int64(room.f_frsize) >= 4 << 20 else { return false }
        for suffix in ["", "-wal", "-shm", ".lock"] {
            let descriptor = Glibc.open(record + suffix, O_RDWR | O_CLOEXEC | O_NONBLOCK)
            if descriptor >= 0 { close(descriptor) } else if errno != ENOENT { return false }
        }
        let probe = "\(record).probe"
        let descriptor = Glibc.open(probe, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return false }
        defer {
            close(descriptor)
            unlink(probe)
        }
        return posix_fallocate(descriptor, 0, 1 << 20) == 0 && fsync(descriptor) == 0
    }

    /// How often the real record was tried again from a substitute; counted in the substitute.
    public static func countAttempt(_ store: Store) -> Int {
        let count = ((try? store.readNow { try $0.fact(attempts) }).flatMap { Int($0) } ?? 0) + 1
        try? store.writeNow { try $0.setFact(attempts, "\(count)") }
        return count
    }
}

// MARK: The way back

extension SubstituteRecord {
    /// Carries what an earlier run left in a substitute into the real record, all of it or nothing, and deletes it.
    /// - Returns: how many cases were carried; nil when there was nothing to carry
    func carryBack(into store: Store) throws(StoreFault) -> Int? {
        guard let path = existing else { return nil }
        // Another gateway may be at work on it: it ends itself when it sees that the disk is well.
        let lock = try StoreLock(path: path)
        defer { withExtendedLifetime(lock) {} }
        // Brought up to the present schema, its log written back.
        let left = try Store(path: path)
        let id = try left.readNow { try $0.fact(Self.identity) }
        try left.close()
        guard let id else {
            // It ended before anything was told from it.
            discard(path)
            return nil
        }
        var count = 0
        if try store.readNow({ try $0.fact(Self.carriedBack) }) != id {
            do {
                count = try store.pool.writeWithoutTransaction { database in
                    try database.execute(sql: "ATTACH DATABASE ? AS substitute", arguments: [path])
                    defer { try? database.execute(sql: "DETACH DATABASE substitute") }
                    var cases = 0
                    try database.inTransaction {
                        cases = try Self.merge(StoreWriter(database: database), id: id)
                        return .commit
                    }
                    return cases
                }
            } catch { throw StoreFault(error) }
        }
        // Links that were sent meanwhile stay good, where the record has no key of its own.
        let key = ".link-key"
        if !FileManager.default.fileExists(atPath: record + key), FileManager.default.fileExists(atPath: path + key) {
            try? FileManager.default.copyItem(atPath: path + key, toPath: record + key)
        }
        discard(path)
        return count
    }

    private static func merge(_ writer: StoreWriter, id: String) throws -> Int {
        let database = writer.database
        func fact(_ name: String) throws -> String? {
            try String.fetchOne(database, sql: "SELECT value FROM substitute.facts WHERE name = ?", arguments: [name])
        }
        // A substitute that began with the record is its continuation; one that could not read it only adds to it.
        let continues = try fact(isDerived) == "1"
        let word = continues ? "REPLACE" : "IGNORE"
        for table in ["cases", "notices", "watches", "erased"] {
            try database.execute(sql: "INSERT OR \(word) INTO main.\(table) SELECT * FROM substitute.\(table)")
        }
        let cases = try Int.fetchOne(database, sql: "SELECT count(*) FROM substitute.cases WHERE is_open = 1") ?? 0
        if continues {
            for table in ["corrections", "audit"] {
                try database.execute(sql: "INSERT OR REPLACE INTO main.\(table) SELECT * FROM substitute.\(table)")
            }
        } else {
            for line in try Row.fetchAll(database, sql: "SELECT at, who, what, subject, note FROM substitute.audit ORDER BY id") {
                try writer.audit(
                    who: line["who"], what: line["what"], subject: line["subject"], note: line["note"], at: WallTime(unixMilliseconds: line["at"]))
            }
        }
        let kept = own + (continues ? [] : ["axis", StoreReader.auditTail])
        let marks = kept.map { _ in "?" }.joined(separator: ", ")
        try database.execute(
            sql: "INSERT OR \(word) INTO main.facts SELECT * FROM substitute.facts WHERE name NOT IN (\(marks))", arguments: StatementArguments(kept))
        try database.execute(
            sql: """
                INSERT INTO main.journal (at, elapsed, boot, kind, subject, body)
                SELECT at, elapsed, boot, kind, subject, body FROM substitute.journal WHERE id > ? ORDER BY id
                """, arguments: [Int64(try fact(journalAfter) ?? "0") ?? 0])
        try database.execute(
            sql: "INSERT INTO main.spool (kind, subject, at, body) SELECT kind, subject, at, body FROM substitute.spool ORDER BY id")
        try readings(database)
        try writer.setFact(carriedBack, id)
        return cases
    }

    private static func readings(_ database: Database) throws {
        try database.execute(sql: "INSERT OR IGNORE INTO main.series (meter, point, unit) SELECT meter, point, unit FROM substitute.series")
        let own = "JOIN substitute.series AS there ON there.id = it.series JOIN main.series AS here ON here.meter = there.meter AND here.point = there.point"
        try database.execute(
            sql: """
                INSERT OR IGNORE INTO main.readings (series, at, received, device, value, quality, raw)
                SELECT here.id, it.at, it.received, it.device, it.value, it.quality, it.raw FROM substitute.readings AS it \(own)
                """)
        try database.execute(
            sql: """
                INSERT OR IGNORE INTO main.blocks (series, day, thinned, body)
                SELECT here.id, it.day, it.thinned, it.body FROM substitute.blocks AS it \(own)
                """)
    }

    /// Deletes a substitute with all that lies beside it.
    private func discard(_ path: String) {
        try? FileManager.default.removeItem(atPath: URL(fileURLWithPath: path).deletingLastPathComponent().path)
    }
}
