import Foundation
import TestSupport
import Testing

/// The console of a running neighbourhood in a real browser.
@Suite(.serialized) struct BrowserTests {
    @Test func `every page fits a phone and a desk, light and dark, in both languages, and axe finds nothing to mend`() async throws {
        let gateway = try RunningGateway()
        defer { gateway.end() }
        try gateway.start(["demo", "--port", "\(gateway.port)", "--speed", "60"])
        try await eventually(within: 60) { gateway.http("GET", "/healthz").status == 200 }
        // The collapse has been told, so that there is a case with a ladder.
        try await eventually(within: 90) { gateway.items("/api/v1/cases").contains { $0["kind"] as? String == "inactivity" } }
        let item = try #require(gateway.items("/api/v1/cases").first { $0["kind"] as? String == "inactivity" }?["id"] as? String)
        let home = try #require(gateway.items("/api/v1/households").first?["id"] as? String)
        let pages = ["/", "/cases", "/cases/\(item)", "/homes/\(home)", "/elevators", "/devices", "/quality", "/people", "/statistics", "/audit"]
        let browser = try IndependentReceiver("browser", folder: gateway.folder, after: ["http://127.0.0.1:\(gateway.port)", gateway.folder] + pages)
        defer { browser.stop() }
        let visits = browser.notes
        #expect(visits.count == pages.count * 4)
        for visit in visits {
            let name: Comment = "\(visit["path"] ?? "") \(visit["size"] ?? "") \(visit["scheme"] ?? "") \(visit["language"] ?? "")"
            #expect(visit["status"] as? Int == 200, name)
            #expect(visit["overflow"] as? Int == 0, name)
            for key in ["violations", "complaints", "elsewhere", "small"] { #expect((visit[key] as? [String]) == [], "\(name): \(key)") }
            #expect(visit["firstStop"] as? String == "skip", "\(name): the first Tab leads past the navigation")
            #expect((visit["bytes"] as? Int ?? .max) < 50_000, name)
        }
        // Gracefully: the demonstration has a broker and devices of its own.
        gateway.signal(SIGTERM)
        try await eventually { !gateway.isRunning }
    }
}
