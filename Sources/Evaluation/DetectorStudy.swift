import Foundation
import Safeguarding
import Simulation
import Telemetry

/// Judges the detector and the baselines on the same homes, the same polls and the same simulated collapses.
///
/// Scored from day 28 on, so that everybody has learnt. A silence of 24 h and more on the register that is judged is a trip: with trips masked its alarms do not
/// count and nobody falls in it (as if the presence ledger had been used); with trips counted its alarms do.
public struct DetectorStudy: Sendable {
    /// One detector on one home.
    public struct Score: Sendable {
        public var falseAlarms = 0
        public var tripAlarms = 0
        public var attentions = 0
        /// Hours from the fall to the alarm; nil when none came within 72 h.
        public var delays: [Double?] = []
        /// The same for the first sign of either severity.
        public var attentionDelays: [Double?] = []
    }

    /// One detector on a pool of homes.
    public struct Row: Sendable {
        public var name: String
        public var score: Score
        public var years: Double
    }

    /// The part of a home's record that is scored.
    private struct Ground {
        var from: WallTime
        var end: WallTime
        var trips: [Range<WallTime>]
        var years: Double
        var onsets: [WallTime]
    }

    private let clock: CivilClock
    private let policy: SafeguardingPolicy
    private let onsetsPerHome: Int

    /// Scoring begins after this.
    public static let learning = Interval.days(28)

    /// A study in a time zone, under a policy.
    public init(clock: CivilClock, policy: SafeguardingPolicy = SafeguardingPolicy(), onsetsPerHome: Int = 200) {
        self.clock = clock
        self.policy = policy
        self.onsetsPerHome = onsetsPerHome
    }

    /// Rows for our detector, the baselines, and the fixed gap with as many false alarms as our detector had.
    public func rows(_ homes: [RegisterHistory], resolution: Volume) -> [Row] { Self.rows([Part(self, homes)], resolution: resolution) }

    /// Some homes of a pool, and the study whose clock is theirs.
    public struct Part: Sendable {
        var study: DetectorStudy
        var homes: [RegisterHistory]

        /// Homes under one clock.
        public init(_ study: DetectorStudy, _ homes: [RegisterHistory]) { (self.study, self.homes) = (study, homes) }
    }

    /// One home of a pool, as it is judged.
    private struct Judged {
        var study: DetectorStudy
        var home: RegisterHistory
        var ground: Ground
    }

    /// The same over homes of different clocks in one pool: one fixed gap for all of them.
    public static func rows(_ parts: [Part], resolution: Volume) -> [Row] {
        let pool = parts.flatMap { part in
            zip(part.homes, 0...).compactMap { home, index -> Judged? in
                let coarse = home.resampled(every: .minutes(15), resolution: resolution)
                return part.study.ground(coarse, seed: UInt64(index) + 1).map { Judged(study: part.study, home: coarse, ground: $0) }
            }
        }
        guard pool.count == parts.reduce(0, { $0 + $1.homes.count }) else { return [] }
        let years = pool.reduce(0) { $0 + $1.ground.years }
        func sum(_ score: (Judged) -> Score) -> Score { pool.reduce(into: Score()) { add(score($1), to: &$0) } }
        let ours = sum { $0.study.score($0.home, $0.ground, resolution) }
        var rows = [Row(name: "Wellward", score: ours, years: years)]
        let matched = matchedGap(pool, falseAlarms: ours.falseAlarms)
        let baselines: [any InactivityBaseline] = [
            FixedGapBaseline(matched, name: "fixed gap \(String(format: "%.2f", matched.hours)) h (as many false alarms)"), VolumeBaseline(),
            FixedGapBaseline(.hours(12)), FixedGapBaseline(.hours(24)), LongestGapBaseline(), CuddihyBaseline(), PoissonBaseline(),
        ]
        for baseline in baselines {
            rows.append(Row(name: baseline.name, score: sum { $0.study.score($0.home, $0.ground, baseline) }, years: years))
        }
        return rows
    }

    private static func add(_ score: Score, to sum: inout Score) {
        sum.falseAlarms += score.falseAlarms
        sum.tripAlarms += score.tripAlarms
        sum.attentions += score.attentions
        sum.delays += score.delays
        sum.attentionDelays += score.attentionDelays
    }

    private func ground(_ home: RegisterHistory, seed: UInt64) -> Ground? {
        guard let first = home.rows.first, let last = home.rows.last, last.at - first.at > Self.learning + .days(14) else { return nil }
        let from = first.at + Self.learning
        let trips = Self.gaps(home).filter { $0.upperBound - $0.lowerBound >= .hours(24) }
        var observed = Interval.zero
        for (before, after) in zip(home.rows, home.rows.dropFirst())
        where before.at >= from && after.at - before.at <= .minutes(30) && !trips.contains(where: { $0.contains(before.at) }) {
            observed = observed + (after.at - before.at)
        }
        var random = SeededRandom(seed: seed &* 104_729)
        let candidates = home.rows.filter { row in
            row.at >= from && row.at <= last.at && !trips.contains { $0.contains(row.at) }
        }
        guard !candidates.isEmpty else { return nil }
        let onsets = (0..<onsetsPerHome).map { _ in
            // Anywhere within the quarter of an hour behind a poll.
            candidates[Int(random.unit() * Double(candidates.count))].at + .seconds(Int64(random.unit() * 899) + 1)
        }
        return Ground(from: from, end: last.at, trips: trips, years: observed.hours / 8766, onsets: onsets.sorted())
    }

