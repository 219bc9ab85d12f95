import Demonstration
import Foundation
import Simulation
import Telemetry
import TestSupport
import Testing
import TimeSeriesStore

/// Power cuts: the built program is killed at random moments under load, on good disks and bad ones. KILLS=100 makes it a hundred each.
@Suite(.serialized) struct KillTests {
    private static let kills = ProcessInfo.processInfo.environment["KILLS"].flatMap { Int($0) }
    private static let seed = ProcessInfo.processInfo.environment["SEED"].flatMap { UInt64($0) }

    /// What a client was told is done.
    private struct Acknowledged {
        var acts: [(what: String, subject: String)] = []
        var outcomes: [String: String] = [:]
        /// Taken but not written down when the answer was given, or not answered at all: may be there.
        var unsure: [String: Int] = [:]
        /// When the first meter was said to have been read, and when that was said.
        var answers: [(seen: Date, read: String)] = []

        mutating func take(_ status: Int, _ what: String, _ subject: String) {
            if status == 200 { acts.append((what, subject)) }
            if status == 507 || status == 0 { unsure["\(what) \(subject)", default: 0] += 1 }
        }
    }

    /// TROUBLES=fullDisk,failingDisk chooses some.
    private static let troubles = KillTrouble.allCases.filter { trouble in
        ProcessInfo.processInfo.environment["TROUBLES"].map { $0.split(separator: ",").contains(Substring(trouble.rawValue)) } ?? true
    }

