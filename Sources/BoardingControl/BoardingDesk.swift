import Phrasebook
import Telemetry

/// Guards boarding at one elevator: evidence, interlock, lease. A pure value: the same events at the same moments give
/// the same commands.
///
/// What it promises is the contract's list in `elevator-mqtt`: it asks nothing of a door but to stay open, and only
/// while every condition of the interlock is known to hold.
public struct BoardingDesk: Sendable {
    /// What happens.
    public enum Event: Sendable, Hashable {
        /// A status; `fresh` is false for retained copies and backlog.
        case status(ElevatorStatus, fresh: Bool)
        /// A status that could not be read.
        case unreadableStatus
        case detection(Detection, fresh: Bool)
        /// Several of one message, which share its number or have numbers of their own.
        case detections([Detection], fresh: Bool)
        case availability(online: Bool)
        case acknowledgement(id: String, AcknowledgementResult, reason: String?, boot: String? = nil)
        /// A message of this lift that cannot be used.
        case unusable(field: String)
        /// A person releases the door.
        case release(by: String)
        /// The gateway stops, or does not guard this lift any more.
        case stopping(why: String)
        /// The connection to the broker is lost: nothing is known until fresh news comes.
        case disconnected
        /// The broker is there: from now on a silent controller is its own trouble.
        case connected
        /// A person closed a case of this elevator as a false alarm.
        case falseAlarm
        case tick
    }

    /// What follows.
    public enum Effect: Sendable, Hashable {
        case publish(BoardingCommand)
        case raise(Finding)
        /// The reason of the equipment findings is over: the controller is there and answers.
        case clearEquipment
        /// For the journal: what happened to a hold, with its reason and evidence.
        case record(BoardingRecord)
    }

    /// A hold in force.
    public struct Hold: Sendable, Hashable {
        /// When it began.
        public var since: Instant
        /// When it ends at the latest.
        public var endsBy: Instant
        /// The command that holds now.
        public var command: String
        var renewAt: Interval
        var leaseUntil: Interval
    }

    struct Evidence: Sendable, Hashable {
        var frames: Int
        var confidence: Double
    }

    struct Pending: Sendable, Hashable {
        var command: BoardingCommand
        var sentAt: Interval
        var retried: Bool
    }

    /// The elevator.
    public let elevator: ElevatorID
    /// How boarding is guarded.
    public var policy: BoardingPolicy
    var interlock = Interlock()
    var tracks: [String: TrackEvidence] = [:]
    var detections = SenderSequence()
    /// When something was seen last that an empty car cannot show; in the car itself, and anywhere but on the landing.
    var seenInCar: Interval?
    var seenAt: Interval?
    /// Empty statuses in a row beside something in the car.
    var emptyBesides = 0
    var contradictions = Contradictions()
    /// The hold in force, if any.
    public internal(set) var hold: Hold?
    /// No hold before this moment.
    public internal(set) var coolDownUntil: Instant
    /// The hold before, whose lease may still run at a controller that never heard the release.
    var lastHold: Hold?
    var pending: [Pending] = []
    var holdsBegun: [Interval] = []
    /// On what evidence the present hold, or the last, was begun.
    var heldOn = Evidence(frames: 0, confidence: 0)
    var vetoUntil: Interval?
    var vetoClass: DetectedClass?
    var lastEbike: Interval?
    var episode: Episode?
    var lastContraband: [DetectedClass: Interval] = [:]
    var falseHolds = 0
    /// The moment of the newest event.
    var handledAt = Interval.zero
    var offlineSince: Interval?
    /// When anything was heard of the controller last, while the broker was there; nil while it is not.
    var heardAt: Interval?
    /// Whether technicians were told that the controller is away, or does not answer.
    var toldTrouble = false
    var sequence: Int64 = 0
    let boot: String
    var identifiers: CommandIdentifiers

    var loads: [Load] = []

    /// A load the controller reported.
    struct Load: Sendable, Hashable {
        var at: Interval
        var kilograms: Double
    }

    /// One e-bike from its confirmation until it is gone; each thing is told once.
    struct Episode: Sendable, Hashable {
        var told: Set<String> = []
        var announced = false
    }

    /// A desk that starts in cool-down, so that a crash loop cannot hold a door again and again.
    public init(elevator: ElevatorID, policy: BoardingPolicy, boot: String, seed: UInt64, at now: Instant) {
        self.elevator = elevator
        self.policy = policy
        self.boot = boot
        identifiers = CommandIdentifiers(seed: seed)
        coolDownUntil = now.advanced(by: policy.coolDown)
    }

    /// Holds that were begun before a restart count towards the most of an hour.
    public mutating func recall(holds: [Interval]) { holdsBegun = holds.sorted() }

