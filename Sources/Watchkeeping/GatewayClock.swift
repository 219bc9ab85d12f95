import Foundation
import Glibc
import Telemetry

/// The gateway's time: an elapsed-time axis that never steps and goes on through restarts, beside the wall clock.
///
/// Within one run the axis follows CLOCK_BOOTTIME, which counts through suspension. A demonstration may run faster than
/// life; then the wall clock is simulated too.
public struct GatewayClock: Sendable {
    private let axisAtStart: Int64
    private let bootAtStart: Int64
    private let wallAtStart: Int64
    /// How many seconds of gateway time pass in a second of real time.
    public let speed: Double

    /// A clock that starts at a place of the axis.
    public init(elapsed: Interval, wall: WallTime, speed: Double = 1) {
        axisAtStart = elapsed.milliseconds
        wallAtStart = wall.unixMilliseconds
        bootAtStart = Self.bootMilliseconds()
        self.speed = speed
    }

    /// A clock in real time whose axis starts at the wall clock's present reading.
    public static func fresh() -> GatewayClock {
        let wall = systemWall()
        return GatewayClock(elapsed: .milliseconds(wall.unixMilliseconds), wall: wall)
    }

    /// Milliseconds of CLOCK_BOOTTIME.
    public static func bootMilliseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// What the machine's wall clock says.
    public static func systemWall() -> WallTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(unixMilliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    /// The present moment.
    public func now() -> Instant {
        let passed = Self.bootMilliseconds() - bootAtStart
        if speed == 1 {
            return Instant(elapsed: .milliseconds(axisAtStart + passed), wall: Self.systemWall())
        }
        let scaled = Int64(Double(passed) * speed)
        return Instant(
            elapsed: .milliseconds(axisAtStart + scaled), wall: WallTime(unixMilliseconds: wallAtStart + scaled))
    }

    /// How long to sleep in real time until a place on the axis.
    public func realTime(until elapsed: Interval) -> Duration {
        let left = max(0, (elapsed - now().elapsed).milliseconds)
        return .milliseconds(Int64((Double(left) / speed).rounded(.up)))
    }
}

extension AxisMark {
    /// The mark of a moment on this machine.
    public init(_ now: Instant) { self.init(now, boottime: GatewayClock.bootMilliseconds(), bootID: Self.currentBootID()) }

    static func currentBootID() -> String {
        (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8))?
            .trimmingCharacters(in: .whitespacesAndNewlines) ?? "unknown"
    }

    /// How long the gateway was down on this machine, and where the axis goes on.
    public func resume(wall now: WallTime) -> (elapsed: Interval, down: Interval) {
        resume(wall: now, boottime: GatewayClock.bootMilliseconds(), bootID: Self.currentBootID())
    }
}
