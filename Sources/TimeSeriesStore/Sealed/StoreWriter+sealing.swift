import Foundation
import GRDB
import Telemetry

/// Packing days that are over: their rows become one block for each series and day.
extension StoreWriter {
    /// What one round of upkeep did.
    public struct Sealed: Sendable, Hashable {
        /// Blocks written.
        public var blocks = 0
        /// Readings in them.
        public var readings = 0
    }

    /// Seals the oldest series and days that lie wholly before a moment, at most so many, so that no commit waits long. A reading that came
    /// late for a day already sealed is put into that day's block; what the block has already is kept as it was.
    /// - Returns: what was done; fewer blocks than asked for means that nothing is left
    public func seal(before moment: WallTime, most: Int) throws -> Sealed {
        var done = Sealed()
        while done.blocks < most {
            let before = done.blocks
            try sealOldest(before: moment, most: most - before, &done)
            if done.blocks == before { break }
        }
        return done
    }

    /// One day of each series that has one to seal.
    private func sealOldest(before moment: WallTime, most: Int, _ done: inout Sealed) throws {
        let lastDay = moment.unixMilliseconds.day
        // The oldest row of each series is one look-up in the key; a walk over all rows would hold up commits.
        let rows = try Row.fetchAll(
            database,
            sql: """
                SELECT id AS series, first FROM (SELECT id, (SELECT min(at) FROM readings WHERE readings.series = series.id) AS first FROM series)
                WHERE first < ? LIMIT ?
                """, arguments: [lastDay * .millisecondsADay, most])
        for row in rows {
            let series: Int64 = row["series"]
            let day = (row["first"] as Int64).day
            var block = ReadingBlock(try reader.rowEntries(series, day: day))
            if let old = try reader.block(series, day: day) { block = old.joined(block) }
            try save(block, series, day: day, thinned: false)
            try database.execute(
                sql: "DELETE FROM readings WHERE series = ? AND at >= ? AND at < ?",
                arguments: [series, day * .millisecondsADay, (day + 1) * .millisecondsADay])
            done.blocks += 1
            done.readings += block.entries.count
        }
    }

    /// Leaves of blocks of days wholly before a moment the last reading with a value in each stretch: of a totaliser nothing is lost but the
    /// finer time.
    /// - Returns: how many blocks were thinned
    public func thin(before moment: WallTime, every stretch: Interval, most: Int) throws -> Int {
        let rows = try Row.fetchAll(
            database, sql: "SELECT series, day, body FROM blocks WHERE day < ? AND thinned = 0 LIMIT ?",
            arguments: [moment.unixMilliseconds.day, most])
        for row in rows {
            let block = try ReadingBlock(row["body"] as Data).thinned(every: stretch.milliseconds)
            try save(block, row["series"], day: row["day"], thinned: true)
        }
        return rows.count
    }

    private func save(_ block: ReadingBlock, _ series: Int64, day: Int64, thinned: Bool) throws {
        try database.execute(
            sql: """
                INSERT INTO blocks (series, day, thinned, body) VALUES (?, ?, ?, ?)
                ON CONFLICT (series, day) DO UPDATE SET thinned = excluded.thinned, body = excluded.body
                """, arguments: [series, day, thinned, block.packed()])
    }

    /// Forgets readings of days wholly before a moment, and rows before it.
    public func dropReadings(before moment: WallTime) throws {
        // Series by series: the key begins with the series, and so nothing but what goes is looked at.
        for series in try Int64.fetchAll(database, sql: "SELECT id FROM series") {
            try database.execute(sql: "DELETE FROM readings WHERE series = ? AND at < ?", arguments: [series, moment.unixMilliseconds])
        }
        try database.execute(sql: "DELETE FROM blocks WHERE day < ?", arguments: [moment.unixMilliseconds.day])
    }

