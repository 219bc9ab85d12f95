/// Tells an answer that a device or a converter repeats from one that is fresh.
///
/// Some Modbus converters answer with their last good value when the meter behind them is gone ("data hold"). A meter with
/// a clock gives that away: its clock stands still. When the register moves the answer is fresh whatever the clock says.
public struct HeldReply: Sendable, Hashable {
    private var deviceAt: WallTime?
    private var register: Volume?
    private var since: Interval = .zero

    /// A clock that counts minutes may show the same time in two answers this far apart.
    public static let slowestClock = Interval.seconds(120)

    /// Nothing was heard yet.
    public init() {}

    /// Takes one answer.
    /// - Returns: whether it is an old answer repeated. Never for a meter without a clock: there nobody can tell.
    public mutating func isHeld(deviceAt clock: WallTime?, register newest: Volume?, at now: Instant) -> Bool {
        guard let clock else { return false }
        if clock == deviceAt, newest == register { return now.elapsed - since >= Self.slowestClock }
        deviceAt = clock
        register = newest
        since = now.elapsed
        return false
    }
}
