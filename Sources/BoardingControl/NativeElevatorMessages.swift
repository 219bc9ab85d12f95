import Foundation
import Telemetry

/// The JSON of the native profile `wellward-elevator`, version 1. A payload that cannot be read is an error the caller
/// counts; a value that is not known becomes `unknown`.
public enum NativeElevatorMessages {
    /// Payloads above this size are not looked at.
    public static let greatestPayload = 8192

    /// Why a payload was refused.
    public enum Fault: Error, Sendable, Hashable {
        case tooLarge(Int)
        case malformed
        /// A field that is missing, of another type, or outside of its range.
        case unusable(field: String)

        /// What is wrong, in a word: the field's name where it is one.
        public var field: String {
            switch self {
            case .tooLarge: "size"
            case .malformed: "json"
            case .unusable(let field): field
            }
        }
    }

    /// A floor as controllers write it: `"3"`, `3`, `-1`.
    private struct Floor: Decodable {
        var name: String
        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if let text = try? value.decode(String.self) {
                name = String(text.prefix(16))
            } else {
                let number = try value.decode(Double.self)
                guard let word = JSONValue.number(number).word else { throw DecodingError.dataCorruptedError(in: value, debugDescription: "no floor") }
                name = word
            }
        }
    }

    /// One or a list of something.
    private struct OneOrMore<Element: Decodable>: Decodable {
        var elements: [Element]
        init(from decoder: any Decoder) throws {
            if (try? decoder.unkeyedContainer()) != nil {
                elements = try [Element](from: decoder)
            } else {
                elements = [try Element(from: decoder)]
            }
        }
    }

    private struct StatusPayload: Decodable {
        var seq: Int64
        var boot: String?
        var service_mode: String?
        var motion: String?
        var floor: Floor?
        var at: String?
        var door: String?
        var door_zone: Bool?
        var load_kg: Double?
        var passenger: Bool?
        var faults: [String]?
    }

    private struct DetectionPayload: Decodable {
        var seq: Int64
        var boot: String?
        var track: String
        var `class`: String
        var confidence: Double
        var zone: String
        var image: String?
        var at: String?
    }

    private struct AcknowledgementPayload: Decodable {
        var id: String
        var result: String
        var reason: String?
        var boot: String?
    }

    private static func decode<Payload: Decodable>(_ bytes: [UInt8], _ type: Payload.Type) throws(Fault) -> Payload {
        guard bytes.count <= greatestPayload else { throw .tooLarge(bytes.count) }
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            throw fault(error)
        }
    }

    private static func fault(_ error: any Error) -> Fault {
        let path: [any CodingKey]? =
            switch error as? DecodingError {
            case .keyNotFound(let key, let context): context.codingPath + [key]
            case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context): context.codingPath
            default: nil
            }
        guard let name = path?.last(where: { $0.intValue == nil })?.stringValue else { return .malformed }
        return .unusable(field: String(name.prefix(40)))
    }

    /// Reads a status. Fields that are absent are unknown.
    public static func status(_ bytes: [UInt8]) throws(Fault) -> ElevatorStatus {
        let payload = try decode(bytes, StatusPayload.self)
        return ElevatorStatus(
            sequence: payload.seq, boot: payload.boot,
            serviceMode: payload.service_mode.flatMap(ServiceMode.init) ?? .unknown,
            motion: payload.motion.flatMap(Motion.init) ?? .unknown, floor: payload.floor?.name ?? "",
            door: payload.door.flatMap(DoorState.init) ?? .unknown, doorZone: payload.door_zone,
            loadKilograms: payload.load_kg, passenger: payload.passenger, faults: payload.faults ?? [],
            sentAt: payload.at.flatMap { CivilClock.parse(rfc3339: $0) })
    }

    /// The most detections of one message that are read.
    public static let mostDetections = 32

    /// Reads a detection. An unknown class is `other`; an unknown zone or a confidence outside 0 to 1 makes it unusable, since they decide.
    public static func detection(_ bytes: [UInt8]) throws(Fault) -> Detection {
        guard let first = try detections(bytes).first else { throw .malformed }
        return first
    }

    /// Reads a message that holds one detection or a list of them.
    public static func detections(_ bytes: [UInt8]) throws(Fault) -> [Detection] {
        let payloads = try decode(bytes, OneOrMore<DetectionPayload>.self).elements
        guard payloads.count <= mostDetections else { throw .unusable(field: "list") }
        var found: [Detection] = []
        for payload in payloads { found.append(try detection(payload)) }
        return found
    }

    private static func detection(_ payload: DetectionPayload) throws(Fault) -> Detection {
        guard let zone = DetectionZone(rawValue: payload.zone) else { throw .unusable(field: "zone") }
        guard (0...1).contains(payload.confidence) else { throw .unusable(field: "confidence") }
        guard payload.track.utf8.count <= 128 else { throw .unusable(field: "track") }
        return Detection(
            sequence: payload.seq, boot: payload.boot, track: payload.track,
            kind: DetectedClass(rawValue: payload.class) ?? .other, confidence: payload.confidence, zone: zone,
            image: payload.image.map { String($0.prefix(512)) }, sentAt: payload.at.flatMap { CivilClock.parse(rfc3339: $0) })
    }

    /// Reads an acknowledgement.
    public static func acknowledgement(
        _ bytes: [UInt8]
    ) throws(Fault) -> (id: String, result: AcknowledgementResult, reason: String?, boot: String?) {
        let payload = try decode(bytes, AcknowledgementPayload.self)
        guard let result = AcknowledgementResult(rawValue: payload.result) else { throw .unusable(field: "result") }
        return (payload.id, result, payload.reason, payload.boot)
    }

    /// Reads the retained availability word.
    public static func availability(_ bytes: [UInt8]) throws(Fault) -> Bool {
        switch String(decoding: bytes.prefix(16), as: UTF8.self) {
        case "online": return true
        case "offline": return false
        default: throw .malformed
        }
    }

    /// Writes a command: the same command always gives the same bytes, so that a retry is identical.
    public static func encode(_ command: BoardingCommand, clock: inout CivilClock, openCase: String?) -> [UInt8] {
        let words: JSONText = command.announcement.map { .object([("zh-Hans", .text($0.chinese)), ("en", .text($0.english))]) } ?? .null
        return JSONText.object([
            ("id", .text(command.id)), ("seq", .integer(command.sequence)), ("boot", .text(command.boot)), ("action", .text(command.action.rawValue)),
            ("issued_at", .text(clock.rfc3339(command.issuedAt))), ("lease_ms", .integer(command.lease.milliseconds)), ("reason", .text(command.reason)),
            ("status_seq", command.statusSequence.map { .integer($0) } ?? .null), ("case", .optional(openCase)), ("announce", words),
        ]).bytes
    }
}
