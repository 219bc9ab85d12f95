import Simulation
import Telemetry

@testable import BoardingControl

/// Gateway, wire and controller of one elevator as one state that can be walked through exhaustively, in steps of half a second.
///
/// Everything that may happen on the way is a move: messages delivered, lost, doubled, late, swapped; either side or the broker
/// gone and back; the door, the car and the service mode as they like; any sequence of recognitions.
struct BoardingModel {
    static let step = Interval.milliseconds(500)
    /// Short times keep the space small; their order is that of the real ones: lease < longest hold, clear_after < cool-down.
    static let policy = BoardingPolicy(
        mode: .hold, confirmation: .init(within: .milliseconds(1000), frames: 2, confidence: 0.55), lease: .seconds(2), longestHold: .seconds(4),
        clearAfter: .milliseconds(1500), coolDown: .seconds(3))
    /// A message stays on the wire at most so long.
    static let longestDelay = Interval.seconds(1)

    /// What may happen in one step besides time.
    enum Move: CaseIterable {
        case quiet, statusLost, statusKept
        case ebike, ebikeUnsure, ebikeAndStatusLost, wheelchair, ebikeOtherTrack
        case doorCloses, doorOpens, carLeaves, fireMode, normalMode
        case commandsWait, commandLost, commandDoubled, commandsSwapped, answersLost
        case gatewayRestart, controllerRestart, brokerCut, offline, personReleases, carRelease
        /// The broker's kept word says offline while statuses go on.
        case wordOffline
        /// Somebody says open right behind the controller's own status, with its boot.
        case liarSaysOpen
        /// Somebody uses the controller's boot with a number far ahead.
        case liarLeaps
        /// A pram seen with a confidence of nothing.
        case nothingSeen
    }

    /// A command on its way.
    struct InFlight: Hashable {
        var command: BoardingCommand
        var age: Interval
    }

    var now = Instant(elapsed: .seconds(10_000), wall: WallTime(unixSeconds: 1_700_000_000))
    var desk: BoardingDesk
    var firmware = ControllerFirmware()
    var wire: [InFlight] = []
    var boots: Int64 = 1
    var detections: Int64 = 0
    // What the properties are judged by, kept apart from the code under test.
    var lastFresh: (status: ElevatorStatus, at: Interval)?
    var noHoldBefore: Interval
    var firmwareHeldSince: Interval?
    var lastDelivered: Interval?
    var gatewayGoneAt: Interval?
    var violations: [String] = []
    var vetoSeen: Interval?
    /// When the controller's own status came last that forbids a hold.
    var ownForbade: Interval?
    var ownCame: Interval?

    init() {
        desk = BoardingDesk(elevator: "lift", policy: Self.policy, boot: "g1", seed: 1, at: now)
        noHoldBefore = now.elapsed + Self.policy.coolDown
    }

    // MARK: One step

    mutating func take(_ move: Move) {
        now = now.advanced(by: Self.step)
        for index in wire.indices { wire[index].age = wire[index].age + Self.step }
        environment(move)
        if let ended = firmware.tick(at: now.elapsed), move != .answersLost { tell(.acknowledgement(id: ended.id, ended.result, reason: ended.reason)) }
        if move != .statusLost, move != .ebikeAndStatusLost, move != .brokerCut, move != .offline {
            status(fresh: move != .statusKept, saysOnline: move != .wordOffline)
        }
        if move == .liarSaysOpen || move == .liarLeaps { lie(leaps: move == .liarLeaps) }
        recognise(move)
        tell(.tick)
        deliver(move)
        watch()
    }

    private mutating func environment(_ move: Move) {
        switch move {
        case .doorCloses: firmware.door = .closing
        case .doorOpens: (firmware.door, firmware.motion, firmware.doorZone) = (.open, .stopped, true)
        case .carLeaves: (firmware.door, firmware.motion, firmware.doorZone) = (.closed, .up, false)
        case .fireMode: firmware.serviceMode = .fireReturn
        case .normalMode: firmware.serviceMode = .normal
        case .gatewayRestart:
            boots += 1
            desk = BoardingDesk(elevator: "lift", policy: Self.policy, boot: "g\(boots)", seed: UInt64(boots), at: now)
            noHoldBefore = now.elapsed + Self.policy.coolDown
            lastFresh = nil
        case .controllerRestart:
            let (mode, motion, door, zone) = (firmware.serviceMode, firmware.motion, firmware.door, firmware.doorZone)
            firmware = ControllerFirmware()
            (firmware.serviceMode, firmware.motion, firmware.door, firmware.doorZone) = (mode, motion, door, zone)
        case .brokerCut:
            wire = []
            tell(.disconnected)
            lastFresh = nil
        case .offline:
            tell(.availability(online: false))
            lastFresh = nil
        case .wordOffline: tell(.availability(online: false))
        case .personReleases:
            tell(.release(by: "guard"))
            noHoldBefore = max(noHoldBefore, now.elapsed + Self.policy.coolDown)
        case .carRelease:
            if let ended = firmware.releaseInCar() { tell(.acknowledgement(id: ended.id, ended.result, reason: ended.reason)) }
        default: break
        }
    }

