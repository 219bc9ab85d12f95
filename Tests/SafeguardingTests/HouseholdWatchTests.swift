import Foundation
import Safeguarding
import Simulation
import Telemetry
import Testing

/// Drives one home's watch with a made-up register on a driven clock.
struct WatchBench {
    var watch: HouseholdWatch
    var now = Instant(recorded: WallTime(unixSeconds: 1_700_006_400))
    var register = Volume.litres(1000)
    var raised: [Finding] = []

    init(policy: SafeguardingPolicy = SafeguardingPolicy(), resolution: Volume = .litres(1)) {
        watch = HouseholdWatch(household: "h", policy: policy, limits: .init(resolution: resolution), clock: CivilClock(zone: .gmt))
        poll()
    }

    @discardableResult
    mutating func poll(after interval: Interval = .minutes(15), use: Volume = .zero) -> [HouseholdWatch.Effect] {
        now = now.advanced(by: interval)
        register += use
        return note(watch.handle(.register(register), at: now))
    }

    @discardableResult
    mutating func tick(after interval: Interval) -> [HouseholdWatch.Effect] {
        now = now.advanced(by: interval)
        return note(watch.handle(.tick, at: now))
    }

    mutating func note(_ effects: [HouseholdWatch.Effect]) -> [HouseholdWatch.Effect] {
        for effect in effects { if case .raise(let finding) = effect { raised.append(finding) } }
        return effects
    }

    mutating func silence(_ length: Interval) {
        var left = length
        while left > .zero {
            poll()
            left = left - .minutes(15)
        }
    }

    func alarms(_ rule: Rule) -> [Finding] { raised.filter { $0.rule == rule.rawValue } }
}

@Suite struct HouseholdWatchTests {
    @Test(arguments: [true, false]) func `a home whose meter was set back shows life at the next draw`(afterGap: Bool) {
        var bench = WatchBench()
        for _ in 0..<4 { bench.poll(use: .litres(2)) }
        if afterGap { bench.now = bench.now.advanced(by: .minutes(60)) }
        bench.register = bench.register - .litres(40)
        for _ in 0..<3 { bench.poll() }
        let effects = bench.poll(use: .litres(6))
        #expect(effects.contains { if case .lifeSign(.litres(6)) = $0 { true } else { false } }, "\(effects)")
    }

    @Test func `water that swings back to where it was is no life`() {
        var bench = WatchBench()
        for _ in 0..<4 { bench.poll(use: .litres(2)) }
        var effects: [HouseholdWatch.Effect] = []
        for _ in 0..<6 {
            bench.register = bench.register - .litres(40)
            for _ in 0..<3 { effects += bench.poll() }
            bench.register += .litres(40)
            for _ in 0..<3 { effects += bench.poll() }
        }
        #expect(!effects.contains { if case .lifeSign = $0 { true } else { false } }, "\(effects)")
    }

    @Test func `less than ten litres in twelve hours alarms once, not before the twelve hours were seen`() throws {
        var bench = WatchBench()
        bench.silence(.minutes(11 * 60 + 30))
        #expect(bench.raised.isEmpty)
        bench.silence(.minutes(45))
        let found = try #require(bench.alarms(.volume).first)
        #expect(found.kind == .inactivity && found.severity == .alarm && found.numbers["below_litres"] == 10)
        #expect(!found.text.english.contains("{") && !found.text.chinese.contains("{"))
        bench.silence(.hours(5))
        #expect(bench.alarms(.volume).count == 1)
        #expect(bench.watch.state(at: bench.now) == .alarm)
    }

    @Test func `ten litres within the window keep the volume rule still`() {
        var bench = WatchBench()
        for _ in 0..<6 {
            bench.silence(.hours(4))
            bench.poll(use: .litres(5))
        }
        #expect(bench.alarms(.volume).isEmpty)
    }

