import DeviceProfiles
import Fieldbus
import Foundation
import Simulation
import Telemetry

/// The meters' side on the wire: how little a plan pays for what it wants, and how fast words become values.
enum Wire {
    /// Points a second out of blocks of 125 registers, on one core.
    static func decoding() {
        let order = WordOrder(letters: "CDAB")
        let fields = (0..<62).map {
            RegisterField(function: 3, address: UInt16($0 * 2), type: .integer(registers: 2, signed: false), order: order, scale: 0.001)
        }
        let points = fields.enumerated().map { MeterPoint(id: "p\($0.offset)", role: .other, unit: .cubicMetre, fields: [$0.element]) }
        let image = RegisterImage(blocks: [.init(function: 3, address: 0, words: (0..<125).map { UInt16($0) })])
        let rounds = 20_000
        var sum = 0.0
        let began = ContinuousClock.now
        for _ in 0..<rounds { for point in points { sum += point.decode(image).number ?? 0 } }
        let rate = Double(rounds * points.count) / (ContinuousClock.now - began).seconds / 1e6
        precondition(sum > 0, "nothing was decoded")
        Bench.report("points decoded out of 125-register blocks, millions a second", rate, "> 1", rate > 1)
    }

    /// RTU answers a second that the line's state finds, checks and decides about, on one core.
    static func framing() {
        let frame = ModbusFrame.encodeResponse(unit: 17, function: 3, words: (0..<10).map { UInt16($0) })
        let read = LineState.Read(unit: 17, ReadRequest(function: 3, address: 0, count: 10), tries: 3)
        var state = LineState(.rtuOverTCP, responseTimeout: .milliseconds(500))
        var (now, frames) = (Interval.zero, 0)
        let began = ContinuousClock.now
        for _ in 0..<2_000_000 {
            now = now + .seconds(1)
            state.begin(read, at: now)
            asking: while true {
                switch state.next(at: now) {
                case .connect: state.opened(at: now)
                case .send:
                    state.sent(at: now)
                    state.received(frame, at: now)
                case .wait(let until): now = until
                case .drop, .close: break
                case .accept:
                    frames += 1
                    break asking
                case .refuse(let fault): preconditionFailure("a read failed: \(fault)")
                }
            }
        }
        let rate = Double(frames) / (ContinuousClock.now - began).seconds / 1e6
        Bench.report("RTU answers framed, checked and decided, millions a second", rate, "> 1", rate > 1)
    }

