import AsyncHTTPClient
import Casework
import Demonstration
import Foundation
import Simulation
import Telemetry
import TestSupport
import Watchkeeping

/// Two hundred cases in one breath and the page behind a link, through a whole gateway on a real disk.
enum Storm {
    private static let homes = 500
    private static let cases = 200

    static func measure() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("wellward-web-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        // The same storm without and with a receiver that never answers.
        var runs: [[Double]] = []
        for dead in [false, true] {
            let web = try IndependentReceiver("web", folder: folder)
            let base = "http://127.0.0.1:\(web.ports[0])"
            let hooks: KeyValuePairs<String, String> = dead ? ["flaky": "\(base)/flaky", "dead": "\(base)/silent"] : ["flaky": "\(base)/flaky"]
            let site = try StormSite(homes: homes, port: try LoopbackPort.free(), hooks: hooks)
            // The gateway is at work once it has decided a tick.
            _ = await site.service.premises.desk.ask(.tick)
            try await Task.sleep(for: .milliseconds(500))
            let began = Date().timeIntervalSince1970
            site.silence(1...cases)
            try await eventually(within: 120) { web.notes.count { $0["id"] != nil } == cases }
            let notes = web.notes
            let tried = firsts(notes, "tried").map { $0 - began }.sorted()
            let arrived = notes.compactMap { $0["id"] == nil ? nil : $0["at"] as? Double }.map { $0 - began }.sorted()
            runs.append(tried)
            if !dead {
                Bench.report("last of \(cases) cases' first try at a receiver that fails half the time, s", tried.last ?? 0, "<= 2", (tried.last ?? 9) <= 2)
                Bench.report("the same until the last was delivered, retries included, s", arrived.last ?? 0, "reported", true)
            } else {
                // The n-th first try of the one run against the n-th of the other: at the median, near the end, and the worst of all places.
                let gaps = zip(runs[0], runs[1]).map { ($1 - $0) * 1000 }
                for (name, gap) in [
                    ("median", Bench.median(gaps)), ("95th of a hundred", gaps.sorted()[gaps.count * 95 / 100]), ("greatest", gaps.max() ?? 999),
                ] {
                    Bench.report("delay that a dead channel adds to another, \(name), ms", gap, "<= 100", gap <= 100)
                }
                try await links(site)
            }
            await site.end()
            web.stop()
        }
    }

    /// The moment of each notice's first line of a kind.
    private static func firsts(_ notes: [[String: Any]], _ key: String) -> [Double] {
        var first: [String: Double] = [:]
        for note in notes { if let id = note[key] as? String, let at = note["at"] as? Double { first[id] = min(first[id] ?? at, at) } }
        return Array(first.values)
    }

    private static func links(_ site: StormSite) async throws {
        var times: [Double] = []
        let signer = site.service.premises.links
        for number in 0..<400 {
            let grant = LinkSigner.Grant(
                caseID: CaseID("c-\(1 + number % cases)"), contact: "grid", until: WallTime(unixSeconds: Int64(Date().timeIntervalSince1970) + 3600))
            let began = ContinuousClock.now
            let answer = try await HTTPClient.shared.execute(
                HTTPClientRequest(url: "http://127.0.0.1:\(site.port)/l/\(signer.token(grant))"), timeout: .seconds(10))
            let body = try await answer.body.collect(upTo: 1 << 20)
            precondition(answer.status == .ok && body.readableBytes < 50_000, "a link's page: \(answer.status), \(body.readableBytes) bytes")
            times.append((ContinuousClock.now - began).seconds * 1000)
        }
        let p95 = times.sorted()[times.count * 95 / 100]
        Bench.report("p95 of a link's page with \(homes) homes, ms", p95, "<= 50", p95 <= 50)
    }
}