    @Test func `the ceiling of silence is armed on the first day, also when no water ever ran`() throws {
        var policy = SafeguardingPolicy()
        policy.volumeRule = nil
        var bench = WatchBench(policy: policy)
        bench.silence(.minutes(23 * 60 + 45))
        #expect(bench.raised.isEmpty)
        bench.silence(.minutes(30))
        let found = try #require(bench.alarms(.longestSilence).first)
        #expect(found.severity == .alarm && found.numbers["limit_hours"] == 24)
    }

    @Test func `use after an alarm clears it and is a sign of life`() {
        var bench = WatchBench()
        bench.silence(.hours(13))
        let effects = bench.poll(use: .litres(12))
        #expect(effects.contains(.clear(.inactivity, rule: .volume)))
        #expect(effects.contains(.lifeSign(.litres(12))))
        #expect(bench.watch.state(at: bench.now) == .learning)
    }

    @Test func `a meter that falls silent turns the home blind and never raises the volume rule`() {
        var bench = WatchBench()
        bench.poll(use: .litres(20))
        for _ in 0..<80 { bench.tick(after: .minutes(15)) }
        #expect(bench.alarms(.noData).count == 1)
        #expect(bench.alarms(.volume).isEmpty)
        #expect(bench.watch.state(at: bench.now) == .blind)
        bench.poll()
        #expect(bench.watch.standing[.noData] == nil)
    }

    @Test func `a start after a long stop calls no home blind before its meter was asked`() {
        var bench = WatchBench()
        bench.poll(use: .litres(5))
        bench.now = bench.now.advanced(by: .hours(3))
        bench.watch.resume(at: bench.now)
        bench.tick(after: .seconds(1))
        #expect(bench.alarms(.noData).isEmpty && bench.watch.state(at: bench.now) == .blind, "nobody sees it, and nobody is told yet")
        bench.tick(after: .minutes(46))
        #expect(bench.alarms(.noData).count == 1)
    }

    @Test func `water that ran while nothing was read may be as old as the reading before, which is said and counts towards the ceiling`() throws {
        var bench = WatchBench()
        bench.poll(use: .litres(5))
        bench.tick(after: .hours(1))
        bench.poll(after: .hours(11), use: .litres(3))
        bench.silence(.hours(13))
        let found = try #require(bench.raised.last { $0.kind == .inactivity && $0.severity == .alarm })
        #expect(bench.watch.standing[.longestSilence] != nil, "24 h after the last reading before the gap")
        #expect(found.text.english.contains("while nothing was read") || found.numbers["silence_at_most_hours"] != nil, "\(found.text.english)")
        let ceiling = try #require(bench.alarms(.longestSilence).first)
        #expect(ceiling.numbers["silence_at_most_hours"].map { $0 >= 24 } == true && ceiling.numbers["silence_hours"].map { $0 < 13 } == true)
        #expect(ceiling.text.english.contains("while nothing was read") && ceiling.text.chinese.contains("没有读数的那段时间"))
    }

    @Test func `an absence of some hours is asked about before it ends, too`() {
        var bench = WatchBench()
        bench.poll(use: .litres(5))
        let until = bench.now.wall + .hours(8)
        _ = bench.watch.handle(.presence(PresenceEntry(kind: .away, until: until, by: "d")), at: bench.now)
        var asked: [WallTime] = []
        for _ in 0..<40 where bench.now.wall < until {
            if bench.poll().contains(where: { if case .presenceEnding = $0 { true } else { false } }) { asked.append(bench.now.wall) }
        }
        #expect(asked == [until - .hours(2)])
    }

    @Test func `silence before blindness counts towards the ceiling`() throws {
        var bench = WatchBench()
        bench.poll(use: .litres(20))
        bench.silence(.hours(10))
        for _ in 0..<60 { bench.tick(after: .minutes(15)) }
        let found = try #require(bench.alarms(.longestSilence).first)
        #expect(found.text.english.contains("no readings"))
    }

