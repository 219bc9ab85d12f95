import Casework
import Telemetry
import TimeSeriesStore
import Watchkeeping

/// Cases in the order in which they matter, page by page: open alarms, open attentions, then those that are closed; the newest first of each.
///
/// A page holds what its reader may see and nothing of what lies between: neither an empty place nor a number says that there is more.
enum CaseList {
    /// Where a page begins: behind a case.
    struct Cursor: Sendable, Hashable {
        var rank: Int
        var number: Int

        /// The beginning.
        static let start = Cursor(rank: 0, number: .max)

        init(rank: Int, number: Int) { (self.rank, self.number) = (rank, number) }

        /// Reads what `text` wrote. A plain number, as earlier releases wrote it, is a closed case's.
        init(_ text: String?) {
            let parts = (text ?? "").split(separator: ".").prefix(3).map { Int($0) }
            switch (parts.count, parts.first ?? nil, parts.last ?? nil) {
            case (1, let number?, _): self.init(rank: 2, number: number)
            case (2, let rank?, let number?): self.init(rank: rank, number: number)
            default: self = .start
            }
        }

        var text: String { "\(rank).\(number)" }

        /// Where a case stands.
        init(of item: Case) {
            rank = !item.isOpen ? 2 : item.severity == .alarm ? 0 : 1
            number = Int(item.id.rawValue.dropFirst(2)) ?? 0
        }

        /// Whether a place comes behind this one.
        func isBefore(_ other: Cursor) -> Bool { (rank, -number) < (other.rank, -other.number) }
    }

    /// Which cases are asked for.
    struct Wanted: Sendable, Hashable {
        /// Open ones, closed ones, or both.
        var open: Bool?
        var severity: Severity?

        init(open: Bool? = nil) { self.open = open }

        /// nil where the word is no severity.
        init?(open: Bool?, severity word: String?) {
            self.open = open
            guard let word else { return }
            guard let severity = Severity(rawValue: word) else { return nil }
            self.severity = severity
        }

        func fits(_ item: Case) -> Bool { (open ?? item.isOpen) == item.isOpen && (severity ?? item.severity) == item.severity }
    }

    /// So many lines of the record are looked at in one go.
    private static let stride = 500

    /// One page.
    static func page(
        _ premises: Premises, _ shapes: Shapes, _ wanted: Wanted, from start: Cursor, limit: Int
    ) async throws -> (items: [Case], next: Cursor?) {
        // The desk knows the open ones, also while the disk takes nothing.
        let book = await premises.desk.snapshot.book.cases
        var found = book.values.filter { $0.isOpen && wanted.fits($0) && start.isBefore(Cursor(of: $0)) && shapes.sees($0) }
            .sorted { Cursor(of: $0).isBefore(Cursor(of: $1)) }
        var before: Int? = start.rank == 2 ? start.number : Int.max
        while found.count <= limit, wanted.open != true, let number = before {
            let (ids, next) = try await premises.store.read { reader -> ([CaseID], Int?) in
                let heads = try reader.caseHeads(before: number, limit: stride)
                let mine = heads.filter { book[$0.id]?.isOpen != true && shapes.sees($0.subject, $0.kind) }
                return (mine.map(\.id), heads.count == stride ? heads.last?.number : nil)
            }
            for id in ids where found.count <= limit {
                // One that cannot be read must not cost the others.
                guard let item = try await premises.store.read({ try? $0.caseFile(id) }) ?? book[id], wanted.fits(item) else { continue }
                found.append(item)
            }
            before = next
        }
        let items = Array(found.prefix(limit))
        return (items, found.count > limit ? items.last.map { Cursor(of: $0) } : nil)
    }
}
