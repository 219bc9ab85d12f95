import Foundation
import Phrasebook
import Telemetry

/// How a maker's topics and payloads become the native messages. What a map does not name is unknown, and unknown
/// never holds a door.
public struct ElevatorProfile: Sendable, Hashable {
    /// The five topics.
    public enum Topic: String, Sendable, CaseIterable { case availability, status, detection, command, ack }

    /// Where a field stands and what its values mean.
    public struct Field: Sendable, Hashable {
        /// A JSON Pointer into the payload.
        public var pointer: String
        /// The native word for each of the maker's values; empty when they are the native words already.
        public var values: [String: String]

        /// A field.
        public init(pointer: String, values: [String: String] = [:]) {
            self.pointer = pointer
            self.values = values
        }
    }

    public var id: ProfileID
    public var title: LocalizedText
    public var document: String
    /// Whether this is the native protocol, which needs no maps.
    public var isNative: Bool
    /// Whether the controller counts a lease on its own clock. One that does not could hold a door after the gateway is gone:
    /// it is never asked to hold.
    public var leases: Bool
    /// Topics with `{elevator}` where the controller's own address stands; topics that are absent do not exist.
    public var topics: [Topic: String]
    /// Fields of each message by their native names.
    public var fields: [Topic: [String: Field]]
    /// The maker's word for each action; an action without one is not sent.
    public var actions: [BoardingCommand.Action: String]
    /// The command's payload with `${name}` where values go.
    public var commandTemplate: String

    /// A profile with all its parts.
    public init(
        id: ProfileID, title: LocalizedText, document: String, isNative: Bool, leases: Bool, topics: [Topic: String] = [:],
        fields: [Topic: [String: Field]] = [:], actions: [BoardingCommand.Action: String] = [:], commandTemplate: String = ""
    ) {
        self.id = id
        self.title = title
        self.document = document
        self.isNative = isNative
        self.leases = leases
        self.topics = topics
        self.fields = fields
        self.actions = actions
        self.commandTemplate = commandTemplate
    }

    /// The native protocol.
    public static let native = ElevatorProfile(
        id: "wellward-elevator", title: LocalizedText(chinese: "Wellward 原生电梯协议", english: "Wellward native elevator protocol"),
        document: "elevator-mqtt, version 1", isNative: true, leases: true)

    // MARK: Topics

    /// The topic for one controller.
    public func topic(_ topic: Topic, address: String) -> String? { topics[topic]?.replacing("{elevator}", with: address) }

    /// The subscription that covers all controllers; nil when there is no such topic.
    public func subscription(_ topic: Topic) -> String? { topics[topic]?.replacing("{elevator}", with: "+") }

    /// The controller's address in a topic; nil when the topic is another one.
    public func address(in concrete: String, of topic: Topic) -> String? {
        guard let pattern = topics[topic], let hole = pattern.firstRange(of: "{elevator}") else { return nil }
        let (before, after) = (pattern[..<hole.lowerBound], pattern[hole.upperBound...])
        guard concrete.hasPrefix(before), concrete.hasSuffix(after), concrete.utf8.count > before.utf8.count + after.utf8.count else { return nil }
        let address = String(concrete.dropFirst(before.count).dropLast(after.count))
        return address.contains("/") ? nil : address
    }

    // MARK: Messages

    private func parse(_ bytes: [UInt8]) throws(NativeElevatorMessages.Fault) -> JSONValue {
        guard bytes.count <= NativeElevatorMessages.greatestPayload else { throw .tooLarge(bytes.count) }
        // Some controllers send a bare word, not JSON.
        do { return try JSONDecoder().decode(JSONValue.self, from: Data(bytes)) } catch {
            let word = String(decoding: bytes, as: UTF8.self)
            guard word.utf8.count <= 32, !word.isEmpty, word.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" }) else { throw .malformed }
            return .text(word)
        }
    }

    private func raw(_ topic: Topic, _ name: String, _ payload: JSONValue) -> JSONValue? {
        fields[topic]?[name].flatMap { payload.value(at: $0.pointer) }
    }

    /// The native word of a field; nil when it is absent or its value is not in the map.
    private func word(_ topic: Topic, _ name: String, _ payload: JSONValue) -> String? {
        guard let field = fields[topic]?[name], let found = payload.value(at: field.pointer)?.word else { return nil }
        return field.values.isEmpty ? found : field.values[found]
    }

    private func flag(_ topic: Topic, _ name: String, _ payload: JSONValue) -> Bool? {
        switch word(topic, name, payload) {
        case "true": true
        case "false": false
        default: nil
        }
    }

