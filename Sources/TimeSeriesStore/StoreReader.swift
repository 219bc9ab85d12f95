import Casework
import Foundation
import GRDB
import Telemetry

/// Reading calls inside one transaction, so that what they answer fits together.
public struct StoreReader {
    let database: Database

    /// Bodies that can be read, one after the other: of a record that holds texts of unreasonable length only one is in memory as it was
    /// written. One that cannot, of a disk that forgot it or a release that wrote it otherwise, must not cost the others.
    private func readable<Body: StoredBody>(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws -> [Body] {
        var found: [Body] = []
        let rows = try Data.fetchCursor(database, sql: sql, arguments: arguments)
        while let body = try rows.next() { if let item = try? Body(stored: body) { found.append(item) } }
        return found
    }

    /// How many open cases and waiting notices there are that cannot be read.
    public func unreadableLines() throws -> Int {
        var count = 0
        let cases = try Data.fetchCursor(database, sql: "SELECT body FROM cases WHERE is_open = 1")
        while let body = try cases.next() { if (try? Case(stored: body)) == nil { count += 1 } }
        let notices = try Data.fetchCursor(database, sql: "SELECT body FROM notices WHERE state IN ('queued', 'failed')")
        while let body = try notices.next() { if (try? DeliverySchedule.Item(stored: body)) == nil { count += 1 } }
        return count
    }

    /// Cases, newest first.
    public func cases(open: Bool?, limit: Int, before number: Int? = nil) throws -> [Case] {
        // Said outright where it is asked for: an index helps no condition that may be none.
        let state = open.map { "is_open = \($0 ? 1 : 0) AND" } ?? ""
        return try readable("SELECT body FROM cases WHERE \(state) number < ? ORDER BY number DESC LIMIT ?", [number ?? .max, limit])
    }

    /// What can be told of a case without reading it.
    public struct CaseHead: Sendable, Hashable {
        public var id: CaseID
        public var number: Int
        public var kind: FindingKind
        public var subject: Subject
    }

    /// What is there of cases, newest first; only those of kinds that are known.
    public func caseHeads(before number: Int, limit: Int) throws -> [CaseHead] {
        try Row.fetchAll(
            database, sql: "SELECT id, number, kind, subject_type, subject_id FROM cases WHERE number < ? ORDER BY number DESC LIMIT ?",
            arguments: [number, limit]
        ).map { row in
            CaseHead(
                id: CaseID(row["id"]), number: row["number"], kind: FindingKind(rawValue: row["kind"]) ?? .incident,
                subject: Subject(Subject.Kind(rawValue: row["subject_type"]) ?? .household, row["subject_id"]))
        }
    }

    /// The cases opened in a stretch of time, oldest first.
    public func cases(from: WallTime, to: WallTime) throws -> [Case] {
        try readable(
            "SELECT body FROM cases WHERE opened >= ? AND opened < ? ORDER BY number", [from.unixMilliseconds, to.unixMilliseconds])
    }

    /// One case.
    public func caseFile(_ id: CaseID) throws -> Case? {
        try Data.fetchOne(database, sql: "SELECT body FROM cases WHERE id = ?", arguments: [id.rawValue])
            .map { try Case(stored: $0) }
    }

    /// The number the next case gets.
    public func nextCaseNumber() throws -> Int {
        try Int.fetchOne(database, sql: "SELECT coalesce(max(number), 0) + 1 FROM cases") ?? 1
    }

    /// Notices that were neither delivered nor given up.
    public func undelivered() throws -> [DeliverySchedule.Item] {
        try readable("SELECT body FROM notices WHERE state IN ('queued', 'failed') ORDER BY rowid")
    }

    /// The notices of a case in the order in which they were made.
    public func notices(of id: CaseID) throws -> [DeliverySchedule.Item] {
        try readable("SELECT body FROM notices WHERE case_id = ? ORDER BY rowid", [id.rawValue])
    }

    /// Notices that were given up, newest first.
    public func deadNotices(limit: Int) throws -> [DeliverySchedule.Item] {
        try readable("SELECT body FROM notices WHERE state = 'dead' ORDER BY rowid DESC LIMIT ?", [limit])
    }

    /// One notice's delivery.
    public func notice(_ id: NoticeID) throws -> DeliverySchedule.Item? {
        try Data.fetchOne(database, sql: "SELECT body FROM notices WHERE id = ?", arguments: [id.rawValue])
            .map { try DeliverySchedule.Item(stored: $0) }
    }

    /// How many notices are in a state.
    public func noticeCount(state: DeliverySchedule.Item.State) throws -> Int {
        try Int.fetchOne(database, sql: "SELECT count(*) FROM notices WHERE state = ?", arguments: [state.rawValue]) ?? 0
    }

    /// A watch as it was saved, and when.
    public func watch(_ household: HouseholdID) throws -> (at: WallTime, body: Data)? {
        try Row.fetchOne(database, sql: "SELECT at, body FROM watches WHERE household = ?", arguments: [household.rawValue])
            .map { (WallTime(unixMilliseconds: $0["at"]), $0["body"]) }
    }

    /// Named values whose names begin so.
    public func facts(beginning prefix: String) throws -> [String: String] {
        let rows = try Row.fetchAll(database, sql: "SELECT name, value FROM facts WHERE substr(name, 1, ?) = ?", arguments: [prefix.count, prefix])
        return Dictionary(rows.map { ($0["name"], $0["value"]) }, uniquingKeysWith: { first, _ in first })
    }

    /// A remembered fact.
    public func fact(_ name: String) throws -> String? {
        try String.fetchOne(database, sql: "SELECT value FROM facts WHERE name = ?", arguments: [name])
    }

    /// A line of the audit.
    public struct AuditLine: Sendable, Hashable {
        public var id: Int64
        public var at: WallTime
        public var who: String
        public var what: String
        public var subject: String
        public var note: String
        public var hash: Data
    }

    /// Audit lines, newest first.
    public func audit(limit: Int, before id: Int64? = nil) throws -> [AuditLine] {
        try Row.fetchAll(
            database, sql: "SELECT * FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?", arguments: [id ?? .max, limit]
        ).map {
            AuditLine(
                id: $0["id"], at: WallTime(unixMilliseconds: $0["at"]), who: $0["who"], what: $0["what"],
                subject: $0["subject"], note: $0["note"], hash: $0["hash"])
        }
    }

    /// The audit's lines in order, behind one of them.
    public func audit(after id: Int64, limit: Int) throws -> [AuditLine] {
        try Row.fetchAll(database, sql: "SELECT * FROM audit WHERE id > ? ORDER BY id LIMIT ?", arguments: [id, limit]).map {
            AuditLine(
                id: $0["id"], at: WallTime(unixMilliseconds: $0["at"]), who: $0["who"], what: $0["what"],
                subject: $0["subject"], note: $0["note"], hash: $0["hash"])
        }
    }

    /// Walks the audit's chain of hashes from the beginning.
    /// - Returns: how many lines stand, the first line whose hash does not follow from the one before (nil when all do), and the
    ///   last hash, to be noted elsewhere: lines cut off at the end show only against such a note
    public func auditChain() throws -> (lines: Int, broken: Int64?, last: Data) {
        var previous = Data()
        var count = 0
        var newest: Int64 = 0
        while true {
            let page = try audit(after: newest, limit: 1000)
            for line in page {
                let expected = StoreWriter.auditHash(previous: previous, at: line.at, who: line.who, what: line.what, subject: line.subject, note: line.note)
                guard expected == line.hash else { return (count, line.id, previous) }
                previous = line.hash
                count += 1
                newest = line.id
            }
            guard page.count < 1000 else { continue }
            let isWhole = try fact(Self.auditTail).map { $0 == "\(newest) \(previous.base64EncodedString())" } ?? true
            return (count, isWhole ? nil : newest + 1, previous)
        }
    }

    /// Where number and hash of the newest audit line stand once more.
    static let auditTail = "audit_tail"

    /// Journal bodies of a subject and kind within a stretch of time, oldest first.
    public func journal(subject: String, kind: String, from: WallTime, to: WallTime, limit: Int) throws -> [(at: WallTime, body: String)] {
        try Row.fetchAll(
            database, sql: "SELECT at, body FROM journal WHERE subject = ? AND kind = ? AND at >= ? AND at < ? ORDER BY id LIMIT ?",
            arguments: [subject, kind, from.unixMilliseconds, to.unixMilliseconds, limit]
        ).map { (WallTime(unixMilliseconds: $0["at"]), $0["body"]) }
    }
}

extension Quality {
    /// The number the store keeps for a quality; never renumber.
    var code: Int {
        switch self {
        case .good: 0
        case .suspect: 1
        case .stale: 2
        case .bad: 3
        case .missing: 4
        case .backfilled: 5
        }
    }

    init(code: Int) {
        self = Quality.allCases.first { $0.code == code } ?? .missing
    }
}
