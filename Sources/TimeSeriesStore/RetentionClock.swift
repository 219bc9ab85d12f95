import Telemetry

/// Decides whether the wall clock may be believed when something is to be forgotten for its age.
///
/// A gateway without a clock battery may wake in any year, and an hour in the wrong one must not cost four hundred days of readings. The wall
/// clock is compared with the seconds that passed: when it has jumped, nothing is forgotten until it has gone on from there for a day if the
/// network sets it, for a week if nobody says. A pure value; kept with the record.
public struct RetentionClock: Sendable, Hashable, Codable {
    private struct Mark: Sendable, Hashable, Codable {
        var wall: WallTime
        var elapsed: Interval

        /// How far the wall clock has moved beyond the seconds that passed.
        func drift(_ now: Instant) -> Interval { (now.wall - wall) - (now.elapsed - elapsed) }
    }

    /// Summer time, leap seconds and a network that corrects a bad crystal stay below this.
    static let tolerated = Interval.days(1)
    private var trusted: Mark?
    private var candidate: Mark?

    /// A clock that has seen nothing yet.
    public init() {}

    /// Takes the present moment.
    /// - Parameter isSynchronised: whether the network sets the wall clock; nil when nobody says
    /// - Returns: whether what is old by this wall clock may be forgotten
    public mutating func mayForget(at now: Instant, isSynchronised: Bool?) -> Bool {
        let mark = Mark(wall: now.wall, elapsed: now.elapsed)
        if let trusted, within(trusted.drift(now)) {
            self.trusted = mark
            candidate = nil
            return true
        }
        guard let candidate, within(candidate.drift(now)) else {
            candidate = mark
            return false
        }
        guard now.elapsed - candidate.elapsed >= (isSynchronised == true ? .days(1) : .days(7)) else { return false }
        trusted = mark
        self.candidate = nil
        return true
    }

    private func within(_ drift: Interval) -> Bool { drift <= Self.tolerated && Interval.zero - Self.tolerated <= drift }
}
