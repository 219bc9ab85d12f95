import Foundation
import Safeguarding
import Simulation
import Telemetry
import Testing

/// A simulated home behind a meter of some resolution, with a leak, outages and a fall, polled every quarter of an hour.
struct LeakingHome {
    static let start = WallTime(unixSeconds: 1_700_006_400)
    var home = SimulatedHome(seed: 3, from: start, civil: CivilClock(zone: .gmt))
    var watch: HouseholdWatch
    let resolution: Volume
    var now = Instant(recorded: start)
    var leakFrom: WallTime?
    var litresPerHour = 0.0
    var fallenAt: Instant?
    var lastUse: Instant?
    var told: Interval?
    var states: [(after: Interval, state: HomeState)] = []

    init(resolution: Volume = .litres(1)) {
        self.resolution = resolution
        watch = HouseholdWatch(household: "h", policy: SafeguardingPolicy(), limits: .init(resolution: resolution), clock: CivilClock(zone: .gmt))
    }

    private func shown() -> Volume {
        var home = home
        var millilitres = home.register(at: now.wall).millilitres
        if let leakFrom {
            // The integral of a rate that swings over the day.
            let turn = 2 * Double.pi / 24
            let hours = (leakFrom - Self.start).hours...max((leakFrom - Self.start).hours, (now.wall - Self.start).hours)
            let swung = swing / turn * (cos(turn * hours.lowerBound) - cos(turn * hours.upperBound))
            millilitres += Int64((hours.upperBound - hours.lowerBound + swung) * litresPerHour * 1000)
        }
        return Volume(millilitres: millilitres / resolution.millilitres * resolution.millilitres)
    }

    /// The register shows a count more or less than it should, now and then.
    var trembles = false
    /// By which share the leak's rate swings with the hour.
    var swing = 0.0
    /// How many alarms of silence there were.
    var alarms = 0
    /// Every third answer is missing.
    var loses = false
    private var random = SeededRandom(seed: 11)

    /// Lets time pass.
    /// - Parameter seen: whether the meter answers
    mutating func live(_ length: Interval, seen: Bool = true) {
        let end = now.elapsed + length
        while now.elapsed < end {
            now = now.advanced(by: .minutes(15))
            let isLost = loses && random.next() % 3 == 0
            let trembled = trembles && random.next() % 2 == 0 ? resolution : .zero
            let effects = watch.handle(seen && !isLost ? .register(shown() - trembled) : .tick, at: now)
            for case .raise(let finding) in effects where finding.kind == .inactivity && finding.severity == .alarm { alarms += 1 }
            guard let fallenAt else { continue }
            let since = now.since(fallenAt)
            for case .raise(let finding) in effects where finding.kind == .inactivity && finding.severity == .alarm { told = told ?? since }
            states.append((since, watch.state(at: now)))
        }
    }

    mutating func leak(_ litresPerHour: Double) {
        leakFrom = now.wall
        self.litresPerHour = litresPerHour
    }

    mutating func fall() {
        home.story.collapsesAt = now.wall
        fallenAt = now
        told = nil
    }

    /// How long after the fall the home was last said to be safe.
    var changes: [String] {
        var last: HomeState?
        return states.compactMap { entry in
            defer { last = entry.state }
            return entry.state == last ? nil : "\(entry.after.hours) h \(entry.state.rawValue)"
        }
    }
    var safeUntil: Interval? { states.last { $0.state == .safe || $0.state == .learning }?.after }
    func hasRaised(_ rule: Rule) -> Bool { watch.standing[rule] != nil }
}

@Suite struct LeakTests {
    @Test(arguments: [0.8, 2, 5], [60, 90, 360]) func `a known leak stays known across an outage, and a fall after it is told within the ceiling`(
        litresPerHour: Double, minutes: Int64
    ) throws {
        var home = LeakingHome()
        home.leak(litresPerHour)
        home.live(.days(5) + .hours(9))
        #expect(home.hasRaised(.leakFloor))
        home.live(.minutes(minutes), seen: false)
        home.fall()
        home.live(.hours(30))
        let told = try #require(home.told)
        #expect(told <= .hours(24) + .minutes(15), "told after \(told.hours) h")
        #expect(home.safeUntil == nil, "safe \(home.safeUntil?.hours ?? 0) h after the fall")
    }

    @Test(arguments: [1.5, 3, 6], [-48, 3]) func `a leak behind a register that trembles hides no fall`(litresPerHour: Double, hours: Int64) throws {
        var bench = LeakingHome()
        bench.trembles = true
        bench.live(.days(30))
        if hours < 0 { bench.leak(litresPerHour) }
        bench.live(.days(2) + .hours(9))
        bench.fall()
        bench.live(.hours(max(0, hours)))
        if hours > 0 { bench.leak(litresPerHour) }
        bench.live(.hours(40))
        let told = try #require(bench.told)
        #expect(told <= .hours(24) + .minutes(30), "\(told)")
        #expect(bench.states.last?.state == .alarm, "nothing but the leak ran since")
    }