    @Test func `a declared absence is silent, use within it is its own finding, and its end re-arms`() {
        var bench = WatchBench()
        bench.poll(use: .litres(20))
        let until = bench.now.wall + .days(2)
        _ = bench.watch.handle(.presence(PresenceEntry(kind: .away, until: until, by: "daughter")), at: bench.now)
        bench.silence(.hours(30))
        #expect(bench.raised.isEmpty)
        #expect(bench.watch.state(at: bench.now) == .away)
        bench.poll(use: .litres(6))
        #expect(bench.alarms(.useWhileAway).count == 1)
        bench.silence(.hours(20))
        #expect(bench.watch.presence == nil)
        bench.silence(.hours(26))
        #expect(bench.raised.contains { $0.kind == .inactivity })
    }

    @Test func `water that runs two hours without a pause is told, and the home is degraded meanwhile`() {
        var bench = WatchBench()
        for _ in 0..<9 { bench.poll(use: .litres(4)) }
        #expect(bench.alarms(.continuousFlow).count == 1)
        #expect(bench.watch.state(at: bench.now) == .degraded)
        bench.poll()
        #expect(bench.watch.standing[.continuousFlow] == nil)
    }

    @Test(arguments: [0.8, 2.0, 12.0])
    func `a leak never leaves a collapsed home safe`(litresPerHour: Double) {
        var bench = WatchBench()
        var leaked = 0.0
        var worst = Set<HomeState>()
        for step in 0..<(4 * 72) {
            leaked += litresPerHour / 4
            let whole = Volume.litres(Int64(leaked))
            leaked -= whole.litres
            bench.poll(use: whole)
            if step > 4 * 30 { worst.insert(bench.watch.state(at: bench.now)) }
        }
        #expect(!worst.contains(.safe) && !worst.contains(.learning), "\(worst)")
    }

    @Test func `a wall clock that steps neither raises nor hides an alarm`() {
        var bench = WatchBench()
        bench.poll(use: .litres(20))
        bench.now.wall = bench.now.wall + .hours(8)
        bench.silence(.hours(2))
        #expect(bench.raised.isEmpty)
        bench.now.wall = bench.now.wall - .hours(16)
        bench.silence(.hours(11))
        #expect(bench.alarms(.volume).count == 1)
    }

    @Test func `silence after a return or a visit is counted from there and says so, and the last use stays the last use`() throws {
        var bench = WatchBench()
        bench.poll(use: .litres(20))
        let use = try #require(bench.watch.lastUse)
        _ = bench.watch.handle(.presence(PresenceEntry(kind: .away, until: bench.now.wall + .days(2), by: "son")), at: bench.now)
        bench.silence(.days(3) + .hours(1))
        let found = try #require(bench.alarms(.longestSilence).first)
        #expect(found.text.english.contains("when the absence ended") && found.text.chinese.contains("登记的外出结束"))
        #expect(found.numbers["silence_hours"].map { (24...24.3).contains($0) } == true)
        #expect(bench.watch.lastUse == use)
        _ = bench.note(bench.watch.handle(.seen, at: bench.now))
        #expect(bench.watch.standing[.longestSilence] == nil)
        bench.silence(.hours(25))
        let again = try #require(bench.alarms(.longestSilence).last)
        #expect(again.text.english.contains("when somebody was there") && bench.watch.lastUse == use)
        bench.poll(use: .litres(5))
        #expect(bench.watch.lastUse == bench.now)
    }

    @Test func `the first water of the day is told once a day, and not again by an answer that comes late`() {
        var bench = WatchBench()
        var first = 0
        for quarter in 0..<(4 * 96) {
            let effects = bench.poll(use: quarter % 9 == 0 ? .litres(4) : .zero)
            first += effects.count { $0 == .firstUseToday }
            let yesterday = Instant(elapsed: bench.now.elapsed - .hours(20), wall: bench.now.wall - .hours(20))
            #expect(bench.watch.handle(.register(bench.register - .litres(9)), at: yesterday).allSatisfy { $0 != .firstUseToday })
        }
        #expect((4...5).contains(first), "\(first) in four days and a bit")
    }

