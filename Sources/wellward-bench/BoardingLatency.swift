import CBaseline
import Demonstration
import Foundation
import Messaging
import Simulation
import Synchronization
import Telemetry

/// From the confirming detection to the command on the wire: what the gateway adds to the broker's own round trip, with 200
/// elevators at ten detections a second each while 500 meters are polled every ten seconds and committed.
enum BoardingLatency {
    private static let lifts = 200

    /// When each message left, and how long it took to come back.
    private struct Times: Sendable {
        var left: [Int: ContinuousClock.Instant] = [:]
        var took: [Double] = []

        mutating func back(_ key: Int) {
            guard let began = left.removeValue(forKey: key) else { return }
            took.append((ContinuousClock.now - began).seconds * 1000)
        }
    }

    /// Shared with the clients' threads.
    private final class Shared: Sendable {
        let gateway = Mutex(Times())
        let echo = Mutex(Times())
        let answers = Mutex<[(Int, [UInt8])]>([])
    }

    static func measure(seconds: Int = 20) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("wellward-bench-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let broker = try PrivateBroker(folder: folder, access: "allow_anonymous true\nset_tcp_nodelay true\nmax_inflight_messages 0\nmax_queued_messages 0")
        let lines = try Residence.meters()
        try Residence.configuration(lines, broker, try LoopbackPort.free(), lifts: lifts, poll: "10s")
            .write(toFile: "\(folder)/w.yaml", atomically: true, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: ".build/release/wellward")
        process.arguments = ["run", "--config", "\(folder)/w.yaml", "--log-level", "error"]
        try process.run()
        defer {
            kill(process.processIdentifier, SIGKILL)
            for line in lines { line.stop() }
            broker.stop()
            try? FileManager.default.removeItem(atPath: folder)
        }
        precondition(baseline_mqtt_echo(Int32(broker.port)) == 0, "the C echo did not connect")
        let shared = Shared()
        let client = try MQTTClient(
            .init(host: "127.0.0.1", port: broker.port, clientID: "load"), subscribe: [("back/#", 1), ("wellward/v1/elevators/+/command", 1)]
        ) { event in
            guard case .message(let message) = event else { return }
            if message.topic.hasPrefix("back/") {
                if let key = Int(message.topic.dropFirst(5)) { shared.echo.withLock { $0.back(key) } }
            } else if let name = message.topic.split(separator: "/").dropFirst(3).first, let lift = Int(name.dropFirst(5)) {
                shared.gateway.withLock { $0.back(lift) }
                shared.answers.withLock { $0.append((lift, message.payload)) }
            }
        }
        // Until the gateway has connected and polled once.
        try await Task.sleep(for: .seconds(6))
        try await load(client, shared, seconds: seconds)
        let (ours, plain) = (shared.gateway.withLock { $0.took }, shared.echo.withLock { $0.took })
        guard ours.count > 200, plain.count > 200 else {
            return print("MISS boarding latency: only \(ours.count) commands and \(plain.count) echoes came back")
        }
        func share(_ values: [Double], _ part: Double) -> Double { values.sorted()[min(values.count - 1, Int(Double(values.count) * part))] }
        let added = share(ours, 0.99) - share(plain, 0.99)
        print(
            String(
                format: "     detection to command: %d samples, median %.2f ms, p99 %.2f ms; plain C echo: %d samples, median %.2f ms, p99 %.2f ms", ours.count,
                share(ours, 0.5), share(ours, 0.99), plain.count, share(plain, 0.5), share(plain, 0.99)))
        Bench.report("p99 added between detection and command, ms", added, "< 2", added < 2)
    }

    /// The id in a command; a UUID has 36 characters.
    private static func identifier(_ payload: [UInt8]) -> String? {
        let parts = String(decoding: payload, as: UTF8.self).components(separatedBy: "\"")
        return parts.first { $0.count == 36 }
    }

    private static func load(_ client: MQTTClient, _ shared: Shared, seconds: Int) async throws {
        var sequence = 0
        func send(_ text: String, _ topic: String) throws { try client.publish(Array(text.utf8), to: topic) }
        let beat = ContinuousClock.now
        // Ten beats a second; in each, every lift sees something. An e-bike comes for two frames in every 25 and is gone for long enough.
        for step in 0..<(seconds * 10) {
            for lift in 1...lifts {
                sequence += 1
                let topic = "wellward/v1/elevators/lift-\(lift)"
                if step % 10 == lift % 10 {
                    try send(
                        "{\"seq\":\(sequence),\"boot\":\"b\",\"service_mode\":\"normal\",\"motion\":\"stopped\",\"floor\":\"1\",\"door\":\"open\",\"door_zone\":true,\"load_kg\":80,\"passenger\":true,\"faults\":[]}",
                        "\(topic)/status")
                }
                let phase = (step + lift) % 25
                if phase == 1 { shared.gateway.withLock { $0.left[lift] = .now } }
                try send(
                    "{\"seq\":\(sequence),\"boot\":\"b\",\"track\":\"t\(phase < 2 ? step / 25 : 9999)\",\"class\":\"\(phase < 2 ? "ebike" : "person")\",\"confidence\":0.93,\"zone\":\"door\"}",
                    "\(topic)/detection")
                if lift % 20 == step % 20 {
                    shared.echo.withLock { $0.left[sequence] = .now }
                    try send(
                        "{\"seq\":\(sequence),\"boot\":\"b\",\"track\":\"t\",\"class\":\"ebike\",\"confidence\":0.93,\"zone\":\"door\"}", "there/\(sequence)")
                }
                // Spread over the beat, as two hundred cameras are.
                if lift % 20 == 0 { try await Task.sleep(until: beat + .milliseconds(step * 100 + lift * 100 / lifts)) }
            }
            let answers = shared.answers.withLock { list in
                defer { list = [] }
                return list
            }
            for (lift, payload) in answers {
                guard let start = identifier(payload) else {
                    continue
                }
                try send("{\"id\":\"\(start)\",\"result\":\"accepted\"}", "wellward/v1/elevators/lift-\(lift)/ack")
            }
        }
        try await Task.sleep(for: .seconds(1))
    }
}
