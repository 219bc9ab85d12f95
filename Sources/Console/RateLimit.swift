import Foundation
import Synchronization
import Watchkeeping

/// How often one address may do a thing that could be guessing: so many times in five minutes, then no more.
final class RateLimit: Sendable {
    private let table: Mutex<TryTable>

    /// A limit.
    init(most: Int) { table = Mutex(TryTable(most: most)) }

    /// Counts a try.
    /// - Returns: whether it is still within the limit
    func take(_ key: String) -> Bool { table.withLock { $0.take(key, at: GatewayClock.bootMilliseconds()) } }

    /// Forgets a key that did well.
    func forget(_ key: String) { table.withLock { $0.forget(key) } }

    /// What of an address is counted: whoever has one address of IPv6 has all of its network's.
    static func key(of address: String) -> String {
        if let mapped = address.range(of: "::ffff:", options: [.anchored]), address.contains(".") { return String(address[mapped.upperBound...]) }
        guard address.contains(":") else { return address }
        let halves = address.split(separator: "%").first.map(String.init)?.components(separatedBy: "::") ?? []
        var groups = (halves.first ?? "").split(separator: ":").map(String.init)
        if halves.count > 1 {
            let tail = halves[1].split(separator: ":").map(String.init)
            groups += Array(repeating: "0", count: max(0, 8 - groups.count - tail.count)) + tail
        }
        return groups.prefix(4).joined(separator: ":") + "::/64"
    }
}