    private mutating func status(fresh: Bool, saysOnline: Bool) {
        var status = firmware.nextStatus(at: now.elapsed)
        // A restarted controller counts from the beginning; its boot tells the two apart.
        status.boot = "c"
        status.sequence = now.elapsed.milliseconds
        firmware.note(sequence: status.sequence, at: now.elapsed)
        if saysOnline { tell(.availability(online: true)) }
        // What the gateway rests on changes at this moment, not before.
        if fresh {
            lastFresh = (status, now.elapsed)
            ownCame = now.elapsed
            if !firmware.allowsHold { ownForbade = now.elapsed }
        }
        tell(.status(status, fresh: fresh))
    }

    private mutating func lie(leaps: Bool) {
        let lie = ElevatorStatus(
            sequence: now.elapsed.milliseconds + (leaps ? 1 << 62 : 1), boot: "c", serviceMode: .normal, motion: .stopped, floor: "1", door: .open,
            doorZone: true, loadKilograms: 0, passenger: false)
        // A leap is not believed; the other lie is the newest status to the gateway.
        if !leaps { lastFresh = (lie, now.elapsed) }
        tell(.status(lie, fresh: true))
    }

    private mutating func recognise(_ move: Move) {
        let seen: (DetectedClass, Double, String)? =
            switch move {
            case .ebike, .ebikeAndStatusLost, .commandsWait, .commandLost, .commandDoubled, .commandsSwapped, .answersLost: (.ebike, 0.9, "t1")
            case .ebikeUnsure: (.ebike, 0.5, "t1")
            case .ebikeOtherTrack: (.ebike, 0.9, "t2")
            case .wheelchair: (.wheelchair, 0.9, "t3")
            case .liarSaysOpen, .liarLeaps, .wordOffline: (.ebike, 0.9, "t1")
            case .nothingSeen: (.pram, 0, "t4")
            default: nil
            }
        guard let (kind, confidence, track) = seen else { return }
        detections += 1
        if kind == .wheelchair { vetoSeen = now.elapsed }
        tell(.detection(Detection(sequence: detections, boot: "d", track: track, kind: kind, confidence: confidence, zone: .door), fresh: true))
    }

    private mutating func tell(_ event: BoardingDesk.Event) {
        for effect in desk.handle(event, at: now) {
            guard case .publish(let command) = effect else { continue }
            judge(command)
            wire.append(InFlight(command: command, age: .zero))
            if wire.count > 3 { wire.removeFirst() }
        }
        if desk.coolDownUntil.elapsed > noHoldBefore { noHoldBefore = desk.coolDownUntil.elapsed }
    }

    private mutating func deliver(_ move: Move) {
        if move == .commandLost, !wire.isEmpty { wire.removeFirst() }
        if move == .commandsSwapped { wire.reverse() }
        // What has been on its way for the longest delay arrives now, whatever the move.
        let arriving = move == .commandsWait ? wire.filter { $0.age >= Self.longestDelay } : wire
        wire = move == .commandsWait ? wire.filter { $0.age < Self.longestDelay } : []
        for item in arriving {
            for _ in 0..<(move == .commandDoubled ? 2 : 1) {
                let command = ControllerFirmware.Command(
                    id: item.command.id, boot: item.command.boot, sequence: item.command.sequence, action: item.command.action, lease: item.command.lease,
                    age: item.age, statusSequence: item.command.statusSequence)
                let answer = firmware.handle(command, at: now.elapsed)
                if answer.result == .accepted, command.action == .holdDoor { lastDelivered = now.elapsed }
                if move != .answersLost { tell(.acknowledgement(id: answer.id, answer.result, reason: answer.reason)) }
            }
        }
    }

    // MARK: Properties

    /// A hold is asked for only inside the interlock, by what the gateway was last told, and not in the cool-down.
    private mutating func judge(_ command: BoardingCommand) {
        guard command.action == .holdDoor else { return }
        guard let (status, at) = lastFresh else { return violations.append("a hold without a fresh status") }
        if now.elapsed - at > .seconds(2) { violations.append("a hold on a status older than two seconds") }
        if status.serviceMode != .normal { violations.append("a hold in \(status.serviceMode)") }
        if status.motion != .stopped || status.doorZone != true || (status.door != .open && status.door != .opening) {
            violations.append("a hold outside the interlock")
        }
        if let vetoSeen, now.elapsed - vetoSeen < Self.policy.clearAfter { violations.append("a hold beside a wheelchair seen a moment ago") }
        // While the controller itself speaks, nobody's word beside it opens the way to a hold.
        if let ownForbade, let ownCame, now.elapsed - ownForbade < .seconds(1), ownForbade == ownCame {
            violations.append("a hold on a stranger's word")
        }
        if command.lease > Self.policy.lease { violations.append("a lease longer than allowed") }
        if now.elapsed < noHoldBefore, desk.hold?.since.elapsed == now.elapsed { violations.append("a hold in the cool-down") }
    }

