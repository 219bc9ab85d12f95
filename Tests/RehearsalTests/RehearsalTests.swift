import Rehearsal
import Telemetry
import Testing

/// A hundred small villages with dense troubles; `make soak` rehearses longer ones.
@Suite struct RehearsalTests {
    @Test(arguments: 0..<10 as Range<UInt64>)
    func `in a village full of troubles every promise is kept`(tenth: UInt64) throws {
        for seed in (tenth * 10)..<(tenth * 10 + 10) {
            let report = try Rehearsal.run(.init(seed: seed, days: 3, homes: 6, lifts: 1))
            #expect(report.breach == nil, "wellward rehearse --seed \(seed) --days 3 --homes 6 --lifts 1: \(report.breach?.description ?? "")")
            #expect(report.checks > 500 && report.tally.polls > 500)
        }
    }

    @Test(arguments: Sabotage.allCases) func `a gateway with a fault put in on purpose is found out, by the promise that it breaks`(sabotage: Sabotage) throws {
        var found: Promise?
        for seed in 0..<20 as Range<UInt64> where found == nil {
            var options = Rehearsal.Options(seed: seed, days: 3, homes: 6, lifts: 1)
            options.sabotage = sabotage
            found = try Rehearsal.run(options).breach?.promise
        }
        #expect(found.map(sabotage.breaks.contains) == true, "\(sabotage.rawValue): \(found?.rawValue ?? "nothing was noticed in twenty villages")")
    }

    @Test func `the same seed is the same village, another seed another one`() throws {
        let (first, again, other) = (
            try Rehearsal.run(.init(seed: 5, days: 3, homes: 6, lifts: 1)), try Rehearsal.run(.init(seed: 5, days: 3, homes: 6, lifts: 1)),
            try Rehearsal.run(.init(seed: 6, days: 3, homes: 6, lifts: 1))
        )
        #expect(first.tally == again.tally && first.checks == again.checks)
        #expect(first.tally != other.tally)
    }
}
