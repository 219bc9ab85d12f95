/// Tells an answer that a device or a converter repeats from one that is fresh.
///
/// Some Modbus converters answer with their last good value when the meter behind them is gone ("data hold"). A meter with
/// a clock gives that away: its clock stands still. Where the register moves under a standing clock, the clock itself has stopped
/// and is not asked again until it runs: its owner's quiet nights must not look like a broken meter.
public struct HeldReply: Sendable, Hashable {
    private var deviceAt: WallTime?
    private var register: Volume?
    private var since: Interval = .zero
    /// The register was seen to move under this clock time: the clock has stopped, and tells nothing.
    private var clockStopped = false

    /// A clock that counts minutes may show the same time in two answers this far apart.
    public static let slowestClock = Interval.seconds(120)

    /// Nothing was heard yet.
    public init() {}

    /// Takes one answer.
    /// - Returns: whether it is an old answer repeated. Never for a meter without a clock: there nobody can tell.
    public mutating func isHeld(deviceAt clock: WallTime?, register newest: Volume?, at now: Instant) -> Bool {
        guard let clock else { return false }
        guard clock == deviceAt else {
            (deviceAt, register, since, clockStopped) = (clock, newest, now.elapsed, false)
            return false
        }
        let isLong = now.elapsed - since >= Self.slowestClock
        if newest != register, isLong { clockStopped = true }
        register = newest
        return isLong && !clockStopped
    }
}
