import DeviceProfiles
import Simulation
import Telemetry
import Testing

@Suite struct ReadPlannerTests {
    let slow = BusCost.serial(baud: 9600, turnaround: .milliseconds(20), betweenRequests: .milliseconds(20))

    func field(_ address: Int, _ registers: Int) -> RegisterField {
        RegisterField(function: 3, address: UInt16(address), type: .integer(registers: registers, signed: false), order: .bigEndian(registers: registers))
    }

    func rules(most: Int = 125, coalesces: Bool = true, gap: Int? = nil) -> ReadingRules {
        ReadingRules(mostRegisters: most, coalesces: coalesces, largestGap: gap, fixedBlocks: [])
    }

    /// The cheapest plan by trying every cut.
    func exhaustive(_ fields: [RegisterField], most: Int) -> Double {
        let spans = fields.map(\.registers).sorted { $0.lowerBound < $1.lowerBound }
        var best = Double.infinity
        for cuts in 0..<(1 << (spans.count - 1)) {
            var total = 0.0
            var start = 0
            for index in spans.indices where index == spans.count - 1 || cuts >> index & 1 == 1 {
                let length = spans[index].upperBound - spans[start].lowerBound
                total += length > most && start != index ? .infinity : slow.time(ofRead: length)
                start = index + 1
            }
            best = min(best, total)
        }
        return best
    }

    @Test(arguments: 0..<200)
    func `no plan within the device's limits is cheaper`(seed: Int) {
        var random = SeededRandom(seed: UInt64(seed))
        var address = 0
        var fields: [RegisterField] = []
        for _ in 0..<Int.random(in: 1...9, using: &random) {
            let registers = [1, 2, 2, 4].randomElement(using: &random) ?? 2
            fields.append(field(address, registers))
            address += registers + (Bool.random(using: &random) ? 0 : Int.random(in: 1...60, using: &random))
        }
        let most = [8, 22, 60, 125].randomElement(using: &random) ?? 125
        let plan = ReadPlanner.plan(fields.shuffled(using: &random), rules: rules(most: most), cost: slow)
        let cost = plan.reduce(0.0) { $0 + slow.time(ofRead: $1.count) }
        #expect(abs(cost - exhaustive(fields, most: most)) < 1e-6, "seed \(seed)")
        for field in fields {
            #expect(plan.contains { Int($0.address) <= field.registers.lowerBound && field.registers.upperBound <= Int($0.address) + $0.count }, "seed \(seed)")
        }
    }

    @Test func `a device that answers one value a request gets one read a value`() {
        #expect(ReadPlanner.plan([field(0, 2), field(2, 2)], rules: rules(coalesces: false), cost: slow).count == 2)
    }

    @Test func `no read covers a register the device refused`() {
        let refused: Set = [UnreadableRegister(function: 3, address: 2)]
        let plan = ReadPlanner.plan([field(0, 2), field(3, 2)], rules: rules(), cost: slow, unreadable: refused)
        #expect(plan == [ReadRequest(function: 3, address: 0, count: 2), ReadRequest(function: 3, address: 3, count: 2)])
    }
}
