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

    /// How long the gateway was down, and where the axis goes on. In the same boot the kernel's clock knows exactly;
    /// after a reboot the wall clock is asked, and believed only when it did not go backwards.
    public func resume(wall now: WallTime, boottime present: Int64, bootID presentBoot: String) -> (elapsed: Interval, down: Interval) {
        let down = max(0, bootID == presentBoot ? present - boottime : now.unixMilliseconds - wall)
        return (.milliseconds(elapsed + down), .milliseconds(down))
    }
}