    /// For each shipped profile at 9600 baud: requests a meter, and the time of its plan against one request a point and against
    /// the best of all plans.
    static func efficiency() {
        let folder = "DeviceProfiles/meters"
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { $0.hasSuffix(".yaml") }.sorted()
        let cost = BusCost.serial(baud: 9600, turnaround: .milliseconds(20), betweenRequests: .zero)
        var worst = 1.0
        print("     profile                    reads  wanted bytes/wire bytes  against one read a point  against the best plan")
        for name in names {
            guard let text = try? String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8), let profile = ProfileReader.read(text, file: name).profile
            else { continue }
            let fields = MeterDecoder(profile: profile).wantedFields
            let plan = ReadPlanner.plan(fields, rules: profile.reading, cost: cost)
            let time = plan.reduce(0) { $0 + cost.time(ofRead: $1.count) }
            let apart = Set(fields.map { "\($0.function) \($0.registers)" }).count
            let naive = fields.reduce(into: [String: Double]()) { $0["\($1.function) \($1.registers)"] = cost.time(ofRead: $1.type.registerCount) }.values
                .reduce(0, +)
            let best = exhaustive(fields, profile.reading, cost)
            let wanted = Set(fields.flatMap { field in field.registers.map { "\(field.function) \($0)" } }).count * 2
            let wire = plan.reduce(0) { $0 + 8 + 5 + 2 * $1.count }
            if let best { worst = max(worst, time / best) }
            print(
                "     \(name.dropLast(5).padding(toLength: 26, withPad: " ", startingAt: 0)) \(plan.count) of \(apart)"
                    + String(format: "   %8.2f %24.2f", Double(wanted) / Double(wire), time / naive)
                    + "                  " + (best.map { String(format: "%.3f", time / $0) } ?? "has fixed blocks, or too many ways"))
        }
        Bench.report("plan's time against the best plan, the worst of the small maps", worst, "<= 1.05", worst <= 1.05)
    }

    /// The same on a paced 9600-baud pseudo-terminal, through libmodbus: our plan against one read a point, each the median of
    /// five rounds.
    static func paced() async throws {
        for name in ["tuf-2000m", "emdcb", "microsensor-mfe600c"] {
            guard let text = try? String(contentsOfFile: "DeviceProfiles/meters/\(name).yaml", encoding: .utf8),
                let profile = ProfileReader.read(text, file: name).profile
            else { continue }
            let line = try SimulatedLine(.serial(baud: 9600))
            defer { line.stop() }
            line.add(
                SimulatedMeter(
                    unit: 1, profile: profile, civil: CivilClock(zone: .gmt), now: { WallTime(unixSeconds: 1_700_006_400) }, volume: { _ in .litres(5000) }))
            let cost = BusCost.serial(baud: 9600, turnaround: .milliseconds(20), betweenRequests: .zero)
            let fields = MeterDecoder(profile: profile).wantedFields
            let plan = ReadPlanner.plan(fields, rules: profile.reading, cost: cost)
            let naive = Set(fields.map { ReadRequest(function: $0.function, address: $0.address, count: $0.type.registerCount) }).sorted {
                $0.address < $1.address
            }
            let bus = ModbusBus(.rtu(device: line.devicePath, baud: 9600, parity: .none, stopBits: 1))
            func round(_ requests: [ReadRequest]) async -> Double {
                var took: [Double] = []
                for _ in 0..<5 {
                    let answer = await bus.run(MeterPlan(unit: 1, requests: requests))
                    precondition(answer.faults.isEmpty, "a read failed: \(answer.faults)")
                    took.append(answer.took.seconds)
                }
                return Bench.median(took)
            }
            let (ours, apart) = (await round(plan), await round(naive))
            await bus.close()
            Bench.report("\(name) on a paced 9600-baud line, \(plan.count) reads against \(naive.count), in time", ours / apart, "< 1", ours < apart)
        }
    }

    /// The least time of all ways to cut the wanted runs into reads; nil beyond 18 runs.
    private static func exhaustive(_ fields: [RegisterField], _ rules: ReadingRules, _ cost: BusCost) -> Double? {
        guard rules.fixedBlocks.isEmpty else { return nil }
        var total = 0.0
        for function in Set(fields.map(\.function)) {
            var runs: [Range<Int>] = []
            for range in Set(fields.filter { $0.function == function }.map(\.registers)).sorted(by: {
                ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound)
            }) {
                if rules.coalesces, let last = runs.last, range.lowerBound < last.upperBound {
                    runs[runs.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
                } else {
                    runs.append(range)
                }
            }
            guard runs.count <= 18 else { return nil }
            var least = Double.infinity
            // Each bit says whether a cut lies behind a run.
            for cuts in 0..<(1 << max(0, runs.count - 1)) {
                var time = 0.0
                var start = 0
                for index in runs.indices where index == runs.count - 1 || cuts & (1 << index) != 0 {
                    let span = runs[start].lowerBound..<runs[index].upperBound
                    let gap = zip(runs[start...index], runs[start...index].dropFirst()).map { $1.lowerBound - $0.upperBound }.max() ?? 0
                    let isAllowed = index == start || rules.coalesces && span.count <= rules.mostRegisters && gap <= rules.largestGap ?? .max
                    time += isAllowed ? cost.time(ofRead: span.count) : .infinity
                    start = index + 1
                }
                least = min(least, time)
            }
            total += least
        }
        return total
    }
}
