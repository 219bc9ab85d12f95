import Foundation
import ScriptedPeers
import TestSupport
import Testing

/// The whole gateway under its unit's limits while its console is attacked and a home collapses. `make attack` does it for ten minutes.
@Suite(.serialized) struct AttackTests {
    /// Seconds; rounds go on until they are over.
    private static let lasts = ProcessInfo.processInfo.environment["ATTACK"].flatMap { Double($0) } ?? 1

    @Test func `while the console is flooded under the unit's limits, the alarm goes out in time, links open and people who have signed in act`() async throws {
        let unit = try String(contentsOf: ShippedProfiles.root.appendingPathComponent("Deploy/wellward.service"), encoding: .utf8)
        let end = ContinuousClock.now + .seconds(Self.lasts)
        var rounds = 0
        repeat {
            rounds += 1
            try await round(MemoryLimit(unit: unit))
        } while ContinuousClock.now < end
        print("attack: \(rounds) homes collapsed, \(rounds) alarms in time")
    }

    private func round(_ limit: MemoryLimit) async throws {
        // The collapse comes seven seconds after the start, in the middle of the flood.
        let site = try LittleSite { text in
            text.replacingOccurrences(of: "open: true", with: "users_file: users.yaml").replacingOccurrences(of: "within: 3s", with: "within: 7s")
        }
        let gateway = site.gateway
        try FloodTests.guarded(gateway)
        let (admin, property) = (try FloodTests.token(gateway, "hub", "admin"), try FloodTests.token(gateway, "porter", "property"))
        let flood = Flood(port: gateway.port)
        defer {
            flood.stop()
            site.end()
            limit.remove()
        }
        try gateway.start(through: limit.words)
        try await eventually { gateway.http("GET", "/readyz", headers: [admin]).status == 200 }
        let life = gateway.processID
        flood.signIns(threads: 24)
        flood.slowBodies(300)
        flood.streams(64, header: property)
        flood.brokenChunks()
        @Sendable func notices() -> [[String: Any]] {
            ((try? String(contentsOfFile: "\(gateway.folder)/out.jsonl", encoding: .utf8)) ?? "").split(separator: "\n").compactMap {
                (try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])?["data"] as? [String: Any]
            }.filter { $0["kind"] as? String == "inactivity" }
        }
        // First the family, two seconds later the grid worker, as the ladder says.
        try await eventually(within: 30) { notices().contains { $0["contact"] as? String == "grid" } }
        let link = try #require(notices().first { $0["contact"] as? String == "family" }?["link"] as? String)
        let path = link.replacingOccurrences(of: "http://127.0.0.1:\(gateway.port)", with: "")
        #expect(gateway.http("GET", path).status == 200, "a relative opens the link")
        // Somebody who has an account goes there, and meters are read on.
        let cases = gateway.http("GET", "/api/v1/cases?state=open", headers: [admin])
        let id = (cases.json["items"] as? [[String: Any]])?.first { $0["kind"] as? String == "inactivity" }?["id"] as? String ?? ""
        #expect(gateway.http("POST", "/api/v1/cases/\(id)/accept", "{}", headers: [admin]).status == 200, "\(cases.status)")
        let mark = ISO8601DateFormatter().string(from: Date())
        try await eventually(within: 10) {
            let answer = gateway.http("GET", "/api/v1/meters/wm-1/readings?limit=5&from=\(mark)", headers: [admin])
            return (answer.json["items"] as? [[String: Any]])?.isEmpty == false
        }
        #expect(gateway.http("GET", "/healthz").status == 200)
        let answers = flood.answers
        #expect(answers[200, default: 0] + answers[429, default: 0] + answers[503, default: 0] > 50 && answers[400, default: 0] > 50, "\(answers)")
        #expect(gateway.isRunning && gateway.processID == life, "exit \(gateway.exitCode ?? 0)")
        let peak = FloodTests.peak(life)
        #expect(peak > 0 && peak < limit.bytes / 2, "\(peak >> 20) MB of \(limit.bytes >> 20)")
        #expect(!gateway.log.contains("a request failed"), "strangers' garbage is no error of ours")
        print("attack: peak \(peak >> 20) MB\(limit.isKept ? "" : ", no control group here"), answers \(answers)")
    }
}
