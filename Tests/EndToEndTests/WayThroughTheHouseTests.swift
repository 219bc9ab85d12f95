import BoardingControl
import Demonstration
import DeviceProfiles
import Foundation
import Messaging
import Simulation
import Telemetry
import TestSupport
import Testing
import TimeSeriesStore

/// The built program on real parts: Modbus over TCP and a pseudo-terminal, a real broker, a real file.
@Suite(.serialized) struct WayThroughTheHouseTests {
    @Test func `a collapse becomes a case, climbs, is accepted, and ends with what a person found; an e-bike is held and released`() async throws {
        let site = try LittleSite()
        defer { site.end() }
        let gateway = site.gateway
        try gateway.start()
        let lift = try SimulatedElevator("lift-1", broker: .init(host: "127.0.0.1", port: site.broker.port, clientID: ""))
        defer { lift.stop() }

        try await eventually { gateway.http("GET", "/readyz").status == 200 }
        #expect(gateway.items("/api/v1/meters").compactMap { $0["volume_litres"] as? Double }.allSatisfy { abs($0 - 4321) < 1 })

        // The collapse.
        try await eventually { gateway.items("/api/v1/cases?state=open").contains { $0["kind"] as? String == "inactivity" } }
        let found = try #require(gateway.items("/api/v1/cases?state=open").first { $0["kind"] as? String == "inactivity" })
        let id = try #require(found["id"] as? String)
        #expect((found["subject"] as? [String: Any])?["id"] as? String == "h-1")
        try await eventually {
            let notices = gateway.http("GET", "/api/v1/cases/\(id)").json["notices"] as? [[String: Any]] ?? []
            return notices.contains { $0["contact"] as? String == "grid" && $0["state"] as? String == "sent" }
        }
        let accepted = gateway.http("POST", "/api/v1/cases/\(id)/accept", #"{"by":"grid"}"#)
        #expect(accepted.status == 200 && accepted.json["stage"] as? String == "handling")
        #expect(gateway.http("POST", "/api/v1/cases/\(id)/arrived", #"{"by":"grid"}"#).status == 200)
        #expect(gateway.http("POST", "/api/v1/cases/\(id)/outcome", #"{"by":"grid","code":"removed"}"#).status == 409)
        let closed = gateway.http("POST", "/api/v1/cases/\(id)/outcome", #"{"by":"grid","code":"helped","note":"fell in the bath"}"#)
        #expect(closed.status == 200 && closed.json["stage"] as? String == "closed" && closed.json["outcome"] as? String == "helped")

        // Families are told who, without litres; names stay out of the log.
        let notices = try String(contentsOfFile: "\(gateway.folder)/out.jsonl", encoding: .utf8).split(separator: "\n")
        let first = try #require(try JSONSerialization.jsonObject(with: Data(notices[0].utf8)) as? [String: Any])
        #expect(first["specversion"] as? String == "1.0" && first["type"] as? String == "org.wellward.case.opened")
        #expect((first["data"] as? [String: Any])?["contact"] as? String == "family")
        #expect(notices[0].contains("张阿婆") && !notices[0].contains("_litres"))
        #expect(!gateway.log.contains("张阿婆") && !gateway.log.contains("3号楼"))

        // The e-bike.
        try await eventually { gateway.items("/api/v1/elevators").first?["online"] as? Bool == true }
        try await eventually {
            lift.detect(.ebike, track: "bike", confidence: 0.92)
            return gateway.items("/api/v1/elevators").first?["hold"] is [String: Any] && lift.firmware.heldUntil != nil
        }
        try await eventually { lift.actions.contains("release") }
        try await eventually { lift.firmware.heldUntil == nil }
        try await eventually { gateway.items("/api/v1/cases").contains { $0["kind"] as? String == "ebike" } }

        // The end.
        gateway.signal(SIGTERM)
        try await eventually(within: 5) { !gateway.isRunning }
        #expect(gateway.exitCode == 0, "\(gateway.log)")
    }

    @Test func `controllers with faults: a repeated status holds nothing, an unanswered hold ends as a case, doubles and garbage change nothing`() async throws
    {
        let gateway = try RunningGateway()
        defer { gateway.end() }
        let broker = try PrivateBroker(folder: gateway.folder)
        defer { broker.stop() }
        let faults: [(String, ControllerFault?)] = [("well", nil), ("stale", .stale), ("silent", .silent), ("doubled", .doubled), ("garbage", .garbage)]
        var text = """
            site: {id: e2e}
            storage: {path: w.sqlite}
            console: {listen: "127.0.0.1:\(gateway.port)", open: true}
            mqtt: {host: 127.0.0.1, port: \(broker.port)}
            elevators:

            """
        for (name, _) in faults { text += "  - {id: \(name), boarding: hold, cool_down: 1s, clear_after: 2s}\n" }
        try gateway.write("wellward.yaml", text)
        try gateway.start()
        let lifts = try faults.map { name, fault in
            let lift = try SimulatedElevator(ElevatorID(name), broker: .init(host: "127.0.0.1", port: broker.port, clientID: ""))
            lift.fault = fault
            return lift
        }
        defer { for lift in lifts { lift.stop() } }
        try await eventually { gateway.items("/api/v1/elevators").count { $0["online"] as? Bool == true } == faults.count }
        // Beyond the first cool-down, and long enough for a repeated status to be old.
        try await eventually { gateway.items("/api/v1/elevators").allSatisfy { $0["cool_down_until"] is NSNull } }
        try await eventually {
            let stale = gateway.items("/api/v1/elevators").first { $0["id"] as? String == "stale" }
            guard let at = (stale?["status_at"] as? String).flatMap({ CivilClock.parse(rfc3339: $0) }) else { return false }
            return Date().timeIntervalSince1970 - Double(at.unixMilliseconds) / 1000 > 2.5
        }
        @Sendable func sees(_ lift: SimulatedElevator) -> Bool { lift.actions.contains("hold_door") }
        try await eventually {
            for lift in lifts { lift.detect(.ebike, track: "t1") }
            return sees(lifts[0]) && sees(lifts[2]) && sees(lifts[3]) && sees(lifts[4])
        }
        try await eventually {
            gateway.items("/api/v1/cases?state=open").contains {
                ($0["subject"] as? [String: Any])?["id"] as? String == "silent" && $0["kind"] as? String == "equipment"
            }
        }
        #expect(!sees(lifts[1]), "a status that repeats itself is no news, and no ground to hold a door")
        try await eventually { lifts.allSatisfy { $0.firmware.heldUntil == nil } }
        let refused = gateway.http("GET", "/metrics").text.split(separator: "\n").first { $0.contains("reason=\"malformed\"") }
        #expect(refused.map { !$0.hasSuffix(" 0") } == true)
    }

    @Test func `from a terminal one lists, accepts, reports, enters an absence, exports, and verifies the audit`() async throws {
        let site = try LittleSite()
        defer { site.end() }
        let gateway = site.gateway
        try gateway.start()
        let url = ["--url", "http://127.0.0.1:\(gateway.port)"]
        func run(_ arguments: [String]) throws -> (code: Int32, out: String, err: String) { try TechnicianCommandTests.run(arguments + url) }
        try await eventually { gateway.items("/api/v1/cases?state=open").contains { $0["kind"] as? String == "inactivity" } }
        let listed = TechnicianCommandTests.lines(try run(["cases", "list", "--format", "jsonl"]).out)
        let id = try #require(listed.first { $0["kind"] as? String == "inactivity" }?["id"] as? String)
        #expect(try run(["cases", "accept", id, "--by", "grid"]).out.contains("handling"))
        let impossible = try run(["cases", "outcome", id, "--by", "grid", "--code", "removed"])
        #expect(impossible.code == 1 && impossible.err.contains("409"))
        #expect(try run(["cases", "outcome", id, "--by", "grid", "--code", "safe"]).out.contains("closed"))
        let until = ISO8601DateFormatter().string(from: Date().addingTimeInterval(86_400))
        #expect(try run(["households", "away", "h-1", "--until", until, "--by", "grid"]).code == 0)
        let homes = TechnicianCommandTests.lines(try run(["households", "list", "--format", "jsonl"]).out)
        #expect(homes.first { $0["id"] as? String == "h-1" }?["state"] as? String == "AWAY")
        #expect(try run(["elevators", "release", "lift-1", "--by", "guard"]).code == 0)
        let quality = try run(["quality", "--format", "csv"])
        #expect(quality.out.hasPrefix("from,to,level,id,expected,received,completeness") && quality.out.contains(",meter,wm-1,"))
        let (from, to) = (
            ISO8601DateFormatter().string(from: Date().addingTimeInterval(-600)), ISO8601DateFormatter().string(from: Date().addingTimeInterval(600))
        )
        let readings = try run(["export", "--from", from, "--to", to, "--meter", "wm-1"])
        #expect(readings.out.split(separator: "\n").count > 2 && readings.out.contains("volume_total"), "\(readings.err)")
        let audit = TechnicianCommandTests.lines(try run(["export", "--what", "audit", "--from", from, "--to", to, "--format", "jsonl"]).out)
        #expect(audit.contains { $0["what"] as? String == "outcome" || ($0["what"] as? String ?? "").contains("outcome") })
        // Nobody there: said, not hung.
        let nobody = try TechnicianCommandTests.run(["cases", "--url", "http://127.0.0.1:1"])
        #expect(nobody.code == 1 && nobody.err.contains("does not answer"))

        let config = "\(gateway.folder)/wellward.yaml"
        let sound = try TechnicianCommandTests.run(["audit", "verify", "--config", config])
        #expect(sound.code == 0 && sound.out.contains("unbroken"), "\(sound.err)")
        gateway.signal(SIGTERM)
        try await eventually { !gateway.isRunning }
        let store = try Store(path: "\(gateway.folder)/w.sqlite")
        // Lines cut off at the end, or all of them, show too; so does one out of the middle, and a hash that was noted and is gone.
        let noted = try #require(sound.out.split(whereSeparator: \.isWhitespace).last.map(String.init))
        for cut in ["id = (SELECT max(id) FROM audit)", "1", "id = 2"] {
            try store.tamperForTesting("CREATE TABLE kept AS SELECT * FROM audit")
            try store.tamperForTesting("DELETE FROM audit WHERE \(cut)")
            #expect(try TechnicianCommandTests.run(["audit", "verify", "--config", config]).code == 1, "\(cut)")
            try store.tamperForTesting("DELETE FROM audit")
            try store.tamperForTesting("INSERT INTO audit SELECT * FROM kept")
            try store.tamperForTesting("DROP TABLE kept")
        }
        #expect(try TechnicianCommandTests.run(["audit", "verify", "--config", config, "--expect", noted]).code == 0)
        #expect(try TechnicianCommandTests.run(["audit", "verify", "--config", config, "--expect", String(repeating: "0", count: 64)]).code == 1)
        try store.tamperForTesting("UPDATE audit SET who = 'nobody' WHERE id = 2")
        try store.close()
        let broken = try TechnicianCommandTests.run(["audit", "verify", "--config", config])
        #expect(broken.code == 1 && broken.err.contains("line 2"))
    }

    @Test func `killed and started again, cases and readings are there and nothing is told twice`() async throws {
        let site = try LittleSite()
        defer { site.end() }
        let gateway = site.gateway
        try gateway.start()
        try await eventually { gateway.items("/api/v1/cases?state=open").contains { $0["kind"] as? String == "inactivity" } }
        let id = try #require(gateway.items("/api/v1/cases?state=open").first?["id"] as? String)
        #expect(gateway.http("POST", "/api/v1/cases/\(id)/accept", #"{"by":"grid"}"#).status == 200)
        gateway.signal(SIGKILL)
        try await eventually { !gateway.isRunning }
        try gateway.start()
        try await eventually { gateway.http("GET", "/readyz").status == 200 }
        let again = gateway.http("GET", "/api/v1/cases/\(id)").json
        #expect(again["accepted_by"] as? String == "grid" && again["stage"] as? String == "handling")
        #expect(gateway.items("/api/v1/cases?state=open").filter { $0["kind"] as? String == "inactivity" }.count == 1)
        let ids = try String(contentsOfFile: "\(gateway.folder)/out.jsonl", encoding: .utf8).split(separator: "\n").compactMap {
            (try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])?["id"] as? String
        }
        #expect(Set(ids).count == ids.count)
        #expect(!gateway.items("/api/v1/meters/wm-1/readings").isEmpty)
    }

    @Test func `an invalid change is refused on SIGHUP and the old configuration stays; a valid one is applied`() async throws {
        let site = try LittleSite(spareUnit: true)
        defer { site.end() }
        let gateway = site.gateway
        let text = site.text
        try gateway.start()
        try await eventually { gateway.http("GET", "/readyz").status == 200 }
        try gateway.write("wellward.yaml", text.replacingOccurrences(of: "bus: net, unit", with: "bus: nett, unit"))
        gateway.signal(SIGHUP)
        try await eventually { gateway.log.contains("no bus `nett`") }
        #expect(gateway.items("/api/v1/meters").count == 2)
        try gateway.write(
            "wellward.yaml", text.replacingOccurrences(of: "households:", with: "  - {id: wm-3, bus: net, unit: 3, profile: tuf-2000m, poll: 1s}\nhouseholds:"))
        gateway.signal(SIGHUP)
        try await eventually { gateway.items("/api/v1/meters").contains { $0["id"] as? String == "wm-3" && $0["state"] as? String == "ok" } }
    }

    @Test func `wrong usage ends with 2, a faulty configuration with 1, and both say what to do`() async throws {
        let gateway = try RunningGateway()
        defer { gateway.end() }
        try gateway.start(["frobnicate"])
        try await eventually { !gateway.isRunning }
        #expect(gateway.exitCode == 2)
        try gateway.write("wellward.yaml", "site: {id: Bad Site}\nbusses: []\n")
        try gateway.start(["config", "check", "wellward.yaml"])
        try await eventually { !gateway.isRunning }
        #expect(gateway.exitCode == 1)
        #expect(gateway.log.contains("wellward.yaml:2:") && gateway.log.contains("did you mean `buses`?"))
    }
}
