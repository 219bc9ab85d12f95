import DeviceProfiles
import Evaluation
import Foundation
import Simulation
import Telemetry
import TimeSeriesStore

/// What a reading costs on the disk once its day is sealed, and what is written to the device for it on the way: four points a meter, a poll every
/// quarter of an hour, times that jitter as polls do. Registers recorded in DATA's files, or of simulated homes.
enum Sealed {
    private static let days = 60
    private static let meters = 20

    static func measure() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("wellward-bench-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let store = try Store(path: folder.appendingPathComponent("w.sqlite").path)
        let begin = WallTime(unixSeconds: 1_704_067_200)
        let registers = try registers(from: begin)
        var random = SeededRandom(seed: 5)
        let before = written()
        var count = 0
        for step in 0..<(days * 96) {
            var group: [Reading] = []
            for meter in registers.indices {
                let at = begin + .minutes(Int64(step) * 15) + .milliseconds(Int64(random.unit() * 80))
                group += readings(MeterID("wm-\(meter)"), at, registers[meter](begin + .minutes(Int64(step) * 15)), &random)
            }
            count += group.count
            // As the gateway does: groups of a couple of seconds' polls, the whole tidied up now and then.
            for part in stride(from: 0, to: group.count, by: 16) { try store.writeNow { try $0.append(Array(group[part..<min(part + 16, group.count)])) } }
            if step % 96 == 95 { _ = try await StoreUpkeep(store, StoragePolicy(sealAfter: .days(1))).round(at: begin + .minutes(Int64(step) * 15)) }
        }
        let device = Double(written() - before)
        let empty = try Store(path: folder.appendingPathComponent("e.sqlite").path)
        let bare = try empty.readNow { try $0.bytesInUse() }
        _ = try store.writeNow { try $0.seal(before: begin + .days(Int64(days) + 1), most: 1_000_000) }
        let tally = try store.readNow { try $0.sealedTally() }
        let bytes = try Double(store.readNow { try $0.bytesInUse() } - bare) / Double(count)
        precondition(tally.rows == 0, "every row is sealed")
        Bench.report("bytes on disk for a sealed reading, pages and index included", bytes, "<= 4", bytes <= 4)
        Bench.report("bytes written to the device for a reading, log and sealing included (/proc/self/io)", device / Double(count), "reported", true)
        try store.close()
        try empty.close()
    }

    private static func readings(_ meter: MeterID, _ at: WallTime, _ register: Volume, _ random: inout SeededRandom) -> [Reading] {
        let device = WallTime(unixSeconds: at.unixSeconds - 3)
        func float(_ value: Float) -> [UInt16] { [UInt16(value.bitPattern & 0xFFFF), UInt16(value.bitPattern >> 16)] }
        let litres = Int(register.litres)
        let flow = random.unit() < 0.06 ? Float(random.unit() * 12) : 0
        let warm = 14 + Float(Int(random.unit() * 4)) / 10
        func reading(_ point: String, _ value: Double, _ unit: String, _ raw: [UInt16]) -> Reading {
            Reading(meter: meter, point: point, at: at, receivedAt: at, deviceAt: device, value: value, unit: unit, quality: .good, raw: raw)
        }
        return [
            reading("volume_total", Double(litres), "L", [UInt16(litres & 0xFFFF), UInt16(litres >> 16 & 0xFFFF)]),
            reading("flow", Double(flow), "L/h", float(flow)),
            reading("battery", 3.6, "V", [360]), reading("temperature", Double(warm), "°C", float(warm)),
        ]
    }

    /// A register for each meter, by time.
    private static func registers(from begin: WallTime) throws -> [(WallTime) -> Volume] {
        guard let folder = ProcessInfo.processInfo.environment["DATA"], !folder.isEmpty else {
            return (0..<meters).map { seed in
                var home = SimulatedHome(seed: UInt64(seed + 1), from: begin, civil: CivilClock(zone: .gmt))
                return { home.register(at: $0) }
            }
        }
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".csv") }.sorted()
        return try files.map { file in
            let text = try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)
            let rows = try RegisterHistory(household: file, csv: text).resampled(every: .minutes(15), resolution: .litres(1)).rows
            return { time in rows[min(rows.count - 1, Int((time - begin).milliseconds / 900_000))].register }
        }
    }

    /// Bytes this process has had written to a device so far (proc(5), /proc/PID/io).
    private static func written() -> Int {
        let text = (try? String(contentsOfFile: "/proc/self/io", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").first { $0.hasPrefix("write_bytes") }.flatMap { Int($0.split(separator: " ").last ?? "") } ?? 0
    }
}
