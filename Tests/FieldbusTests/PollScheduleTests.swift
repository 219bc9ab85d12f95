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

    @Test func `probing goes on however often the schedule is asked`() {
        // A fast bus: the living meter answers in 3 ms and is due at once, so the schedule is asked every few milliseconds.
        var now = Interval.zero
        var schedule = PollSchedule([.init(meter: "live", poll: .milliseconds(3)), .init(meter: "dead", poll: .milliseconds(3))], at: now)
        var probes: [Interval] = []
        while now < .minutes(10) {
            switch schedule.next(at: now) {
            case .ask("dead", _):
                now = now + .milliseconds(500)
                probes.append(now)
                schedule.finish("dead", answered: false, took: .milliseconds(500), at: now)
            case .ask(let meter, _):
                now = now + .milliseconds(3)
                schedule.finish(meter, answered: true, took: .milliseconds(3), at: now)
            case .wait(let until): now = until
            case .idle: return
            }
        }
        #expect((110...130).contains(probes.count), "a tenth of ten minutes is 120 probes of half a second, not \(probes.count)")
        #expect(probes.last.map { $0 > .minutes(9) } == true)
    }

    @Test func `six meters a gateway reports dead after a second leave six living ones nine tenths of the bus`() {
        let entries = (0..<12).map { PollSchedule.Entry(meter: MeterID("m\($0)"), poll: .seconds(3)) }
        var now = Interval.zero
        var schedule = PollSchedule(entries, at: now)
        var asked: [MeterID: Int] = [:]
        while now < .minutes(30) {
            switch schedule.next(at: now) {
            case .ask(let meter, _):
                let isDead = (Int(meter.rawValue.dropFirst()) ?? 0) < 6
                asked[meter, default: 0] += 1
                let fault = ReadFault.exception(11)
                now = now + (isDead ? .seconds(1) : .milliseconds(100))
                schedule.finish(meter, answered: isDead ? fault.isAnswer : true, took: isDead ? .seconds(1) : .milliseconds(100), at: now)
            case .wait(let until): now = until
            case .idle: return
            }
        }
        for index in 6..<12 { #expect((asked[MeterID("m\(index)")] ?? 0) >= 570, "\(asked)") }
        for index in 0..<6 { #expect((20...40).contains(asked[MeterID("m\(index)")] ?? 0), "\(asked)") }
    }

    @Test func `a gateway's word that a device is silent is no answer, any other exception is one`() {
        for code in 1...11 { #expect(ReadFault.exception(code).isAnswer == (code < 10)) }
        #expect(ReadFault.exception(10).remedy != ReadFault.exception(2).remedy && ReadFault.exception(11).remedy != ReadFault.timeout.remedy)
    }

    @Test func `a bus without meters is idle`() {
        var schedule = PollSchedule([], at: .zero)
        #expect(schedule.next(at: .zero) == .idle)
    }
}
