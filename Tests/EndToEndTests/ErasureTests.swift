import Foundation
import TestSupport
import Testing
import TimeSeriesStore

/// Consent that is withdrawn while the built program is at work.
@Suite(.serialized) struct ErasureTests {
    @Test func `consent withdrawn and a reload end the home's case, no notice follows, and what is erased beside the gateway does not come back`() async throws
    {
        let site = try LittleSite()
        defer { site.end() }
        let gateway = site.gateway
        try gateway.start()
        @Sendable func cases() -> [[String: Any]] {
            gateway.items("/api/v1/cases").filter { ($0["subject"] as? [String: Any])?["id"] as? String == "h-1" }
        }
        @Sendable func told() -> Int {
            ((try? String(contentsOfFile: "\(gateway.folder)/out.jsonl", encoding: .utf8)) ?? "").split(separator: "\n").count { $0.contains("h-1") }
        }
        try await eventually(within: 30) { cases().contains { $0["closed_at"] == nil || $0["closed_at"] is NSNull } && told() > 0 }
        try gateway.write(
            "wellward.yaml",
            site.text.replacingOccurrences(of: "meter: wm-1, consent: {given: 2026-05-01, by: 本人}", with: "meter: wm-1"))
        gateway.signal(SIGHUP)
        try await eventually(within: 20) {
            gateway.items("/api/v1/cases?state=open").allSatisfy { ($0["subject"] as? [String: Any])?["id"] as? String != "h-1" }
        }
        try await eventually { gateway.log.contains("the configuration was reloaded") }
        let before = told()

        let erased = try TechnicianCommandTests.shell([
            RunningGateway.program.path, "households", "erase", "h-1", "--config", "\(gateway.folder)/wellward.yaml", "--by", "committee",
        ])
        #expect(erased.code == 0, "\(erased)")
        try await eventually { gateway.log.contains("data of a home was erased") }
        try await eventually(within: 20) { cases().isEmpty }
        // Long enough for the next rung of its ladder, for a minute's retry of a channel and for a commit of readings: the other home's polls go on.
        let seen = gateway.items("/api/v1/meters/wm-2/readings").count
        try await eventually(within: 30) { gateway.items("/api/v1/meters/wm-2/readings").count >= seen + 3 }
        #expect(told() == before && cases().isEmpty)
        gateway.signal(SIGTERM)
        try await eventually { !gateway.isRunning }
        let store = try Store(path: "\(gateway.folder)/w.sqlite")
        #expect(try store.readNow { try $0.cases(open: nil, limit: 99) }.allSatisfy { $0.subject.id != "h-1" })
        #expect(try store.readNow { try $0.watch("h-1") } == nil)
        #expect(try store.readNow { try $0.undelivered() }.allSatisfy { $0.notice.subject.id != "h-1" })
        #expect(try store.readNow { try $0.readings(of: "wm-1", from: .init(unixSeconds: 0), to: .init(unixSeconds: 4_000_000_000), limit: 9) } == [])
        #expect(try store.readNow { try $0.audit(limit: 99) }.contains { $0.what == "erased" && $0.subject == "household/h-1" })
        try store.close(inOrder: false)
    }

    @Test func `erased before the gateway was told of it, the gateway reads its configuration itself`() async throws {
        let site = try LittleSite()
        defer { site.end() }
        let gateway = site.gateway
        try gateway.start()
        try await eventually(within: 30) {
            gateway.items("/api/v1/cases").contains { ($0["subject"] as? [String: Any])?["id"] as? String == "h-1" }
        }
        try gateway.write(
            "wellward.yaml",
            site.text.replacingOccurrences(of: "meter: wm-1, consent: {given: 2026-05-01, by: 本人}", with: "meter: wm-1"))
        let erased = try TechnicianCommandTests.shell([
            RunningGateway.program.path, "households", "erase", "h-1", "--config", "\(gateway.folder)/wellward.yaml", "--by", "committee",
        ])
        #expect(erased.code == 0, "\(erased)")
        try await eventually(within: 20) { gateway.log.contains("the configuration was reloaded") && gateway.log.contains("data of a home was erased") }
        gateway.signal(SIGTERM)
        try await eventually { !gateway.isRunning }
        let store = try Store(path: "\(gateway.folder)/w.sqlite")
        #expect(try store.readNow { try $0.cases(open: nil, limit: 99) }.allSatisfy { $0.subject.id != "h-1" })
        #expect(try store.readNow { try $0.watch("h-1") } == nil && store.readNow { try $0.watch("h-2") } != nil)
        #expect(try store.readNow { try $0.readings(of: "wm-1", from: .init(unixSeconds: 0), to: .init(unixSeconds: 4_000_000_000), limit: 9) } == [])
        try store.close(inOrder: false)
    }
}
