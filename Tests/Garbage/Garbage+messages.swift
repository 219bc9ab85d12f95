import BoardingControl
import Console
import Foundation
import Notifiers
import Phrasebook
import Simulation
import SiteConfiguration
import Telemetry
import TestSupport
import Watchkeeping

extension Garbage {
    /// What comes from the broker, from receivers of notices, and by links.
    static let messages: [Garbage] = [
        Garbage("mqtt", few: 5) { random in
            let bytes = random.broken(random.one(of: payloads))
            switch random.below(6) {
            case 0:
                guard let read = try? NativeElevatorMessages.status(bytes) else { return nil }
                return read.serviceMode == .normal && !String(decoding: bytes, as: UTF8.self).contains("normal") ? "an unknown mode became normal" : nil
            case 1:
                guard let read = try? NativeElevatorMessages.detection(bytes) else { return nil }
                return read.confidence.isFinite ? nil : "a confidence that is no number"
            case 2: _ = try? NativeElevatorMessages.acknowledgement(bytes)
            case 3: _ = try? NativeElevatorMessages.availability(bytes)
            case 4: _ = try? numeric?.status(bytes, arrival: 1)
            default: if let source { _ = try? SiteEvent(bytes, of: source) }
            }
            return nil
        },
        Garbage("event-texts", few: 2) { random in
            guard let source else { return nil }
            let payload = Array("{\"kind\":\"smoke\",\"where\":{\"room\":\"\(written(random.foreign()))\"},\"level\":\"\(written(random.foreign()))\"}".utf8)
            guard case .raised(let subject, let detail) = try? SiteEvent(random.below(3) == 0 ? random.broken(payload) : payload, of: source) else {
                return nil
            }
            guard subject.utf8.count <= 80, subject.allSatisfy({ $0.isASCII }) else { return "a subject that is no identifier: \(subject.debugDescription)" }
            return unfit(detail, .device)
        },
        Garbage("typed-texts", few: 2) { random in
            let text = random.foreign()
            for limit in [BoundedText.Limit.name, .note, .device, .word] {
                let kept = text.bounded(limit)
                if let fault = unfit(kept, limit) { return fault }
                if kept.bounded(limit) != kept { return "a text that is another one when kept again: \(kept.debugDescription)" }
            }
            return nil
        },
        Garbage("replies", few: 5) { random in
            _ = RobotNotifier.verdict(Data(random.broken(#"{"errcode":0,"errmsg":"ok","code":0}"#.utf8)))
            return nil
        },
        Garbage("links", few: 5) { random in
            let changed = String(decoding: random.broken(token.utf8), as: UTF8.self)
            return changed != token && signer.grant(changed, now: linkTime) != nil ? "a changed link was valid: \(changed)" : nil
        },
    ]

    static var poorMessageSeeds: [String] {
        var poor: [String] = []
        if (try? NativeElevatorMessages.status(payloads[0])) == nil { poor.append("status") }
        if (try? NativeElevatorMessages.detection(payloads[1])) == nil { poor.append("detection") }
        if (try? NativeElevatorMessages.acknowledgement(payloads[2])) == nil { poor.append("acknowledgement") }
        if (try? numeric?.status(payloads[4], arrival: 1)) == nil { poor.append("numeric status") }
        if source == nil { poor.append("event source") }
        if signer.grant(token, now: linkTime) == nil { poor.append("link") }
        return poor
    }

    /// A text as a JSON string holds it.
    private static func written(_ text: String) -> String {
        text.unicodeScalars.map { scalar in
            scalar.value < 0x20 || scalar == "\"" || scalar == "\\" ? "\\u00\(scalar.value < 16 ? "0" : "")\(String(scalar.value, radix: 16))" : String(scalar)
        }
        .joined()
    }

    /// What is wrong with a text that was to be bounded.
    private static func unfit(_ text: String, _ limit: BoundedText.Limit) -> String? {
        guard text.unicodeScalars.count <= limit.scalars, text.utf8.count <= limit.bytes else { return "a text over its limit: \(text.utf8.count) bytes" }
        var marks = 0
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control where scalar != "\n" || !limit.hasLines: return "a control character was kept: \(text.debugDescription)"
            case .format where scalar.value != 0x200C && scalar.value != 0x200D: return "a sign that turns writing round was kept: \(text.debugDescription)"
            case .nonspacingMark, .spacingMark, .enclosingMark: marks += 1
            default: marks = 0
            }
            if marks > 2 * BoundedText.mostMarks { return "too many marks on a letter" }
        }
        return nil
    }

    private static let payloads: [[UInt8]] = [
        #"{"seq":1,"boot":"b","service_mode":"inspection","motion":"stopped","floor":"1","door":"open","door_zone":true,"load_kg":0,"passenger":false,"faults":[]}"#,
        #"{"seq":1,"boot":"b","track":"t17","class":"ebike","confidence":0.93,"zone":"door","image":"x"}"#,
        #"{"id":"a","result":"accepted","reason":null}"#, "online",
        #"{"service_mode":2,"car_status":0,"car_position":"1","door_status":4,"door_zone":1}"#,
        #"{"kind":"smoke","where":{"room":"3-101"},"level":7,"list":[1,[2,[3]]]}"#,
    ].map { Array($0.utf8) }

    /// The shipped numeric elevator profile.
    private static let numeric: ElevatorProfile? = {
        let file = ShippedProfiles.root.appendingPathComponent("DeviceProfiles/elevators/gbt24476-numeric.yaml")
        return (try? String(contentsOf: file, encoding: .utf8)).flatMap { ElevatorProfileReader.read($0, file: "gbt24476-numeric.yaml").profile }
    }()

    /// Smoke detectors on the site's broker.
    private static let source: SiteConfiguration.EventSource? = ConfigurationReader.read(
        """
        site: {id: g, timezone: UTC}
        storage: {path: w.sqlite}
        mqtt: {host: 127.0.0.1}
        events:
          - {id: smoke, topic: site/smoke/+, match: /kind, when: [smoke], clears: [clear], subject: /where/room, text: /level, title: {zh-Hans: 烟, en: smoke}}
        """, file: "w.yaml", files: Garbage.noFiles
    ).configuration?.events.first

    private static let signer = LinkSigner(secret: Data(repeating: 7, count: 32))
    private static let linkTime = WallTime(unixSeconds: 1_700_000_000)
    private static let token = signer.token(.init(caseID: "c-1", contact: "x", until: linkTime + .hours(24), issuedAt: linkTime))
}
