import DeviceProfiles
import Fieldbus
import Foundation
import Simulation
import Telemetry
import TestSupport
import Testing

@Suite(.serialized) struct ModbusBusTests {
    let civil = CivilClock(zone: .gmt)

    func meter(_ unit: UInt8, _ profile: String = "tuf-2000m", litres: Int64 = 12_345) throws -> SimulatedMeter {
        let model = try #require(ShippedProfiles.model(profile))
        return SimulatedMeter(unit: unit, profile: model, civil: civil, now: { WallTime(unixSeconds: 1_700_000_000) }, volume: { _ in .litres(litres) })
    }

    func plan(_ unit: UInt8, _ profile: String = "tuf-2000m", retries: Int = 0) throws -> MeterPlan {
        let model = try #require(ShippedProfiles.model(profile))
        let fields = MeterDecoder(profile: model).wantedFields
        let cost = BusCost.serial(baud: 9600, turnaround: .milliseconds(20), betweenRequests: .zero)
        return MeterPlan(unit: unit, requests: ReadPlanner.plan(fields, rules: model.reading, cost: cost), timing: DeviceTiming(retries: retries))
    }

    func total(_ answer: PlanAnswer, _ profile: String = "tuf-2000m") throws -> Reading {
        let model = try #require(ShippedProfiles.model(profile))
        var civil = civil
        let readings = MeterDecoder(profile: model).readings(of: "m", in: answer.image, at: WallTime(unixSeconds: 0), civil: &civil)
        return try #require(readings.first { $0.point == model.volumeTotal?.id })
    }

    @Test func `registers of a real libmodbus server arrive as they are`() async throws {
        let server = try LibmodbusServer()
        defer { server.stop() }
        let bus = ModbusBus(.tcp(host: "127.0.0.1", port: server.port))
        let answer = await bus.run(
            MeterPlan(
                unit: 1,
                requests: [
                    ReadRequest(function: 3, address: 10, count: 5), ReadRequest(function: 4, address: 3, count: 2),
                    ReadRequest(function: 3, address: 75, count: 125),
                ]))
        #expect(answer.faults.isEmpty)
        #expect(answer.image.words(function: 3, address: 10, count: 5).map(Array.init) == [10, 11, 12, 13, 14])
        #expect(answer.image.words(function: 4, address: 3, count: 2).map(Array.init) == [1003, 1004])
        #expect(answer.image.words(function: 3, address: 199, count: 1).map(Array.init) == [199])
        let refused = await bus.run(MeterPlan(unit: 1, requests: [ReadRequest(function: 3, address: 199, count: 2)]))
        #expect(refused.faults.first?.fault == .exception(2))
        await bus.close()
    }

    @Test(arguments: ["serial", "tcp", "rtu-over-tcp"])
    func `a meter reads the same over a pseudo-terminal, TCP and RTU through TCP`(kind: String) async throws {
        let line = try SimulatedLine(kind == "serial" ? .serial(baud: 0) : kind == "tcp" ? .tcp(port: 0) : .rtuOverTCP(port: 0), meters: [try meter(17)])
        defer { line.stop() }
        let address: BusAddress =
            switch kind {
            case "serial": .rtu(device: line.devicePath, baud: 9600, parity: .none, stopBits: 1)
            case "tcp": .tcp(host: "127.0.0.1", port: line.port)
            default: .rtuOverTCP(host: "127.0.0.1", port: line.port)
            }
        let bus = ModbusBus(address)
        let reading = try total(await bus.run(try plan(17)))
        #expect(reading.quality == .good)
        #expect(abs((reading.value ?? 0) - 12_345) < 1)
        #expect(!reading.raw.isEmpty)
        await bus.close()
    }

    @Test(arguments: [DeviceFault.timeout, .crc, .exception, .garbage, .wrongUnit, .late])
    func `a bad answer is a quality, never a value, and the next meter is unharmed`(fault: DeviceFault) async throws {
        for serial in [true, false] {
            let broken = try meter(17)
            broken.fault = fault
            let line = try SimulatedLine(serial ? .serial(baud: 0) : .tcp(port: 0), meters: [broken, try meter(18, litres: 777)])
            defer { line.stop() }
            let address: BusAddress = serial ? .rtu(device: line.devicePath, baud: 9600, parity: .none, stopBits: 1) : .tcp(host: "127.0.0.1", port: line.port)
            let bus = ModbusBus(address, responseTimeout: .milliseconds(200))
            let answer = await bus.run(try plan(17))
            let reading = try total(answer)
            #expect(reading.value == nil && reading.quality == .missing, "\(fault) \(serial)")
            #expect(!answer.faults.isEmpty)
            // A late answer to the first must not be taken for the second's.
            let next = try total(await bus.run(try plan(18, retries: 3)))
            if fault != .late { #expect(abs((next.value ?? 0) - 777) < 1, "\(fault) \(serial)") }
            if let value = next.value { #expect(abs(value - 777) < 1, "\(fault) \(serial)") }
            await bus.close()
        }
    }

    @Test func `an answer in two pieces is one answer`() async throws {
        let device = try meter(17)
        device.fault = .split
        let line = try SimulatedLine(.serial(baud: 0), meters: [device])
        defer { line.stop() }
        let bus = ModbusBus(.rtu(device: line.devicePath, baud: 9600, parity: .none, stopBits: 1))
        #expect(try total(await bus.run(try plan(17))).quality == .good)
        await bus.close()
    }

    @Test func `a line that is not there is a fault that says so, and comes back by itself`() async throws {
        let port = try LoopbackPort.free()
        let bus = ModbusBus(.tcp(host: "127.0.0.1", port: port), responseTimeout: .milliseconds(200))
        let gone = await bus.run(try plan(17))
        guard case .notConnected = gone.faults.first?.fault else {
            Issue.record("\(gone)")
            return
        }
        let line = try SimulatedLine(.tcp(port: port), meters: [try meter(17)])
        defer { line.stop() }
        #expect(try total(await bus.run(try plan(17))).quality == .good)
        await bus.close()
    }

    @Test(arguments: ["tcp://h:99999", "tcp://", "rtu://ttyUSB0", "rtu:///dev/x?baud=fast", "http://h:1", "rtu:///dev/x?parity=maybe"])
    func `what is no bus URL is refused`(url: String) { #expect(BusAddress(url: url) == nil) }
}
