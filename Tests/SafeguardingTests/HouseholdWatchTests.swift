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

    @Test func `a saved and restored watch decides as if it had never stopped`() throws {
        var home = SimulatedHome(seed: 7, from: WallTime(unixSeconds: 1_700_000_000), civil: CivilClock(zone: .gmt))
        var whole = HouseholdWatch(household: "h", policy: SafeguardingPolicy(), limits: .init(resolution: .litres(1)), clock: CivilClock(zone: .gmt))
        var broken = whole
        for step in 0..<(96 * 40) {
            let at = Instant(recorded: WallTime(unixSeconds: 1_700_000_000 + Int64(step) * 900))
            let register = Volume.litres(home.register(at: at.wall).millilitres / 1000)
            #expect(whole.handle(.register(register), at: at) == broken.handle(.register(register), at: at))
            if step % 331 == 0 {
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
