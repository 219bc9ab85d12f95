import Evaluation
import Foundation
import Phrasebook
import Safeguarding
import Simulation
import Telemetry
import Testing

@Suite struct EvaluationTests {
    static let begin = WallTime(unixSeconds: 1_704_067_200)

    /// A made home, read every quarter of an hour.
    static func home(seed: UInt64, days: Int, story: SimulatedHome.Story = .init()) -> RegisterHistory {
        var life = SimulatedHome(seed: seed, from: begin, civil: CivilClock(zone: .gmt), story: story)
        let rows = (0..<(days * 96)).map { step in
            let at = begin + .minutes(Int64(step) * 15)
            return RegisterHistory.Row(at: at, register: life.register(at: at))
        }
        return RegisterHistory(household: "home-\(seed)", rows: rows)
    }

    @Test func `the exact Poisson interval agrees with the printed tables`() {
        // Garwood 1936: 95 % for 0, 1, 9 and 20 events.
        for (count, low, high) in [(0, 0.0, 3.689), (1, 0.0253, 5.572), (9, 4.115, 17.085), (20, 12.217, 30.888)] {
            let interval = Confidence.poisson(count)
            #expect(abs(interval.lowerBound - low) < 0.002 && abs(interval.upperBound - high) < 0.002, "\(count): \(interval)")
        }
    }

    @Test func `quantiles lie between the values they stand between`() {
        #expect(quantile([], 0.5) == 0)
        #expect(quantile([7], 0.9) == 7)
        #expect(quantile([4, 1, 3, 2], 0.5) == 2.5)
        #expect(quantile([1, 2, 3, 4, 5], 0.9) == 4.6)
    }

    @Test func `the published rule alarms when the tenth litre has left the window, and a fixed gap when its hours are over`() {
        func firstAlarm(_ rule: any InactivityBaseline) -> Double? {
            var rule = rule
            for step in 0..<200 {
                let at = Self.begin + .minutes(Int64(step) * 15)
                rule.take(step == 8 ? .litres(12) : .zero, at: at, local: at.unixSeconds)
                if rule.isAlarming { return Double(step) / 4 }
            }
            return nil
        }
        #expect(firstAlarm(VolumeBaseline()) == 14)
        #expect(firstAlarm(FixedGapBaseline(.hours(12))) == 14)
        #expect(firstAlarm(FixedGapBaseline(.hours(24))) == 26)
    }

    @Test(arguments: [CuddihyBaseline() as any InactivityBaseline, LongestGapBaseline(), PoissonBaseline()])
    func `a learning rule is silent with nothing learnt, and alarms at last for a learnt home that falls silent`(rule: any InactivityBaseline) {
        var rule = rule
        var fresh = rule
        for step in 0..<96 {
            let at = Self.begin + .minutes(Int64(step) * 15)
            fresh.take(.zero, at: at, local: at.unixSeconds)
            #expect(!fresh.isAlarming, "\(rule.name) in its first day")
        }
        let rows = Self.home(seed: 4, days: 40).rows
        for (before, after) in zip(rows, rows.dropFirst()) { rule.take(after.register - before.register, at: after.at, local: after.at.unixSeconds) }
        #expect(!rule.isAlarming)
        guard var at = rows.last?.at else { return }
        for _ in 0..<(96 * 3) {
            at = at + .minutes(15)
            rule.take(.zero, at: at, local: at.unixSeconds)
        }
        #expect(rule.isAlarming, "\(rule.name) after three silent days")
    }

    @Test func `the study scores every detector on the same falls, and a shorter gap is never slower`() throws {
        let study = DetectorStudy(clock: CivilClock(zone: .gmt), onsetsPerHome: 20)
        let rows = study.rows([Self.home(seed: 4, days: 60), Self.home(seed: 5, days: 60)], resolution: .litres(1))
        let twelve = try #require(rows.first { $0.name == "fixed gap 12 h" })
        let day = try #require(rows.first { $0.name == "fixed gap 24 h" })
        #expect(rows[0].name == "Wellward" && rows[0].score.delays.count + 5 >= 40)
        #expect(twelve.score.falseAlarms >= day.score.falseAlarms)
        #expect(quantile(twelve.score.delays.map { $0 ?? 72 }, 0.5) < quantile(day.score.delays.map { $0 ?? 72 }, 0.5))
        #expect(day.score.delays.allSatisfy { ($0 ?? 99) <= 24.26 })
    }

    @Test func `the hard ceiling is never passed, whatever the home and the hour of the fall`() throws {
        for seed in [2, 9] as [UInt64] {
            let home = Self.home(seed: seed, days: 50)
            var random = SeededRandom(seed: seed)
            let onsets = (0..<60).map { _ in Self.begin + .minutes(Int64(random.unit() * 48 * 1440)) }
            let result = Backtest(policy: SafeguardingPolicy(), clock: CivilClock(zone: .gmt), resolution: .litres(1)).run(home, onsets: onsets)
            #expect(result.onsets.count == 60)
            for onset in result.onsets where onset.stateAtOnset != "alarm" {
                let detected = try #require(onset.detectedAt)
                #expect(detected - onset.onset <= .hours(24) + .minutes(15))
            }
        }
    }

