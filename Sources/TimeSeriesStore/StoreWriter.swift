import Casework
import Crypto
import Foundation
import GRDB
import GRDBSQLite
import Telemetry

/// Writing calls inside one transaction.
public struct StoreWriter {
    let database: Database

    /// What can be read in the same transaction.
    public var reader: StoreReader { StoreReader(database: database) }

    /// Adds readings. The same reading of a series and moment twice is kept once, the first one: a back-fill never
    /// overwrites what was read live.
    public func append(_ readings: [Reading]) throws {
        var series: [SeriesKey: Int64] = [:]
        let statement = try database.cachedStatement(
            sql: """
                INSERT OR IGNORE INTO readings (series, at, received, device, value, quality, raw) VALUES (?, ?, ?, ?, ?, ?, ?)
                """)
        // Bound through the C API: one call a column, nothing boxed. A thousand rows a commit is the hot path.
        let handle = statement.sqliteStatement
        let erased = try erasedMeters()
        for reading in readings where erased.isEmpty || !erased.contains(reading.meter.rawValue) {
            let key = SeriesKey(meter: reading.meter, point: reading.point)
            let id: Int64
            if let known = series[key] {
                id = known
            } else {
                id = try seriesID(key, unit: reading.unit)
                series[key] = id
            }
            sqlite3_bind_int64(handle, 1, id)
            sqlite3_bind_int64(handle, 2, reading.at.unixMilliseconds)
            sqlite3_bind_int64(handle, 3, reading.receivedAt.unixMilliseconds)
            if let device = reading.deviceAt { sqlite3_bind_int64(handle, 4, device.unixMilliseconds) } else { sqlite3_bind_null(handle, 4) }
            if let value = reading.value { sqlite3_bind_double(handle, 5, value) } else { sqlite3_bind_null(handle, 5) }
            sqlite3_bind_int64(handle, 6, Int64(reading.quality.code))
            let code = step(handle, raw: reading.raw)
            sqlite3_reset(handle)
            sqlite3_bind_null(handle, 7)
            guard code == SQLITE_DONE else {
                throw DatabaseError(resultCode: ResultCode(rawValue: code), message: database.lastErrorMessage)
            }
        }
        sqlite3_clear_bindings(handle)
    }

    private struct SeriesKey: Hashable {
        var meter: MeterID
        var point: String
    }

