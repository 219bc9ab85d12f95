import Demonstration
import Foundation
import Messaging
import TestSupport
import Testing
import TimeSeriesStore

/// Store and forward: the built program, a broker that is killed, a hub on paho-mqtt that keeps the ids.
@Suite(.serialized) struct UpstreamTests {
    @Test func `through killed brokers, a cut network and a killed gateway the hub has every entry once, in each subject's order, and no name`() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("wellward-hub-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var town = try PrivateBroker(folder: folder, keeps: true)
        let port = town.port
        let hub = try IndependentReceiver("hub", folder: folder, after: ["\(port)", "wellward/v1/upstream/#"])
        defer { hub.stop() }
        let site = try LittleSite { $0 + "\nupstream: {kind: mqtt, host: 127.0.0.1, port: \(port), deflate: true}\n" }
        defer { site.end() }
        let gateway = site.gateway
        try gateway.start()
        try await eventually(within: 30) { hub.notes.count >= 5 }
        for round in 0..<3 {
            // The network is gone, and with it the broker's process; the gateway goes on and is itself killed in the middle.
            town.stop()
            if round == 1 {
                gateway.signal(SIGKILL)
                try await eventually { !gateway.isRunning }
                try gateway.start()
            }
            let store = try Store(path: "\(gateway.folder)/w.sqlite")
            let before = try store.readNow { try $0.spoolTally() }.count
            try await eventually(within: 20) { (try? store.readNow { try $0.spoolTally() }.count) ?? 0 > before + 3 }
            try store.close(inOrder: false)
            town = try PrivateBroker(folder: folder, port: port, keeps: true)
            let seen = hub.notes.count
            try await eventually(within: 60) { hub.notes.count > seen + 3 }
        }
        try await eventually(within: 20) { gateway.items("/api/v1/cases").contains { $0["kind"] as? String == "inactivity" } }
        let id = try #require(gateway.items("/api/v1/cases").first { $0["kind"] as? String == "inactivity" }?["id"] as? String)
        _ = gateway.http("POST", "/api/v1/cases/\(id)/outcome", #"{"by":"小李","code":"safe","note":"张阿婆在家"}"#)
        try await eventually(within: 60) { hub.notes.contains { $0["kind"] as? String == "outcome" } }
        gateway.signal(SIGTERM)
        try await eventually(within: 20) { !gateway.isRunning }
        // What is still in the spool has not left; everything with a smaller number has.
        let store = try Store(path: "\(gateway.folder)/w.sqlite")
        let rest = Set(try store.readNow { try $0.spooled(limit: 100_000) }.map(\.number))
        try store.close(inOrder: false)
        let notes = hub.notes
        var first: [Int: [String: Any]] = [:]
        var order: [String: [Int]] = [:]
        for note in notes {
            let number = try #require(note["seq"] as? Int)
            if let known = first[number] {
                #expect(known as NSDictionary == note as NSDictionary, "a repetition is the same message")
            } else {
                first[number] = note
                order[note["subject"] as? String ?? "", default: []].append(number)
            }
        }
        let last = try #require(first.keys.max())
        let missing = (1...last).filter { first[$0] == nil && !rest.contains(Int64($0)) }
        #expect(missing == [], "nothing lost of \(last)")
        for (subject, numbers) in order { #expect(numbers == numbers.sorted(), "\(subject)") }
        #expect(Set(notes.compactMap { $0["id"] as? String }).count == first.count)
        #expect(Set(notes.compactMap { $0["kind"] as? String }) == ["readings", "finding", "case", "outcome"])
        #expect(notes.allSatisfy { $0["deflated"] as? Bool == true })
        let text = String(decoding: try JSONSerialization.data(withJSONObject: notes), as: UTF8.self)
        for word in ["张阿婆", "王大爷", "3号楼", "小李"] { #expect(!text.contains(word), "\(word)") }
        town.stop()
    }

    @Test func `another device's message becomes an incident for the ladder it names, and its end ends it; nonsense is nothing`() async throws {
        let site = try LittleSite { text in
            text.replacingOccurrences(of: "ladders:\n", with: "ladders:\n  bins: [{after: 0s, notify: [property]}]\n")
                + """

                events:
                  - {id: bin, topic: bins/+/state, match: /state, when: [full], clears: [empty], subject: /bin, text: /note, ladder: bins, title: {zh-Hans: 垃圾桶满了, en: The bin is full}}

                """
        }
        defer { site.end() }
        let gateway = site.gateway
        try gateway.start()
        try await eventually { gateway.http("GET", "/readyz").status == 200 }
        let device = try MQTTClient(.init(host: "127.0.0.1", port: site.broker.port, clientID: "bin")) { _ in }
        defer { Thread.detachNewThread { device.close() } }
        @Sendable func incidents() -> [[String: Any]] { gateway.items("/api/v1/cases?state=open").filter { $0["kind"] as? String == "incident" } }
        try await eventually {
            for text in ["no json", #"{"state":"half"}"#, #"{"state":"full","bin":"B-7","note":"at gate 2"}"#] {
                try? device.publish(Array(text.utf8), to: "bins/7/state")
            }
            return !incidents().isEmpty
        }
        let item = try #require(incidents().first)
        #expect((item["subject"] as? [String: Any])?["id"] as? String == "bin-b-7")
        #expect(incidents().count == 1)
        let told = (item["ladder"] as? [[String: Any]])?.first?["roles"] as? [String]
        #expect(told == ["property"])
        let sent = try String(contentsOfFile: "\(gateway.folder)/out.jsonl", encoding: .utf8)
        #expect(sent.contains("The bin is full: at gate 2"))
        try await eventually {
            try? device.publish(Array(#"{"state":"empty","bin":"B-7"}"#.utf8), to: "bins/7/state")
            return incidents().isEmpty
        }
    }
}
