import Synchronization
import Watchkeeping

/// How often one address may do a thing that could be guessing: so many times in five minutes, then no more.
final class RateLimit: Sendable {
    private struct Tries {
        var count: Int
        var since: Int64
    }

    private static let window: Int64 = 300_000
    private let most: Int
    private let tries = Mutex<[String: Tries]>([:])

    /// A limit.
    init(most: Int) { self.most = most }

    /// Counts a try.
    /// - Returns: whether it is still within the limit
    func take(_ address: String) -> Bool {
        let now = GatewayClock.bootMilliseconds()
        return tries.withLock { tries in
            if tries.count > 1000 { tries = tries.filter { now - $0.value.since < Self.window } }
            var entry = tries[address] ?? Tries(count: 0, since: now)
            if now - entry.since > Self.window { entry = Tries(count: 0, since: now) }
            entry.count += 1
            tries[address] = entry
            return entry.count <= most
        }
    }

    /// Whether an address has used up its tries.
    func isSpent(_ address: String) -> Bool {
        let now = GatewayClock.bootMilliseconds()
        return tries.withLock { tries in tries[address].map { $0.count >= most && now - $0.since <= Self.window } ?? false }
    }

    /// Forgets an address that did well.
    func forget(_ address: String) { tries.withLock { $0[address] = nil } }
}
