import DeviceProfiles
import Fieldbus
import Foundation
import ScriptedPeers
import Synchronization
import Telemetry
import TestSupport
import Testing

/// What lines really do, each tried against a peer whose bytes and delays are dictated, over the transports where it occurs.
@Suite(.serialized) struct LineTests {
    static let kinds = ScriptedLine.Kind.allCases
    static let unnumbered: [ScriptedLine.Kind] = [.rtuOverTCP, .serial]
    static let sockets: [ScriptedLine.Kind] = [.tcp, .rtuOverTCP]

    let two = ReadRequest(function: 3, address: 0, count: 2)
    let other = ReadRequest(function: 3, address: 8, count: 2)

    func address(_ line: ScriptedLine, _ kind: ScriptedLine.Kind) -> BusAddress {
        switch kind {
        case .tcp: .tcp(host: "127.0.0.1", port: line.port)
        case .rtuOverTCP: .rtuOverTCP(host: "127.0.0.1", port: line.port)
        case .serial: .rtu(device: line.path, baud: 9600, parity: .none, stopBits: 1)
        }
    }

    func bus(_ line: ScriptedLine, _ kind: ScriptedLine.Kind, timeout: Int64 = 500) -> ModbusBus {
        ModbusBus(address(line, kind), responseTimeout: .milliseconds(timeout))
    }

    func plan(_ requests: [ReadRequest], retries: Int = 0) -> MeterPlan {
        MeterPlan(unit: 17, requests: requests, timing: DeviceTiming(retries: retries))
    }

    func words(_ answer: PlanAnswer) -> [[UInt16]] { answer.image.blocks.map { Array($0.words) } }

    @Test(arguments: sockets, [0, 2]) func `a session that goes mute though open is given up`(kind: ScriptedLine.Kind, retries: Int) async throws {
        let line = try ScriptedLine(kind) { $0.numberOnConnection > 3 ? [] : [.data([0, 7])] }
        defer { line.stop() }
        let bus = bus(line, kind, timeout: 200)
        var answered = 0
        for _ in 0..<8 { answered += await bus.run(plan([two], retries: retries)).answered ? 1 : 0 }
        #expect(line.connections >= 2)
        #expect(answered >= (retries == 0 ? 5 : 8))
        await bus.close()
    }

    @Test(arguments: kinds, [0, 2]) func `replies that are always late are read, and never one poll behind`(kind: ScriptedLine.Kind, retries: Int) async throws
    {
        let asked = Mutex(UInt16(0))
        let line = try ScriptedLine(kind) { request in
            let number = asked.withLock { count in
                count += 1
                return count
            }
            return [.pause(350), .data([UInt16(request.address), number])]
        }
        defer { line.stop() }
        let bus = bus(line, kind, timeout: 250)
        var reads = 0
        for poll in 0..<5 {
            let before = asked.withLock { $0 }
            let answer = await bus.run(plan([two, other], retries: retries))
            for block in answer.image.blocks {
                #expect(block.words.first == block.address, "the other block's value")
                #expect(block.words.last ?? 0 > before, "the answer to an earlier poll")
            }
            if poll >= 3 { reads += answer.image.blocks.count }
            // The next poll comes when the last late reply is in.
            try await eventually { line.finished == line.requests }
        }
        #expect(reads == 4)
        await bus.close()
    }

    @Test(arguments: kinds) func `noise before and behind each reply loses none and is noted`(kind: ScriptedLine.Kind) async throws {
        let line = try ScriptedLine(kind) { _ in [.bytes([0]), .data([1, 2]), .bytes([0xFF, 0x00])] }
        defer { line.stop() }
        let bus = bus(line, kind)
        for _ in 0..<3 {
            let answer = await bus.run(plan([two]))
            #expect(words(answer) == [[1, 2]] && answer.faults.isEmpty)
            #expect(answer.notes.noiseBytes > 0 && answer.notes.text != nil)
        }
        await bus.close()
    }

    @Test(arguments: unnumbered) func `the echo of a request is dropped and noted`(kind: ScriptedLine.Kind) async throws {
        let line = try ScriptedLine(kind) { [.echo, .pause(20), .data((0..<$0.count).map { UInt16($0) })] }
        defer { line.stop() }
        let bus = bus(line, kind)
        for count in [1, 2, 3, 125] {
            let answer = await bus.run(plan([ReadRequest(function: 3, address: 0x0400, count: count)]))
            #expect(words(answer) == [(0..<count).map { UInt16($0) }])
            #expect(answer.notes.echoes == 1)
        }
        await bus.close()
    }

    @Test(arguments: kinds, [UInt8(5), 6]) func `a busy meter is asked again after a short wait, even without retries`(kind: ScriptedLine.Kind, code: UInt8)
        async throws
    {
        let line = try ScriptedLine(kind) { $0.number % 2 == 1 ? [.exception(code)] : [.data([3, 4])] }
        defer { line.stop() }
        let bus = bus(line, kind)
        for _ in 0..<3 {
            let answer = await bus.run(plan([two]))
            #expect(words(answer) == [[3, 4]] && answer.faults.isEmpty)
        }
        await bus.close()
    }

