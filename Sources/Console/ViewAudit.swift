import Synchronization
import Telemetry
import Watchkeeping

/// Writes down who looked at personal data: once an hour for each reader and subject, since an open page refreshes itself.
final class ViewAudit: Sendable {
    private static let again: Int64 = 3_600_000
    private static let most = 5000
    private let seen = Mutex<[String: Int64]>([:])

    /// What a path shows of persons; nil for a page without personal data.
    static func subject(of path: String) -> String? {
        let parts = path.split(separator: "/").map(String.init)
        let rest = parts.starts(with: ["api", "v1"]) ? Array(parts.dropFirst(2)) : parts
        switch (rest.first, rest.count) {
        case (nil, _): return "overview"
        case ("homes", 2), ("households", 2): return "household/\(rest[1])"
        case ("households", 1): return "households"
        case ("cases", 1): return "cases"
        case ("cases", 2): return "case/\(rest[1])"
        // A meter's total is its home's water; a disputed reading's note may hold a name; the stream says which homes have news.
        case ("people", 1), ("audit", 1), ("meters", 1), ("notices", 1), ("corrections", 1), ("events", 1): return rest[0]
        case ("devices", 1): return "meters"
        case ("quality", 1) where !parts.starts(with: ["api"]): return "corrections"
        case ("meters", 3) where rest[2] == "readings": return "meter/\(rest[1])"
        default: return nil
        }
    }

    /// Notes a look, unless the same reader was noted on the same subject within the hour.
    func note(_ who: String, _ subject: String, _ premises: Premises) async {
        let now = GatewayClock.bootMilliseconds()
        let isNew = seen.withLock { seen in
            if seen.count >= Self.most { seen = seen.filter { now - $0.value < Self.again } }
            let key = "\(who)|\(subject)"
            guard seen[key].map({ now - $0 >= Self.again }) ?? true else { return false }
            // Whoever looks at more than can be remembered is written down each time.
            if seen.count < Self.most * 2 { seen[key] = now }
            return true
        }
        guard isNew else { return }
        let at = premises.clock.now().wall
        do {
            try await premises.store.write { try $0.audit(who: who, what: "viewed", subject: subject, note: "", at: at) }
        } catch {
            seen.withLock { $0["\(who)|\(subject)"] = nil }
            premises.log.error("a view could not be audited", metadata: ["why": "\(error)"])
        }
    }
}
