import Foundation
import GRDB
import Telemetry

/// Somebody's word that readings of a meter are wrong. It stands beside the readings and never changes one: whoever reads a value sees
/// that it is disputed, by whom and why, and what was decided.
public struct CorrectionRequest: Sendable, Hashable {
    /// How far it has come.
    public enum State: String, Sendable, CaseIterable { case open, accepted, rejected }

    /// The store's number; 0 before it is saved.
    public var id: Int64
    public var at: WallTime
    public var meter: MeterID
    /// The disputed stretch, both ends included.
    public var first: WallTime
    public var last: WallTime
    public var who: String
    public var note: String
    /// What the register should have shown, in the point's unit, where somebody knows.
    public var value: Double?
    public var state: State
    public var decidedAt: WallTime?
    public var decidedBy: String?
    public var decision: String?

    /// A new request.
    public init(at: WallTime, meter: MeterID, first: WallTime, last: WallTime, who: String, note: String, value: Double?) {
        (id, state) = (0, .open)
        self.at = at
        self.meter = meter
        self.first = first
        self.last = last
        self.who = who
        self.note = note
        self.value = value
    }
}

extension StoreReader {
    /// Requests, newest first; of one meter and one stretch of time where those are given.
    public func corrections(of meter: MeterID? = nil, from: WallTime? = nil, to: WallTime? = nil, limit: Int = 200) throws -> [CorrectionRequest] {
        try Row.fetchAll(
            database,
            sql: """
                SELECT * FROM corrections WHERE (?1 IS NULL OR meter = ?1) AND (?2 IS NULL OR last >= ?2) AND (?3 IS NULL OR first < ?3)
                ORDER BY id DESC LIMIT ?4
                """, arguments: [meter?.rawValue, from?.unixMilliseconds, to?.unixMilliseconds, limit]
        ).map(CorrectionRequest.init)
    }

    /// One request by its number.
    public func correction(_ id: Int64) throws -> CorrectionRequest? {
        try Row.fetchOne(database, sql: "SELECT * FROM corrections WHERE id = ?", arguments: [id]).map(CorrectionRequest.init)
    }
}

extension CorrectionRequest {
    fileprivate init(_ row: Row) {
        self.init(
            at: WallTime(unixMilliseconds: row["at"]), meter: MeterID(row["meter"] as String), first: WallTime(unixMilliseconds: row["first"]),
            last: WallTime(unixMilliseconds: row["last"]), who: row["who"], note: row["note"], value: row["value"])
        id = row["id"]
        state = State(rawValue: row["state"]) ?? .open
        decidedAt = (row["decided"] as Int64?).map { WallTime(unixMilliseconds: $0) }
        (decidedBy, decision) = (row["decided_by"], row["decision"])
    }
}

extension StoreWriter {
    /// Keeps a new request.
    /// - Returns: its number
    public func add(_ request: CorrectionRequest) throws -> Int64 {
        try database.execute(
            sql: "INSERT INTO corrections (at, meter, first, last, who, note, value, state) VALUES (?, ?, ?, ?, ?, ?, ?, 'open')",
            arguments: [
                request.at.unixMilliseconds, request.meter.rawValue, request.first.unixMilliseconds, request.last.unixMilliseconds, request.who,
                request.note, request.value,
            ])
        return database.lastInsertedRowID
    }

    /// Decides an open request.
    /// - Returns: false when there is none with that number that is open
    public func decide(_ id: Int64, _ state: CorrectionRequest.State, by who: String, note: String, at now: WallTime) throws -> Bool {
        try database.execute(
            sql: "UPDATE corrections SET state = ?, decided = ?, decided_by = ?, decision = ? WHERE id = ? AND state = 'open'",
            arguments: [state.rawValue, now.unixMilliseconds, who, note, id])
        return database.changesCount == 1
    }
}