    /// Reads a status. Without a number of its own a message takes the number of its arrival.
    public func status(_ bytes: [UInt8], arrival: Int64) throws(NativeElevatorMessages.Fault) -> ElevatorStatus {
        if isNative { return try NativeElevatorMessages.status(bytes) }
        let payload = try parse(bytes)
        guard case .object = payload else { throw .malformed }
        var faults: [String] = []
        switch raw(.status, "faults", payload) {
        case .list(let list): faults = list.compactMap(\.word)
        case .some(let single): if let word = single.word, !["", "0", "false"].contains(word) { faults = [word] }
        case nil: break
        }
        return ElevatorStatus(
            sequence: sequence(.status, payload) ?? arrival, boot: word(.status, "boot", payload),
            serviceMode: word(.status, "service_mode", payload).flatMap(ServiceMode.init) ?? .unknown,
            motion: word(.status, "motion", payload).flatMap(Motion.init) ?? .unknown, floor: word(.status, "floor", payload) ?? "",
            door: word(.status, "door", payload).flatMap(DoorState.init) ?? .unknown, doorZone: flag(.status, "door_zone", payload),
            loadKilograms: raw(.status, "load_kg", payload)?.double, passenger: flag(.status, "passenger", payload), faults: faults,
            sentAt: time(.status, payload))
    }

    private func sequence(_ topic: Topic, _ payload: JSONValue) -> Int64? {
        raw(topic, "seq", payload)?.double.flatMap { abs($0) < 9e15 ? Int64($0) : nil }
    }

    /// Reads a message with one detection or a list of them. An unknown class is `other`; an unknown zone or a confidence outside 0 to 1 makes it
    /// unusable, since they decide.
    public func detections(_ bytes: [UInt8], arrival: Int64) throws(NativeElevatorMessages.Fault) -> [Detection] {
        if isNative { return try NativeElevatorMessages.detections(bytes) }
        let payload = try parse(bytes)
        // A map may itself point into a list.
        guard case .list(let elements) = payload, raw(.detection, "confidence", payload) == nil else { return [try detection(payload, arrival: arrival)] }
        guard elements.count <= NativeElevatorMessages.mostDetections else { throw .unusable(field: "list") }
        var found: [Detection] = []
        for element in elements { found.append(try detection(element, arrival: arrival)) }
        return found
    }

    private func detection(_ payload: JSONValue, arrival: Int64) throws(NativeElevatorMessages.Fault) -> Detection {
        guard let zone = word(.detection, "zone", payload).flatMap(DetectionZone.init) else { throw .unusable(field: "zone") }
        guard let confidence = raw(.detection, "confidence", payload)?.double, (0...1).contains(confidence) else { throw .unusable(field: "confidence") }
        return Detection(
            sequence: sequence(.detection, payload) ?? arrival, boot: word(.detection, "boot", payload),
            track: String((word(.detection, "track", payload) ?? "").prefix(128)),
            kind: word(.detection, "class", payload).flatMap(DetectedClass.init) ?? .other, confidence: confidence, zone: zone,
            image: word(.detection, "image", payload).map { String($0.prefix(512)) }, sentAt: time(.detection, payload))
    }

    private func time(_ topic: Topic, _ payload: JSONValue) -> WallTime? { word(topic, "at", payload).flatMap { CivilClock.parse(rfc3339: $0) } }

    /// Reads an acknowledgement.
    public func acknowledgement(
        _ bytes: [UInt8]
    ) throws(NativeElevatorMessages.Fault) -> (id: String, result: AcknowledgementResult, reason: String?, boot: String?) {
        if isNative { return try NativeElevatorMessages.acknowledgement(bytes) }
        let payload = try parse(bytes)
        guard let id = word(.ack, "id", payload), let result = word(.ack, "result", payload).flatMap(AcknowledgementResult.init)
        else { throw .unusable(field: "result") }
        return (id, result, word(.ack, "reason", payload), nil)
    }

    /// Reads whether the controller is there.
    public func availability(_ bytes: [UInt8]) throws(NativeElevatorMessages.Fault) -> Bool {
        if isNative { return try NativeElevatorMessages.availability(bytes) }
        let payload = try parse(bytes)
        switch word(.availability, "state", payload) {
        case "online": return true
        case "offline": return false
        default: throw .malformed
        }
    }

    /// Writes a command; nil when the maker has no such action. The same command always gives the same bytes.
    public func encode(_ command: BoardingCommand, address: String, clock: inout CivilClock, openCase: String?) -> [UInt8]? {
        if isNative { return NativeElevatorMessages.encode(command, clock: &clock, openCase: openCase) }
        guard let action = actions[command.action] else { return nil }
        func quoted(_ text: String) -> String { JSONText.text(text).text }
        let values: [(String, String)] = [
            ("id", quoted(command.id)), ("seq", String(command.sequence)), ("boot", quoted(command.boot)), ("action", quoted(action)),
            ("issued_at", quoted(clock.rfc3339(command.issuedAt))), ("lease_ms", String(command.lease.milliseconds)),
            ("lease_s", String((command.lease.milliseconds + 999) / 1000)), ("reason", quoted(command.reason)),
            ("status_seq", command.statusSequence.map(String.init) ?? "null"), ("case", openCase.map(quoted) ?? "null"), ("elevator", quoted(address)),
            ("announce_zh", quoted(command.announcement?.chinese ?? "")), ("announce_en", quoted(command.announcement?.english ?? "")),
        ]
        var text = commandTemplate
        for (name, value) in values { text = text.replacing("${\(name)}", with: value) }
        return Array(text.utf8)
    }
}
