import Foundation
import Telemetry

/// One person's water, made from a seed: a wake-up use, meals, toilet, laundry, a night-time visit, days with small
/// differences. Synthetic; after SIMDEUM's order of magnitude for one-person senior households, about 90 L a day.
public struct SimulatedHome: Sendable {
    /// What happens to the home beyond ordinary days.
    public struct Story: Sendable, Hashable {
        /// No use after this moment: a collapse.
        public var collapsesAt: WallTime?
        /// A leak of so many litres an hour from a moment on.
        public var leak: (since: WallTime, litresPerHour: Double)?
        /// No use within these stretches.
        public var absences: [Range<WallTime>]

        /// An ordinary life unless said otherwise.
        public init(collapsesAt: WallTime? = nil, leak: (since: WallTime, litresPerHour: Double)? = nil, absences: [Range<WallTime>] = []) {
            self.collapsesAt = collapsesAt
            self.leak = leak
            self.absences = absences
        }

        /// Two stories are the same when all their parts are.
        public static func == (left: Story, right: Story) -> Bool {
            left.collapsesAt == right.collapsesAt && left.absences == right.absences && left.leak?.since == right.leak?.since
                && left.leak?.litresPerHour == right.leak?.litresPerHour
        }

        /// See `==`.
        public func hash(into hasher: inout Hasher) {
            hasher.combine(collapsesAt)
            hasher.combine(absences)
        }
    }

    private struct Use: Sendable {
        var second: Int64
        var volume: Volume
    }

    private let seed: UInt64
    private let origin: WallTime
    private var civil: CivilClock
    /// What happens to the home.
    public var story: Story
    private var plans: [[Use]] = []
    private var totals: [Volume] = [.zero]
    private let wakes: Double
    private let sleeps: Double
    private let usesPerDay: Double
    private let starts: Volume

    /// A home whose first day contains a moment.
    public init(seed: UInt64, from origin: WallTime, civil: CivilClock, story: Story = Story()) {
        self.seed = seed
        self.civil = civil
        var clock = civil
        self.origin = clock.startOfDay(at: origin)
        self.story = story
        var random = SeededRandom(seed: seed &* 7919)
        wakes = random.normal(mean: 6.3, deviation: 0.6) * 3600
        sleeps = random.normal(mean: 21.6, deviation: 0.6) * 3600
        usesPerDay = max(8, random.normal(mean: 15, deviation: 3))
        starts = .litres(Int64(random.unit() * 400_000))
    }

    private mutating func plan(through day: Int) {
        while plans.count <= day {
            var random = SeededRandom(seed: seed &* 1_000_003 &+ UInt64(plans.count))
            let uses = dayPlan(&random)
            plans.append(uses)
            totals.append(totals[totals.count - 1] + uses.reduce(.zero) { $0 + $1.volume })
        }
    }

    private func dayPlan(_ random: inout SeededRandom) -> [Use] {
        var seconds: [Double] = []
        let wake = random.normal(mean: wakes, deviation: 1500)
        let sleep = random.normal(mean: sleeps, deviation: 2000)
        seconds.append(wake)
        seconds.append(sleep)
        if random.unit() < 0.6 { seconds.append(random.normal(mean: 9500, deviation: 4000)) }
        for meal in [wake + 1500, 41_400, 64_800] { seconds.append(random.normal(mean: meal, deviation: 1300)) }
        for _ in 0..<Int(usesPerDay - 6) { seconds.append(wake + random.unit() * max(3600, sleep - wake)) }
        return seconds.filter { (0..<86_400).contains($0) }.sorted().map { second in
            let kind = random.unit()
            let litres = kind < 0.45 ? 5 + random.unit() * 2 : kind < 0.85 ? 0.5 + random.unit() * 4 : kind < 0.97 ? 8 + random.unit() * 12 : 40
            return Use(second: Int64(second), volume: Volume(litres: litres) ?? .zero)
        }
    }

    /// The register at a moment.
    public mutating func register(at time: WallTime) -> Volume {
        var lived = time
        if let end = story.collapsesAt, end < lived { lived = end }
        var total = starts + drawn(until: lived)
        for absence in story.absences where absence.lowerBound < lived {
            total = total - (drawn(until: min(lived, absence.upperBound)) - drawn(until: absence.lowerBound))
        }
        if let leak = story.leak, time > leak.since, let lost = Volume(litres: (time - leak.since).hours * leak.litresPerHour) {
            total += lost
        }
        return total
    }

    private mutating func drawn(until time: WallTime) -> Volume {
        let seconds = (time - origin).milliseconds / 1000
        guard seconds > 0 else { return .zero }
        let day = Int(seconds / 86_400)
        plan(through: day)
        let rest = seconds % 86_400
        return plans[day].prefix { $0.second <= rest }.reduce(totals[day]) { $0 + $1.volume }
    }
}
