import Demonstration
import DeviceProfiles
import Foundation
import Glibc
import Messaging
import Simulation
import Telemetry

/// Memory and idle processor time of `wellward run` with 500 meters on ten TCP lines and 20 elevators.
enum Residence {
    /// Something the bench needs is not there.
    struct Missing: Error, CustomStringConvertible { var description: String }

    static func measure(seconds: Double) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("wellward-bench-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let broker = try PrivateBroker(folder: folder)
        let lines = try meters()
        let lifts = try (1...20).map { try SimulatedElevator(ElevatorID("lift-\($0)"), broker: .init(host: "127.0.0.1", port: broker.port, clientID: "")) }
        defer {
            for lift in lifts { lift.stop() }
            for line in lines { line.stop() }
            broker.stop()
            try? FileManager.default.removeItem(atPath: folder)
        }
        try configuration(lines, broker, try LoopbackPort.free()).write(toFile: "\(folder)/w.yaml", atomically: true, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: ".build/release/wellward")
        process.arguments = ["run", "--config", "\(folder)/w.yaml", "--log-level", "error"]
        try process.run()
        defer { kill(process.processIdentifier, SIGKILL) }
        // The first round of polls is no idling.
        let settle = min(60, seconds / 2)
        try await Task.sleep(for: .seconds(settle))
        let before = ticks(process.processIdentifier)
        try await Task.sleep(for: .seconds(seconds - settle))
        let used = Double(ticks(process.processIdentifier) - before) / Double(sysconf(Int32(_SC_CLK_TCK)))
        let share = 100 * used / (seconds - settle)
        let memory = residentMegabytes(process.processIdentifier)
        Bench.report("resident memory after \(Int(seconds)) s, 500 meters and 20 elevators, MB", memory, "< 64", memory < 64)
        Bench.report("processor time at a 5-minute poll, % of one core", share, "< 2", share < 2)
    }

    /// 500 meters on ten TCP lines.
    static func meters(onAsked: @escaping @Sendable () -> Void = {}) throws -> [SimulatedLine] {
        let path = "DeviceProfiles/meters/tuf-2000m.yaml"
        guard let text = try? String(contentsOfFile: path, encoding: .utf8), let profile = ProfileReader.read(text, file: path).profile else {
            throw Missing(description: "run from the project's folder: \(path) was not found")
        }
        let lines = try (0..<10).map { _ in try SimulatedLine(.tcp(port: 0)) }
        let civil = CivilClock(zone: .gmt)
        for (index, line) in lines.enumerated() {
            for unit in 1...50 {
                line.add(
                    SimulatedMeter(
                        unit: UInt8(unit), profile: profile, civil: civil, now: { WallTime(unixSeconds: Int64(time(nil))) },
                        volume: { now in
                            onAsked()
                            return .litres(now.unixSeconds % 1_000_000 + Int64(index * 50 + unit))
                        }))
            }
        }
        return lines
    }

    static func configuration(_ lines: [SimulatedLine], _ broker: PrivateBroker, _ port: Int, lifts: Int = 20, poll: String = "5m") -> String {
        var text = [
            "site: {id: bench}", "storage: {path: w.sqlite}", "console: {listen: \"127.0.0.1:\(port)\", open: true}",
            "mqtt: {host: 127.0.0.1, port: \(broker.port)}",
            "buses:",
        ]
        for (index, line) in lines.enumerated() { text.append("  - {id: bus-\(index), transport: tcp, host: 127.0.0.1, port: \(line.port)}") }
        text.append("meters:")
        for bus in lines.indices {
            for unit in 1...50 { text.append("  - {id: wm-\(bus)-\(unit), bus: bus-\(bus), unit: \(unit), profile: tuf-2000m, poll: \(poll)}") }
        }
        text.append("households:")
        for bus in lines.indices {
            for unit in 1...50 { text.append("  - {id: h-\(bus)-\(unit), meter: wm-\(bus)-\(unit), consent: {given: 2026-01-01, by: bench}}") }
        }
        text.append("elevators:")
        for lift in 1...lifts { text.append("  - {id: lift-\(lift), boarding: alarm, clear_after: 1s}") }
        return text.joined(separator: "\n") + "\nprofiles: [\"\(FileManager.default.currentDirectoryPath)/DeviceProfiles\"]\n"
    }

    private static func ticks(_ process: Int32) -> Int {
        let stat = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
        let fields = stat.split(separator: ")").last?.split(separator: " ") ?? []
        // utime and stime are the 14th and 15th fields, the 12th and 13th behind the name (proc(5)).
        return fields.count > 12 ? (Int(fields[11]) ?? 0) + (Int(fields[12]) ?? 0) : 0
    }

    private static func residentMegabytes(_ process: Int32) -> Double {
        let status = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS") }
        return line.flatMap { $0.split(whereSeparator: \.isWhitespace).dropFirst().first }.flatMap { Double($0) }.map { $0 / 1024 } ?? 0
    }
}
