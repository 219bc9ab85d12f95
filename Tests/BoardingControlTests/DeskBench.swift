import BoardingControl
import Telemetry

/// Drives one desk on a driven clock.
struct DeskBench {
    var desk: BoardingDesk
    var now = Instant(elapsed: .seconds(1000), wall: WallTime(unixSeconds: 1_700_000_000))
    var sent: [BoardingCommand] = []
    var raised: [Finding] = []
    var records: [BoardingRecord] = []
    var statusSequence: Int64 = 0
    var detectionSequence: Int64 = 0

    init(mode: BoardingMode = .hold, floors: [String] = [], warm: Bool = true) {
        desk = BoardingDesk(elevator: "lift-1", policy: BoardingPolicy(mode: mode, servedFloors: floors), boot: "b", seed: 7, at: now)
        if warm { wait(.seconds(49)) }
    }

    mutating func take(_ event: BoardingDesk.Event) {
        for effect in desk.handle(event, at: now) {
            switch effect {
            case .publish(let command): sent.append(command)
            case .raise(let finding): raised.append(finding)
            case .record(let record): records.append(record)
            case .clearEquipment: break
            }
        }
    }

    mutating func wait(_ interval: Interval) {
        now = now.advanced(by: interval)
        take(.tick)
    }

    mutating func status(_ change: (inout ElevatorStatus) -> Void = { _ in }, fresh: Bool = true) {
        statusSequence += 1
        var status = ElevatorStatus(
            sequence: statusSequence, boot: "c", serviceMode: .normal, motion: .stopped, floor: "1", door: .open, doorZone: true,
            loadKilograms: 80, passenger: true)
        change(&status)
        take(.status(status, fresh: fresh))
    }

    mutating func frame(_ kind: DetectedClass = .ebike, _ confidence: Double = 0.9, zone: DetectionZone = .door, track: String = "t1", fresh: Bool = true) {
        detectionSequence += 1
        take(.detection(Detection(sequence: detectionSequence, boot: "d", track: track, kind: kind, confidence: confidence, zone: zone), fresh: fresh))
    }

    /// Three clear frames in a fresh interlock, as the contract's guarantee has it; every command is answered.
    mutating func clearEbike() {
        status()
        for _ in 0..<3 {
            frame()
            now = now.advanced(by: .milliseconds(400))
        }
        acknowledge()
    }

    mutating func acknowledge() {
        if let last = sent.last { take(.acknowledgement(id: last.id, .accepted, reason: nil)) }
    }

    /// Lives on with the vehicle in sight and fresh status.
    mutating func stay(_ length: Interval) {
        var left = length
        while left > .zero {
            wait(.milliseconds(500))
            status()
            frame()
            acknowledge()
            left = left - .milliseconds(500)
        }
    }

    var holds: [BoardingCommand] { sent.filter { $0.action == .holdDoor } }
    var releases: [BoardingCommand] { sent.filter { $0.action == .release } }
}
