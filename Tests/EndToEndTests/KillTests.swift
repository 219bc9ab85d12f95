import Demonstration
import Foundation
import Simulation
import Telemetry
import TestSupport
import Testing
import TimeSeriesStore

/// Power cuts: the built program is killed at random moments under load. KILLS=100 makes it a hundred.
@Suite(.serialized) struct KillTests {
    private static let kills = ProcessInfo.processInfo.environment["KILLS"].flatMap { Int($0) } ?? 8

    /// What a client was told is done.
    private struct Acknowledged {
        var acts: [(what: String, subject: String)] = []
        var outcomes: [String: String] = [:]
    }

    @Test
    func `killed again and again, all that was acknowledged is there once, nothing is told under two names, and readings are missing for a moment at most`()
        async throws
    {
        let seed = UInt64.random(in: 1...1_000_000)
        var random = SeededRandom(seed: seed)
        let site = try LittleSite()
        defer { site.end() }
        let lift = try SimulatedElevator("lift-1", broker: .init(host: "127.0.0.1", port: site.broker.port, clientID: ""))
        defer { lift.stop() }
        let gateway = site.gateway
        var told = Acknowledged()
        var killedAt: [Date] = []
        for round in 0..<Self.kills {
            try gateway.start()
            try await eventually(within: 20) { gateway.http("GET", "/healthz").status == 200 }
            let end = ContinuousClock.now + .milliseconds(Int64(300 + random.unit() * 3500))
            while ContinuousClock.now < end {
                lift.detect(.ebike, track: "t\(round)")
                work(gateway, &random, &told)
            }
            // Some fall in the middle of an act.
            if random.unit() < 0.5, let id = openCase(gateway) {
                let port = gateway.port
                Thread.detachNewThread {
                    _ = try? TechnicianCommandTests.shell(
                        ["/usr/bin/curl", "-s", "-m", "2", "-X", "POST", "-d", #"{"by":"x"}"#, "http://127.0.0.1:\(port)/api/v1/cases/\(id)/arrived"])
                }
                try await Task.sleep(for: .milliseconds(Int64(random.unit() * 30)))
            }
            gateway.signal(SIGKILL)
            killedAt.append(Date())
            try await eventually { !gateway.isRunning }
        }
        try gateway.start()
        try await eventually(within: 20) { gateway.http("GET", "/healthz").status == 200 }
        gateway.signal(SIGTERM)
        try await eventually { !gateway.isRunning }
        let seeds: Comment = "seed \(seed), \(Self.kills) kills"
        #expect(told.acts.count >= Self.kills, seeds)
        try check(gateway, told, killedAt, seeds)
    }

    private func openCase(_ gateway: RunningGateway) -> String? {
        gateway.items("/api/v1/cases?state=open").first { $0["kind"] as? String == "inactivity" }?["id"] as? String
    }

    /// A person at work: takes a case on, arrives, says what was found; the silence goes on, and there is the next case.
    private func work(_ gateway: RunningGateway, _ random: inout SeededRandom, _ told: inout Acknowledged) {
        if random.unit() < 0.3 {
            let until = ISO8601DateFormatter().string(from: Date().addingTimeInterval(7200))
            let body = "{\"kind\":\"visitors\",\"until\":\"\(until)\",\"by\":\"grid\"}"
            if gateway.http("PUT", "/api/v1/households/h-2/presence", body).status == 200 { told.acts.append(("presence", "household/h-2")) }
        }
        guard let id = openCase(gateway) else { return }
        for act in ["accept", "arrived", "outcome"] where random.unit() < 0.8 {
            guard gateway.http("POST", "/api/v1/cases/\(id)/\(act)", #"{"by":"grid","code":"safe"}"#).status == 200 else { continue }
            told.acts.append((act, "case/\(id)"))
            if act == "outcome" { told.outcomes[id] = "safe" }
        }
    }

    private func check(_ gateway: RunningGateway, _ told: Acknowledged, _ killedAt: [Date], _ seeds: Comment) throws {
        let store = try Store(path: "\(gateway.folder)/w.sqlite")
        defer { try? store.close(inOrder: false) }
        #expect(try store.integrityFaults().isEmpty, seeds)
        let chain = try store.readNow { try $0.auditChain() }
        #expect(chain.broken == nil, seeds)
        let lines = try store.readNow { try $0.audit(limit: 100_000) }
        // Each act that was answered is in the audit as often as it was answered, or once more where the answer was lost.
        for (key, acts) in Dictionary(grouping: told.acts, by: { "\($0.what) \($0.subject)" }) {
            let there = lines.count { "\($0.what) \($0.subject)" == key }
            #expect(there >= acts.count && there <= acts.count + killedAt.count, "\(key): \(acts.count) answered, \(there) written; \(seeds)")
        }
        for (id, outcome) in told.outcomes {
            let item = try store.readNow { try $0.caseFile(.init(id)) }
            #expect(item?.outcome?.rawValue == outcome && item?.isOpen == false, "\(id), \(seeds)")
        }
        // Notices: one id, one text; one opening for each person and case; steps in their order.
        let events = try String(contentsOfFile: "\(gateway.folder)/out.jsonl", encoding: .utf8).split(separator: "\n").compactMap {
            try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
        }
        var texts: [String: String] = [:]
        var openings: [String: Set<String>] = [:]
        for event in events {
            let id = try #require(event["id"] as? String)
            let data = try #require(event["data"] as? [String: Any])
            let text = "\(event["type"] ?? "") \(data["text"] ?? "")"
            #expect(texts.updateValue(text, forKey: id).map { $0 == text } ?? true, "\(id), \(seeds)")
            if (event["type"] as? String)?.hasSuffix(".opened") == true {
                openings["\(event["subject"] ?? "") \(data["contact"] ?? "")", default: []].insert(id)
            }
        }
        for (key, ids) in openings { #expect(ids.count == 1, "\(key) was opened under \(ids), \(seeds)") }
        for item in try store.readNow({ try $0.cases(open: nil, limit: 10_000) }) {
            let done = item.rungs.map { $0.doneAt != nil }
            #expect(done == done.sorted { $0 && !$1 }, "\(item.id): a step was skipped, \(seeds)")
            #expect(Set(item.notices.map(\.id)).count == item.notices.count, seeds)
        }
        // Readings up to a second and a bit before each kill: a poll a second, a commit each 200 ms.
        let readings = try store.readNow {
            try $0.readings(of: "wm-1", point: "volume_total", from: WallTime(unixSeconds: 0), to: WallTime(unixSeconds: 4_000_000_000), limit: 1_000_000)
        }
        #expect(Set(readings.map(\.at)).count == readings.count, seeds)
        for kill in killedAt {
            let before = readings.last { $0.at.unixMilliseconds < Int64(kill.timeIntervalSince1970 * 1000) }
            let lag = before.map { kill.timeIntervalSince1970 - Double($0.at.unixMilliseconds) / 1000 }
            #expect(lag.map { $0 < 8 } ?? false, "\(lag ?? -1) s without a reading before a kill, \(seeds)")
        }
    }
}
