/// How often each of many keys did something that could be guessing, in a window of time. It holds no more keys than it was given room for,
/// and a try costs the same however many there are.
struct TryTable {
    private struct Tries {
        var count: Int
        var since: Int64
    }

    private let most: Int
    private let window: Int64
    private let room: Int
    private var tries: [String: Tries] = [:]
    /// Keys in the order in which their windows began; those whose window began anew stand twice, and the older place counts for nothing.
    private var order: [(key: String, since: Int64)] = []
    private var head = 0

    /// A table.
    /// - Parameters:
    ///   - most: tries in a window
    ///   - window: its length in milliseconds
    ///   - room: keys that are remembered; the one whose window began first gives way
    init(most: Int, window: Int64 = 300_000, room: Int = 4096) {
        self.most = most
        self.window = window
        self.room = room
    }

    /// How many keys are remembered.
    var count: Int { tries.count }

    /// Counts a try. One beyond the limit changes nothing.
    /// - Returns: whether it is still within the limit
    mutating func take(_ key: String, at now: Int64) -> Bool {
        forgetOld(now)
        if let known = tries[key] {
            guard known.count < most else { return false }
            tries[key] = Tries(count: known.count + 1, since: known.since)
            return true
        }
        while tries.count >= room, forgetFirst() {}
        tries[key] = Tries(count: 1, since: now)
        order.append((key, now))
        return true
    }

    /// Forgets a key that did well.
    mutating func forget(_ key: String) {
        tries[key] = nil
        // Places of forgotten keys pile up only until the next tidying.
        if order.count - head > 2 * room { tidy() }
    }

    private mutating func forgetOld(_ now: Int64) {
        while head < order.count, now - order[head].since > window, forgetFirst() {}
    }

    /// Takes the first place out.
    private mutating func forgetFirst() -> Bool {
        guard head < order.count else { return false }
        let first = order[head]
        head += 1
        if tries[first.key]?.since == first.since { tries[first.key] = nil }
        if head > room { tidy() }
        return true
    }

    private mutating func tidy() {
        order = order[head...].filter { tries[$0.key]?.since == $0.since }
        head = 0
    }
}
