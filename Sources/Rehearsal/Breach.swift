import Telemetry

/// A promise that was broken.
public struct Breach: Error, Sendable, Hashable, CustomStringConvertible {
    public var promise: Promise
    /// How long after the beginning.
    public var after: Interval
    public var detail: String

    /// For a person who must find out why.
    public var description: String {
        let hours = after.milliseconds / 3_600_000
        return "\(promise.rawValue) broken on day \(hours / 24 + 1), hour \(hours % 24) (\(after.seconds) s): \(detail)"
    }
}
