import Phrasebook
import Telemetry

/// A message to a controller.
public struct BoardingCommand: Sendable, Hashable {
    /// The only three things a controller is ever asked.
    public enum Action: String, Sendable, Codable, CaseIterable {
        case holdDoor = "hold_door"
        case release, announce
    }

    /// A UUID; a retry keeps it.
    public var id: String
    /// Grows by one for each new command of one start of the gateway.
    public var sequence: Int64
    public var action: Action
    /// When it was first issued.
    public var issuedAt: WallTime
    /// How long a hold lasts without renewal; zero for the others.
    public var lease: Interval
    public var reason: String
    /// The status the command rests on; nil for commands that need none.
    public var statusSequence: Int64?
    /// What to say in the car.
    public var announcement: LocalizedText?
    /// The start of the gateway.
    public var boot: String
}

/// Why a hold ended or did not begin.
public enum ReleaseReason: String, Sendable, Codable, CaseIterable {
    /// The vehicle was not seen for `clear_after`.
    case cleared
    /// A person pressed release.
    case person
    /// `longest_hold` was reached.
    case longestHold = "longest_hold"
    /// The newest status is too old.
    case stale
    /// The service mode is not normal.
    case mode
    case moving
    case doorZone = "door_zone"
    case door
    case fault
    case offline
    /// A class that must never be held is in the car.
    case veto
    /// The controller refused or ended the hold.
    case controller
    /// The controller does not answer.
    case unanswered
    case coolDown = "cool_down"
    case floor
    case alarmOnly = "alarm_only"
    case tooOften = "too_often"
    case stopping
    /// Two voices speak for the lift, and contradict one another.
    case contradictory
}

/// A source of UUIDs that a test can repeat: the same seed gives the same identifiers.
public struct CommandIdentifiers: Sendable, Hashable {
    private var state: UInt64

    /// A source started from a seed; a gateway draws the seed at random at each start.
    public init(seed: UInt64) { state = seed }

    private mutating func next() -> UInt64 {
        // SplitMix64 (Steele, Lea, Flood 2014).
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// The next identifier, in the form of a version 4 UUID (RFC 9562).
    public mutating func uuid() -> String {
        let high = next() & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
        let low = next() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        let digits = hex(high) + hex(low)
        let cuts = [8, 12, 16, 20]
        return digits.enumerated().map { (cuts.contains($0.offset) ? "-" : "") + String($0.element) }.joined()
    }
}

private func hex(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}
