import BoardingControl
import Simulation
import Telemetry

/// Two minutes and a half at one lift, in steps of half a second: what comes in, what fails, as a seed says. The controller is the reference
/// firmware with its own clock of leases; between the two lies a broker that loses, delays and doubles.
struct BoardingScene: Sendable {
    let seed: UInt64

    static let policy = BoardingPolicy(mode: .hold)
    static let step = Interval.milliseconds(500)
    static let steps = 300

    /// What goes wrong, and when.
    struct Script: Sendable {
        /// When an e-bike comes in and when it leaves; some stay for long.
        var bike: Range<Int>
        /// When a wheelchair comes in too.
        var wheelchair: Range<Int>?
        /// When the service mode is not normal.
        var fire: Range<Int>?
        /// When the door closes and the car goes.
        var leaves: Int?
        /// When the broker is away.
        var cut: Range<Int>?
        /// When the controller starts anew.
        var restart: Int?
        var lossy: Double

        init(seed: UInt64) {
            var random = SeededRandom(seed: seed)
            let from = 10 + Int(random.next() % 40)
            bike = from..<(from + 6 + Int(random.next() % 220))
            if random.unit() < 0.2 { wheelchair = Self.range(&random, longest: 60) }
            if random.unit() < 0.15 { fire = Self.range(&random, longest: 80) }
            if random.unit() < 0.15 { leaves = 20 + Int(random.next() % 200) }
            if random.unit() < 0.15 { cut = Self.range(&random, longest: 80) }
            if random.unit() < 0.1 { restart = 20 + Int(random.next() % 200) }
            lossy = random.unit() < 0.5 ? 0 : 0.1
        }

        private static func range(_ random: inout SeededRandom, longest: UInt64) -> Range<Int> {
            let from = 15 + Int(random.next() % 180)
            return from..<(from + 2 + Int(random.next() % longest))
        }
    }

    var sabotage: Sabotage?
    private let script: Script
    private var random: SeededRandom
    private(set) var firmware = ControllerFirmware()
    private var wire: [(command: BoardingCommand, at: Int)] = []
    private var number = 0
    private var sequence: Int64 = 0
    private var boot: String
    // What the promises are judged by, kept apart from the code under test.
    private var heldSince: Interval?
    private var lastAccepted: Interval?
    private var clearFrames = 0
    private var confirmedAt: Int?
    private var wheelchairSeen: Int?

    init(seed: UInt64) {
        self.seed = seed
        script = Script(seed: seed)
        random = SeededRandom(seed: seed &+ 1)
        boot = "c-\(seed)"
    }

    /// Whether the scene is over.
    var isOver: Bool { number >= Self.steps }
    /// Whether the wire is whole at this step.
    private var isCut: Bool { script.cut?.contains(number) ?? false }

    /// Lives one step.
    /// - Parameters:
    ///   - desk: the gateway's desk of this lift; nil while the gateway is down
    ///   - raise: what the desk finds, on its way to the case book
    /// - Returns: a promise that was broken
    mutating func live(
        _ desk: inout BoardingDesk?, at now: Instant, controllerTime: Interval, raise: (BoardingDesk.Effect) -> Void
    ) -> (promise: Promise, detail: String)? {
        defer { number += 1 }
        environment()
        if sabotage != .neverLetsGo, let ended = firmware.tick(at: controllerTime) {
            tell(.acknowledgement(id: ended.id, ended.result, reason: ended.reason), &desk, now, raise)
        }
        if script.cut?.lowerBound == number { tellCut(&desk, now, raise) }
        if !isCut {
            if random.unit() >= script.lossy { status(&desk, at: now, controllerTime, raise) }
            recognise(&desk, at: now, raise)
        }
        tell(.tick, &desk, now, raise)
        deliver(&desk, at: now, controllerTime, raise)
        return judge(desk, at: now, controllerTime)
    }

    private mutating func environment() {
        firmware.serviceMode = script.fire?.contains(number) == true ? .fireReturn : .normal
        if script.leaves == number { (firmware.door, firmware.motion, firmware.doorZone) = (.closed, .up, false) }
        if script.restart == number {
            let (door, motion, zone) = (firmware.door, firmware.motion, firmware.doorZone)
            firmware = ControllerFirmware()
            (firmware.door, firmware.motion, firmware.doorZone) = (door, motion, zone)
            boot += "'"
            heldSince = nil
        }
    }

