import BoardingControl
import Foundation
import Messaging
import Synchronization
import Telemetry
import Threads

/// What can be wrong with a simulated controller or its line.
public enum ControllerFault: String, Sendable, CaseIterable {
    /// Obeys, but answers no command.
    case silent
    /// Sends everything twice, as a broker may after a broken connection.
    case doubled
    /// Its status keeps its number and content: an old one repeated.
    case stale
    /// Sends a payload that cannot be read before every good one.
    case garbage
    /// Answers two seconds too late.
    case late
}

/// A simulated controller with its camera on a real broker: publishes status twice a second, obeys commands as the
/// firmware must, and plays scenes.
public final class SimulatedElevator: Sendable {
    private enum Item: Sendable {
        case mqtt(MQTTEvent)
        case change(@Sendable (inout ControllerFirmware) -> Void)
        case detect(track: String, DetectedClass, confidence: Double, DetectionZone)
        case stop
    }

    private let queue = BlockingQueue<Item>(capacity: 4096)
    private let shown = Mutex(ControllerFirmware())
    private let received = Mutex<[String]>([])
    private let currentFault = Mutex<ControllerFault?>(nil)
    /// The fault in force.
    public var fault: ControllerFault? {
        get { currentFault.withLock { $0 } }
        set { currentFault.withLock { $0 = newValue } }
    }
    /// The elevator.
    public let elevator: ElevatorID

    /// Connects and begins to live.
    /// - Parameter address: the name in its topics, where that is not its id
    public init(_ elevator: ElevatorID, address: String? = nil, broker: MQTTSettings) throws(MQTTFault) {
        self.elevator = elevator
        let root = "wellward/v1/elevators/\(address ?? elevator.rawValue)"
        var settings = broker
        settings.clientID = "sim-\(elevator)-\(UInt32.random(in: 0...UInt32.max))"
        settings.will = ("\(root)/availability", "offline")
        let queue = queue
        let client = try MQTTClient(settings, subscribe: [("\(root)/command", 1)]) { queue.push(.mqtt($0)) }
        let elevatorLoop = self
        OwnThread.start { elevatorLoop.live(client, root) }
    }

    /// The controller as it stands.
    public var firmware: ControllerFirmware { shown.withLock { $0 } }
    /// The actions received so far.
    public var actions: [String] { received.withLock { $0 } }
    /// Changes what the controller senses: door, floor, mode.
    public func change(_ body: @escaping @Sendable (inout ControllerFirmware) -> Void) { queue.push(.change(body)) }
    /// Lets the camera see something once.
    public func detect(_ kind: DetectedClass, track: String, confidence: Double = 0.9, zone: DetectionZone = .door) {
        queue.push(.detect(track: track, kind, confidence: confidence, zone))
    }
    /// Goes offline and ends.
    public func stop() { queue.push(.stop) }

    private func live(_ client: MQTTClient, _ root: String) {
        var firmware = ControllerFirmware()
        let boot = UUID().uuidString.lowercased()
        var sequence: Int64 = 0
        var statusDue: Int64 = 0
        func send(_ text: String, _ topic: String, retain: Bool = false) {
            let fault = fault
            if topic == "ack", fault == .silent { return }
            if fault == .garbage { try? client.publish(Array("{\"seq\":".utf8), to: "\(root)/\(topic)", retain: false) }
            // A publication that fails is a lost message, which the gateway must bear anyway.
            for _ in 0..<(fault == .doubled ? 2 : 1) { try? client.publish(Array(text.utf8), to: "\(root)/\(topic)", retain: retain) }
        }
        func answer(_ answer: ControllerFirmware.Answer) {
            let payload = JSONText.object([
                ("id", .text(answer.id)), ("result", .text(answer.result.rawValue)), ("reason", .optional(answer.reason)), ("at", .text(stamp())),
                ("boot", .text(boot)),
            ])
            send(payload.text, "ack")
        }
        var waiting: [(due: Int64, answer: ControllerFirmware.Answer)] = []
        var lastStatus: String?
        while true {
            let now = OwnThread.monotonicMilliseconds()
            var changed = false
            while let first = waiting.first, first.due <= now {
                answer(first.answer)
                waiting.removeFirst()
            }
            switch queue.pop(until: min(statusDue, now + 50)) {
            case .element(.stop), .closed:
                send("offline", "availability", retain: true)
                client.close()
                return
            case .element(.mqtt(.connected)):
                send("online", "availability", retain: true)
                changed = true
            case .element(.mqtt(.message(let message))):
                if let command = parse(message.payload), !message.retained {
                    received.withLock { $0.append(command.action.rawValue) }
                    let said = firmware.handle(command, at: .milliseconds(now))
                    if fault == .late { waiting.append((now + 2000, said)) } else { answer(said) }
                }
            case .element(.mqtt(.disconnected)), .timedOut: break
            case .element(.change(let body)):
                body(&firmware)
                changed = true
            case .element(.detect(let track, let kind, let confidence, let zone)):
                sequence += 1
                let payload = JSONText.object([
                    ("seq", .integer(sequence)), ("at", .text(stamp())), ("boot", .text(boot)), ("track", .text(track)), ("class", .text(kind.rawValue)),
                    ("confidence", .number(confidence)), ("zone", .text(zone.rawValue)), ("image", .null),
                ])
                send(payload.text, "detection")
            }
            let later = OwnThread.monotonicMilliseconds()
            if let ended = firmware.tick(at: .milliseconds(later)) { answer(ended) }
            if changed || later >= statusDue {
                let status = firmware.nextStatus(at: .milliseconds(later))
                let text = fault == .stale ? lastStatus ?? json(status, boot) : json(status, boot)
                lastStatus = text
                send(text, "status", retain: true)
                statusDue = later + 500
            }
            let copy = firmware
            shown.withLock { $0 = copy }
        }
    }

    private func stamp() -> String {
        var clock = CivilClock(zone: .gmt)
        return clock.rfc3339(WallTime(unixMilliseconds: Int64(Date().timeIntervalSince1970 * 1000)))
    }

    private func json(_ status: ElevatorStatus, _ boot: String) -> String {
        JSONText.object([
            ("seq", .integer(status.sequence)), ("at", .text(stamp())), ("boot", .text(boot)), ("service_mode", .text(status.serviceMode.rawValue)),
            ("motion", .text(status.motion.rawValue)), ("floor", .text(status.floor)), ("door", .text(status.door.rawValue)),
            ("door_zone", .flag(status.doorZone ?? false)), ("load_kg", .number(status.loadKilograms ?? 0)), ("passenger", .flag(status.passenger ?? false)),
            ("faults", .list([])),
        ]).text
    }

    private struct CommandPayload: Decodable {
        var id: String
        var boot: String?
        var seq: Int64
        var action: String
        var lease_ms: Int64
        var issued_at: String
        var status_seq: Int64?
    }

    private func parse(_ bytes: [UInt8]) -> ControllerFirmware.Command? {
        guard let payload = try? JSONDecoder().decode(CommandPayload.self, from: Data(bytes)),
            let action = BoardingCommand.Action(rawValue: payload.action)
        else { return nil }
        let now = WallTime(unixMilliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        return ControllerFirmware.Command(
            id: payload.id, boot: payload.boot ?? "", sequence: payload.seq, action: action,
            lease: .milliseconds(payload.lease_ms), age: CivilClock.parse(rfc3339: payload.issued_at).map { now - $0 },
            statusSequence: payload.status_seq)
    }
}
