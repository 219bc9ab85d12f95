import Casework
import Foundation
import GRDB
import Phrasebook

/// Texts of unreasonable length that an earlier release wrote down: cut once, a few lines at a time, so that no start reads them again.
extension StoreWriter {
    /// Where a walk over the record stands.
    public struct LongTextWalk: Sendable, Hashable {
        var table = 0
        var row: Int64 = 0
        /// How many lines held such a text.
        public var cut = 0
        /// Whether all of the record has been seen.
        public var isDone: Bool { table >= StoreWriter.tables.count }

        /// At the beginning.
        public init() {}
    }

    private static let tables = ["cases", "notices"]
    /// A line shorter than this holds no text worth cutting.
    private static let suspicious = 100_000
    private static let atOnce = 4

    /// Cuts the next few lines.
    public func cutLongTexts(_ walk: inout LongTextWalk) throws {
        guard !walk.isDone else { return }
        let table = Self.tables[walk.table]
        let rows = try Row.fetchAll(
            database, sql: "SELECT rowid AS number, body FROM \(table) WHERE rowid > ? AND length(body) > ? ORDER BY rowid LIMIT ?",
            arguments: [walk.row, Self.suspicious, Self.atOnce])
        for row in rows {
            walk.row = row["number"]
            if try cut(row["body"], table, walk.row) { walk.cut += 1 }
        }
        if rows.count < Self.atOnce { (walk.table, walk.row) = (walk.table + 1, 0) }
    }

    private func cut(_ body: Data, _ table: String, _ row: Int64) throws -> Bool {
        let encoder = JSONEncoder()
        let shorter: Data
        // What cannot be read at all is told of elsewhere.
        if table == "cases" {
            guard let item = try? Case(stored: body) else { return false }
            shorter = try encoder.encode(item)
        } else {
            guard let item = try? DeliverySchedule.Item(stored: body) else { return false }
            shorter = try encoder.encode(item)
        }
        guard shorter.count < body.count / 2 else { return false }
        try database.execute(sql: "UPDATE \(table) SET body = ? WHERE rowid = ?", arguments: [shorter, row])
        return true
    }
}
