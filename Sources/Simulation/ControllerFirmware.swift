import BoardingControl
import Telemetry

/// The firmware side of an elevator controller, as the contract wants it: checks for itself, counts the lease on its own
/// clock, drops what is late, doubled or out of order. A pure value, used by the simulated controller and as the
/// reference for firmware engineers.
public struct ControllerFirmware: Sendable, Hashable {
    /// A command as it came over the wire.
    public struct Command: Sendable, Hashable {
        public var id: String
        public var boot: String
        public var sequence: Int64
        public var action: BoardingCommand.Action
        public var lease: Interval
        /// How long ago it was issued, by the wall clocks; nil when that cannot be told.
        public var age: Interval?
        public var statusSequence: Int64?

        /// A command.
        public init(
            id: String, boot: String, sequence: Int64, action: BoardingCommand.Action, lease: Interval, age: Interval?,
            statusSequence: Int64?
        ) {
            self.id = id
            self.boot = boot
            self.sequence = sequence
            self.action = action
            self.lease = lease
            self.age = age
            self.statusSequence = statusSequence
        }
    }

    /// The answer to a command.
    public struct Answer: Sendable, Hashable {
        public var id: String
        public var result: AcknowledgementResult
        public var reason: String?
    }

    /// The controller's own cap on one hold.
    public static let hardCap = Interval.seconds(120)

    public var serviceMode: ServiceMode = .normal
    public var motion: Motion = .stopped
    public var door: DoorState = .open
    public var doorZone = true
    public var floor = "1"
    public var loadKilograms = 0.0
    public var passenger = false
    /// The status sent last.
    public private(set) var statusSequence: Int64 = 0
    private var statusTimes: [Int64: Interval] = [:]
    /// Until when the door is held; nil when it is not.
    public private(set) var heldUntil: Interval?
    private var heldSince: Interval?
    private var holdCommand: String?
    private var recentIDs: [String] = []
    private var newest: (boot: String, sequence: Int64)?

    /// A controller at rest with its door open.
    public init() {}

    /// Two controllers are the same when what they show and hold is.
    public static func == (left: ControllerFirmware, right: ControllerFirmware) -> Bool {
        left.serviceMode == right.serviceMode && left.motion == right.motion && left.door == right.door
            && left.doorZone == right.doorZone && left.heldUntil == right.heldUntil && left.statusSequence == right.statusSequence
            && left.recentIDs == right.recentIDs
    }

    /// See `==`.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(heldUntil)
        hasher.combine(statusSequence)
        hasher.combine(recentIDs)
    }

    /// The status to send next.
    public mutating func nextStatus(at now: Interval) -> ElevatorStatus {
        statusSequence += 1
        statusTimes[statusSequence] = now
        statusTimes = statusTimes.filter { now - $0.value <= .seconds(5) }
        return ElevatorStatus(
            sequence: statusSequence, serviceMode: serviceMode, motion: motion, floor: floor, door: door, doorZone: doorZone,
            loadKilograms: loadKilograms, passenger: passenger)
    }

    /// Notes that a status with this number was sent, for a controller whose numbers are made elsewhere.
    public mutating func note(sequence: Int64, at now: Interval) {
        statusSequence = sequence
        statusTimes[sequence] = now
    }

    /// Whether the controller itself would let the door be held.
    public var allowsHold: Bool {
        serviceMode == .normal && motion == .stopped && doorZone && (door == .open || door == .opening)
    }

    /// Takes a command.
    public mutating func handle(_ command: Command, at now: Interval) -> Answer {
        if recentIDs.contains(command.id) { return Answer(id: command.id, result: .duplicate, reason: nil) }
        if let newest, newest.boot == command.boot, command.sequence < newest.sequence {
            return Answer(id: command.id, result: .rejected, reason: "out of order")
        }
        recentIDs.append(command.id)
        if recentIDs.count > 64 { recentIDs.removeFirst() }
        newest = (command.boot, command.sequence)
        switch command.action {
        case .announce: return Answer(id: command.id, result: .accepted, reason: nil)
        case .release:
            drop()
            return Answer(id: command.id, result: .accepted, reason: nil)
        case .holdDoor: return hold(command, at: now)
        }
    }

    private mutating func hold(_ command: Command, at now: Interval) -> Answer {
        if let age = command.age, age > command.lease { return Answer(id: command.id, result: .expired, reason: "late") }
        guard command.lease > .zero, command.lease <= .seconds(10) else {
            return Answer(id: command.id, result: .rejected, reason: "lease")
        }
        guard let seen = command.statusSequence, let sent = statusTimes[seen], now - sent <= .seconds(2) else {
            return Answer(id: command.id, result: .rejected, reason: "status")
        }
        guard allowsHold else { return Answer(id: command.id, result: .rejected, reason: "state") }
        let since = heldSince ?? now
        guard now - since < Self.hardCap else {
            drop()
            return Answer(id: command.id, result: .rejected, reason: "cap")
        }
        heldSince = since
        heldUntil = min(now + command.lease, since + Self.hardCap)
        holdCommand = command.id
        return Answer(id: command.id, result: .accepted, reason: nil)
    }

    private mutating func drop() {
        heldUntil = nil
        heldSince = nil
        holdCommand = nil
    }

    /// Lets time pass: a lease runs out, a hold ends when the controller's own state no longer allows it.
    /// - Returns: the answer that tells the gateway that a hold it knew of has ended here.
    public mutating func tick(at now: Interval) -> Answer? {
        guard let until = heldUntil, let id = holdCommand, now >= until || !allowsHold else { return nil }
        drop()
        return Answer(id: id, result: .completed, reason: now >= until ? "lease" : "state")
    }

    /// The button inside the car.
    public mutating func releaseInCar() -> Answer? {
        guard let id = holdCommand else { return nil }
        drop()
        return Answer(id: id, result: .completed, reason: "in-car release")
    }
}
