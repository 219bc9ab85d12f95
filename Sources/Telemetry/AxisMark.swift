/// Where the elapsed-time axis stood, kept so that it goes on after a restart.
public struct AxisMark: Codable, Sendable, Hashable {
    public var elapsed: Int64
    public var wall: Int64
    public var boottime: Int64
    public var bootID: String

    /// The mark of a moment, with the kernel's clock since boot in milliseconds and the name of that boot.
    public init(_ now: Instant, boottime: Int64, bootID: String) {
        elapsed = now.elapsed.milliseconds
        wall = now.wall.unixMilliseconds
        self.boottime = boottime
        self.bootID = bootID
    }

    /// Nobody believes a clock that says the box was off for longer than this: it woke in a wrong year.
    public static let longestDown = Interval.days(400)

    /// How long the gateway was down, and where the axis goes on. In the same boot the kernel's clock knows exactly;
    /// after a reboot the wall clock is asked, and believed only when it did not go backwards, nor by years.
    public func resume(wall now: WallTime, boottime present: Int64, bootID presentBoot: String) -> (elapsed: Interval, down: Interval) {
        let said = now.unixMilliseconds - wall
        let down = bootID == presentBoot ? max(0, present - boottime) : (0...Self.longestDown.milliseconds).contains(said) ? said : 0
        return (.milliseconds(elapsed + down), .milliseconds(down))
    }
}
