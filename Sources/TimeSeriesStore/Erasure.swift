import Foundation
import GRDB
import Telemetry

/// Forgetting a person, also beside a running gateway.
///
/// What is deleted leaves a mark: whose name it bears is written no more, whoever still has it in memory. The gateway reads the marks, drops what it
/// knows, and takes a mark away when a home is watched again, with a new consent.
extension Store {
    /// So many readings or packed days go at a time: no commit of a gateway beside us waits long.
    private static let piece = 2000

    /// Forgets a person: the meter's readings, the learnt habits, cases with their notices and notes, journal lines, disputes, what waits to be
    /// sent on. The audit keeps its lines, which name no person, and gets one more: that this was done. What is deleted is overwritten.
    public func erase(_ household: HouseholdID, meter: MeterID?, by who: String, at now: WallTime) throws(StoreFault) {
        try writeNow { try $0.securely { try $0.erase(household, meter: meter, by: who, at: now) } }
        guard let meter else { return }
        while try writeNow({ try $0.securely { try $0.eraseReadings(of: meter, most: Self.piece) } }) > 0 { usleep(2000) }
    }
}

extension StoreReader {
    /// Whose data was erased and must not come back, by subject (`household/…`, `meter/…`, `case/…`).
    public func erasureMarks() throws -> Set<String> { Set(try String.fetchAll(database, sql: "SELECT subject FROM erased")) }
}

extension StoreWriter {
    /// Takes marks away: the homes and meters of these subjects are watched again.
    public func unmarkErased(_ subjects: some Sequence<String>) throws {
        for subject in subjects { try database.execute(sql: "DELETE FROM erased WHERE subject = ?", arguments: [subject]) }
    }

    /// Whether a subject was erased.
    func isErased(_ subject: String) throws -> Bool {
        let statement = try database.cachedStatement(sql: "SELECT 1 FROM erased WHERE subject = ?")
        return try Int.fetchOne(statement, arguments: [subject]) != nil
    }

    /// The meters whose readings were erased.
    func erasedMeters() throws -> Set<String> {
        let statement = try database.cachedStatement(sql: "SELECT substr(subject, 7) FROM erased WHERE subject >= 'meter/' AND subject < 'meter0'")
        return Set(try String.fetchAll(statement))
    }

    /// Does something so that what it deletes is overwritten.
    fileprivate func securely<Value>(_ body: (StoreWriter) throws -> Value) throws -> Value {
        try database.execute(sql: "PRAGMA secure_delete = ON")
        defer { try? database.execute(sql: "PRAGMA secure_delete = OFF") }
        return try body(self)
    }

    /// All but the readings, and the marks.
    fileprivate func erase(_ household: HouseholdID, meter: MeterID?, by who: String, at now: WallTime) throws {
        var marks = ["household/\(household)"] + (meter.map { ["meter/\($0)"] } ?? [])
        for subject in marks {
            let (type, id) = (String(subject.prefix { $0 != "/" }), String(subject.drop { $0 != "/" }.dropFirst()))
            let cases = try String.fetchAll(database, sql: "SELECT id FROM cases WHERE subject_type = ? AND subject_id = ?", arguments: [type, id])
            for one in cases { try database.execute(sql: "DELETE FROM notices WHERE case_id = ?", arguments: [one]) }
            try database.execute(sql: "DELETE FROM cases WHERE subject_type = ? AND subject_id = ?", arguments: [type, id])
            try database.execute(sql: "DELETE FROM journal WHERE subject = ?", arguments: [subject])
            try database.execute(sql: "DELETE FROM spool WHERE subject = ?", arguments: [subject])
            marks += cases.map { "case/\($0)" }
        }
        try database.execute(sql: "DELETE FROM watches WHERE household = ?", arguments: [household.rawValue])
        if let meter {
            try database.execute(sql: "DELETE FROM corrections WHERE meter = ?", arguments: [meter.rawValue])
            // Groups of readings that wait to be sent on hold many meters: they are not sent, rather than sent with this one in them.
            try database.execute(
                sql: "DELETE FROM spool WHERE kind = ? AND instr(body, ?) > 0", arguments: [SpoolEntry.Kind.readings.rawValue, "\"\(meter)\""])
        }
        for mark in marks { try database.execute(sql: "INSERT OR REPLACE INTO erased VALUES (?, ?)", arguments: [mark, now.unixMilliseconds]) }
        try audit(who: who, what: "erased", subject: "household/\(household)", note: "", at: now)
    }

    /// Forgets readings of a meter, packed or not, at most so many rows and so many packed days.
    /// - Returns: how many went
    func eraseReadings(of meter: MeterID, most: Int) throws -> Int {
        var count = 0
        for series in try Int64.fetchAll(database, sql: "SELECT id FROM series WHERE meter = ?", arguments: [meter.rawValue]) {
            count += try dropRows(of: series, before: .max, most: most)
            try database.execute(
                sql: "DELETE FROM blocks WHERE series = ?1 AND day IN (SELECT day FROM blocks WHERE series = ?1 ORDER BY day LIMIT ?2)",
                arguments: [series, most])
            count += database.changesCount
        }
        return count
    }

    /// Deletes the oldest rows of a series, at most so many.
    /// - Returns: how many went
    func dropRows(of series: Int64, before moment: Int64, most: Int) throws -> Int {
        try database.execute(
            sql: "DELETE FROM readings WHERE series = ?1 AND at IN (SELECT at FROM readings WHERE series = ?1 AND at < ?2 ORDER BY at LIMIT ?3)",
            arguments: [series, moment, most])
        return database.changesCount
    }
}