    private mutating func tell(_ event: BoardingDesk.Event, _ desk: inout BoardingDesk?, _ now: Instant, _ raise: (BoardingDesk.Effect) -> Void) {
        guard let effects = desk?.handle(event, at: now) else { return }
        for effect in effects {
            if case .publish(let command) = effect { if !isCut { wire.append((command, number)) } } else { raise(effect) }
        }
    }

    private mutating func tellCut(_ desk: inout BoardingDesk?, _ now: Instant, _ raise: (BoardingDesk.Effect) -> Void) {
        wire = []
        tell(.disconnected, &desk, now, raise)
    }

    private mutating func status(_ desk: inout BoardingDesk?, at now: Instant, _ controllerTime: Interval, _ raise: (BoardingDesk.Effect) -> Void) {
        var status = firmware.nextStatus(at: controllerTime)
        status.boot = boot
        tell(.availability(online: true), &desk, now, raise)
        tell(.status(status, fresh: true), &desk, now, raise)
    }

    private mutating func recognise(_ desk: inout BoardingDesk?, at now: Instant, _ raise: (BoardingDesk.Effect) -> Void) {
        if script.wheelchair?.contains(number) == true {
            wheelchairSeen = number
            see(.wheelchair, 0.9, "w", &desk, now, raise)
        }
        guard script.bike.contains(number) else {
            clearFrames = 0
            return
        }
        see(.ebike, 0.92, "b", &desk, now, raise)
        // Three clear frames one after the other leave no doubt.
        clearFrames = desk == nil ? 0 : clearFrames + 1
        if clearFrames == 3 { confirmedAt = confirmedAt ?? number }
    }

    private mutating func see(
        _ kind: DetectedClass, _ confidence: Double, _ track: String, _ desk: inout BoardingDesk?, _ now: Instant, _ raise: (BoardingDesk.Effect) -> Void
    ) {
        sequence += 1
        tell(
            .detection(Detection(sequence: sequence, boot: "d\(seed)", track: track, kind: kind, confidence: confidence, zone: .door), fresh: true), &desk, now,
            raise)
    }

    private mutating func deliver(_ desk: inout BoardingDesk?, at now: Instant, _ controllerTime: Interval, _ raise: (BoardingDesk.Effect) -> Void) {
        guard !isCut else { return }
        let arriving = wire
        wire = []
        for item in arriving where random.unit() >= script.lossy && (sabotage != .neverLetsGo || item.command.action == .holdDoor) {
            if random.unit() < script.lossy, number - item.at < 2 {
                wire.append(item)
                continue
            }
            let age = Interval.milliseconds(Int64(number - item.at) * Self.step.milliseconds)
            let command = ControllerFirmware.Command(
                id: item.command.id, boot: item.command.boot, sequence: item.command.sequence, action: item.command.action, lease: item.command.lease, age: age,
                statusSequence: item.command.statusSequence)
            for _ in 0..<(random.unit() < script.lossy ? 2 : 1) {
                let answer = firmware.handle(command, at: controllerTime)
                if answer.result == .accepted, command.action == .holdDoor { lastAccepted = controllerTime }
                if random.unit() >= script.lossy { tell(.acknowledgement(id: answer.id, answer.result, reason: answer.reason), &desk, now, raise) }
            }
        }
    }

    // MARK: Promises

    private mutating func judge(_ desk: BoardingDesk?, at now: Instant, _ controllerTime: Interval) -> (Promise, String)? {
        guard firmware.heldUntil != nil else {
            heldSince = nil
            return nil
        }
        let since = heldSince ?? controllerTime
        heldSince = since
        let held = controllerTime - since
        if held > Self.policy.longestHold + Self.policy.lease { return (.doorLetGo, "held for \(held.seconds) s") }
        if let lastAccepted, controllerTime - lastAccepted > Self.policy.lease + Self.step {
            return (.doorLetGo, "held \((controllerTime - lastAccepted).seconds) s after the last command")
        }
        if !firmware.allowsHold, held > Self.step { return (.doorOnlyWhenSafe, "held in \(firmware.serviceMode.rawValue), door \(firmware.door.rawValue)") }
        // A wheelchair seen by a gateway that is there lets the door go within a lease, whatever is lost on the way.
        if let seen = wheelchairSeen, let hold = desk?.hold, number == seen, now.elapsed - hold.since.elapsed > .zero {
            return (.doorOnlyWhenSafe, "held on beside a wheelchair")
        }
        return nil
    }

    /// Whether an e-bike was certain while the gateway looked, so that somebody must have been told.
    var mustBeTold: Bool { confirmedAt.map { number - $0 >= 4 } ?? false }
}