    /// Binds the raw words and runs the statement while they are in place.
    private func step(_ handle: OpaquePointer, raw: [UInt16]) -> Int32 {
        guard !raw.isEmpty else {
            sqlite3_bind_null(handle, 7)
            return sqlite3_step(handle)
        }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: raw.count * 2) { bytes in
            for (index, word) in raw.enumerated() {
                bytes[2 * index] = UInt8(word >> 8)
                bytes[2 * index + 1] = UInt8(word & 255)
            }
            // No destructor: the bytes outlive the step.
            sqlite3_bind_blob(handle, 7, bytes.baseAddress, Int32(bytes.count), nil)
            return sqlite3_step(handle)
        }
    }

    private func seriesID(_ key: SeriesKey, unit: String) throws -> Int64 {
        let found = try Int64.fetchOne(
            database, sql: "SELECT id FROM series WHERE meter = ? AND point = ?", arguments: [key.meter.rawValue, key.point])
        if let found { return found }
        try database.execute(
            sql: "INSERT INTO series (meter, point, unit) VALUES (?, ?, ?)", arguments: [key.meter.rawValue, key.point, unit])
        return database.lastInsertedRowID
    }

    /// Saves a case as it stands.
    public func save(_ item: Case) throws {
        guard try !isErased(item.subject.description), try !isErased("case/\(item.id)") else { return }
        let number = Int(item.id.rawValue.dropFirst(2)) ?? 0
        try database.execute(
            sql: """
                INSERT INTO cases (id, number, is_open, kind, subject_type, subject_id, opened, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET is_open = excluded.is_open, body = excluded.body
                """,
            arguments: [
                item.id.rawValue, number, item.isOpen, item.kind.rawValue, item.subject.type.rawValue, item.subject.id,
                item.openedAt.wall.unixMilliseconds, try JSONEncoder().encode(item),
            ])
    }

    /// Saves a notice's delivery as it stands. A notice that exists is not made again.
    public func save(_ item: DeliverySchedule.Item) throws {
        guard try !isErased(item.notice.subject.description), try !isErased("case/\(item.notice.caseID)") else { return }
        try database.execute(
            sql: """
                INSERT INTO notices (id, case_id, state, attempts, sent, body) VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET state = excluded.state, attempts = excluded.attempts, sent = excluded.sent, body = excluded.body
                """,
            arguments: [
                item.notice.id.rawValue, item.notice.caseID.rawValue, item.state.rawValue, item.attempts,
                item.sentAt?.unixMilliseconds, try JSONEncoder().encode(item),
            ])
    }

    /// Deletes notices of which nobody is to hear any more.
    public func dropNotices(_ ids: [NoticeID]) throws {
        for id in ids { try database.execute(sql: "DELETE FROM notices WHERE id = ?", arguments: [id.rawValue]) }
    }

    /// Makes a notice's record, unless it is there: what was told while the disk was full may have its end written down before its beginning.
    public func make(_ item: DeliverySchedule.Item) throws {
        guard try !isErased(item.notice.subject.description), try !isErased("case/\(item.notice.caseID)") else { return }
        try database.execute(
            sql: """
                INSERT INTO notices (id, case_id, state, attempts, sent, body) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING
                """,
            arguments: [
                item.notice.id.rawValue, item.notice.caseID.rawValue, item.state.rawValue, item.attempts,
                item.sentAt?.unixMilliseconds, try JSONEncoder().encode(item),
            ])
    }

    /// Saves a watch as it stood at a moment.
    public func saveWatch(_ household: HouseholdID, at moment: WallTime, body: Data) throws {
        guard try !isErased("household/\(household)") else { return }
        try database.execute(
            sql: """
                INSERT INTO watches (household, at, body) VALUES (?, ?, ?)
                ON CONFLICT (household) DO UPDATE SET at = excluded.at, body = excluded.body
                """, arguments: [household.rawValue, moment.unixMilliseconds, body])
    }

    /// Forgets a named value.
    public func removeFact(_ name: String) throws { try database.execute(sql: "DELETE FROM facts WHERE name = ?", arguments: [name]) }

    /// Remembers a fact.
    public func setFact(_ name: String, _ value: String) throws {
        try database.execute(
            sql: "INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            arguments: [name, value])
    }

    /// Adds a line to the journal.
    public func journal(_ kind: String, subject: String, body: String, boot: String, at now: Instant) throws {
        guard try !isErased(subject) else { return }
        try database.execute(
            sql: "INSERT INTO journal (at, elapsed, boot, kind, subject, body) VALUES (?, ?, ?, ?, ?, ?)",
            arguments: [now.wall.unixMilliseconds, now.elapsed.milliseconds, boot, kind, subject, body])
    }

    /// Adds a line to the audit. Each line's hash covers the line before it, so that a removed or altered line shows.
    public func audit(who: String, what: String, subject: String, note: String, at now: WallTime) throws {
        let last = try reader.audit(limit: 1).first
        let hash = Self.auditHash(previous: last?.hash ?? Data(), at: now, who: who, what: what, subject: subject, note: note)
        try database.execute(
            sql: "INSERT INTO audit (at, who, what, subject, note, hash) VALUES (?, ?, ?, ?, ?, ?)",
            arguments: [now.unixMilliseconds, who, what, subject, note, hash])
        // Lines cut off at the end leave a chain that is whole and too short.
        try setFact(StoreReader.auditTail, "\(database.lastInsertedRowID) \(hash.base64EncodedString())")
    }

    /// The hash of an audit line: SHA-256 over the previous hash and the line's fields, each with its length in front.
    public static func auditHash(previous: Data, at: WallTime, who: String, what: String, subject: String, note: String) -> Data {
        var hash = SHA256()
        hash.update(data: previous)
        for field in [String(at.unixMilliseconds), who, what, subject, note] {
            hash.update(data: Data("\(field.utf8.count):\(field)".utf8))
        }
        return Data(hash.finalize())
    }
}