    @Test(arguments: [3, 12]) func `a leak that begins after a fall is recognised although every third answer is lost`(litresPerHour: Double) throws {
        var bench = LeakingHome()
        bench.loses = true
        bench.live(.days(32) + .hours(9))
        bench.fall()
        bench.live(.hours(3))
        bench.leak(litresPerHour)
        bench.live(.hours(40))
        #expect(try #require(bench.told) <= .hours(24) + .minutes(30))
    }

    @Test func `an hour without readings every day hides no leak`() throws {
        var home = LeakingHome()
        home.leak(2)
        for _ in 0..<6 {
            home.live(.hours(15))
            home.live(.hours(1), seen: false)
            home.live(.hours(8))
        }
        #expect(home.hasRaised(.leakFloor))
        home.fall()
        for _ in 0..<2 {
            home.live(.hours(15))
            home.live(.hours(1), seen: false)
        }
        let told = try #require(home.told)
        #expect(told <= .hours(25) + .minutes(15))
    }

    @Test(arguments: [0.8, 2, 4], [1, 5, 11]) func `a leak that began hours before a fall is recognised, and silence is counted from the last real use`(
        litresPerHour: Double, hours: Int64
    ) throws {
        var home = LeakingHome()
        home.live(.days(12) + .hours(18 - hours))
        home.leak(litresPerHour)
        home.live(.hours(hours))
        home.fall()
        home.live(.hours(30))
        let changes = home.changes
        let told = home.told ?? .days(9)
        #expect(told <= .hours(24) + .minutes(15), "told after \(told.hours) h: \(changes)")
        let safe = home.safeUntil ?? .zero
        #expect(safe <= .hours(11), "safe until \(safe.hours) h after the fall")
    }

    @Test(arguments: [(0.8, 64), (2, 31), (3, 26), (5, 26)], [false, true]) func `a drip that turns a coarse meter now and then is no sign of life`(
        leak: (litresPerHour: Double, toldWithin: Int64), fromTheFirstDay: Bool
    ) throws {
        var home = LeakingHome(resolution: .litres(10))
        if fromTheFirstDay { home.leak(leak.litresPerHour) }
        home.live(.days(9) + .hours(9))
        if !fromTheFirstDay { home.leak(leak.litresPerHour) }
        home.fall()
        home.live(.hours(80))
        let told = try #require(home.told)
        #expect(told <= .hours(leak.toldWithin), "told after \(told.hours) h")
        let safe = home.safeUntil ?? .zero
        let changes = home.changes
        #expect(safe <= .hours(leak.toldWithin), "\(changes)")
    }

    @Test(arguments: [4, 8, 12]) func `somebody who lives on under a leak that begins is not told to have been silent`(litresPerHour: Double) {
        for hour in [2, 8, 14, 20] as [Int64] {
            var home = LeakingHome()
            home.live(.days(9) + .hours(hour))
            let before = home.watch.standing[.longestSilence]
            home.leak(litresPerHour)
            home.live(.days(2))
            #expect(before == nil && !home.hasRaised(.longestSilence), "leak at \(hour) h")
        }
    }

    @Test func `a leak that grows after a fall does not call the home safe, and the alarm stands again within half a day`() throws {
        var home = LeakingHome()
        home.leak(2)
        home.live(.days(5) + .hours(9))
        home.fall()
        home.live(.hours(26))
        #expect(home.watch.inactivitySeverity == .alarm)
        home.leakFrom = home.leakFrom.map { $0 + (home.now.wall - $0) / 2 }
        home.litresPerHour = 4
        home.live(.hours(14))
        #expect(home.watch.inactivitySeverity == .alarm)
        #expect(home.safeUntil == nil)
    }

    @Test func `a leak that is found after a return does not count silence from before it`() {
        var home = LeakingHome()
        home.live(.days(9) + .hours(8))
        _ = home.watch.handle(.presence(PresenceEntry(kind: .away, until: home.now.wall + .hours(10), by: "x")), at: home.now)
        home.home.story.absences = [home.now.wall..<(home.now.wall + .hours(30))]
        home.live(.hours(4))
        home.leak(2)
        home.live(.hours(10))
        #expect(home.watch.inactivitySeverity != .alarm)
        #expect(home.watch.lastUse.map { home.now.since($0) >= .hours(14) } == true, "the return is no use of water")
    }

    @Test(arguments: 1...4) func `people are not taken for a drip`(seed: UInt64) {
        for resolution in [Volume.litres(1), .litres(10)] {
            var home = LeakingHome(resolution: resolution)
            home.home = SimulatedHome(seed: seed, from: LeakingHome.start, civil: CivilClock(zone: .gmt))
            var degraded = 0
            for _ in 0..<(60 * 24) {
                home.live(.hours(1))
                if home.hasRaised(.leakFloor) { degraded += 1 }
            }
            #expect(degraded <= 24, "\(degraded) of 1440 hours degraded at \(resolution.litres) L")
        }
    }
}