    /// Takes one event.
    public mutating func handle(_ event: Event, at now: Instant) -> [Effect] {
        var effects: [Effect] = []
        handledAt = now.elapsed
        switch event {
        case .status(let status, let fresh):
            take(status, fresh: fresh, at: now, &effects)
        case .unreadableStatus: interlock.lose()
        case .disconnected:
            interlock.lose()
            heardAt = nil
        case .connected: heardAt = now.elapsed
        case .unusable(let field): contradict(.unusable, ["field": .same(field)], at: now, &effects)
        case .detection(let detection, let fresh): take([detection], fresh: fresh, at: now, &effects)
        case .detections(let detections, let fresh): take(detections, fresh: fresh, at: now, &effects)
        case .availability(let online): takeAvailability(online, at: now, &effects)
        case .acknowledgement(let id, let result, let reason, let boot): take(id, result, reason, boot, at: now, &effects)
        case .release(let by): releaseByPerson(by, at: now, &effects)
        case .stopping(let why): releaseByPerson(why, .stopping, at: now, &effects)
        case .falseAlarm: falseHolds = min(falseHolds + 1, 4)
        case .tick: break
        }
        tellOffline(at: now, &effects)
        settle(at: now, &effects)
        return effects
    }

    private mutating func takeAvailability(_ online: Bool, at now: Instant, _ effects: inout [Effect]) {
        interlock.setOnline(online)
        if heardAt != nil { heardAt = now.elapsed }
        if !online {
            offlineSince = offlineSince ?? now.elapsed
        } else {
            offlineSince = nil
            contradictions.end(.presence)
            settleTrouble(&effects)
        }
    }

    /// A controller that is away for minutes is a case for the maintenance company; a short gap is the network's daily life.
    private mutating func tellOffline(at now: Instant, _ effects: inout [Effect]) {
        if contradictions.settle(at: now.elapsed), !toldTrouble { effects.append(.clearEquipment) }
        guard let awaySince = awaySince(at: now.elapsed), !toldTrouble, now.elapsed - awaySince >= BoardingPolicy.offlineTold else { return }
        toldTrouble = true
        let away = Phrase.Filling.text(Phrase.span(milliseconds: (now.elapsed - awaySince).milliseconds))
        effects.append(.raise(finding("offline", .elevatorOffline, ["away": away], kind: .equipment, at: now)))
    }

    mutating func settleTrouble(_ effects: inout [Effect]) {
        guard toldTrouble else { return }
        toldTrouble = false
        if !contradictions.isOpen { effects.append(.clearEquipment) }
    }

    /// Since when the controller is away: by its own word that nothing contradicts, or because nothing is heard of it.
    private func awaySince(at now: Interval) -> Interval? {
        if let offlineSince, !interlock.isWordContradicted { return offlineSince }
        return heardAt.flatMap { now - $0 >= BoardingPolicy.silence ? $0 : nil }
    }

    mutating func contradict(
        _ kind: Contradictions.Kind, _ fillings: [String: Phrase.Filling] = [:], at now: Instant, _ effects: inout [Effect]
    ) {
        guard contradictions.see(kind, at: now.elapsed) else { return }
        effects.append(.raise(finding("contradiction_\(kind.rawValue)", kind.sentence, fillings, kind: .equipment, at: now)))
    }

    /// The newest status, fresh or not.
    public var status: ElevatorStatus? { interlock.status }
    /// When the newest fresh status arrived, on the elapsed-time axis.
    public var statusArrivedAt: Interval? { interlock.arrivedAt }
    /// Whether the controller is there, by its word and its statuses together; nil before anything was heard.
    public func online(at now: Interval) -> Bool? {
        if let heardAt, now - heardAt >= BoardingPolicy.silence, interlock.word != nil || interlock.arrivedAt != nil { return false }
        if interlock.isWordContradicted, interlock.arrivedAt != nil { return true }
        return interlock.word ?? (interlock.arrivedAt != nil ? true : nil)
    }

    /// The next moment at which something is due without any event; nil when nothing is.
    public var nextDeadline: Interval? {
        var moments = pending.map { $0.sentAt + BoardingPolicy.acknowledgementWithin }
        if let hold {
            moments += [hold.renewAt, hold.endsBy.elapsed, hold.leaseUntil]
            if let until = interlock.freshUntil { moments.append(until + .milliseconds(1)) }
        }
        let awaySince = interlock.isWordContradicted ? heardAt : offlineSince ?? heardAt
        if let awaySince, !toldTrouble { moments.append(awaySince + BoardingPolicy.offlineTold) }
        if let over = contradictions.nextDeadline { moments.append(over) }
        if hold == nil, !tracks.isEmpty, let settled = interlock.settledAt(handledAt) { moments.append(settled) }
        if hold != nil || episode != nil, let lastEbike { moments.append(lastEbike + policy.clearAfter) }
        return moments.min()
    }
}