    /// What the door does, whatever anybody meant.
    private mutating func watch() {
        guard let until = firmware.heldUntil else {
            firmwareHeldSince = nil
            return
        }
        let since = firmwareHeldSince ?? now.elapsed
        firmwareHeldSince = since
        if !firmware.allowsHold { violations.append("held although the controller's own state forbids it") }
        if now.elapsed - since > Self.policy.longestHold + Self.longestDelay + Self.step {
            violations.append("held for \((now.elapsed - since).seconds) s")
        }
        if let lastDelivered, until - lastDelivered > Self.policy.lease { violations.append("a hold outlives its last command by more than a lease") }
    }

    /// The state without what only grows: two states with the same key behave alike from here on.
    var key: Key {
        func left(_ moment: Interval?) -> Int64? { moment.map { max(0, ($0 - now.elapsed).milliseconds) } }
        func ago(_ moment: Interval?, most: Int64) -> Int64? { moment.map { min(most, (now.elapsed - $0).milliseconds) } }
        return Key(
            desk: desk.key(at: now), mode: firmware.serviceMode, motion: firmware.motion, door: firmware.door, zone: firmware.doorZone,
            held: left(firmware.heldUntil), heldFor: ago(firmwareHeldSince, most: 20_000),
            wire: wire.map {
                "\($0.command.action) \($0.command.lease.milliseconds) \($0.age.milliseconds) \($0.command.boot == "g\(boots)") \($0.command.id == desk.hold?.command)"
            },
            fresh: ago(lastFresh?.at, most: 3000), freshDoor: lastFresh?.status.door, freshMode: lastFresh?.status.serviceMode, cool: left(noHoldBefore),
            veto: ago(vetoSeen, most: 2000), own: [ago(ownForbade, most: 2000), ago(ownCame, most: 2000)])
    }

    struct Key: Hashable {
        var desk: BoardingDesk.Key
        var mode: ServiceMode
        var motion: Motion
        var door: DoorState
        var zone: Bool
        var held: Int64?
        var heldFor: Int64?
        var wire: [String]
        var fresh: Int64?
        var freshDoor: DoorState?
        var freshMode: ServiceMode?
        var cool: Int64?
        var veto: Int64?
        var own: [Int64?]
    }
}

extension BoardingDesk {
    /// The desk's state by times relative to now.
    func key(at now: Instant) -> Key {
        func left(_ moment: Interval?) -> Int64? { moment.map { max(0, ($0 - now.elapsed).milliseconds) } }
        func ago(_ moment: Interval?, _ most: Int64) -> Int64? { moment.map { min(most, (now.elapsed - $0).milliseconds) } }
        return Key(
            hold: hold.map { [left($0.endsBy.elapsed) ?? 0, left($0.renewAt) ?? 0, left($0.leaseUntil) ?? 0] } ?? [], cool: left(coolDownUntil.elapsed) ?? 0,
            veto: left(vetoUntil) ?? 0, seen: ago(lastEbike, 2000),
            tracks: tracks.keys.sorted().map { name in
                let track = tracks[name]
                let summary = track?.summary(at: now.elapsed, within: policy.confirmation.within)
                return
                    "\(name) \(ago(track?.lastSeen, 1500) ?? 0) \(summary?.frames ?? 0) \(track?.confirms(policy.confirmation, at: now.elapsed, caution: falseHolds) ?? false)"
            }, pending: pending.map { "\($0.command.action) \($0.command.id == hold?.command) \(ago($0.sentAt, 1500) ?? 0) \($0.retried)" },
            begun: holdsBegun.count, last: lastHold.map { [ago($0.since.elapsed, 10_000) ?? 0, left($0.leaseUntil + BoardingPolicy.freshness) ?? 0] } ?? [],
            online: online(at: now.elapsed), age: ago(statusArrivedAt, 3000),
            word: [interlock.word == true ? 1 : interlock.word == false ? 2 : 0, interlock.statusesSinceOffline],
            settles: left(interlock.settledAt(now.elapsed)) ?? 0, contradictory: interlock.isContradictory(at: now.elapsed), sight: ago(seenAt, 2000),
            told: episode?.told.sorted() ?? [], announced: episode?.announced)
    }

    struct Key: Hashable {
        var hold: [Int64]
        var cool: Int64
        var veto: Int64
        var seen: Int64?
        var tracks: [String]
        var pending: [String]
        var begun: Int
        var last: [Int64]
        var online: Bool?
        var age: Int64?
        var word: [Int]
        var settles: Int64
        var contradictory: Bool
        var sight: Int64?
        var told: [String]
        var announced: Bool?
    }
}
