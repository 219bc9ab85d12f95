import Phrasebook
import Telemetry

/// What an elevator is doing, by the categories of GB/T 24476. Raw values are the contract's; whatever is not among
/// them is `unknown`, and unknown never holds a door.
public enum ServiceMode: String, Sendable, Codable, CaseIterable {
    case normal, stop, inspection
    case fireReturn = "fire_return"
    case firefighter
    case emergencyPower = "emergency_power"
    case earthquake, unknown
}

/// Whether the car moves.
public enum Motion: String, Sendable, Codable, CaseIterable { case stopped, up, down, unknown }

/// The door.
public enum DoorState: String, Sendable, Codable, CaseIterable { case open, opening, closing, closed, locked, unknown }

/// A status message as it arrived.
public struct ElevatorStatus: Sendable, Hashable {
    /// Grows by one for each message of one start of the sender.
    public var sequence: Int64
    /// The sender's start; nil when it does not say.
    public var boot: String?
    public var serviceMode: ServiceMode
    public var motion: Motion
    public var floor: String
    public var door: DoorState
    /// Whether the car stands in the door zone; nil when not known.
    public var doorZone: Bool?
    /// Load in kilograms; nil when not measured.
    public var loadKilograms: Double?
    /// Whether somebody is in the car; nil when not known.
    public var passenger: Bool?
    public var faults: [String]
    /// The sender's own time; nil when it does not say.
    public var sentAt: WallTime?

    /// A status with all its parts.
    public init(
        sequence: Int64, boot: String? = nil, serviceMode: ServiceMode, motion: Motion, floor: String, door: DoorState,
        doorZone: Bool?, loadKilograms: Double? = nil, passenger: Bool? = nil, faults: [String] = [],
        sentAt: WallTime? = nil
    ) {
        self.sequence = sequence
        self.boot = boot
        self.serviceMode = serviceMode
        self.motion = motion
        self.floor = floor.bounded(.word)
        self.door = door
        self.doorZone = doorZone
        self.loadKilograms = loadKilograms
        self.passenger = passenger
        self.faults = faults.prefix(Self.mostFaults).map { $0.bounded(.word) }
        self.sentAt = sentAt
    }

    /// More fault codes than this at once are not kept.
    static let mostFaults = 32

    /// Whether the controller itself sees nobody and nothing in the car.
    var showsEmptyCar: Bool { passenger == false && (loadKilograms ?? 1) <= 0 }
}

/// What a camera recognised.
public enum DetectedClass: String, Sendable, Codable, CaseIterable {
    case ebike
    case ebikeBattery = "ebike_battery"
    case bicycle, wheelchair
    case mobilityScooter = "mobility_scooter"
    case pram, stretcher
    case gasCylinder = "gas_cylinder"
    case person, other

    /// Whether somebody may be there who must never be kept in a lift.
    public var vetoes: Bool { self == .wheelchair || self == .mobilityScooter || self == .pram || self == .stretcher }
    /// Whether it is a sight that an empty car cannot show.
    var fillsCar: Bool { self != .other && self != .ebikeBattery && self != .gasCylinder }
}

/// Where it was seen.
public enum DetectionZone: String, Sendable, Codable, CaseIterable { case car, door, landing }

/// One frame's verdict about one object.
public struct Detection: Sendable, Hashable {
    /// Grows by one for each message of one start of the sender.
    public var sequence: Int64
    /// The sender's start; nil when it does not say.
    public var boot: String?
    /// The object followed from frame to frame.
    public var track: String
    public var kind: DetectedClass
    /// Between 0 and 1.
    public var confidence: Double
    public var zone: DetectionZone
    /// An opaque reference; the image stays where it was taken.
    public var image: String?
    /// The sender's own time; nil when it does not say.
    public var sentAt: WallTime?

    /// A detection with all its parts.
    public init(
        sequence: Int64, boot: String? = nil, track: String, kind: DetectedClass, confidence: Double, zone: DetectionZone,
        image: String? = nil, sentAt: WallTime? = nil
    ) {
        self.sequence = sequence
        self.boot = boot
        self.track = track.bounded(Self.reference)
        self.kind = kind
        self.confidence = confidence
        self.zone = zone
        self.image = image?.bounded(Self.reference)
        self.sentAt = sentAt
    }

    /// What is compared and looked up, and never read by people.
    private static let reference = BoundedText.Limit(scalars: 512, bytes: 512)
}

/// What a controller says to a command.
public enum AcknowledgementResult: String, Sendable, Codable, CaseIterable {
    case accepted, rejected, expired, duplicate, completed
}
