import Telemetry

/// What an elevator may be asked to do.
public enum BoardingMode: String, Sendable, Codable, CaseIterable {
    /// Warn only (type A); the default.
    case alarm
    /// Hold an open door (type B); opted into by the maintenance company.
    case hold
}

/// How boarding is guarded at one elevator.
public struct BoardingPolicy: Sendable, Hashable, Codable {
    /// The plain confirmation rule: so many frames of one track at so much confidence within so long.
    public struct Confirmation: Sendable, Hashable, Codable {
        public var within: Interval
        public var frames: Int
        public var confidence: Double

        /// The contract's default: 2 frames at 0.55 within 2.4 s.
        public init(within: Interval = .milliseconds(2400), frames: Int = 2, confidence: Double = 0.55) {
            self.within = within
            self.frames = frames
            self.confidence = confidence
        }
    }

    public var mode: BoardingMode
    /// Floors where boarding is guarded; empty means every floor.
    public var servedFloors: [String]
    public var confirmation: Confirmation
    /// The length of a lease; at most 10 s.
    public var lease: Interval
    /// The longest hold; at most 120 s.
    public var longestHold: Interval
    /// Not seen for so long means gone.
    public var clearAfter: Interval
    /// No further hold for so long after a release by a person or by `longestHold`.
    public var coolDown: Interval

    /// The contract's defaults.
    public init(
        mode: BoardingMode = .alarm, servedFloors: [String] = [], confirmation: Confirmation = Confirmation(),
        lease: Interval = .seconds(10), longestHold: Interval = .seconds(90), clearAfter: Interval = .seconds(7),
        coolDown: Interval = .seconds(48)
    ) {
        self.mode = mode
        self.servedFloors = servedFloors
        self.confirmation = confirmation
        self.lease = lease
        self.longestHold = longestHold
        self.clearAfter = clearAfter
        self.coolDown = coolDown
    }

    /// The contract's ceilings; `config check` enforces them.
    public static let greatestLease = Interval.seconds(10)
    /// See `greatestLease`.
    public static let greatestHold = Interval.seconds(120)
    /// A status older than this is no ground to hold a door.
    public static let freshness = Interval.milliseconds(2000)
    /// At most so many holds an hour, then the elevator only warns.
    public static let holdsPerHour = 6
    /// A command without an answer for so long is sent once more.
    public static let acknowledgementWithin = Interval.seconds(1)
    /// A controller away for so long is told: six minutes, as field platforms do.
    public static let offlineTold = Interval.minutes(6)
    /// A veto lasts so long, or until the car is seen empty.
    public static let vetoLasts = Interval.seconds(30)
    /// Below this a recogniser has seen nothing. A veto asks for no more: nobody is kept in a lift for want of certainty.
    public static let leastSight = 0.1
    /// A controller of which nothing is heard for so long, neither status nor word, is away.
    public static let silence = Interval.seconds(60)
}
