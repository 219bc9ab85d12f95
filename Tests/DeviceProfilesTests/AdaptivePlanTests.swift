import DeviceProfiles
import Telemetry
import Testing

@Suite struct AdaptivePlanTests {
    static func field(_ address: UInt16, _ registers: Int = 2) -> RegisterField {
        RegisterField(function: 3, address: address, type: .integer(registers: registers, signed: false), order: .bigEndian(registers: registers))
    }

    /// Reads round after round from a device without some registers until nothing is refused.
    static func settle(_ plan: inout AdaptivePlan, absent: Set<Int>) -> Int {
        var rounds = 0
        while rounds < 50 {
            let refused = plan.requests.filter { request in (Int(request.address)..<Int(request.address) + request.count).contains { absent.contains($0) } }
            guard !refused.isEmpty else { return rounds }
            rounds += 1
            for request in refused { plan.refuse(request) }
        }
        return rounds
    }

    @Test func `a register that is not there is found in a few rounds, and nothing else is lost`() {
        let fields = (0..<16).map { Self.field(UInt16($0 * 2)) }
        for absent in 0..<16 {
            var plan = AdaptivePlan(fields, rules: ReadingRules(), cost: .serial(baud: 9600, turnaround: .milliseconds(20), betweenRequests: .zero))
            #expect(plan.requests.count == 1)
            let rounds = Self.settle(&plan, absent: [absent * 2 + 1])
            #expect(rounds <= 5)
            #expect(plan.refused == [fields[absent]])
            for (index, field) in fields.enumerated() where index != absent {
                #expect(plan.requests.contains { $0.address <= field.address && Int($0.address) + $0.count >= field.registers.upperBound })
            }
        }
    }

    @Test func `a hole between two points costs a second read and no point`() {
        var plan = AdaptivePlan(
            [Self.field(0), Self.field(4)], rules: ReadingRules(), cost: .serial(baud: 9600, turnaround: .milliseconds(20), betweenRequests: .zero))
        #expect(plan.requests.count == 1)
        _ = Self.settle(&plan, absent: [2, 3])
        #expect(plan.refused.isEmpty && plan.requests.count == 2)
    }

    @Test func `a device that has none of them ends with an empty plan, not with an endless one`() {
        var plan = AdaptivePlan((0..<8).map { Self.field(UInt16($0 * 2)) }, rules: ReadingRules(), cost: .network(turnaround: .zero, betweenRequests: .zero))
        _ = Self.settle(&plan, absent: Set(0..<40))
        #expect(plan.requests.isEmpty && plan.refused.count == 8)
    }
}

@Suite struct HistoryDecoderTests {
    @Test(arguments: [true, false]) func `hourly records stand at the ends of their hours, and only as many are read as the gap needs`(newestFirst: Bool) throws
    {
        let log = HistoryLog(
            period: .hourly,
            first: RegisterField(function: 3, address: 0x9000, type: .integer(registers: 2, signed: false), order: WordOrder(letters: "ABCD"), scale: 0.001),
            count: 168, newestFirst: newestFirst, unit: .cubicMetre)
        let decoder = HistoryDecoder(log, rules: ReadingRules(mostRegisters: 10))
        let now = WallTime(unixSeconds: 1_700_006_400 + 20 * 60)
        let requests = decoder.requests(since: now - .hours(6), now: now)
        #expect(requests.allSatisfy { $0.count <= 10 } && requests.reduce(0) { $0 + $1.count } == 16)
        var civil = CivilClock(zone: .gmt)
        var blocks: [RegisterImage.Block] = []
        for request in requests {
            var words: [UInt16] = []
            for step in stride(from: 0, to: request.count, by: 2) {
                let index = (Int(request.address) - 0x9000 + step) / 2
                let age = newestFirst ? index : 167 - index
                words += [0, UInt16(1000 - age)]
            }
            blocks.append(RegisterImage.Block(function: 3, address: request.address, words: words))
        }
        let records = decoder.records(in: RegisterImage(blocks: blocks), deviceNow: now, civil: &civil)
        #expect(records.count == 8)
        #expect(records.last?.at == WallTime(unixSeconds: 1_700_006_400) && records.last?.total == .litres(1000))
        for (before, after) in zip(records, records.dropFirst()) {
            #expect(after.at - before.at == Interval.hours(1))
            #expect(after.total - before.total == Volume.litres(1))
        }
    }
}
