import Foundation
import Safeguarding
import Simulation
import Telemetry
import Testing

/// A leak behind a meter of 10 L a count, whose every count looks like somebody drawing water.
@Suite struct CoarseLeakTests {
    private static func home(_ seed: UInt64 = 3) -> LeakingHome {
        var home = LeakingHome(resolution: .litres(10))
        home.home = SimulatedHome(seed: seed, from: LeakingHome.start, civil: CivilClock(zone: .gmt))
        return home
    }

    @Test(arguments: [(0.8, 44), (1.25, 32), (2, 29), (4, 27), (8, 26), (12, 26)])
    func `a fall after weeks of a leak is told, sooner than a drip would be known by itself`(
        litresPerHour: Double, within: Int64
    ) throws {
        for seed in litresPerHour < 3 ? [3, 5] : [3] as [UInt64] {
            var home = Self.home(seed)
            home.leak(litresPerHour)
            home.live(.days(24) + .hours(9))
            if litresPerHour >= 1.25 {
                #expect(home.watch.state(at: home.now) == .degraded, "seed \(seed): a leak that lasts for weeks is known before a fall")
            }
            home.fall()
            home.live(.hours(60))
            let told = try #require(home.told, "seed \(seed)")
            #expect(told <= .hours(within), "seed \(seed): told after \(told.hours) h")
        }
    }

    @Test(arguments: [1.25, 2, 4, 6, 12]) func `a leak that begins after a fall does not hide it for two days`(litresPerHour: Double) throws {
        var home = Self.home()
        home.live(.days(24) + .hours(9))
        home.fall()
        home.live(.hours(3))
        home.leak(litresPerHour)
        home.live(.hours(60))
        let told = try #require(home.told)
        #expect(told <= .hours(47), "told after \(told.hours) h")
        #expect(home.watch.inactivitySeverity == .alarm, "and it stands")
    }

    @Test(arguments: [1.5, 3, 5]) func `a drip that is faster at night, when the pressure is higher, is still a drip`(litresPerHour: Double) throws {
        var home = Self.home()
        home.swing = 0.15
        home.leak(litresPerHour)
        home.live(.days(24) + .hours(9))
        home.fall()
        home.live(.hours(60))
        let told = try #require(home.told)
        #expect(told <= .hours(40), "told after \(told.hours) h")
        #expect(home.watch.inactivitySeverity == .alarm, "and it stands")
    }

    @Test(arguments: [1, 10] as [Int64]) func `a home called safe behind a coarse meter is said to be so as far as the meter shows`(litresACount: Int64) throws
    {
        var home = LeakingHome(resolution: .litres(litresACount))
        home.live(.days(20) + .hours(12))
        #expect(home.watch.state(at: home.now) == .safe)
        let reason = try #require(home.watch.reasons(at: home.now).first)
        #expect(reason.text.english.contains("a slow drip would look like use") == (litresACount == 10))
        #expect(reason.plainText.chinese.contains("滴漏") == (litresACount == 10))
    }

    @Test func `who uses water although registered away is told of, also when it is one count in days`() {
        var home = Self.home()
        home.live(.days(24) + .hours(9))
        _ = home.watch.handle(.presence(PresenceEntry(kind: .away, until: home.now.wall + .days(9), by: "x")), at: home.now)
        home.fall()
        home.live(.hours(50))
        #expect(home.watch.state(at: home.now) == .away)
        home.leak(10)
        home.live(.hours(1) + .minutes(15))
        #expect(home.watch.standing[.useWhileAway] != nil)
        #expect(home.watch.standing[.leakFloor] == nil)
    }

    @Test func `a week away or an outage of two days does not blunt what is known of a home's counts`() throws {
        for isAway in [true, false] {
            var home = Self.home()
            home.live(.days(20) + .hours(9))
            if isAway {
                _ = home.watch.handle(.presence(PresenceEntry(kind: .away, until: home.now.wall + .days(5), by: "x")), at: home.now)
                home.home.story.absences = [home.now.wall..<(home.now.wall + .days(5))]
                home.live(.days(5))
            } else {
                home.live(.days(2), seen: false)
            }
            home.live(.days(3) - .hours(2))
            home.leak(1.25)
            home.live(.hours(2))
            home.fall()
            home.live(.hours(60))
            let told = try #require(home.told)
            #expect(told <= .hours(38), "away \(isAway): told after \(told.hours) h")
        }
    }

    @Test func `a meter that is found to count in other steps is judged by those, and what was learnt begins anew`() {
        var home = LeakingHome(resolution: .litres(1))
        home.live(.days(20))
        #expect(home.watch.isLearnt)
        let fresh = LeakingHome(resolution: .litres(10)).watch
        home.watch.adopt(fresh)
        #expect(!home.watch.isLearnt && home.watch.coverage == fresh.coverage)
        home.watch.adopt(LeakingHome(resolution: .litres(100)).watch)
        #expect(home.watch.state(at: home.now) == .degraded)
        var same = LeakingHome(resolution: .litres(10))
        same.live(.days(20))
        let before = same.watch
        same.watch.adopt(fresh)
        #expect(same.watch == before, "nothing changes where nothing changed")
    }

    @Test func `an outage of three hours does not make a known drip a sign of life`() throws {
        var home = Self.home()
        home.leak(3)
        home.live(.days(24) + .hours(9))
        home.fall()
        home.live(.hours(40))
        #expect(home.watch.inactivitySeverity == .alarm)
        home.live(.hours(3), seen: false)
        home.live(.hours(10))
        #expect(home.watch.inactivitySeverity == .alarm)
        #expect(home.watch.lastUse.map { home.now.since($0) > .hours(40) } == true)
    }

    @Test func `single counts far fewer than usual are said to be perhaps a drip, and the ceiling counts from the last real use`() throws {
        var home = Self.home()
        home.live(.days(24) + .hours(9))
        let use = try #require(home.watch.lastUse)
        home.fall()
        home.leak(0.7)
        home.live(.hours(36))
        let finding = try #require(home.watch.standing[.longestSilence])
        #expect(finding.text.english.contains("single counts only"), "\(finding.text.english)")
        let silence = try #require(finding.numbers["silence_hours"])
        #expect(abs(silence - finding.at.since(use).hours) < 4, "\(silence) h")
        let reason = try #require(home.watch.standing[.leakFloor])
        #expect(reason.text.english.contains("one count at a time") && reason.text.chinese.contains("零星"), "\(reason.text)")
        #expect(!reason.plainText.chinese.contains("升") && !reason.plainText.english.contains(" L"), "no litres for those who may not see them")
    }

    @Test func `who was visited and lives on with little water is not told again the next day`() {
        var home = Self.home()
        home.live(.days(24) + .hours(9))
        home.fall()
        home.leak(0.7)
        home.live(.hours(36))
        #expect(home.watch.inactivitySeverity == .alarm)
        _ = home.watch.handle(.seen, at: home.now)
        home.told = nil
        home.live(.hours(40))
        #expect(home.watch.standing[.longestSilence] == nil, "what is usual is learnt anew after somebody was there")
    }

    @Test(arguments: [2.0, 3, 4]) func `who lives on under a leak is not told to be silent more often for it`(litresPerHour: Double) {
        for seed in [3] as [UInt64] {
            var alarms: [Int] = []
            for leak in [0, litresPerHour] {
                var home = Self.home(seed)
                home.leak(leak)
                home.live(.days(50))
                alarms.append(home.alarms)
            }
            #expect(alarms[1] <= alarms[0] + 1, "seed \(seed): \(alarms[1]) alarms in fifty days, \(alarms[0]) without the leak")
        }
    }
}
