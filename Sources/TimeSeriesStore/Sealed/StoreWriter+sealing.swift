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
            // A damaged block is missing data: the day is begun anew with what came late.
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
            guard let block = try? ReadingBlock(row["body"] as Data) else {
                // A damaged block stays as it is, for the check to name it, and is not looked at again.
                try database.execute(
                    sql: "UPDATE blocks SET thinned = 1 WHERE series = ? AND day = ?", arguments: [row["series"] as Int64, row["day"] as Int64])
                continue
            }
            try save(block.thinned(every: stretch.milliseconds), row["series"], day: row["day"], thinned: true)
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

    /// Forgets readings of days wholly before a moment, and rows before it: at most so many of a kind, so that no commit waits long.
    /// - Returns: how many went; none means that nothing is left
    public func dropReadings(before moment: WallTime, most: Int) throws -> Int {
        var count = 0
        // Series by series: the key begins with the series, and so nothing but what goes is looked at.
        for series in try Int64.fetchAll(database, sql: "SELECT id FROM series") where count < most {
            count += try dropRows(of: series, before: moment.unixMilliseconds, most: most - count)
        }
        let blocks = try Row.fetchAll(
            database, sql: "SELECT series, day FROM blocks WHERE day < ? ORDER BY day LIMIT ?", arguments: [moment.unixMilliseconds.day, most])
        let statement = try database.cachedStatement(sql: "DELETE FROM blocks WHERE series = ? AND day = ?")
        for block in blocks { try statement.execute(arguments: [block["series"] as Int64, block["day"] as Int64]) }
        return count + blocks.count
    }

    /// Forgets the oldest readings there are, of one day and at most so many of a kind.
    /// - Returns: how many went, and that day's beginning; nil when there are no readings
    public func dropOldest(most: Int) throws -> (count: Int, day: WallTime)? {
        let day = try Int64.fetchOne(
            database,
            sql: """
                SELECT min(day) FROM (SELECT min(day) AS day FROM blocks UNION ALL
                    SELECT (SELECT min(at) FROM readings WHERE readings.series = series.id) / \(Int64.millisecondsADay) FROM series)
                """)
        guard let day else { return nil }
        let count = try dropReadings(before: WallTime(unixMilliseconds: (day + 1) * .millisecondsADay), most: most)
        return (count, WallTime(unixMilliseconds: day * .millisecondsADay))
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
