import Foundation
import Messaging
import ScriptedPeers
import TestSupport
import Testing

/// A device that names ever new subjects, while a group robot takes only so many messages a minute.
@Suite(.serialized) struct TalkativeTopicTests {
    /// Seconds of processor time that a process has used.
    private static func processorTime(_ process: Int32) -> Double {
        let text = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
        let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
        guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else { return 0 }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// How much of a processor is used while a meter is read some ten times more.
    private static func load(_ gateway: RunningGateway) async throws -> Double {
        @Sendable func reads() -> Int { gateway.items("/api/v1/meters/wm-1/readings?point=volume_total&limit=1000").count }
        let (before, used, began) = (reads(), processorTime(gateway.processID), ContinuousClock.now)
        try await eventually(within: 60) {
            // Seldom, so that the asking itself costs little.
            try? await Task.sleep(for: .seconds(1))
            return reads() >= before + 10
        }
        let lasted = (ContinuousClock.now - began) / .seconds(1)
        return (processorTime(gateway.processID) - used) / lasted
    }

    @Test(.timeLimit(.minutes(4)))
    func `two thousand events with two thousand subjects are a few cases and notices, cost little while they wait, and a home's alarm goes out meanwhile`()
        async throws
    {
        let robot = try ScriptedWebServer { _ in .init(body: #"{"errcode":0}"#) }
        defer { robot.stop() }
        let site = try LittleSite { text in
            text.replacingOccurrences(of: "role: property, channels: [out]", with: "role: property, channels: [group]")
                .replacingOccurrences(
                    of: "channels:\n", with: "channels:\n  - {id: group, kind: wecom, url_file: robot-url}\n"
                )
                .replacingOccurrences(of: "ladders:\n", with: "ladders:\n  incident:\n    - {after: 0s, notify: [property]}\n")
                    + """

                    events:
                      - {id: bin, topic: bins/+/state, subject: /bin, title: {zh-Hans: 垃圾桶满了, en: The bin is full}}

                    """
        }
        defer { site.end() }
        let gateway = site.gateway
        try gateway.write("robot-url", "\(robot.url)/cgi-bin/webhook/send?key=k")
        #expect(chmod("\(gateway.folder)/robot-url", 0o600) == 0)
        try gateway.start()
        try await eventually(within: 40) { gateway.link("family") != nil }
        let calm = try await Self.load(gateway)
        let device = try MQTTClient(.init(host: "127.0.0.1", port: site.broker.port, clientID: "bin")) { _ in }
        defer { Thread.detachNewThread { device.close() } }
        try await eventually { (try? device.publish(Array("no json".utf8), to: "bins/7/state")) != nil }
        for number in 0..<2000 { try device.publish(Array(#"{"bin":"b\#(number)"}"#.utf8), to: "bins/7/state") }
        @Sendable func incidents() -> [[String: Any]] {
            gateway.items("/api/v1/cases?limit=200").filter { $0["kind"] as? String == "incident" }
        }
        @Sendable func subjects() -> Set<String> { Set(incidents().compactMap { ($0["subject"] as? [String: Any])?["id"] as? String }) }
        // The flood is told as one, and all of it has been looked at.
        try await eventually(within: 60) {
            gateway.items("/api/v1/cases?state=open&limit=200").contains { ($0["subject"] as? [String: Any])?["id"] as? String == "events-bin" }
        }
        let busy = try await Self.load(gateway)
        #expect(busy < calm * 3 + 0.25, "\(calm) of a processor before, \(busy) while notices wait")
        // A second home collapses while the robot's notices wait.
        try gateway.write("wellward.yaml", site.text.replacingOccurrences(of: "policy: calm, contacts", with: "policy: quick, contacts"))
        gateway.signal(SIGHUP)
        try await eventually(within: 40) {
            gateway.letters.contains { $0["kind"] as? String == "inactivity" && "\($0)".contains("h-2") && $0["contact"] as? String == "family" }
        }
        #expect(incidents().count <= 45 && subjects().contains { $0.hasPrefix("bin") }, "\(incidents().count)")
        let waiting = gateway.items("/api/v1/channels").first { $0["id"] as? String == "group" }?["waiting"] as? Int ?? 0
        #expect(robot.requests.count + waiting < 200, "\(robot.requests.count) sent, \(waiting) wait")
    }
}
