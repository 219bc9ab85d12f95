import Foundation
import Messaging
import TestSupport
import Testing

/// Texts from outside, through the built program: other devices, the API.
@Suite(.serialized) struct ForeignTextTests {
    private func site() throws -> LittleSite {
        try LittleSite { text in
            text + """

                events:
                  - {id: bin, topic: bins/+/state, match: /state, when: [full], clears: [empty], subject: /bin, text: /note, title: {zh-Hans: 垃圾桶满了, en: The bin is full}}

                """
        }
    }

    /// Kilobytes of memory, now and at most.
    private func memory(_ process: Int32) -> (now: Int, most: Int) {
        let lines = ((try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? "").split(separator: "\n")
        func value(_ name: String) -> Int {
            lines.first { $0.hasPrefix(name) }.flatMap { $0.split(whereSeparator: \.isWhitespace).dropFirst().first }.flatMap { Int($0) } ?? 0
        }
        return (value("VmRSS:"), value("VmHWM:"))
    }

    @Test func `a talkative bin that sends a letter with 120,000 accents to hundreds of subjects takes nothing down, and a smoke detector beside it is heard`()
        async throws
    {
        let site = try site()
        defer { site.end() }
        let gateway = site.gateway
        try gateway.start()
        try await eventually { gateway.http("GET", "/readyz").status == 200 }
        let device = try MQTTClient(.init(host: "127.0.0.1", port: site.broker.port, clientID: "bin")) { _ in }
        defer { Thread.detachNewThread { device.close() } }
        try await eventually { (try? device.publish(Array("no json".utf8), to: "bins/7/state")) != nil }
        let words = "x" + String(repeating: "\u{301}", count: 120_000)
        for number in 0..<120 {
            let payload = "{\"state\":\"full\",\"bin\":\"b\(number)\",\"note\":\"\(words)\"}"
            try device.publish(Array(payload.utf8), to: "bins/7/state")
        }
        try await eventually(within: 60) {
            gateway.items("/api/v1/cases?state=open").contains { ($0["subject"] as? [String: Any])?["id"] as? String == "events-bin" }
        }
        let incidents = gateway.items("/api/v1/cases?state=open&limit=200").filter { $0["kind"] as? String == "incident" }
        #expect(incidents.count <= 45 && incidents.contains { ($0["subject"] as? [String: Any])?["id"] as? String == "bin-many" }, "\(incidents.count)")
        let text = gateway.http("GET", "/api/v1/cases?state=open&limit=200").text
        #expect(text.utf8.count < 500_000, "\(text.utf8.count)")
        let store = try FileManager.default.attributesOfItem(atPath: "\(gateway.folder)/w.sqlite")[.size] as? Int ?? 0
        let log = (try? FileManager.default.attributesOfItem(atPath: "\(gateway.folder)/w.sqlite-wal")[.size] as? Int) ?? 0
        #expect(store + log < 30_000_000, "\(store) \(log)")
        #expect(memory(gateway.processID).most < 300_000, "\(memory(gateway.processID))")
        let out = try FileManager.default.attributesOfItem(atPath: "\(gateway.folder)/out.jsonl")[.size] as? Int ?? 0
        #expect(out < 3_000_000, "\(out)")
        #expect(gateway.http("GET", "/healthz").status == 200)
    }

    @Test func `what is typed into an act is bounded in bytes, and escape sequences come no further than the door`() async throws {
        let site = try site()
        defer { site.end() }
        let gateway = site.gateway
        try gateway.start()
        @Sendable func open() -> [String: Any]? { gateway.items("/api/v1/cases?state=open").first { $0["kind"] as? String == "inactivity" } }
        try await eventually { open() != nil }
        let id = try #require(open()?["id"] as? String)
        let marks = String(repeating: "\u{301}", count: 15_000)
        let body = "{\"by\":\"x\(marks)\\u001b]0;owned\\u0007\\u001b[31m\",\"note\":\"y\(marks)\\u001b[2Jz\\u202e\"}"
        try gateway.write("body.json", body)
        #expect(gateway.http("POST", "/api/v1/cases/\(id)/accept", "@\(gateway.folder)/body.json").status == 200)
        let item = gateway.http("GET", "/api/v1/cases/\(id)").json
        let (by, note) = (item["accepted_by"] as? String ?? "", item["note"] as? String ?? "")
        #expect(
            by.utf8.count <= 320 && by.unicodeScalars.first == "x" && note.utf8.count <= 8000 && note.unicodeScalars.last == "z",
            "\(by.utf8.count) \(note.utf8.count)")
        for scalar in (by + note).unicodeScalars { #expect(scalar.properties.generalCategory != .control && scalar.properties.generalCategory != .format) }
        let many = String(repeating: "字", count: 2100)
        #expect(gateway.http("POST", "/api/v1/cases/\(id)/arrived", "{\"by\":\"\(many)\",\"note\":\"\(many)\"}").status == 200)
        let later = gateway.http("GET", "/api/v1/cases/\(id)").json
        #expect((later["note"] as? String ?? "").unicodeScalars.count <= 4100)
    }
}