    /// Forgets the oldest day of readings there is.
    /// - Returns: that day's beginning; nil when there are no readings
    public func dropOldestDay() throws -> WallTime? {
        let day = try Int64.fetchOne(
            database,
            sql: """
                SELECT min(day) FROM (SELECT min(day) AS day FROM blocks UNION ALL
                    SELECT (SELECT min(at) FROM readings WHERE readings.series = series.id) / \(Int64.millisecondsADay) FROM series)
                """)
        guard let day else { return nil }
        try dropReadings(before: WallTime(unixMilliseconds: (day + 1) * .millisecondsADay))
        return WallTime(unixMilliseconds: day * .millisecondsADay)
    }

    /// Forgets a person: the meter's readings, the learnt habits, cases with their notices and notes, journal lines, disputes, what waits to be
    /// sent on. The audit keeps its lines, which name no person, and gets one more: that this was done. What is deleted is overwritten.
    public func erase(_ household: HouseholdID, meter: MeterID?, by who: String, at now: WallTime) throws {
        try database.execute(sql: "PRAGMA secure_delete = ON")
        let subjects = ["household/\(household)"] + (meter.map { ["meter/\($0)"] } ?? [])
        for subject in subjects {
            let (type, id) = (subject.prefix { $0 != "/" }, subject.drop { $0 != "/" }.dropFirst())
            try database.execute(
                sql: "DELETE FROM notices WHERE case_id IN (SELECT id FROM cases WHERE subject_type = ? AND subject_id = ?)",
                arguments: [String(type), String(id)])
            try database.execute(sql: "DELETE FROM cases WHERE subject_type = ? AND subject_id = ?", arguments: [String(type), String(id)])
            try database.execute(sql: "DELETE FROM journal WHERE subject = ?", arguments: [subject])
            try database.execute(sql: "DELETE FROM spool WHERE subject = ?", arguments: [subject])
        }
        try database.execute(sql: "DELETE FROM watches WHERE household = ?", arguments: [household.rawValue])
        if let meter {
            try eraseReadings(of: meter)
            try database.execute(sql: "DELETE FROM corrections WHERE meter = ?", arguments: [meter.rawValue])
            // Groups of readings that wait to be sent on hold many meters: they are not sent, rather than sent with this one in them.
            try database.execute(
                sql: "DELETE FROM spool WHERE kind = ? AND instr(body, ?) > 0", arguments: [SpoolEntry.Kind.readings.rawValue, "\"\(meter)\""])
        }
        try audit(who: who, what: "erased", subject: "household/\(household)", note: "", at: now)
        try database.execute(sql: "PRAGMA secure_delete = OFF")
    }

    /// Forgets every reading of a meter, packed or not.
    public func eraseReadings(of meter: MeterID) throws {
        for table in ["readings", "blocks"] {
            try database.execute(sql: "DELETE FROM \(table) WHERE series IN (SELECT id FROM series WHERE meter = ?)", arguments: [meter.rawValue])
        }
    }
}

extension Int64 {
    static let millisecondsADay: Int64 = 86_400_000
    /// The day, counted from 1970 in UTC, that holds a moment in Unix milliseconds.
    var day: Int64 { self >= 0 ? self / .millisecondsADay : (self + 1) / .millisecondsADay - 1 }
}

extension ReadingBlock {
    /// Both blocks' readings in time order; where both have a moment, this one's.
    func joined(_ other: ReadingBlock) -> ReadingBlock {
        let known = Set(entries.map(\.at))
        return ReadingBlock((entries + other.entries.filter { !known.contains($0.at) }).sorted { $0.at < $1.at })
    }

    /// The last reading with a value in each stretch of so many milliseconds; the last one of any kind where none has a value.
    func thinned(every stretch: Int64) -> ReadingBlock {
        guard stretch > 0 else { return self }
        let groups = Dictionary(grouping: entries) { $0.at / stretch }
        return ReadingBlock(groups.sorted { $0.key < $1.key }.compactMap { group in group.value.last { $0.value != nil } ?? group.value.last })
    }
}
