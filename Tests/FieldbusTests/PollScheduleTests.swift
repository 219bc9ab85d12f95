import Fieldbus
import Telemetry
import Testing

@Suite struct PollScheduleTests {
    /// Runs a bus on a driven clock: a live meter takes 50 ms, a dead one 500 ms a try.
    func run(_ entries: [PollSchedule.Entry], dead: Set<MeterID>, for length: Interval) -> (asked: [MeterID: Int], deadTime: Interval) {
        var now = Interval.zero
        var schedule = PollSchedule(entries, at: now)
        var asked: [MeterID: Int] = [:]
        var deadTime = Interval.zero
        while now < length {
            switch schedule.next(at: now) {
            case .ask(let meter, let probing):
                asked[meter, default: 0] += 1
                let took: Interval = dead.contains(meter) ? .milliseconds(probing ? 500 : 1500) : .milliseconds(50)
                now = now + took
                if dead.contains(meter) { deadTime = deadTime + took }
                schedule.finish(meter, answered: !dead.contains(meter), took: took, at: now)
            case .wait(let until): now = until
            case .idle: return (asked, deadTime)
            }
        }
        return (asked, deadTime)
    }

    @Test func `every meter is asked at its own beat`() {
        let entries = [PollSchedule.Entry(meter: "a", poll: .seconds(10)), .init(meter: "b", poll: .minutes(1))]
        let (asked, _) = run(entries, dead: [], for: .minutes(10))
        #expect((59...61).contains(asked["a"] ?? 0))
        #expect((9...11).contains(asked["b"] ?? 0))
    }

    @Test func `dead meters cost their bus at most a bounded share, and the living keep their beat`() {
        let entries = (0..<20).map { PollSchedule.Entry(meter: MeterID("m\($0)"), poll: .seconds(5)) }
        let dead = Set((0..<10).map { MeterID("m\($0)") })
        let (asked, deadTime) = run(entries, dead: dead, for: .minutes(30))
        // A tenth of the time, and what it took to find out that they are dead.
        #expect(deadTime <= .minutes(3) + .seconds(50), "\(deadTime)")
        for index in 10..<20 { #expect((asked[MeterID("m\(index)")] ?? 0) >= 340, "\(asked)") }
        for meter in dead { #expect((asked[meter] ?? 0) >= 10) }
    }

    @Test func `a bus without meters is idle`() {
        var schedule = PollSchedule([], at: .zero)
        #expect(schedule.next(at: .zero) == .idle)
    }
}
