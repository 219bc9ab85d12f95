import Foundation
import GRDB
import Telemetry

/// Readings, wherever they lie: recent ones as rows, older ones in sealed blocks. Callers do not know the difference.
extension StoreReader {
    /// A series of a meter.
    private struct Series {
        var id: Int64
        var point: String
        var unit: String
    }

    /// The readings of a meter, oldest first.
    /// - Parameters:
    ///   - point: one point, or all when nil
    ///   - from: first moment
    ///   - to: last moment, not included
    ///   - limit: the most readings
    public func readings(
        of meter: MeterID, point: String? = nil, from: WallTime, to: WallTime, limit: Int
    ) throws -> [Reading] {
        guard from < to, limit > 0 else { return [] }
        var result: [Reading] = []
        let series = try series(of: meter, point: point)
        for one in series {
            let entries = try entries(one.id, from: from.unixMilliseconds, to: to.unixMilliseconds, limit: limit)
            result += entries.map { Self.reading($0, meter, one) }
        }
        if series.count > 1 { result.sort { ($0.at, $0.point) < ($1.at, $1.point) } }
        return result.count > limit ? Array(result.prefix(limit)) : result
    }

    /// The newest reading of a meter's point that has a value.
    public func newest(of meter: MeterID, point: String) throws -> Reading? {
        for one in try series(of: meter, point: point) {
            let row = try Row.fetchOne(
                database,
                sql: """
                    SELECT at, received, device, value, quality, raw FROM readings WHERE series = ? AND value IS NOT NULL ORDER BY at DESC LIMIT 1
                    """, arguments: [one.id])
            if let row { return Self.reading(Self.entry(row), meter, one) }
            let bodies = try Data.fetchCursor(database, sql: "SELECT body FROM blocks WHERE series = ? ORDER BY day DESC LIMIT 40", arguments: [one.id])
            while let body = try bodies.next() {
                if let entry = (try? ReadingBlock(body))?.entries.last(where: { $0.value != nil }) { return Self.reading(entry, meter, one) }
            }
        }
        return nil
    }

    /// How many readings of a meter's point lie in a stretch of time, by local day (days since 1970) and quality.
    /// - Parameter offset: the zone's distance from UTC, seconds
    public func counts(
        of meter: MeterID, point: String, from: WallTime, to: WallTime, offset: Int64 = 0
    ) throws -> [(day: Int64, quality: Quality, count: Int)] {
        var tally: [Int64: [Int: Int]] = [:]
        try forEachEntry(of: meter, point: point, from: from, to: to) { entry in
            tally[(entry.at + offset * 1000).day, default: [:]][entry.quality, default: 0] += 1
        }
        return tally.sorted { $0.key < $1.key }.flatMap { day, counts in
            counts.sorted { $0.key < $1.key }.map { (day, Quality(code: $0.key), $0.value) }
        }
    }

    /// How many usable readings of a totaliser stand below the one before them by more than jitter (two counts, or a litre), by local day.
    public func falls(
        of meter: MeterID, point: String, jitter litres: Double, from: WallTime, to: WallTime, offset: Int64 = 0
    ) throws -> [Int64: Int] {
        var before: Double?
        var falls: [Int64: Int] = [:]
        let usable = [Quality.good.code, Quality.backfilled.code]
        try forEachEntry(of: meter, point: point, from: from, to: to) { entry in
            guard let value = entry.value, usable.contains(entry.quality) else { return }
            if let last = before, value < last - max(1, litres) { falls[(entry.at + offset * 1000).day, default: 0] += 1 }
            before = value
        }
        return falls
    }

    /// The last usable reading of each slot of time, oldest first: enough for a chart, however often the meter is polled. A day at a
    /// time is in memory.
    public func readings(of meter: MeterID, point: String, from: WallTime, to: WallTime, lastOfEach slot: Interval) throws -> [Reading] {
        let length = max(1, slot.milliseconds)
        let usable = [Quality.good, .suspect, .backfilled].map(\.code)
        var result: [Reading] = []
        for one in try series(of: meter, point: point) {
            var day = from
            while day < to {
                let end = min(to, day + .days(1))
                var kept: [Int64: ReadingBlock.Entry] = [:]
                for entry in try entries(one.id, from: day.unixMilliseconds, to: end.unixMilliseconds, limit: .max)
                where entry.value != nil && usable.contains(entry.quality) {
                    kept[entry.at / length] = entry
                }
                result += kept.sorted { $0.key < $1.key }.map { Self.reading($0.value, meter, one) }
                day = end
            }
        }
        return result
    }

