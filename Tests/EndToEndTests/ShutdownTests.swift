import Foundation
import ScriptedPeers
import TestSupport
import Testing
import TimeSeriesStore

/// Told to stop, the built program is gone in five seconds whatever hangs, and its record was closed in order.
@Suite(.serialized) struct ShutdownTests {
    /// Five seconds, and something for a machine that runs all tests at once.
    private static let patience = 7.0

    /// Tells a gateway to stop.
    /// - Returns: how many seconds it took
    private func stop(_ gateway: RunningGateway, _ signal: Int32 = SIGTERM) async throws -> Double {
        let told = ContinuousClock.now
        gateway.signal(signal)
        try await eventually(within: 20) { !gateway.isRunning }
        let took = ContinuousClock.now - told
        return Double(took.components.seconds) + Double(took.components.attoseconds) / 1e18
    }

    @Test func `with mute and swallowed buses, a stopped broker, a hanging webhook, an open stream and a reader who reads nothing`() async throws {
        let mute = try ScriptedServer { while $0.read() != nil {} }
        let web = try ScriptedServer { connection in while connection.read() != nil {} }
        let gone = try SwallowingPort()
        defer { mute.stop(); web.stop() }
        let site = try LittleSite { text in
            text.replacingOccurrences(
                of: "meters:\n",
                with: """
                      - {id: dumb, transport: tcp, host: 127.0.0.1, port: \(mute.port), response_timeout: 4s}
                      - {id: gone, transport: tcp, host: 127.0.0.1, port: \(gone.port), response_timeout: 4s}
                      - {id: unnamed, transport: tcp, host: no-such-host.invalid, port: 502, response_timeout: 4s}
                    meters:
                      - {id: wm-mute, bus: dumb, unit: 1, profile: tuf-2000m, poll: 1s}
                      - {id: wm-gone, bus: gone, unit: 1, profile: tuf-2000m, poll: 1s}
                      - {id: wm-unnamed, bus: unnamed, unit: 1, profile: tuf-2000m, poll: 1s}

                    """
            ).replacingOccurrences(of: "names: true}", with: "names: true}\n  - {id: hook, kind: webhook, url: \"http://127.0.0.1:\(web.port)/\"}")
                .replacingOccurrences(of: "role: family, channels: [out]", with: "role: family, channels: [out, hook]")
                .replacingOccurrences(of: "language: en", with: "language: en\nupstream: {kind: mqtt, host: 127.0.0.1, port: MQTT}")
        }
        let text = site.text.replacingOccurrences(of: "port: MQTT", with: "port: \(site.broker.port)")
        try site.gateway.write("wellward.yaml", text)
        defer { site.end() }
        let gateway = site.gateway
        try gateway.start()
        try await eventually(within: 30) { gateway.items("/api/v1/cases?state=open").contains { $0["kind"] as? String == "inactivity" } }
        try await eventually(within: 30) { web.connections > 0 && mute.connections > 0 }
        let curl = try ["events", "meters/wm-1/readings?limit=5000"].map { path in
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/curl")
            process.arguments = ["-sN", "http://127.0.0.1:\(gateway.port)/api/v1/\(path)"]
            process.standardOutput = Pipe()
            try process.run()
            return process
        }
        defer { for process in curl where process.isRunning { kill(process.processIdentifier, SIGKILL) } }
        kill(site.broker.processID, SIGSTOP)
        defer { kill(site.broker.processID, SIGCONT) }
        let took = try await stop(gateway)
        #expect(took < Self.patience, "took \(took) s\n\(gateway.log)")
        #expect(gateway.exitCode == 0, "\(gateway.log)")
        let store = try Store(path: "\(gateway.folder)/w.sqlite")
        #expect(try store.readNow { try $0.fact("running") } == nil, "the record was closed in order\n\(gateway.log)")
        #expect(try store.readNow { try $0.watch("h-1") } != nil, "what the homes have learnt is saved")
        try store.close()
    }

    @Test func `while nothing hangs it is quick, and a second gateway finds the record closed in order`() async throws {
        let site = try LittleSite()
        defer { site.end() }
        let gateway = site.gateway
        try gateway.start()
        try await eventually(within: 30) { !gateway.items("/api/v1/meters/wm-1/readings").isEmpty }
        let took = try await stop(gateway, SIGINT)
        #expect(took < Self.patience && gateway.exitCode == 0, "took \(took) s\n\(gateway.log)")
        #expect(!gateway.log.contains("left behind"), "\(gateway.log)")
        let store = try Store(path: "\(gateway.folder)/w.sqlite")
        #expect(try store.readNow { try $0.fact("running") } == nil)
        try store.close()
    }

    @Test func `told to stop while it starts, it ends with 0`() async throws {
        let site = try LittleSite()
        defer { site.end() }
        let gateway = site.gateway
        try gateway.start()
        // From its first sign of life on.
        try await eventually { FileManager.default.fileExists(atPath: "\(gateway.folder)/w.sqlite") }
        let took = try await stop(gateway)
        #expect(took < Self.patience && gateway.exitCode == 0, "took \(took) s\n\(gateway.log)")
        let store = try Store(path: "\(gateway.folder)/w.sqlite")
        #expect(try store.integrityFaults().isEmpty)
        try store.close()
    }
}