    @Test(arguments: kinds) func `data that follow busy by themselves are the answer`(kind: ScriptedLine.Kind) async throws {
        let line = try ScriptedLine(kind) { _ in [.exception(5), .pause(120), .data([3, 4])] }
        defer { line.stop() }
        let bus = bus(line, kind)
        for _ in 0..<3 { #expect(words(await bus.run(plan([two]))) == [[3, 4]]) }
        #expect(line.requests == 3)
        await bus.close()
    }

    @Test(arguments: kinds) func `a device that answers as unit 1 is refused by that name`(kind: ScriptedLine.Kind) async throws {
        let line = try ScriptedLine(kind) { _ in [.data([3, 4], unit: 1)] }
        defer { line.stop() }
        let bus = bus(line, kind, timeout: 200)
        let answer = await bus.run(plan([two, other], retries: 1))
        #expect(answer.image.blocks.isEmpty)
        #expect(answer.faults.map(\.fault) == [.wrongUnit(1), .wrongUnit(1)])
        #expect(answer.faults.first?.fault.description == "answers as unit 1")
        await bus.close()
    }

    @Test func `a re-plugged adapter is noticed at once, under the same name`() async throws {
        let line = try ScriptedLine(.serial) { _ in [.data([5, 6])] }
        defer { line.stop() }
        let bus = bus(line, .serial)
        #expect(words(await bus.run(plan([two]))) == [[5, 6]])
        line.unplug()
        let gone = await bus.run(plan([two], retries: 1))
        guard case .notConnected? = gone.faults.first?.fault else {
            Issue.record("\(gone.faults)")
            return
        }
        try line.plug()
        #expect(words(await bus.run(plan([two]))) == [[5, 6]])
        // Gone and back between two polls: none is lost.
        line.unplug()
        try line.plug()
        #expect(words(await bus.run(plan([two]))) == [[5, 6]])
        await bus.close()
    }

    @Test(arguments: sockets) func `a connection the device closes while idle costs no poll, even without retries`(kind: ScriptedLine.Kind) async throws {
        let line = try ScriptedLine(kind) { _ in [.data([5, 6]), .hangUp] }
        defer { line.stop() }
        let bus = bus(line, kind)
        for _ in 0..<4 { #expect(words(await bus.run(plan([two]))) == [[5, 6]]) }
        #expect(line.connections == 4)
        await bus.close()
    }

    @Test(arguments: sockets) func `a connection that ends under a request is made anew once, even without retries`(kind: ScriptedLine.Kind) async throws {
        let line = try ScriptedLine(kind) { $0.numberOnConnection == 1 ? [.data([5, 6])] : [.hangUp] }
        defer { line.stop() }
        let bus = bus(line, kind)
        for _ in 0..<3 { #expect(words(await bus.run(plan([two]))) == [[5, 6]]) }
        await bus.close()
    }

    @Test(arguments: kinds) func `a meter asleep is woken, and the request that wakes it is none of its tries`(kind: ScriptedLine.Kind) async throws {
        let line = try ScriptedLine(kind) { $0.number == 1 ? [] : [.data([5, 6])] }
        defer { line.stop() }
        let bus = bus(line, kind, timeout: 200)
        let timing = DeviceTiming(turnaround: .milliseconds(100), retries: 0, sleepsAfter: .seconds(10))
        #expect(words(await bus.run(MeterPlan(unit: 17, requests: [two], timing: timing))) == [[5, 6]])
        // Awake: asked once.
        #expect(words(await bus.run(MeterPlan(unit: 17, requests: [two], timing: timing))) == [[5, 6]])
        #expect(line.requests == 3)
        await bus.close()
    }

    @Test(arguments: kinds) func `the first answer after a sleep is thrown away where the profile says so`(kind: ScriptedLine.Kind) async throws {
        let line = try ScriptedLine(kind) { [.data([UInt16($0.number), 0])] }
        defer { line.stop() }
        let bus = bus(line, kind)
        let timing = DeviceTiming(retries: 0, discardFirst: true, sleepsAfter: .seconds(10))
        #expect(words(await bus.run(MeterPlan(unit: 17, requests: [two, other], timing: timing))) == [[2, 0], [3, 0]])
        #expect(words(await bus.run(MeterPlan(unit: 17, requests: [two], timing: timing))) == [[4, 0]])
        await bus.close()
    }

    @Test(arguments: unnumbered) func `a reply that comes twice is no other block's value`(kind: ScriptedLine.Kind) async throws {
        let line = try ScriptedLine(kind) { request in
            let data = ScriptedLine.Step.data([UInt16(request.address), UInt16(request.number)])
            return [data, .pause(60), data]
        }
        defer { line.stop() }
        let bus = bus(line, kind)
        for _ in 0..<3 {
            for block in await bus.run(plan([two, other], retries: 2)).image.blocks { #expect(block.words.first == block.address) }
        }
        await bus.close()
    }

    @Test func `equal blocks of a clean line cost their second look once`() async throws {
        let line = try ScriptedLine(.rtuOverTCP) { _ in [.data([0, 0])] }
        defer { line.stop() }
        let bus = bus(line, .rtuOverTCP, timeout: 200)
        let first = await bus.run(plan([two, other]))
        #expect(words(first) == [[0, 0], [0, 0]] && line.requests == 3)
        #expect(words(await bus.run(plan([two, other]))) == [[0, 0], [0, 0]])
        #expect(line.requests == 5)
        await bus.close()
    }

    @Test(arguments: [false, true]) func `a bus that waits is abandoned at once`(connecting: Bool) async throws {
        let mute = try ScriptedLine(.tcp) { _ in [] }
        defer { mute.stop() }
        let nobody = try SwallowingPort()
        let bus = ModbusBus(.tcp(host: "127.0.0.1", port: connecting ? nobody.port : mute.port), responseTimeout: .seconds(600))
        async let answer = bus.run(plan([two]))
        if !connecting { try await eventually { mute.requests == 1 } }
        bus.abandon()
        let faults = await answer.faults
        guard case .notConnected? = faults.first?.fault else {
            Issue.record("\(faults)")
            return
        }
        await bus.close()
    }
}