    @Test func `a fall before the first reading cannot be judged, and is not counted as one that nobody noticed`() {
        let home = Self.home(seed: 4, days: 3)
        let policy = SafeguardingPolicy()
        let clock = CivilClock(zone: .gmt)
        let result = Backtest(policy: policy, clock: clock, resolution: .litres(1)).run(home, onsets: [Self.begin + .days(-1), Self.begin + .days(1)])
        #expect(result.onsets.map(\.isJudged) == [false, true])
        #expect(result.onsets.first?.stateAtOnset == "unwatched")
        var report = BacktestReport(parts: [.init(history: home, result: result)], policy: policy, language: .english, clock: clock)
        let page = report.html()
        #expect(page.contains("<dt>Not noticed within 72 h</dt><dd>0</dd>"))
    }

    @Test(arguments: ["0x65", "nan", "inf", "1e400", "1_000", "", "no answer", "\"\""]) func `a row that holds no plain number is a gap with its line`(
        litres: String
    ) throws {
        let history = try RegisterHistory(
            household: "h", csv: "unix_seconds,litres_cumulative\n1700000000,12.5\n1700000900,\(litres)\n1700001800,13\n,14\n1700002700\n1700003600,15\n")
        #expect(history.gaps == [3, 5, 6] && history.rows.map(\.register) == [Volume(millilitres: 12_500), .litres(13), .litres(15)])
    }

    @Test func `a number that a comma has cut is a gap, not a smaller number`() throws {
        let history = try RegisterHistory(
            household: "h", csv: "unix_seconds,litres_cumulative\n1700000000,1200\n1700000900,1,206\n1700001800,\"1209,5\"\n1700002700,1210,\r\n")
        #expect(history.gaps == [3, 4] && history.rows.map(\.register) == [.litres(1200), .litres(1210)])
    }

    @Test func `a file in which no row holds a reading is a fault with its line`() throws {
        let fault = #expect(throws: RegisterHistory.Fault.self) {
            _ = try RegisterHistory(household: "h", csv: "unix_seconds,litres_cumulative\n\nsoon,12.5\n1700000900,\n")
        }
        #expect(fault?.line == 3)
    }

    @Test func `the committee's page names every alarm with its reason, escapes what it is given, and needs nothing from outside`() {
        let story = SimulatedHome.Story(collapsesAt: Self.begin + .days(40))
        var home = Self.home(seed: 4, days: 42, story: story)
        home.household = "<b>1&2"
        let clock = CivilClock(zone: .gmt)
        let policy = SafeguardingPolicy()
        let result = Backtest(policy: policy, clock: clock, resolution: .litres(1)).run(home, onsets: [Self.begin + .days(35)])
        let alarms = result.lines.filter { $0.finding.severity == .alarm && $0.finding.kind == .inactivity }
        #expect(!alarms.isEmpty)
        for language in Language.allCases {
            var report = BacktestReport(parts: [.init(history: home, result: result)], policy: policy, language: language, clock: clock)
            let page = report.html()
            for alarm in alarms { #expect(page.contains(alarm.finding.text[language])) }
            #expect(!page.contains("<b>1&2") && page.contains("&lt;b&gt;1&amp;2"))
            #expect(!page.contains("http") && !page.contains("<script"))
            #expect(page.components(separatedBy: "<svg").count == page.components(separatedBy: "</svg>").count)
        }
    }

    @Test(arguments: [180, 195, 200, 240] as [Int64], [1, 10] as [Int64])
    func `a home's whole state stays under sixteen kilobytes, however many silences it remembers`(
        minutes: Int64, litresACount: Int64
    ) throws {
        // A use every three hours or so is the most that is remembered; in the end everything that can stand stands.
        var watch = HouseholdWatch(
            household: "household-with-a-long-name", policy: SafeguardingPolicy(), limits: .init(resolution: .litres(litresACount)),
            clock: CivilClock(zone: .gmt))
        var register = Volume.litres(12_345_670)
        var random = SeededRandom(seed: UInt64(minutes))
        var next = minutes
        var largest = 0
        for quarter in 0..<(200 * 96) {
            let minute = Int64(quarter) * 15
            if minute >= next {
                register += .litres(Int64(3 + random.unit() * 9) * litresACount)
                next += minutes + Int64(random.unit() * 20)
            }
            if quarter > 197 * 96 { register += .litres(40) }
            _ = watch.handle(.register(register), at: Instant(recorded: Self.begin + .minutes(minute)))
            if quarter > 190 * 96, quarter % 12 == 0 { largest = max(largest, try JSONEncoder().encode(watch).count) }
        }
        #expect(largest < 16_384, "\(largest) bytes as JSON")
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func `over the same frames our test holds wrongly less often than the plain rule and never sooner`(seed: UInt64) {
        let study = BoardingStudy(seed: seed, scenes: 2000)
        let plain = study.plain()
        for load in [false, true] {
            let ours = study.desk(measuresLoad: load)
            #expect(ours.wrong * 4 < plain.wrong, "\(ours.wrong) against \(plain.wrong)")
            #expect(quantile(ours.delays, 0.5) >= quantile(plain.delays, 0.5))
            #expect(Double(ours.missed) <= 0.01 * Double(ours.ebikes))
            let matched = study.plainMatching(ours).score
            #expect(quantile(ours.delays, 0.95) <= quantile(matched.delays, 0.95), "no slower than the plain rule at the same wrong holds")
        }
    }
}
