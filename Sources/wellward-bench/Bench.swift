import CBaseline
import Demonstration
import DeviceProfiles
import Fieldbus
import Foundation
import Safeguarding
import Simulation
import Telemetry
import TimeSeriesStore

/// Prints what the gateway does in relation to plain C on the same libraries, in one run. Ratios, because machines differ.
/// With arguments (`modbus`, `devices`, `wire`, `rows`, `sealed`, `detector`, `boarding`, `storm`, `start`, `residence`) only those; `garbage`
/// feeds the parsers and nothing else.
@main
enum Bench {
    static func main() async throws {
        let chosen = Set(CommandLine.arguments.dropFirst())
        if chosen.contains("garbage") { return try await LongGarbage.feed() }
        let all = chosen.isEmpty
        if all || chosen.contains("modbus") { try await modbus() }
        if all || chosen.contains("devices") { try await manyDevices() }
        if all || chosen.contains("wire") {
            Wire.framing()
            Wire.decoding()
            Wire.efficiency()
            try await Wire.paced()
        }
        if all || chosen.contains("rows") { try rows() }
        if all || chosen.contains("sealed") { try await Sealed.measure() }
        if all || chosen.contains("detector") { detector() }
        if all || chosen.contains("boarding") { try await BoardingLatency.measure() }
        if all || chosen.contains("storm") { try await Storm.measure() }
        if all || chosen.contains("start") {
            if let size = ProcessInfo.processInfo.environment["HISTORY"].flatMap({ Double($0) }) {
                try await StartUp.measure(gigabytes: size)
            } else {
                print("start to first poll with years of history: set HISTORY=10 for ten gigabytes")
            }
        }
        guard all || chosen.contains("residence") else { return }
        if let seconds = ProcessInfo.processInfo.environment["SOAK"].flatMap({ Double($0) }) {
            try await Residence.measure(seconds: seconds)
        } else {
            print("memory and idle processor time of `wellward run`: set SOAK=600 to measure for ten minutes")
        }
    }

    static func report(_ what: String, _ value: Double, _ goal: String, _ isMet: Bool) {
        print("\(isMet ? "ok  " : "MISS") \(what): \(String(format: "%.2f", value)) (goal \(goal))")
    }

    static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

    /// Sequential reads of ten registers, Fieldbus against the same loop in C.
    private static func modbus() async throws {
        let port = Int(baseline_server(Int32(try LoopbackPort.free()), 0))
        let count = 20_000
        let bus = ModbusBus(.tcp(host: "127.0.0.1", port: port))
        let plan = MeterPlan(unit: 1, requests: Array(repeating: ReadRequest(function: 3, address: 0, count: 10), count: 500))
        var ratios: [Double] = []
        for _ in 0..<5 {
            let plain = baseline_modbus_reads(Int32(port), Int32(count), 10)
            _ = await bus.run(MeterPlan(unit: 1, requests: [ReadRequest(function: 3, address: 0, count: 10)]))
            let began = ContinuousClock.now
            for _ in 0..<(count / 500) {
                let answer = await bus.run(plan)
                precondition(answer.faults.isEmpty, "a read failed: \(answer.faults)")
            }
            ratios.append(plain / (ContinuousClock.now - began).seconds)
            await bus.close()
        }
        report("Modbus TCP reads, rate against plain C", median(ratios), ">= 0.95", median(ratios) >= 0.95)
    }

    /// 64 devices that take 50 ms each, on separate buses.
    private static func manyDevices() async throws {
        let ports = try (0..<64).map { _ in Int(baseline_server(Int32(try LoopbackPort.free()), 50_000)) }
        let buses = ports.map { ModbusBus(.tcp(host: "127.0.0.1", port: $0)) }
        let plan = MeterPlan(unit: 1, requests: [ReadRequest(function: 3, address: 0, count: 10)])
        let began = ContinuousClock.now
        await withTaskGroup(of: PlanAnswer.self) { group in
            for bus in buses { group.addTask { await bus.run(plan) } }
            for await answer in group { precondition(answer.faults.isEmpty, "a read failed: \(answer.faults)") }
        }
        let answers = (ContinuousClock.now - began).seconds / 0.05
        report("64 devices of 50 ms polled, in answer times", answers, "< 3", answers < 3)
        for bus in buses { await bus.close() }
    }

    /// Group commits of a thousand rows, the store against the raw API, both WAL and synchronous=FULL.
    private static func rows() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("wellward-bench-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var ratios: [Double] = []
        for round in 0..<5 {
            let plain = baseline_sqlite_rows(folder.appendingPathComponent("c\(round).sqlite").path, 100, 1000)
            let store = try Store(path: folder.appendingPathComponent("w\(round).sqlite").path)
            let meters = (0..<10).map { MeterID("wm-\($0)") }
            let groups = (0..<100).map { group in
                (0..<1000).map { index in
                    let at = WallTime(unixMilliseconds: Int64(group * 1000 + index) * 1000)
                    return Reading(
                        meter: meters[index % 10], point: "volume_total", at: at, receivedAt: at, value: Double(index), unit: "L", quality: .good,
                        raw: [0x4C39, 1])
                }
            }
            let began = ContinuousClock.now
            for group in groups { try store.writeNow { try $0.append(group) } }
            ratios.append(plain / (ContinuousClock.now - began).seconds)
            try store.close()
        }
        report("rows committed, rate against the raw SQLite API", median(ratios), ">= 0.8", median(ratios) >= 0.8)
    }

    /// The detector's incremental path, nightly fits included: a year of quarter-hour readings of each of twenty homes.
    private static func detector() {
        let count = 96 * 365
        let rates = (0..<20).map { home in
            var watch = HouseholdWatch(
                household: "h", policy: SafeguardingPolicy(), limits: .init(resolution: .litres(1)), clock: CivilClock(zone: .gmt))
            var register = Volume.litres(1000)
            let began = ContinuousClock.now
            for step in 0..<count {
                // A use every other hour of the day, none at night: enough silences to fit every night.
                if step % 96 > 26, step % 96 < 88, (step + home) % 9 == 0 { register += .litres(4) }
                _ = watch.handle(.register(register), at: Instant(recorded: WallTime(unixSeconds: 1_700_000_000 + Int64(step) * 900)))
            }
            return Double(count) / (ContinuousClock.now - began).seconds / 1e6
        }
        report("home-readings through the detector, millions a second", median(rates), ">= 1", median(rates) >= 1)
    }
}

extension Duration {
    /// The length in seconds.
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
