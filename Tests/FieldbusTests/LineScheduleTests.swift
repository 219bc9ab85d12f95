import DeviceProfiles
import Foundation
import Telemetry
import Testing

@testable import Fieldbus

/// The generator of a line's troubles. `LINE_SECONDS` runs it for so long, `LINE_SEED` begins elsewhere.
struct LineScheduleTests {
    static let environment = ProcessInfo.processInfo.environment
    static let seconds = environment["LINE_SECONDS"].flatMap { Double($0) }
    static let firstSeed = environment["LINE_SEED"].flatMap { UInt64($0) } ?? 1

    @Test(arguments: 0..<4) func `in 100,000 schedules of delays, losses, repeats, splits and joins no value is another request's`(part: UInt64) throws {
        let began = ContinuousClock.now
        var (accepted, refused, schedules) = (0, 0, UInt64(0))
        while schedules < 25_000 || Self.seconds.map({ ContinuousClock.now - began < .seconds($0) }) == true {
            let seed = Self.firstSeed + schedules * 4 + part
            do {
                let reads = try LineSchedule.run(seed: seed)
                (accepted, refused) = (accepted + reads.accepted, refused + reads.refused)
            } catch {
                Issue.record("seed \(seed): \(error)")
                return
            }
            schedules += 1
        }
        // Silence alone would be right too, and useless.
        #expect(accepted > refused, "\(accepted) reads brought registers, \(refused) did not")
        if Self.seconds != nil { print("\(schedules) schedules, \(accepted) reads with registers, \(refused) without, none of them wrong") }
    }

    @Test(arguments: [1, 3], [LineState.Kind.tcp, .rtuOverTCP, .serial(characterMilliseconds: 1.04)])
    func `a meter that is always 200 ms late is read from its third poll on, and quickly`(tries: Int, kind: LineState.Kind) throws {
        var troubles = LineWorld.Troubles()
        (troubles.kind, troubles.tries, troubles.delay) = (kind, tries, 700...700)
        var world = LineWorld(troubles, seed: 1)
        let blocks = [ReadRequest(function: 3, address: 0, count: 2), ReadRequest(function: 3, address: 8, count: 2)]
        for _ in 0..<2 {
            try world.poll(17, blocks)
            world.now += 5000
        }
        let (before, began) = (world.refused, world.now)
        for _ in 0..<10 {
            try world.poll(17, blocks)
            world.now += 5000
        }
        #expect(world.refused == before)
        #expect(world.now - began < 10 * (5000 + 2 * 800))
    }

    @Test(arguments: [1, 3], [LineState.Kind.tcp, .rtuOverTCP, .serial(characterMilliseconds: 1.04)])
    func `answers three time-outs late teach the line to wait for them`(tries: Int, kind: LineState.Kind) throws {
        var troubles = LineWorld.Troubles()
        (troubles.kind, troubles.tries, troubles.delay) = (kind, tries, 1500...1500)
        var world = LineWorld(troubles, seed: 2)
        for poll in 0..<12 {
            if poll == 6 { #expect(world.accepted >= 1) }
            let before = world.accepted
            try world.poll(17, [ReadRequest(function: 3, address: 0, count: 2)])
            if poll >= 6 { #expect(world.accepted == before + 1, "poll \(poll)") }
            world.now += 10_000
        }
    }

    @Test func `a documented turnaround lengthens the time-out from the first poll on`() throws {
        var troubles = LineWorld.Troubles()
        troubles.delay = 800...800
        var world = LineWorld(troubles, seed: 3)
        try world.poll(17, [ReadRequest(function: 3, address: 0, count: 2)], timing: DeviceTiming(turnaround: .milliseconds(800), retries: 0))
        #expect(world.accepted == 1 && world.state.notes.lateReplies == 0)
    }
}