    private func forEachEntry(of meter: MeterID, point: String, from: WallTime, to: WallTime, _ body: (ReadingBlock.Entry) -> Void) throws {
        guard from < to else { return }
        for one in try series(of: meter, point: point) {
            for entry in try entries(one.id, from: from.unixMilliseconds, to: to.unixMilliseconds, limit: .max) { body(entry) }
        }
    }

    private func series(of meter: MeterID, point: String?) throws -> [Series] {
        try Row.fetchAll(
            database, sql: "SELECT id, point, unit FROM series WHERE meter = ?1 AND (?2 IS NULL OR point = ?2) ORDER BY point",
            arguments: [meter.rawValue, point]
        ).map { Series(id: $0["id"], point: $0["point"], unit: $0["unit"]) }
    }

    /// A series' readings from packed days and rows; where both have a moment, the packed one, which was there first.
    private func entries(_ series: Int64, from: Int64, to: Int64, limit: Int) throws -> [ReadingBlock.Entry] {
        var packed: [ReadingBlock.Entry] = []
        let bodies = try Data.fetchCursor(
            database, sql: "SELECT body FROM blocks WHERE series = ? AND day >= ? AND day <= ? ORDER BY day", arguments: [series, from.day, to.day])
        while packed.count < limit, let body = try bodies.next() {
            // A damaged day is missing, and the check of the file tells of it; the other days stay readable.
            guard let block = try? ReadingBlock(body) else { continue }
            packed += block.entries.filter { $0.at >= from && $0.at < to }
        }
        let rows = try Row.fetchAll(
            database,
            sql: "SELECT at, received, device, value, quality, raw FROM readings WHERE series = ? AND at >= ? AND at < ? ORDER BY at LIMIT ?",
            arguments: [series, from, to, limit]
        ).map(Self.entry)
        guard let first = rows.first, let last = packed.last else { return packed.isEmpty ? rows : packed }
        // As a rule the rows follow the packed days.
        let merged = last.at < first.at ? packed + rows : ReadingBlock(packed).joined(ReadingBlock(rows)).entries
        return merged.count > limit ? Array(merged.prefix(limit)) : merged
    }

    /// The rows of one series and day.
    func rowEntries(_ series: Int64, day: Int64) throws -> [ReadingBlock.Entry] {
        try Row.fetchAll(
            database, sql: "SELECT at, received, device, value, quality, raw FROM readings WHERE series = ? AND at >= ? AND at < ? ORDER BY at",
            arguments: [series, day * .millisecondsADay, (day + 1) * .millisecondsADay]
        ).map(Self.entry)
    }

    /// The block of one series and day, if that day is sealed and its block can be read.
    func block(_ series: Int64, day: Int64) throws -> ReadingBlock? {
        try Data.fetchOne(database, sql: "SELECT body FROM blocks WHERE series = ? AND day = ?", arguments: [series, day]).flatMap { try? ReadingBlock($0) }
    }

    /// How many readings lie in rows and how many days in blocks, and how many bytes the blocks have.
    public func sealedTally() throws -> (rows: Int, blocks: Int, bytes: Int) {
        let rows = try Int.fetchOne(database, sql: "SELECT count(*) FROM readings") ?? 0
        let row = try Row.fetchOne(database, sql: "SELECT count(*) AS n, coalesce(sum(length(body)), 0) AS bytes FROM blocks")
        return (rows, row?["n"] ?? 0, row?["bytes"] ?? 0)
    }

    private static func entry(_ row: Row) -> ReadingBlock.Entry {
        let raw = (row["raw"] as Data?).map { data in
            stride(from: 0, to: data.count - 1, by: 2).map { UInt16(data[data.startIndex + $0]) << 8 | UInt16(data[data.startIndex + $0 + 1]) }
        }
        return ReadingBlock.Entry(
            at: row["at"], received: row["received"], device: row["device"], value: row["value"], quality: row["quality"], raw: raw ?? [])
    }

    private static func reading(_ entry: ReadingBlock.Entry, _ meter: MeterID, _ series: Series) -> Reading {
        Reading(
            meter: meter, point: series.point, at: WallTime(unixMilliseconds: entry.at), receivedAt: WallTime(unixMilliseconds: entry.received),
            deviceAt: entry.device.map { WallTime(unixMilliseconds: $0) }, value: entry.value, unit: series.unit,
            quality: Quality(code: entry.quality), raw: entry.raw)
    }
}