    @Test(arguments: 1...6) func `a saved and restored watch decides as if it had never stopped, whatever happens to the home`(seed: UInt64) throws {
        var home = SimulatedHome(seed: seed, from: WallTime(unixSeconds: 1_700_000_000), civil: CivilClock(zone: .gmt))
        let resolution = Volume.litres(seed % 2 == 0 ? 10 : 1)
        var whole = HouseholdWatch(household: "h", policy: SafeguardingPolicy(), limits: .init(resolution: resolution), clock: CivilClock(zone: .gmt))
        var broken = whole
        var random = SeededRandom(seed: seed)
        var offset = Int64(0)
        var leak = 0.0
        for step in 0..<(96 * 40) {
            let at = Instant(recorded: WallTime(unixSeconds: 1_700_000_000 + Int64(step) * 900))
            let trouble = Int(random.unit() * 400)
            if trouble == 0 { leak = leak > 0 ? 0 : random.unit() * 5000 }
            if trouble == 1 { offset -= Int64(random.unit() * 60_000) }
            offset += Int64(leak / 4)
            let millilitres = max(0, home.register(at: at.wall).millilitres + offset)
            let shown = Volume(millilitres: millilitres / resolution.millilitres * resolution.millilitres)
            var event = HouseholdWatch.Event.register(trouble == 2 ? shown + .litres(90_000) : shown)
            if trouble == 3 { event = .presence(PresenceEntry(kind: .away, until: at.wall + .hours(30), by: "x")) }
            if trouble == 4 { event = .seen }
            // Outages of an hour or two.
            if step % 97 > 90, seed > 2 { event = .tick }
            #expect(whole.handle(event, at: at) == broken.handle(event, at: at))
            if step % 331 == 0 || (5...6).contains(trouble) {
                let saved = try JSONEncoder().encode(broken)
                #expect(saved.count < 16 << 10)
                broken = try JSONDecoder().decode(HouseholdWatch.self, from: saved)
            }
        }
        #expect(whole.isLearnt && broken.isLearnt)
    }

    @Test func `a learnt home that falls silent in the morning alarms well before the ceiling`() throws {
        let start = WallTime(unixSeconds: 1_700_006_400)
        var home = SimulatedHome(seed: 3, from: start, civil: CivilClock(zone: .gmt))
        let fall = start + .days(45) + .hours(9)
        home.story.collapsesAt = fall
        var watch = HouseholdWatch(household: "h", policy: SafeguardingPolicy(), limits: .init(resolution: .litres(1)), clock: CivilClock(zone: .gmt))
        var alarm: WallTime?
        var time = start
        while alarm == nil, time < fall + .days(2) {
            let register = Volume.litres(home.register(at: time).millilitres / 1000)
            for effect in watch.handle(.register(register), at: Instant(recorded: time)) {
                if case .raise(let finding) = effect, finding.kind == .inactivity, finding.severity == .alarm, time >= fall { alarm = time }
            }
            time = time + .minutes(15)
        }
        let raised = try #require(alarm)
        #expect(raised - fall < .hours(20))
    }

    @Test func `a volume rule that is added to a home begins to judge when its window has been seen once`() {
        var policy = SafeguardingPolicy()
        policy.volumeRule = nil
        var bench = WatchBench(policy: policy)
        bench.poll(use: .litres(20))
        bench.silence(.hours(4))
        bench.watch.policy = SafeguardingPolicy(volumeRule: VolumeRule(within: .hours(6)))
        bench.silence(.hours(5))
        #expect(bench.alarms(.volume).isEmpty)
        bench.silence(.hours(2))
        #expect(bench.alarms(.volume).count == 1)
    }

    @Test func `a meter too coarse to show a person's pauses never says safe and never alarms for silence`() {
        var bench = WatchBench(resolution: .litres(100))
        bench.silence(.hours(60))
        #expect(bench.raised.isEmpty)
        #expect(bench.watch.state(at: bench.now) == .degraded)
        #expect(bench.watch.coverage.words.isEmpty)
    }
}