    @Test(arguments: troubles)
    func `killed again and again, all that was acknowledged is there once, nothing is told under two names, and readings are missing for a moment at most`(
        trouble: KillTrouble
    ) async throws {
        let seed = Self.seed ?? UInt64.random(in: 1...1_000_000)
        let kills = Self.kills ?? (trouble == .none ? 6 : 3)
        var random = SeededRandom(seed: seed)
        guard let troubled = try TroubledSite(trouble) else { return print("\(trouble.rawValue) cannot be made on this machine; not tested") }
        defer { troubled.end() }
        let site = troubled.site
        let lift = try SimulatedElevator("lift-1", broker: .init(host: "127.0.0.1", port: site.broker.port, clientID: ""))
        defer { lift.stop() }
        let gateway = site.gateway
        var told = Acknowledged()
        var killedAt: [Date] = []
        for round in 0..<kills {
            try await troubled.start(&random)
            let end = ContinuousClock.now + .milliseconds(Int64(300 + random.unit() * 3500))
            while ContinuousClock.now < end {
                lift.detect(.ebike, track: "t\(round)")
                work(gateway, &random, &told)
                try troubled.turn(&random)
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
            killedAt.append(Date())
            try await troubled.kill(&random)
        }
        // The disk is well again: the gateway watches, and everything it says is written down.
        try await troubled.start(&random, isLast: true)
        try await eventually(within: 30) { gateway.http("GET", "/readyz").status == 200 }
        gateway.signal(SIGTERM)
        try await eventually { !gateway.isRunning }
        let seeds: Comment = "SEED=\(seed) KILLS=\(kills), \(trouble.rawValue)"
        #expect(told.acts.count >= (trouble.mayTellUndurably ? 1 : kills), seeds)
        if trouble == .lyingDisk { #expect(troubled.unsynced > 0, "nothing was ever lost; \(seeds)") }
        try check(troubled, told, killedAt, seeds)
    }

    @Test func `the power cut of these tests takes what was not synced, and nothing else`() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("wellward-test-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let cut = try PowerCut(folder: folder, files: "\(folder)/w", lies: false)
        var left: Set<String> = []
        for seed in 1...12 as ClosedRange<UInt64> {
            try? FileManager.default.removeItem(atPath: "\(folder)/w")
            let program = """
                import os; f = os.open('\(folder)/w', os.O_RDWR | os.O_CREAT); os.pwrite(f, b'a' * 512, 0); os.fsync(f)
                os.pwrite(f, b'b' * 512, 512); os.pwrite(f, b'c' * 256, 0); os.kill(os.getpid(), 9)
                """
            _ = try TechnicianCommandTests.shell(cut.words + ["/usr/bin/env", "python3", "-c", program])
            var random = SeededRandom(seed: seed)
            #expect(try cut.cut(&random) == 2)
            let text = String(decoding: FileManager.default.contents(atPath: "\(folder)/w") ?? Data(), as: UTF8.self)
            #expect(text.dropFirst(256).hasPrefix(String(repeating: "a", count: 256)), "what was synced is there")
            left.insert("\(text.first ?? "-")\(text.count)")
        }
        #expect(left == ["a512", "c512", "a1024", "c1024"], "every way of losing comes about")
    }

    private func openCase(_ gateway: RunningGateway) -> String? {
        gateway.items("/api/v1/cases?state=open").first { $0["kind"] as? String == "inactivity" }?["id"] as? String
    }

    /// A person at work: takes a case on, arrives, says what was found; the silence goes on, and there is the next case.
    private func work(_ gateway: RunningGateway, _ random: inout SeededRandom, _ told: inout Acknowledged) {
        if random.unit() < 0.3 {
            let until = ISO8601DateFormatter().string(from: Date().addingTimeInterval(7200))
            let body = "{\"kind\":\"visitors\",\"until\":\"\(until)\",\"by\":\"grid\"}"
            told.take(gateway.http("PUT", "/api/v1/households/h-2/presence", body).status, "presence", "household/h-2")
        }
        let meter = gateway.items("/api/v1/meters").first { $0["id"] as? String == "wm-1" }
        if let read = meter?["last_read_at"] as? String { told.answers.append((Date(), read)) }
        guard let id = openCase(gateway) else { return }
        for act in ["accept", "arrived", "outcome"] where random.unit() < 0.8 {
            let status = gateway.http("POST", "/api/v1/cases/\(id)/\(act)", #"{"by":"grid","code":"safe"}"#).status
            told.take(status, act, "case/\(id)")
            if act == "outcome", status == 200 { told.outcomes[id] = "safe" }
        }
    }

    private func check(_ troubled: TroubledSite, _ told: Acknowledged, _ killedAt: [Date], _ seeds: Comment) throws {
        let (gateway, trouble) = (troubled.site.gateway, troubled.trouble)
        let store = try Store(path: troubled.store)
        defer { try? store.close(inOrder: false) }
        #expect(try store.integrityFaults().isEmpty, seeds)
        let chain = try store.readNow { try $0.auditChain() }
        #expect(chain.broken == nil, seeds)
        let lines = try store.readNow { try $0.audit(limit: 100_000) }
        // Each act that was answered is in the audit as often as it was answered, or once more where the answer was lost.
        if trouble.keepsWhatWasAnswered {
            for (key, acts) in Dictionary(grouping: told.acts, by: { "\($0.what) \($0.subject)" }) {
                let there = lines.count { "\($0.what) \($0.subject)" == key }
                #expect(
                    there >= acts.count && there <= acts.count + killedAt.count + (told.unsure[key] ?? 0),
                    "\(key): \(acts.count) answered, \(there) written; \(seeds)")
            }
            for (id, outcome) in told.outcomes {
                let item = try store.readNow { try $0.caseFile(.init(id)) }
                #expect(item?.outcome?.rawValue == outcome && item?.isOpen == false, "\(id), \(seeds)")
            }
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
            // That it could not be written down is said of one sending, not of the notice.
            let words = (data["text"] as? String ?? "").components(separatedBy: " (The gateway's disk takes nothing")[0]
            let text = "\(event["type"] ?? "") \(words)"
            let before = texts.updateValue(text, forKey: id)
            #expect(before == nil || before == text, "\(id), \(seeds)")
            if (event["type"] as? String)?.hasSuffix(".opened") == true {
                openings["\(event["subject"] ?? "") \(data["contact"] ?? "")", default: []].insert(id)
            }
        }
        if !trouble.mayTellUndurably { for (key, ids) in openings { #expect(ids.count == 1, "\(key) was opened under \(ids), \(seeds)") } }
        for item in try store.readNow({ try $0.cases(open: nil, limit: 10_000) }) {
            let done = item.rungs.map { $0.doneAt != nil }
            #expect(done == done.sorted { $0 && !$1 }, "\(item.id): a step was skipped, \(seeds)")
            #expect(Set(item.notices.map(\.id)).count == item.notices.count, seeds)
        }
        guard !trouble.mayTellUndurably else { return }
        // A reading that the gateway had shown a second before a kill is there: commits are 200 ms apart, the rest is a busy machine's.
        let readings = try store.readNow {
            try $0.readings(of: "wm-1", point: "volume_total", from: WallTime(unixSeconds: 0), to: WallTime(unixSeconds: 4_000_000_000), limit: 1_000_000)
        }
        #expect(Set(readings.map(\.at)).count == readings.count, seeds)
        let received = readings.map(\.receivedAt)
        var looked = 0
        for answer in told.answers where !killedAt.contains(where: { answer.seen < $0 && answer.seen > $0 - 1 }) {
            let read = try #require(CivilClock.parse(rfc3339: answer.read))
            looked += 1
            #expect(received.contains { abs(($0 - read).milliseconds) < 300 }, "read at \(answer.read), shown at \(answer.seen), gone; \(seeds)")
        }
        #expect(looked > 0, seeds)
    }
}
