import Foundation
import TestSupport
import Testing

/// The console of a running neighbourhood in a real browser.
@Suite(.serialized) struct BrowserTests {
    @Test func `every page fits a phone and a desk, light and dark, in both languages, and axe finds nothing to mend`() async throws {
        let gateway = try RunningGateway()
        defer { gateway.end() }
        try gateway.start(["demo", "--port", "\(gateway.port)", "--speed", "60"], through: ["/usr/bin/env", "TMPDIR=\(gateway.folder)"])
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
        // Hands on the pages: nothing is sent before its ten seconds, nothing at all when it was taken back.
        let sent = try #require(try link(to: item, gateway))
        let hands = try IndependentReceiver(
            "hands", folder: gateway.folder, after: ["http://127.0.0.1:\(gateway.port)", sent, "http://127.0.0.1:\(gateway.port)/homes/\(home)"])
        defer { hands.stop() }
        let deeds = Dictionary(hands.notes.map { ($0["deed"] as? String ?? "", $0) }, uniquingKeysWith: { first, _ in first })
        let opened = try #require(deeds["opened"])
        #expect(opened["status"] as? Int == 200 && opened["posts"] as? Int == 0 && (opened["elsewhere"] as? [String]) == [])
        #expect((opened["violations"] as? [String]) == [] && opened["overflow"] as? Int == 0 && (opened["bytes"] as? Int ?? .max) < 50_000)
        #expect((opened["smallestButton"] as? Double ?? 0) >= 56 && (opened["smallestText"] as? Double ?? 0) >= 17, "to be read at arm's length: \(opened)")
        #expect(deeds["asked"]?["posts"] as? Int == 0 && (deeds["asked"]?["text"] as? String)?.isEmpty == false)
        #expect(deeds["undone"]?["posts"] as? Int == 0 && deeds["undone"]?["bars"] as? Int == 0)
        #expect(deeds["sent"]?["posts"] as? Int == 1)
        #expect(gateway.http("GET", "/api/v1/cases/\(item)").json["outcome"] as? String == "safe")
        // By keyboard alone, with a ring that shows where one is.
        #expect(deeds["accepted"]?["buttons"] as? Int == 0 && (deeds["accepted"]?["stops"] as? Int ?? 99) < 30, "\(deeds["accepted"] ?? [:])")
        #expect((deeds["accepted"]?["ring"] as? String)?.hasPrefix("none") == false)
        // A channel is tried and hours are set by their forms; what follows from the hours is said.
        #expect((deeds["duty"]?["tried"] as? [String])?.isEmpty == false)
        #expect((deeds["duty"]?["row"] as? String)?.contains("mon-fri 08:00-20:00") == true && deeds["duty"]?["overflow"] as? Int == 0)
        #expect(
            deeds["touched"]?["before"] as? String == "" && (deeds["touched"]?["after"] as? String)?.isEmpty == false && deeds["touched"]?["lit"] as? Int == 1)
        #expect((deeds["listened"]?["asked"] as? Int ?? 0) >= 2, "the stream was opened again after an answer that was none")
        // Gracefully: the demonstration has a broker and devices of its own.
        gateway.signal(SIGTERM)
        try await eventually { !gateway.isRunning }
    }

    /// The link that a notice of the case carries.
    private func link(to item: String, _ gateway: RunningGateway) throws -> String? {
        let notices = try #require(try FileManager.default.subpathsOfDirectory(atPath: gateway.folder).first { $0.hasSuffix("notices.jsonl") })
        let lines = try String(contentsOfFile: "\(gateway.folder)/\(notices)", encoding: .utf8).split(separator: "\n")
        let events = lines.compactMap { try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
        let sent = events.last { $0["subject"] as? String == item && ($0["data"] as? [String: Any])?["contact"] as? String != nil }
        return (sent?["data"] as? [String: Any])?["link"] as? String
    }
}
