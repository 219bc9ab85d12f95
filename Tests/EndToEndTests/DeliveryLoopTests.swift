import Foundation
import ScriptedPeers
import TestSupport
import Testing

/// Deliveries that fail in the field's ways, against the built program.
@Suite(.serialized) struct DeliveryLoopTests {
    /// A site with two technicians on one mail channel, and a meter that never answers.
    private func site(_ relay: ScriptedRelay, gone: String) throws -> LittleSite {
        try LittleSite { text in
            text.replacingOccurrences(of: "households:\n", with: "  - {id: wm-9, bus: net, unit: 9, profile: tuf-2000m, poll: 1s}\nhouseholds:\n")
                .replacingOccurrences(
                    of: "channels:\n",
                    with: "  - {id: tech-gone, role: technician, channels: [mail]\(gone)}\n"
                        + "  - {id: tech-well, role: technician, channels: [mail], email: well@firm.example}\n"
                        + "channels:\n  - {id: mail, kind: smtp, host: 127.0.0.1, port: \(relay.port), tls: none, from: gw@lane.example}\n")
        }
    }

    @Test(arguments: [", email: gone@firm.example", ""])
    func `a technician who cannot be reached beside one who can is one case, and no storm of mail`(gone: String) async throws {
        let relay = try ScriptedRelay { step in
            if case .recipient(let address) = step, address.hasPrefix("gone@") { return "550 5.1.1 no such mailbox" }
            return nil
        }
        defer { relay.stop() }
        let site = try site(relay, gone: gone)
        defer { site.end() }
        let gateway = site.gateway
        try gateway.start()
        @Sendable func cases() -> [[String: Any]] {
            gateway.items("/api/v1/cases").filter { (($0["subject"] as? [String: Any])?["id"] as? String)?.hasPrefix("reader-mail-") == true }
        }
        try await eventually(within: 40) { cases().count == 1 && relay.messages.count >= 2 }
        // So long that the loop would have gone round hundreds of times.
        @Sendable func reads() -> Int { gateway.items("/api/v1/meters/wm-1/readings?point=volume_total").count }
        let before = reads()
        try await eventually(within: 40) { reads() >= before + 8 }
        #expect(cases().count == 1 && cases().first?["stage"] as? String != "closed")
        #expect(relay.messages.count < 12, "\(relay.messages.count) mails")
        #expect(relay.messages.allSatisfy { $0.recipients == ["well@firm.example"] })
        let channel = try #require(gateway.items("/api/v1/channels").first { $0["id"] as? String == "mail" })
        #expect(channel["unreached"] as? [String] == ["tech-gone"] && channel["failing"] as? Bool == false)
    }

    @Test func `a family that is put off for ever costs the next steps of the ladder nothing`() async throws {
        let relay = try ScriptedRelay { step in
            if case .recipient(let address) = step, address.hasPrefix("late@") { return "450 4.2.1 come again" }
            return nil
        }
        defer { relay.stop() }
        let site = try LittleSite { text in
            text.replacingOccurrences(of: "role: family, channels: [out]", with: "role: family, channels: [mail], email: late@family.example")
                .replacingOccurrences(of: "role: grid_worker, channels: [out]", with: "role: grid_worker, channels: [mail], email: grid@lane.example")
                .replacingOccurrences(
                    of: "channels:\n", with: "channels:\n  - {id: mail, kind: smtp, host: 127.0.0.1, port: \(relay.port), tls: none, from: gw@lane.example}\n")
        }
        defer { site.end() }
        try site.gateway.start()
        try await eventually(within: 40) { relay.messages.contains { $0.recipients == ["grid@lane.example"] } }
        let why = site.gateway.items("/api/v1/channels").first { $0["id"] as? String == "mail" }?["last_error"] as? String
        #expect(why == nil || why?.contains("450 4.2.1 come again") == true)
        #expect(!site.gateway.log.contains("late@family"), "nobody's address is in a log")
    }

    @Test func `a pipe that nobody reads and a server that hangs hold up no other channel and no stop`() async throws {
        let hangs = try ScriptedServer { connection in while connection.read() != nil { continue } }
        defer { hangs.stop() }
        let site = try LittleSite { text in
            text.replacingOccurrences(of: "role: family, channels: [out]", with: "role: family, channels: [pipe, hangs, out]")
                .replacingOccurrences(
                    of: "channels:\n",
                    with: "channels:\n  - {id: pipe, kind: file, path: pipe}\n  - {id: hangs, kind: webhook, url: \"http://127.0.0.1:\(hangs.port)/\"}\n")
        }
        defer { site.end() }
        let gateway = site.gateway
        #expect(mkfifo("\(gateway.folder)/pipe", 0o600) == 0)
        try gateway.start()
        try await eventually(within: 40) { ((try? String(contentsOfFile: "\(gateway.folder)/out.jsonl", encoding: .utf8)) ?? "").contains("inactivity") }
        try await eventually(within: 40) {
            let pipe = gateway.items("/api/v1/channels").first { $0["id"] as? String == "pipe" }
            return pipe?["last_error"] as? String == "nobody reads the pipe"
        }
        gateway.signal(SIGTERM)
        try await eventually(within: 20) { !gateway.isRunning }
        #expect(gateway.exitCode == 0)
    }
}
