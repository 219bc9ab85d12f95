import Foundation
import GRDB

/// Opens the gateway's memory in whatever state the last stop, the power cut or the disk left it.
///
/// A damaged file is set aside, what can be read of it is carried over, and the gateway goes on with a fresh one: whoever lives alone is
/// watched in the meantime. The damaged file is kept for whoever wants to look into it.
public struct StoreOpening: Sendable {
    /// The open store.
    public var store: Store
    /// Whether the last run did not end in order.
    public var wasUnclean: Bool
    /// The check of a file too large to be checked before it is used.
    public let check: StoreCheck
    /// The file that was set aside, and how many of its lines (cases, notices, audit, habits …) could be carried over.
    public var quarantined: (path: String, carriedOver: Int, reason: String)?

    /// Up to this size a file is checked page by page before it is used; a larger one while the gateway already works.
    public static let mostCheckedAtOnce = 64 << 20
    /// Tables whose lines are carried over from a damaged file, by importance. Readings are not: they are many, and missing is honest.
    private static let carried = ["cases", "notices", "watches", "audit", "facts", "corrections", "erased", "journal", "spool"]

    /// Opens, after a look at what is there. On a full disk the reserve is given back for it.
    /// - Throws: `StoreFault` when even a fresh file cannot be made
    public init(path: String) throws(StoreFault) {
        do { try self.init(trying: path) } catch {
            guard case .full = error, DiskReserve(besides: path).release() else { throw error }
            try self.init(trying: path)
        }
    }

    /// Notes that the gateway runs, so that the next start knows whether the end was in order. A full disk may refuse: watching goes on without.
    public static func noteRun(_ store: Store) throws(StoreFault) {
        do { try store.writeNow { try $0.setFact("running", "1") } } catch {
            guard error.isOfDisk else { throw error }
        }
    }

    private init(trying path: String) throws(StoreFault) {
        check = StoreCheck(path: path)
        var damage: String?
        if FileManager.default.fileExists(atPath: Self.marker(path)) { damage = "the check of the whole file found damage" }
        if damage == nil {
            do throws(StoreFault) {
                let store = try Store(path: path)
                let unclean = try store.readNow { try $0.fact("running") } == "1"
                damage = unclean && Self.size(path) <= Self.mostCheckedAtOnce ? try store.fileFaults().first : nil
                if damage == nil {
                    self.store = store
                    wasUnclean = unclean
                    try Self.noteRun(store)
                    return
                }
                try store.close()
            } catch {
                guard case .corrupt(let what) = error else { throw error }
                damage = what
            }
        }
        let aside = try Self.setAside(path)
        store = try Store(path: path)
        wasUnclean = true
        quarantined = (aside, try Self.carryOver(from: aside, to: store), damage ?? "")
        try store.writeNow { writer in
            try writer.beginUpstreamTag()
            try writer.setFact("running", "1")
        }
    }

    /// The same once more, after damage that only the restoration met: a large file is not checked before it is used.
    public func again() throws(StoreFault) -> StoreOpening {
        Self.markDamaged(store.path)
        try? store.close(inOrder: false)
        let next = try StoreOpening(path: store.path)
        if let why = store.substitutes { next.store.standIn(why) }
        return next
    }

    /// Leaves a note for the next start that the file is damaged.
    public static func markDamaged(_ path: String) {
        // Where even this cannot be written, the next start finds the damage by itself or goes on with what is there.
        _ = FileManager.default.createFile(atPath: marker(path), contents: Data())
    }

    /// Takes the note back: another file stands in the damaged one's place.
    public static func unmarkDamaged(_ path: String) { unlink(marker(path)) }

    private static func marker(_ path: String) -> String { path + ".damaged" }

    private static func size(_ path: String) -> Int {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return (attributes?[.size] as? NSNumber)?.intValue ?? 0
    }

    /// Moves the file and its side files away. One damaged file is kept; an older one gives way, so that a failing disk does not fill itself.
    private static func setAside(_ path: String) throws(StoreFault) -> String {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        let name = URL(fileURLWithPath: path).lastPathComponent
        let files = FileManager.default
        for old in (try? files.contentsOfDirectory(atPath: folder)) ?? [] where old.hasPrefix(name + ".damaged-") {
            try? files.removeItem(atPath: "\(folder)/\(old)")
        }
        let aside = "\(path).damaged-\(Int(Date().timeIntervalSince1970))"
        do {
            for suffix in ["", "-wal", "-shm"] where files.fileExists(atPath: path + suffix) {
                try files.moveItem(atPath: path + suffix, toPath: aside + suffix)
            }
            if files.fileExists(atPath: marker(path)) { try files.removeItem(atPath: marker(path)) }
        } catch { throw StoreFault.unwritable("the damaged file \(path) could not be set aside: \(error.localizedDescription)") }
        return aside
    }

    /// Copies line by line from the damaged file whatever can be read, from the front and, behind the first bad page, from the back.
    private static func carryOver(from damaged: String, to store: Store) throws(StoreFault) -> Int {
        var configuration = Configuration()
        configuration.readonly = true
        guard let source = try? DatabaseQueue(path: damaged, configuration: configuration) else { return 0 }
        return try carryOver(from: source, to: store, tables: carried)
    }

    /// The same from an open file.
    /// - Parameter journal: how many of the journal's last lines come along
    static func carryOver(from source: DatabaseQueue, to store: Store, tables: [String], journal: Int = 0) throws(StoreFault) -> Int {
        var count = 0
        if journal > 0 {
            let last = (try? source.read { try Row.fetchAll($0, sql: "SELECT * FROM journal ORDER BY id DESC LIMIT \(journal)") }) ?? []
            count += try store.writeNow { try $0.carryOver(last, into: "journal") }
        }
        for table in tables {
            let key = table == "facts" ? "name" : "rowid"
            var lines: [Row] = []
            for order in ["", " DESC"] {
                let isWhole: Bool? = try? source.read { database in
                    let rows = try Row.fetchCursor(database, sql: "SELECT * FROM \(table) ORDER BY \(key)\(order)")
                    while let row = try rows.next() { lines.append(row.copy()) }
                    return true
                }
                if isWhole == true { break }
            }
            let taken = lines
            // A line that does not fit (an older layout) is left behind; the others come along.
            count += try store.writeNow { writer in try writer.carryOver(taken, into: table) }
        }
        return count
    }
}

extension StoreWriter {
    /// Puts lines of a damaged file into a table; those that are there already stay.
    func carryOver(_ lines: [Row], into table: String) throws -> Int {
        var count = 0
        guard try database.tableExists(table) else { return 0 }
        let known = Set(try database.columns(in: table).map(\.name))
        for line in lines {
            let columns = line.columnNames.filter { known.contains($0) }
            let values = columns.map { line[$0] as DatabaseValue }
            let names = columns.map { "\"\($0)\"" }.joined(separator: ", ")
            let marks = columns.map { _ in "?" }.joined(separator: ", ")
            do {
                try database.execute(sql: "INSERT OR IGNORE INTO \(table) (\(names)) VALUES (\(marks))", arguments: StatementArguments(values))
                count += database.changesCount
            } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT { continue }
        }
        return count
    }
}
