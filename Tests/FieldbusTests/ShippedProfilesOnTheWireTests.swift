import DeviceProfiles
import Fieldbus
import Simulation
import Telemetry
import TestSupport
import Testing

@Suite struct ShippedProfilesOnTheWireTests {
    static let now = WallTime(unixSeconds: 1_700_006_400)

    @Test(arguments: ShippedProfiles.all) func `each shipped profile's simulated meter reads through libmodbus as it stands`(entry: ShippedProfiles.Entry)
        async throws
    {
        let profile = try #require(ProfileReader.read(entry.text, file: entry.name).profile)
        // What a profile leaves to the installation is set so that one count is plain.
        var parameters: [String: String] = [:]
        for point in profile.points {
            if case .parameter(let name) = point.scaleRule?.origin { parameters[name] = "0" }
            if case .parameter(let name) = point.unitRule?.origin { parameters[name] = "m3" }
        }
        let instance = InstanceParameters(parameters)
        let volume = Volume.litres(123_400)
        let meter = SimulatedMeter(unit: 1, profile: profile, parameters: instance, civil: CivilClock(zone: .gmt), now: { Self.now }, volume: { _ in volume })
        let line = try SimulatedLine(.tcp(port: 0), meters: [meter])
        defer { line.stop() }
        let decoder = MeterDecoder(profile: profile, parameters: instance)
        let bus = ModbusBus(.tcp(host: "127.0.0.1", port: line.port))
        let requests = ReadPlanner.plan(
            decoder.wantedFields, rules: profile.reading, cost: .serial(baud: 9600, turnaround: .milliseconds(20), betweenRequests: .zero))
        let answer = await bus.run(MeterPlan(unit: 1, requests: requests))
        await bus.close()
        #expect(answer.faults.isEmpty)
        var civil = CivilClock(zone: .gmt)
        let readings = decoder.readings(of: "wm", in: answer.image, at: Self.now, civil: &civil)
        #expect(readings.count == profile.points.count(where: \.polled))
        for reading in readings {
            let point = try #require(profile.points.first { $0.id == reading.point })
            guard point.fields.allSatisfy({ $0.order != nil || $0.type.registerCount == 1 || !$0.type.isNumeric }) else {
                #expect(reading.quality == .missing, "\(entry.name): \(reading.point) has no known order")
                continue
            }
            #expect(reading.quality != .missing, "\(entry.name): \(reading.point)")
            if point.role == .volumeTotal {
                let shown = try #require(reading.value, "\(entry.name): \(reading.point) \(reading.quality)")
                #expect(abs(shown - volume.litres) <= max(profile.resolution.litres, volume.litres * 1e-6), "\(entry.name): \(shown) L")
            }
            if point.role == .clock, let deviceAt = reading.deviceAt { #expect(abs((deviceAt - Self.now).milliseconds) < 60_000) }
        }
    }

    @Test func `a meter without some registers is asked around them, and its total is never lost for long`() async throws {
        let profile = try #require(ShippedProfiles.model("tuf-2000m"))
        let status = try #require(profile.points.first { $0.role == .status }?.fields.first)
        let meter = SimulatedMeter(
            unit: 1, profile: profile, civil: CivilClock(zone: .gmt), absent: [status.address], now: { Self.now }, volume: { _ in .litres(5000) })
        let line = try SimulatedLine(.tcp(port: 0), meters: [meter])
        defer { line.stop() }
        let decoder = MeterDecoder(profile: profile)
        var plan = AdaptivePlan(decoder.wantedFields, rules: ReadingRules(), cost: .serial(baud: 2400, turnaround: .milliseconds(200), betweenRequests: .zero))
        let bus = ModbusBus(.tcp(host: "127.0.0.1", port: line.port))
        var rounds = 0
        while rounds < 8 {
            let answer = await bus.run(MeterPlan(unit: 1, requests: plan.requests))
            let refused = answer.faults.filter { $0.fault == .exception(AdaptivePlan.illegalAddress) }
            guard !refused.isEmpty else { break }
            for fault in refused { plan.refuse(fault.request, at: .zero) }
            rounds += 1
        }
        let answer = await bus.run(MeterPlan(unit: 1, requests: plan.requests))
        await bus.close()
        #expect(rounds > 0 && rounds < 8 && answer.faults.isEmpty)
        #expect(plan.refused.contains { $0.address == status.address })
        #expect(profile.volumeTotal?.decode(answer.image).number == 5000)
    }

    @Test func `the round predicted for a 9600-baud line is the round that is measured, within fifteen in a hundred`() async throws {
        let profile = try #require(ShippedProfiles.model("tuf-2000m"))
        let line = try SimulatedLine(.serial(baud: 9600))
        defer { line.stop() }
        for unit in 1...4 {
            line.add(SimulatedMeter(unit: UInt8(unit), profile: profile, civil: CivilClock(zone: .gmt), now: { Self.now }, volume: { _ in .litres(5000) }))
        }
        let decoder = MeterDecoder(profile: profile)
        let cost = BusCost.serial(baud: 9600, turnaround: profile.timing.turnaround ?? .milliseconds(20), betweenRequests: .milliseconds(10))
        let requests = ReadPlanner.plan(decoder.wantedFields, rules: profile.reading, cost: cost)
        let predicted = 4 * requests.reduce(0.0) { $0 + cost.time(ofRead: $1.count) } / 1000
        let bus = ModbusBus(.rtu(device: line.devicePath, baud: 9600, parity: .none, stopBits: 1), betweenRequests: .milliseconds(10))
        // The quickest of seven rounds: a busy machine makes rounds longer, never shorter.
        var rounds: [Double] = []
        for _ in 0..<7 {
            var took = 0.0
            for unit in 1...4 {
                let answer = await bus.run(MeterPlan(unit: UInt8(unit), requests: requests))
                #expect(answer.faults.isEmpty)
                took += Double(answer.took.milliseconds) + 10
            }
            rounds.append(took)
        }
        await bus.close()
        let measured = try #require(rounds.min())
        #expect(abs(measured - predicted) <= 0.15 * predicted, "predicted \(predicted) ms, measured \(measured) ms")
    }
}
