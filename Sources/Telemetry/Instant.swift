/// A point in civil time: milliseconds since 1970-01-01T00:00:00Z. It can be wrong (a gateway without a clock
/// battery boots at 1970) and it can step; nothing is ever timed by it.
public struct WallTime: Hashable, Comparable, Sendable {
    /// Milliseconds since the Unix epoch.
    public var unixMilliseconds: Int64

    /// A point so many milliseconds after the Unix epoch.
    public init(unixMilliseconds: Int64) { self.unixMilliseconds = unixMilliseconds }
    /// A point so many seconds after the Unix epoch.
    public init(unixSeconds: Int64) { self.init(unixMilliseconds: unixSeconds * 1000) }

    /// Whole seconds since the Unix epoch, rounded down.
    public var unixSeconds: Int64 {
        unixMilliseconds >= 0 ? unixMilliseconds / 1000 : (unixMilliseconds - 999) / 1000
    }

    /// Compares two points.
    public static func < (left: WallTime, right: WallTime) -> Bool { left.unixMilliseconds < right.unixMilliseconds }
    /// The point so much later.
    public static func + (left: WallTime, right: Interval) -> WallTime {
        WallTime(unixMilliseconds: left.unixMilliseconds + right.milliseconds)
    }
    /// The point so much earlier.
    public static func - (left: WallTime, right: Interval) -> WallTime {
        WallTime(unixMilliseconds: left.unixMilliseconds - right.milliseconds)
    }
    /// The time from the right point to the left.
    public static func - (left: WallTime, right: WallTime) -> Interval {
        Interval(milliseconds: left.unixMilliseconds - right.unixMilliseconds)
    }
}

extension WallTime: Codable {
    /// Reads whole milliseconds since the Unix epoch.
    public init(from decoder: any Decoder) throws {
        self.init(unixMilliseconds: try decoder.singleValueContainer().decode(Int64.self))
    }

    /// Writes whole milliseconds since the Unix epoch.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(unixMilliseconds)
    }
}

/// A moment as a core sees it: a place on the gateway's elapsed-time axis, which never steps and goes on through
/// restarts, beside the wall clock's word for it.
///
/// Deadlines, leases and silences are differences of `elapsed`; `wall` is only for the record, for clock time of day
/// and for people. A wall-clock step therefore neither raises nor delays an alarm.
public struct Instant: Hashable, Sendable, Codable {
    /// The place on the elapsed-time axis.
    public var elapsed: Interval
    /// What the wall clock said.
    public var wall: WallTime

    /// A moment with both its readings.
    public init(elapsed: Interval, wall: WallTime) {
        self.elapsed = elapsed
        self.wall = wall
    }

    /// A moment on recorded data, where the data's own clock serves as both.
    public init(recorded wall: WallTime) {
        self.init(elapsed: Interval(milliseconds: wall.unixMilliseconds), wall: wall)
    }

    /// The moment so much later, on both clocks.
    public func advanced(by interval: Interval) -> Instant {
        Instant(elapsed: elapsed + interval, wall: wall + interval)
    }

    /// The elapsed time from another moment to this one.
    public func since(_ other: Instant) -> Interval { elapsed - other.elapsed }

    /// The earlier of two moments, by elapsed time.
    public func earlier(of other: Instant) -> Instant { elapsed <= other.elapsed ? self : other }
}
