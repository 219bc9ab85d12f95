import BoardingControl
import Foundation
import Gateway
import Simulation
import SiteConfiguration
import Telemetry
import TestSupport
import Testing
import Watchkeeping

/// Seeded garbage for the parsers that read from a wire or a file. FUZZ=n multiplies the effort.
@Suite struct GarbageAtTheDoorsTests {
    static let effort = ProcessInfo.processInfo.environment["FUZZ"].flatMap { Int($0) } ?? 1

    /// A text that was cut, doubled, scribbled into, or had its digits changed.
    static func broken(_ text: String, _ random: inout SeededRandom) -> [UInt8] {
        var bytes = Array(text.utf8)
        for _ in 0...(random.next() % 3) {
            guard !bytes.isEmpty else { return bytes }
            let place = Int(random.next() % UInt64(bytes.count))
            switch random.next() % 5 {
            case 0: bytes.removeSubrange(place...)
            case 1: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 40)], at: place)
            case 2: bytes[place] = UInt8(truncatingIfNeeded: random.next())
            case 3: bytes.insert(contentsOf: Array("99999999999999999999".utf8), at: place)
            default: bytes[place] = Array("{}[]\",:\\0-eE\n#&*!".utf8)[Int(random.next() % 17)]
            }
        }
        return bytes
    }

    @Test func `no MQTT payload crashes a parser, and none makes an unknown state normal`() throws {
        var random = SeededRandom(seed: 31)
        let status =
            #"{"seq":1,"boot":"b","service_mode":"inspection","motion":"stopped","floor":"1","door":"open","door_zone":true,"load_kg":0,"passenger":false,"faults":[]}"#
        let detection = #"{"seq":1,"boot":"b","track":"t17","class":"ebike","confidence":0.93,"zone":"door","image":"x"}"#
        let ack = #"{"id":"a","result":"accepted","reason":null}"#
        let numeric = try ElevatorProfileTestsBridge.numeric()
        for _ in 0..<(3000 * Self.effort) {
            if let read = try? NativeElevatorMessages.status(Self.broken(status, &random)) { #expect(read.serviceMode != .normal) }
            if let read = try? NativeElevatorMessages.detection(Self.broken(detection, &random)) { #expect(read.confidence.isFinite) }
            _ = try? NativeElevatorMessages.acknowledgement(Self.broken(ack, &random))
            _ = try? NativeElevatorMessages.availability(Self.broken("online", &random))
            _ = try? numeric.status(Self.broken(#"{"service_mode":2,"car_status":0,"car_position":"1","door_status":4,"door_zone":1}"#, &random), arrival: 1)
        }
    }

    @Test func `no configuration and no table crashes the reader, and what is refused says where`() throws {
        var random = SeededRandom(seed: 32)
        let text = try String(contentsOf: ShippedProfiles.root.appendingPathComponent("Deploy/wellward.example.yaml"), encoding: .utf8)
        let table = "id,name,address,meter,lives_alone,policy,grid,contacts,consent_given,consent_by\nh-1,张,3号楼,wm-1,true,p,g,a;b,2026-01-01,x\n"
        for _ in 0..<(60 * Self.effort) {
            let rows = String(decoding: Self.broken(table, &random), as: UTF8.self)
            let files = ConfigurationFiles(base: "/none", profileRoots: [], read: { $0.hasSuffix(".csv") ? rows : "secret" }, list: { _, _ in [] })
            let text = String(decoding: Self.broken(text + "\nmeters_file: m.csv\nhouseholds_file: h.csv\n", &random), as: UTF8.self)
            let result = ConfigurationReader.read(text, file: "w.yaml", files: files)
            #expect(result.configuration != nil || result.issues.contains { $0.severity == .error && !$0.fix.isEmpty })
        }
    }

    @Test func `no changed link is ever valid`() {
        var random = SeededRandom(seed: 33)
        let signer = LinkSigner(secret: Data(repeating: 7, count: 32))
        let now = WallTime(unixSeconds: 1_700_000_000)
        let token = signer.token(.init(caseID: "c-1", contact: "x", until: now + .hours(24)))
        #expect(signer.grant(token, now: now) != nil && signer.grant(token, now: now + .hours(25)) == nil)
        // The last letter of each part carries spare bits: every other letter there must be refused too.
        for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" {
            let changed = String(token.dropLast()) + String(letter)
            if changed != token { #expect(signer.grant(changed, now: now) == nil, "\(changed)") }
        }
        for _ in 0..<(2000 * Self.effort) {
            let changed = String(decoding: Self.broken(token, &random), as: UTF8.self)
            if changed != token { #expect(signer.grant(changed, now: now) == nil, "\(changed)") }
        }
    }
}

/// The shipped numeric elevator profile.
enum ElevatorProfileTestsBridge {
    static func numeric() throws -> ElevatorProfile {
        let text = try String(contentsOf: ShippedProfiles.root.appendingPathComponent("DeviceProfiles/elevators/gbt24476-numeric.yaml"), encoding: .utf8)
        return try #require(ElevatorProfileReader.read(text, file: "gbt24476-numeric.yaml").profile)
    }
}