    /// The silences of a home between two uses.
    private static func gaps(_ home: RegisterHistory) -> [Range<WallTime>] {
        var result: [Range<WallTime>] = []
        guard var last = home.rows.first?.at else { return [] }
        for (before, after) in zip(home.rows, home.rows.dropFirst()) where after.register > before.register {
            result.append(last..<after.at)
            last = after.at
        }
        if let end = home.rows.last?.at, end > last { result.append(last..<end) }
        return result
    }

    /// The shortest limit, in quarter hours, that gives no more false alarms on these very homes than asked for. Chosen after the
    /// fact, which flatters it.
    private static func matchedGap(_ pool: [Judged], falseAlarms: Int) -> Interval {
        var lengths: [Double] = []
        for judged in pool {
            let ground = judged.ground
            for gap in gaps(judged.home) where gap.upperBound >= ground.from && !ground.trips.contains(where: { $0.overlaps(gap) }) {
                lengths.append((gap.upperBound - gap.lowerBound).hours)
            }
        }
        var quarters: Int64 = 8
        // The use is seen at the poll that ends the gap, so a gap alarms when it is longer than the limit.
        while quarters < 96, lengths.count(where: { $0 > Double(quarters) / 4 }) > falseAlarms { quarters += 1 }
        return .minutes(quarters * 15)
    }

    private func score(_ home: RegisterHistory, _ ground: Ground, _ resolution: Volume) -> Score {
        let result = Backtest(policy: policy, clock: clock, resolution: resolution).run(home, onsets: ground.onsets)
        var score = Score()
        for line in result.lines where line.finding.kind == .inactivity && line.finding.at.wall >= ground.from {
            let inTrip = ground.trips.contains { $0.contains(line.finding.at.wall) }
            guard line.finding.severity == .alarm else {
                if !inTrip { score.attentions += 1 }
                continue
            }
            if inTrip { score.tripAlarms += 1 } else { score.falseAlarms += 1 }
        }
        for onset in result.onsets where onset.isJudged {
            score.delays.append(onset.detectedAt.map { ($0 - onset.onset).hours })
            if onset.stateAtOnset == "clear" { score.attentionDelays.append(onset.attentionAt.map { ($0 - onset.onset).hours }) }
        }
        return score
    }

    private func score(_ home: RegisterHistory, _ ground: Ground, _ baseline: any InactivityBaseline) -> Score {
        var score = Score()
        var rule = baseline
        var civil = clock
        var next = 0
        var previous: RegisterHistory.Row?
        var wasAlarming = false
        for row in home.rows {
            while let before = previous, next < ground.onsets.count, ground.onsets[next] < row.at {
                if let delay = fall(rule, at: ground.onsets[next], last: before.at, wasAlarming) { score.delays.append(delay) }
                next += 1
            }
            let use = previous.map { max(.zero, row.register - $0.register) } ?? .zero
            rule.take(use, at: row.at, local: civil.localSeconds(at: row.at))
            if rule.isAlarming, !wasAlarming, row.at >= ground.from {
                if ground.trips.contains(where: { $0.contains(row.at) }) { score.tripAlarms += 1 } else { score.falseAlarms += 1 }
            }
            wasAlarming = rule.isAlarming
            previous = row
        }
        return score
    }

    /// Hours to the alarm after a fall; an inner nil when none came, an outer one when the rule alarmed already.
    private func fall(_ rule: any InactivityBaseline, at onset: WallTime, last: WallTime, _ wasAlarming: Bool) -> Double?? {
        guard !wasAlarming else { return .none }
        var copy = rule
        var civil = clock
        var time = last + Backtest.heldPoll
        while time <= onset + Backtest.horizon {
            copy.take(.zero, at: time, local: civil.localSeconds(at: time))
            if copy.isAlarming, time >= onset { return .some((time - onset).hours) }
            time = time + Backtest.heldPoll
        }
        return .some(nil)
    }
}

/// Intervals of confidence.
public enum Confidence {
    /// The exact 95 % interval of a Poisson count.
    public static func poisson(_ count: Int) -> ClosedRange<Double> {
        func atMost(_ mean: Double, _ count: Int) -> Double {
            var term = exp(-mean)
            var sum = term
            for step in 0..<max(0, count) {
                term *= mean / Double(step + 1)
                sum += term
            }
            return count < 0 ? 0 : sum
        }
        func solve(_ isBelow: (Double) -> Bool) -> Double {
            var (low, high) = (0.0, Double(count) * 2 + 20)
            for _ in 0..<100 {
                let middle = (low + high) / 2
                if isBelow(middle) { low = middle } else { high = middle }
            }
            return low
        }
        let lower = count == 0 ? 0 : solve { 1 - atMost($0, count - 1) < 0.025 }
        let upper = solve { atMost($0, count) > 0.025 }
        return lower...max(lower, upper)
    }

    /// The 95 % interval of a quantile, by 400 seeded resamplings.
    public static func quantileInterval(_ values: [Double], _ share: Double) -> ClosedRange<Double> {
        guard !values.isEmpty else { return 0...0 }
        var random = SeededRandom(seed: 7)
        let drawn = (0..<400).map { _ in quantile(values.indices.map { _ in values[Int(random.unit() * Double(values.count))] }, share) }
        let (low, high) = (quantile(drawn, 0.025), quantile(drawn, 0.975))
        return low...max(low, high)
    }
}
