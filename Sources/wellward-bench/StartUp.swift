import Demonstration
import DeviceProfiles
import Foundation
import Simulation
import Synchronization
import Telemetry
import TimeSeriesStore

/// How long the built program takes from its start to its first poll with years of history: after an end in order, and after a kill.
enum StartUp {
    /// When a meter was asked first.
    private final class FirstPoll: Sendable {
        private let moment = Mutex<ContinuousClock.Instant?>(nil)
        func note() { moment.withLock { $0 = $0 ?? .now } }
        func clear() { moment.withLock { $0 = nil } }
        var at: ContinuousClock.Instant? { moment.withLock { $0 } }
    }

    static func measure(gigabytes: Double) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("wellward-start-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let broker = try PrivateBroker(folder: folder)
        defer { broker.stop() }
        let asked = FirstPoll()
        let lines = try Residence.meters { asked.note() }
        defer { for line in lines { line.stop() } }
        // What is old stays as it is, so that the file keeps its size while it is measured.
        let port = try LoopbackPort.free()
        let text = Residence.configuration(lines, broker, port).replacingOccurrences(
            of: "{path: w.sqlite}", with: "{path: w.sqlite, seal_after: 3650d, retain_readings: 3650d, size_cap: 100GB}")
        try text.write(toFile: "\(folder)/w.yaml", atomically: true, encoding: .utf8)
        try history("\(folder)/w.sqlite", gigabytes: gigabytes)
        // The first start learns the homes; its end is in order, and so are those of a gateway's everyday life.
        _ = try await start(folder, asked, end: SIGTERM, after: .seconds(5))
        let inOrder = try await start(folder, asked, end: SIGKILL, after: .seconds(3))
        let killed = try await start(folder, asked, end: SIGKILL, after: .zero)
        let size = (try FileManager.default.attributesOfItem(atPath: "\(folder)/w.sqlite")[.size] as? NSNumber)?.doubleValue ?? 0
        for (name, seconds) in [("an end in order", inOrder), ("a kill", killed)] {
            Bench.report(
                "start to first poll after \(name), \(String(format: "%.1f", size / 1e9)) GB of history and 500 meters, s", seconds, "< 2", seconds < 2)
        }
    }

    private static func start(_ folder: String, _ asked: FirstPoll, end signal: Int32, after pause: Duration) async throws -> Double {
        asked.clear()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: ".build/release/wellward")
        process.arguments = ["run", "--config", "\(folder)/w.yaml", "--log-level", "error"]
        let began = ContinuousClock.now
        try process.run()
        defer { kill(process.processIdentifier, SIGKILL) }
        while asked.at == nil {
            guard process.isRunning, ContinuousClock.now - began < .seconds(600) else { throw Residence.Missing(description: "the gateway polled nothing") }
            try await Task.sleep(for: .milliseconds(5))
        }
        let took = ((asked.at ?? .now) - began).seconds
        try await Task.sleep(for: pause)
        kill(process.processIdentifier, signal)
        while process.isRunning { try await Task.sleep(for: .milliseconds(20)) }
        return took
    }

    /// Readings of 500 meters, four points each, back from yesterday, as rows: the worst form for a start.
    private static func history(_ path: String, gigabytes: Double) throws {
        let store = try Store(path: path)
        let series = 2000
        let rows = Int(gigabytes * 1e9 / 38 / Double(series))
        let newest = Int64(Date().timeIntervalSince1970 * 1000) - 86_400_000
        for number in 0..<series {
            let (meter, point) = (number / 4, ["volume_total", "flow", "battery", "temperature"][number % 4])
            let name = "wm-\(meter / 50)-\(meter % 50 + 1)"
            try store.tamperForTesting("INSERT INTO series (id, meter, point, unit) VALUES (\(number + 1), '\(name)', '\(point)', 'L')")
            try store.tamperForTesting(
                """
                WITH RECURSIVE n(i) AS (SELECT \(rows) UNION ALL SELECT i - 1 FROM n WHERE i > 1)
                INSERT INTO readings SELECT \(number + 1), \(newest) - i * 300000, \(newest) - i * 300000 + 80, NULL, 1000 - i * 0.5, 0, x'0001E240' FROM n
                """)
        }
        try store.close()
    }
}
