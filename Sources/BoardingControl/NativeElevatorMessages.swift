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
    }

    private struct StatusPayload: Decodable {
        var seq: Int64
        var boot: String?
        var service_mode: String?
        var motion: String?
        var floor: String?
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
    }

    private struct AcknowledgementPayload: Decodable {
        var id: String
        var result: String
        var reason: String?
    }

    private static func decode<Payload: Decodable>(_ bytes: [UInt8], _ type: Payload.Type) throws(Fault) -> Payload {
        guard bytes.count <= greatestPayload else { throw .tooLarge(bytes.count) }
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            throw .malformed
        }
    }

    /// Reads a status. Fields that are absent are unknown.
    public static func status(_ bytes: [UInt8]) throws(Fault) -> ElevatorStatus {
        let payload = try decode(bytes, StatusPayload.self)
        return ElevatorStatus(
            sequence: payload.seq, boot: payload.boot,
            serviceMode: payload.service_mode.flatMap(ServiceMode.init) ?? .unknown,
            motion: payload.motion.flatMap(Motion.init) ?? .unknown, floor: payload.floor ?? "",
            door: payload.door.flatMap(DoorState.init) ?? .unknown, doorZone: payload.door_zone,
            loadKilograms: payload.load_kg, passenger: payload.passenger, faults: payload.faults ?? [])
    }

    /// Reads a detection. An unknown class is `other`; an unknown zone makes the detection malformed, since it decides.
    public static func detection(_ bytes: [UInt8]) throws(Fault) -> Detection {
        let payload = try decode(bytes, DetectionPayload.self)
        guard let zone = DetectionZone(rawValue: payload.zone), payload.confidence.isFinite, payload.track.utf8.count <= 128
        else { throw .malformed }
        return Detection(
            sequence: payload.seq, boot: payload.boot, track: payload.track,
            kind: DetectedClass(rawValue: payload.class) ?? .other, confidence: payload.confidence, zone: zone,
            image: payload.image.map { String($0.prefix(512)) })
    }

    /// Reads an acknowledgement.
    public static func acknowledgement(
        _ bytes: [UInt8]
    ) throws(Fault) -> (id: String, result: AcknowledgementResult, reason: String?) {
        let payload = try decode(bytes, AcknowledgementPayload.self)
        guard let result = AcknowledgementResult(rawValue: payload.result) else { throw .malformed }
        return (payload.id, result, payload.reason)
    }

    /// Reads the retained availability word.
    public static func availability(_ bytes: [UInt8]) throws(Fault) -> Bool {
        switch String(decoding: bytes.prefix(16), as: UTF8.self) {
        case "online": return true
        case "offline": return false
        default: throw .malformed
        }
    }

    /// Writes a command. Written by hand: the same command always gives the same bytes, so that a retry is identical.
    public static func encode(_ command: BoardingCommand, clock: inout CivilClock, openCase: String?) -> [UInt8] {
        var parts = [
            "\"id\":\"\(command.id)\"", "\"seq\":\(command.sequence)", "\"boot\":\"\(command.boot)\"",
            "\"action\":\"\(command.action.rawValue)\"", "\"issued_at\":\"\(clock.rfc3339(command.issuedAt))\"",
            "\"lease_ms\":\(command.lease.milliseconds)", "\"reason\":\"\(command.reason)\"",
            "\"status_seq\":\(command.statusSequence.map(String.init) ?? "null")",
            "\"case\":\(openCase.map { "\"\($0)\"" } ?? "null")",
        ]
        if let text = command.announcement {
            parts.append("\"announce\":{\"zh-Hans\":\"\(text.chinese)\",\"en\":\"\(text.english)\"}")
        } else {
            parts.append("\"announce\":null")
        }
        return Array("{\(parts.joined(separator: ","))}".utf8)
    }
}
