import Demonstration
import Foundation
import Messaging
import Synchronization
import Telemetry
import TestSupport
import Testing
import TimeSeriesStore
import Watchkeeping

/// The gateway itself is watched, its channels can be tried, and its ladders are those of its file.
@Suite(.serialized) struct GatewayItselfTests {
    @Test func `a heartbeat goes out while homes are watched, and a time unwatched is told from when to when`() async throws {
        let site = try LittleSite { text in
            text.replacingOccurrences(of: "language: en", with: "language: en\nheartbeat: {url_file: beat, every: 1s}")
                .replacingOccurrences(
                    of: "  - {id: property, name", with: "  - {id: committee, name: 居委, role: committee, channels: [out]}\n  - {id: property, name")
        }
        defer { site.end() }
        let gateway = site.gateway
        let web = try IndependentReceiver("web", folder: gateway.folder)
        defer { web.stop() }
        try gateway.write("beat", "http://127.0.0.1:\(web.ports[0])/beat/of-this-lane\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: "\(gateway.folder)/beat")
        try gateway.start()
        @Sendable func beats() -> Int { web.notes.count { $0["path"] as? String == "/beat/of-this-lane" } }
        try await eventually { beats() >= 3 }
        gateway.signal(SIGTERM)
        try await eventually { !gateway.isRunning }
        #expect(!gateway.log.contains("of-this-lane"), "its address is a secret")

        // As if it had been down for three hours: the mark of its last moment lies so far back.
        let path = "\(gateway.folder)/w.sqlite"
        let tag = try backdate(path, by: .hours(3))
        try gateway.start()
        let heard = beats()
        try await eventually { beats() > heard }
        @Sendable func incident() -> [String: Any]? {
            gateway.items("/api/v1/cases?state=open").first {
                $0["kind"] as? String == "incident" && ($0["subject"] as? [String: Any])?["type"] as? String == "site"
            }
        }
        try await eventually { incident() != nil }
        let id = try #require(incident()?["id"] as? String)
        let findings = gateway.http("GET", "/api/v1/cases/\(id)").json["findings"] as? [[String: Any]] ?? []
        #expect(findings.first?["rule"] as? String == "unwatched")
        let hours = try #require((findings.first?["numbers"] as? [String: Any])?["hours"] as? Double)
        #expect(hours >= 3 && hours < 3.2)
        try await eventually { Self.events(gateway).contains { $0["subject"] as? String == id } }
        // Every notice bears the mark of this record: two gateways, or one with a new record, never use the same name twice.
        let ids = Self.events(gateway).compactMap { $0["id"] as? String }
        #expect(!ids.isEmpty && ids.allSatisfy { $0.contains("-\(tag)-") })
    }

    /// Moves the mark of the gateway's last moment into the past.
    /// - Returns: the mark that ends the names of its notices
    private func backdate(_ path: String, by span: Interval) throws -> String {
        let store = try Store(path: path)
        defer { try? store.close() }
        let text = try #require(try store.readNow { try $0.fact("axis") })
        var mark = try JSONDecoder().decode(AxisMark.self, from: Data(text.utf8))
        mark.elapsed -= span.milliseconds
        mark.wall -= span.milliseconds
        mark.boottime -= span.milliseconds
        let body = String(decoding: try JSONEncoder().encode(mark), as: UTF8.self)
        try store.writeNow { try $0.setFact("axis", body) }
        return try #require(try store.readNow { try $0.fact("tag") })
    }

    private static func events(_ gateway: RunningGateway) -> [[String: Any]] {
        let text = (try? String(contentsOfFile: "\(gateway.folder)/out.jsonl", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
    }

    @Test func `a channel is tried from a terminal, and an MQTT channel's notices reach who listens at the broker`() async throws {
        let site = try LittleSite { text in
            text.replacingOccurrences(of: "role: grid_worker, channels: [out]", with: "role: grid_worker, channels: [out, lane]")
                .replacingOccurrences(of: "  - {id: out,", with: "  - {id: lane, kind: mqtt, topic: lane/notices}\n  - {id: out,")
        }
        defer { site.end() }
        let gateway = site.gateway
        let heard = Mutex<[Data]>([])
        let isThere = Mutex(false)
        let listener = try MQTTClient(.init(host: "127.0.0.1", port: site.broker.port, clientID: "lane"), subscribe: [("lane/notices", 1)]) { event in
            if case .message(let message) = event { heard.withLock { $0.append(Data(message.payload)) } }
            if case .connected = event { isThere.withLock { $0 = true } }
        }
        defer { listener.close() }
        try await eventually { isThere.withLock { $0 } }
        try gateway.start()
        @Sendable func got() -> [[String: Any]] { heard.withLock { $0 }.compactMap { try? JSONSerialization.jsonObject(with: $0) as? [String: Any] } }
        try await eventually { got().contains { $0["type"] as? String == "org.wellward.case.escalated" } }
        let url = ["--url", "http://127.0.0.1:\(gateway.port)"]
        let tried = try TechnicianCommandTests.run(["channel", "test", "lane", "--contact", "grid"] + url)
        #expect(tried.code == 0, "\(tried.err)")
        try await eventually { got().contains { $0["type"] as? String == "org.wellward.case.drill" } }
        let unknown = try TechnicianCommandTests.run(["channel", "test", "none"] + url)
        #expect(unknown.code == 1 && unknown.err.contains("none"))
        let event = try #require(got().first { $0["type"] as? String == "org.wellward.case.escalated" })
        #expect(event["specversion"] as? String == "1.0" && (event["data"] as? [String: Any])?["contact"] as? String == "grid")
        // Names travel only where a channel says so, and this one does not.
        #expect(heard.withLock { $0 }.allSatisfy { !String(decoding: $0, as: UTF8.self).contains("张阿婆") })
        let listed = TechnicianCommandTests.lines(try TechnicianCommandTests.run(["channel", "list", "--format", "jsonl"] + url).out)
        #expect(listed.contains { $0["id"] as? String == "lane" && ($0["sent"] as? Int ?? 0) >= 1 })
    }

    @Test func `a ladder of the file repeats as it says, and whoever accepts and does not arrive in time is supervised`() async throws {
        let site = try LittleSite { text in
            let head = text.components(separatedBy: "ladders:")[0]
            return head + """
                ladders:
                  elder:
                    repeat: 1s
                    steps:
                      - {after: 0s, notify: [family], accept_within: 1h}
                      - {after: 1s, notify: [grid_worker], accept_within: 1h, arrive_within: 2s}
                """
        }
        defer { site.end() }
        let gateway = site.gateway
        try gateway.start()
        @Sendable func told() -> Int { Self.events(gateway).count { ($0["data"] as? [String: Any])?["contact"] as? String == "grid" } }
        try await eventually { told() >= 3 }
        let id = try #require(gateway.items("/api/v1/cases?state=open").first { $0["kind"] as? String == "inactivity" }?["id"] as? String)
        #expect(gateway.http("POST", "/api/v1/cases/\(id)/accept", #"{"by":"grid"}"#).json["stage"] as? String == "handling")
        try await eventually { gateway.http("GET", "/api/v1/cases/\(id)").json["stage"] as? String == "supervised" }
        let before = told()
        try await eventually { told() > before }
        #expect(gateway.http("POST", "/api/v1/cases/\(id)/outcome", #"{"by":"grid","code":"helped"}"#).status == 200)
    }

    @Test func `a home that cannot be seen is never part of nothing amiss`() async throws {
        let site = try LittleSite { text in
            text.replacingOccurrences(of: "policy: quick", with: "policy: calm").replacingOccurrences(of: "calm: {no_data: 60s}", with: "calm: {no_data: 3s}")
        }
        defer { site.end() }
        let gateway = site.gateway
        try gateway.start()
        @Sendable func headline() -> String { gateway.http("GET", "/").text.components(separatedBy: "<h1>").dropFirst().first ?? "" }
        try await eventually { headline().hasPrefix("2 homes, nothing amiss") }
        site.tcp.stop()
        try await eventually { headline().hasPrefix("1 home out of sight") }
        let page = gateway.http("GET", "/").text
        #expect(!page.contains("nothing amiss") && page.contains("cannot be judged: 1"))
    }
}
