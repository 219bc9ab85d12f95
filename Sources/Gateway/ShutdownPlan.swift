import Telemetry

/// How long each part of a gateway may take to end, so that all of it together keeps one deadline. A pure value.
///
/// A part that does not end in its time is left behind and named; what comes after it goes on. The record's share is kept free for it whatever
/// the parts before it took.
public struct ShutdownPlan: Sendable, Hashable {
    /// What ends, in its order.
    public enum Part: String, Sendable, CaseIterable {
        /// Doors are released, the lifts hear goodbye.
        case lifts
        /// Reads under way on the buses.
        case buses
        /// Readings that wait for their commit.
        case telemetry
        /// Events that came in, and the homes' watches.
        case desk
        /// Notices under way, and what became of them.
        case delivery
        /// The record.
        case store
        /// Connections to brokers and receivers.
        case connections
        /// Pages and the API.
        case console
    }

    /// From being told to stop until the process is gone.
    public static let limit = Interval.milliseconds(5000)
    /// When whatever still hangs is left behind; what is left of the limit is for the system to take the process down.
    public static let deadline = Interval.milliseconds(4600)
    /// So much of the time is the record's.
    static let keptForStore = Interval.milliseconds(900)

    private let startedAt: Interval
    private var open: Set<Part>

    /// A stop that begins at a place on any axis that does not step.
    public init(at now: Interval, parts: [Part] = Part.allCases) {
        startedAt = now
        open = Set(parts)
    }

    /// How long a part may take from now on.
    public func budget(for part: Part, at now: Interval) -> Interval {
        let reserved = part == .connections || part == .store || part == .console ? Interval.zero : Self.keptForStore
        let left = startedAt + Self.deadline - now - reserved
        return max(.zero, min(Self.most(part), left))
    }

    private static func most(_ part: Part) -> Interval {
        switch part {
        case .lifts, .buses, .telemetry: .milliseconds(700)
        case .desk: .milliseconds(1000)
        case .delivery: .milliseconds(600)
        case .store: keptForStore
        case .connections: .milliseconds(400)
        case .console: deadline
        }
    }

    /// A part has ended.
    public mutating func ended(_ part: Part) { open.remove(part) }

    /// What has not ended yet, in its order.
    public var unended: [Part] { Part.allCases.filter(open.contains) }

    /// Whether it is time to leave what hangs behind.
    public func isOver(at now: Interval) -> Bool { now - startedAt >= Self.deadline }
}
