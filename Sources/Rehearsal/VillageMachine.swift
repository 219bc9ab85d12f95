import Telemetry

/// The machine under the gateway: when it was switched on, and what its clock says.
struct VillageMachine {
    let start: WallTime
    /// How far the clock on the wall is from the truth.
    var wallOffset = Interval.zero
    /// When it was set last.
    var wallSetAt = Interval.zero
    var bootAt = Interval.zero
    var boots = 1
    var runs = 0
    /// Since when no gateway runs.
    var downSince: Interval?
    /// How long no gateway has run, all in all, before the present gap.
    var downBefore = Interval.zero
    /// Since when the present one runs.
    var upSince = Interval.zero

    func wall(at now: Interval) -> WallTime { start + now + wallOffset }
    mutating func setWall(_ offset: Interval, at now: Interval) {
        wallOffset = offset
        wallSetAt = now
    }
    /// How long no gateway has run until a moment.
    func down(until now: Interval) -> Interval { downBefore + (downSince.map { now - $0 } ?? .zero) }
    /// How long the present gateway has run.
    func up(until now: Interval) -> Interval { downSince == nil ? now - upSince : .zero }
}
