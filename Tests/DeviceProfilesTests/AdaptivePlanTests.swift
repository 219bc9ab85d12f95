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
            for request in refused { plan.refuse(request, at: .zero) }
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

    @Test func `a device that refuses everything is still asked for something`() {
        var plan = AdaptivePlan((0..<8).map { Self.field(UInt16($0 * 2)) }, rules: ReadingRules(), cost: .network(turnaround: .zero, betweenRequests: .zero))
        _ = Self.settle(&plan, absent: Set(0..<40))
        #expect(plan.requests.count == 1 && plan.refused.count == 7)
    }

    /// One round: what covers an absent register is refused, the rest answers.
    static func run(_ plan: inout AdaptivePlan, absent: Set<Int> = [], at now: Interval) {
        for request in plan.round(at: now) {
            let isRefused = (Int(request.address)..<Int(request.address) + request.count).contains { absent.contains($0) }
            if isRefused { plan.refuse(request, at: now) } else { plan.accept(request) }
        }
    }

    static let everything = Set(0..<100)
    static let network = BusCost.network(turnaround: .zero, betweenRequests: .zero)

    @Test(arguments: 1...2) func `an address that has answered before is asked again after a refusal or two`(refusals: Int) {
        var plan = AdaptivePlan((0..<8).map { Self.field(UInt16($0 * 2)) }, rules: ReadingRules(), cost: Self.network)
        let whole = plan.requests
        Self.run(&plan, at: .zero)
        for round in 0..<refusals { Self.run(&plan, absent: Self.everything, at: .seconds(Int64(round))) }
        #expect(plan.requests == whole && plan.refused.isEmpty)
        Self.run(&plan, at: .seconds(9))
        Self.run(&plan, absent: Self.everything, at: .seconds(10))
        #expect(plan.requests == whole, "an answer wipes the slate")
    }

    @Test func `a device that refused all while it booted is read whole again within two minutes, the totaliser all the time`() {
        let fields = (0..<8).map { Self.field(UInt16($0 * 2)) }
        var plan = AdaptivePlan(fields, essential: [fields[5]], rules: ReadingRules(), cost: Self.network)
        let whole = plan.requests
        for round in 0..<20 { Self.run(&plan, absent: Self.everything, at: .seconds(Int64(round))) }
        #expect(plan.requests == [ReadRequest(function: 3, address: 10, count: 2)] && plan.refused.count == 7)
        for round in 20..<120 { Self.run(&plan, at: .seconds(Int64(round))) }
        #expect(plan.requests == whole && plan.refused.isEmpty)
    }

    @Test func `what was left out is tried again after each reconnection, and ever more seldom while it stays refused`() {
        let fields = (0..<8).map { Self.field(UInt16($0 * 2)) }
        var plan = AdaptivePlan(fields, essential: [fields[0]], rules: ReadingRules(), cost: Self.network)
        var reads = 0
        for round in 0..<86_400 {
            reads += plan.round(at: .seconds(Int64(round))).count - plan.requests.count
            for request in plan.requests where request.address <= 6 && Int(request.address) + request.count > 6 {
                plan.refuse(request, at: .seconds(Int64(round)))
            }
        }
        #expect((2...40).contains(reads), "\(reads) reads more in a day at a poll a second")
        #expect(plan.refused == [fields[3]])
        plan.reconnected(at: .hours(24))
        let again = plan.round(at: .hours(24))
        #expect(again.count == plan.requests.count + 1)
        for request in again { plan.accept(request) }
        #expect(plan.refused.isEmpty)
    }

    @Test func `a line that is connected anew for every round tries everything again, and seldom`() {
        let fields = (0..<8).map { Self.field(UInt16($0 * 2)) }
        var plan = AdaptivePlan(fields, essential: [fields[0]], rules: ReadingRules(), cost: Self.network)
        for round in 0..<10 { Self.run(&plan, absent: [3, 7], at: .seconds(Int64(round))) }
        #expect(plan.refused.count == 2)
        var tried: Set<ReadRequest> = []
        var reads = 0
        for round in 10..<610 {
            let now = Interval.seconds(Int64(round))
            plan.reconnected(at: now)
            let more = plan.round(at: now).dropFirst(plan.requests.count)
            reads += more.count
            tried.formUnion(more)
        }
        #expect(tried.count >= 3 && reads <= 120, "\(tried.count) of them, \(reads) times in ten minutes")
    }

    @Test func `registers a firmware has lost are found after some refusals, and the total is read again`() {
        let fields = (0..<8).map { Self.field(UInt16($0 * 2)) }
        var plan = AdaptivePlan(fields, essential: [fields[0]], rules: ReadingRules(), cost: Self.network)
        Self.run(&plan, at: .zero)
        for round in 1...12 { Self.run(&plan, absent: [7], at: .seconds(Int64(round))) }
        #expect(plan.refused == [fields[3]])
        #expect(plan.requests.first.map { $0.address == 0 && $0.count >= 2 } == true)
    }

    @Test func `a block that must be read just so is not cut at the first refusal`() {
        let block = ReadRequest(function: 3, address: 0, count: 38)
        var plan = AdaptivePlan((0..<8).map { Self.field(UInt16($0 * 2)) }, rules: ReadingRules(fixedBlocks: [block]), cost: Self.network)
        Self.run(&plan, absent: Self.everything, at: .zero)
        #expect(plan.requests == [block])
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
