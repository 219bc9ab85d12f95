import Synchronization

/// Whether the wall clock is believed, for those who look more often than it is decided. Not believed until somebody has said so.
final class ClockTrust: Sendable {
    private let given = Mutex(false)
    var isGiven: Bool { given.withLock { $0 } }
    func set(_ isGiven: Bool) { given.withLock { $0 = isGiven } }
}
