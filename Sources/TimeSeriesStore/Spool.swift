import Foundation
import GRDB
import Telemetry

/// What waits to be sent upstream, in the order in which it happened. Written in the same transaction as what it speaks of, so that nothing
/// is told here and missing there; deleted when the broker has it.
public struct SpoolEntry: Sendable, Hashable {
    /// What an entry is about; what may be given up first stands first.
    public enum Kind: Int, Sendable, CaseIterable {
        case readings = 0
        case finding = 1
        case outcome = 2
        case caseFile = 3

        /// The word in topics and messages.
        public var word: String {
            switch self {
            case .readings: "readings"
            case .finding: "finding"
            case .outcome: "outcome"
            case .caseFile: "case"
            }
        }
    }

    /// The place in the order; never used twice.
    public var number: Int64
    public var kind: Kind
    /// Whom or what it is about, by identifier.
    public var subject: String
    public var at: WallTime
    /// JSON.
    public var body: String

    /// An entry; its number comes from the store.
    public init(kind: Kind, subject: String, at: WallTime, body: String, number: Int64 = 0) {
        self.number = number
        self.kind = kind
        self.subject = subject
        self.at = at
        self.body = body
    }
}

/// How much may wait.
public struct SpoolLimits: Sendable, Hashable {
    /// The most bytes of bodies.
    public var bytes: Int64
    /// What is older than this is given up.
    public var age: Interval

    /// Limits; by default 200 MB and 30 days.
    public init(bytes: Int64 = 200_000_000, age: Interval = .days(30)) {
        self.bytes = bytes
        self.age = age
    }
}

extension StoreWriter {
    /// Puts an entry at the end.
    public func spool(_ entry: SpoolEntry) throws {
        guard try !isErased(entry.subject) else { return }
        let statement = try database.cachedStatement(sql: "INSERT INTO spool (kind, subject, at, body) VALUES (?, ?, ?, ?)")
        try statement.execute(arguments: [entry.kind.rawValue, entry.subject, entry.at.unixMilliseconds, entry.body])
    }

    /// Takes entries out that have arrived.
    public func unspool(_ numbers: [Int64]) throws {
        let statement = try database.cachedStatement(sql: "DELETE FROM spool WHERE id = ?")
        for number in numbers { try statement.execute(arguments: [number]) }
    }

    /// Gives up what is too old, and then, while too much waits, the oldest of what matters least: readings before findings, findings before
    /// cases.
    /// - Parameter mayForget: whether the wall clock is believed (`RetentionClock`); if not, nothing is too old. What seems a year older than
    ///   the limit was written by a clock that stood at 1970, and is not old either.
    /// - Returns: how many entries were given up, for their age and for want of room
    public func trimSpool(_ limits: SpoolLimits, at now: WallTime, mayForget: Bool = true) throws -> (forAge: Int, forRoom: Int) {
        var old = 0
        if mayForget {
            let oldest = now - limits.age
            try database.execute(
                sql: "DELETE FROM spool WHERE at < ? AND at > ?", arguments: [oldest.unixMilliseconds, (oldest - .days(366)).unixMilliseconds])
            old = database.changesCount
        }
        var dropped = 0
        for kind in SpoolEntry.Kind.allCases {
            var excess = try reader.spoolTally().bytes - limits.bytes
            while excess > 0 {
                let oldest = try Row.fetchAll(
                    database, sql: "SELECT id, length(CAST(body AS BLOB)) AS size FROM spool WHERE kind = ? ORDER BY id LIMIT 500", arguments: [kind.rawValue])
                if oldest.isEmpty { break }
                var numbers: [Int64] = []
                for row in oldest where excess > 0 {
                    numbers.append(row["id"])
                    excess -= row["size"] as Int64
                }
                try unspool(numbers)
                dropped += numbers.count
            }
        }
        return (old, dropped)
    }
}

extension StoreReader {
    /// The oldest entries behind a number.
    public func spooled(after number: Int64 = 0, limit: Int) throws -> [SpoolEntry] {
        try Row.fetchAll(database, sql: "SELECT id, kind, subject, at, body FROM spool WHERE id > ? ORDER BY id LIMIT ?", arguments: [number, limit]).map {
            row in
            SpoolEntry(
                kind: SpoolEntry.Kind(rawValue: row["kind"]) ?? .readings, subject: row["subject"], at: WallTime(unixMilliseconds: row["at"]),
                body: row["body"],
                number: row["id"])
        }
    }

    /// How much waits: entries, bytes, and since when.
    public func spoolTally() throws -> (count: Int, bytes: Int64, oldest: WallTime?) {
        let row = try Row.fetchOne(database, sql: "SELECT coalesce(sum(entries), 0) AS n, coalesce(sum(bytes), 0) AS bytes FROM spool_tally")
        // The oldest by its place: a clock that stood wrong for an hour does not make an entry older.
        let oldest = try Int64.fetchOne(database, sql: "SELECT at FROM spool ORDER BY id LIMIT 1")
        return (row?["n"] ?? 0, row?["bytes"] ?? 0, oldest.map { WallTime(unixMilliseconds: $0) })
    }
}
