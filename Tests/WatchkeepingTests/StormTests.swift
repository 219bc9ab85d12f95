import Casework
import Demonstration
import Foundation
import Simulation
import Telemetry
import TestSupport
import Testing

/// Two hundred cases in one breath, with a receiver that fails half the time and one that never answers.
@Suite(.serialized) struct StormTests {
    @Test func `every notice arrives once, in its case's order, and a receiver that never answers holds up nobody`() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("wellward-web-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let web = try IndependentReceiver("web", folder: folder, after: ["7"])
        defer { web.stop() }
        let base = "http://127.0.0.1:\(web.ports[0])"
        let site = try StormSite(homes: 200, port: try LoopbackPort.free(), hooks: ["flaky": "\(base)/flaky", "silent": "\(base)/silent"])
        site.silence(1...200)
        try await eventually(within: 60) { site.shown.count == 200 }
        // Somebody takes each, so that each case has a second notice behind the first.
        let desk = site.service.premises.desk
        for number in 1...200 { _ = await desk.ask(.act(CaseID("c-\(number)"), .init(.accept, by: "grid"))) }
        try await eventually(within: 120) { web.notes.count { $0["id"] != nil } == 400 }
        let arrived = web.notes.filter { $0["id"] != nil }
        #expect(Set(arrived.compactMap { $0["id"] as? String }).count == 400, "none twice")
        let byCase = Dictionary(grouping: arrived) { $0["case"] as? String ?? "" }
        #expect(byCase.count == 200)
        for (item, notices) in byCase {
            #expect(notices.map { $0["type"] as? String } == ["org.wellward.case.opened", "org.wellward.case.accepted"], "\(item)")
        }
        #expect(web.notes.contains { $0["failed"] != nil }, "half of the tries were refused")
        try await eventually(within: 60) { site.shown.count == 400 }
        let waiting = await site.service.premises.delivery.waiting
        #expect(waiting["silent"] == 400 && waiting["flaky"] == nil && waiting["screen"] == nil)
        await site.end()
    }
}
