import Telemetry

/// How the counts of a coarse meter usually come at one home, by which a leak can be told from a person: its longest pauses, the longest
/// time that four counts took, and the least water of thirty hours, of each of the last four weeks' days.
///
/// The constants were chosen on 77 homes without a leak (42 years behind a meter of 10 L a count; five of the files of `make evaluate`,
/// the others made): `boundedBy` held in two of them for some days, `thinSince` once in twelve years of a home, four counts at a steady pace
/// that took unusually long once in twenty.
struct CountHabit: Sendable, Hashable, Codable {
    /// One day of the elapsed-time axis. Saved as four numbers in a row: a month of them must not fill a home's sixteen kilobytes.
    private struct Day: Sendable, Hashable, Codable {
        var place: Int64
        /// The longest pause that ended on it; nil while none did.
        var pause: Interval?
        /// The longest time that four counts took.
        var span: Interval?
        /// The least water of thirty hours, in millilitres.
        var least: Int64?

        init(place: Int64) { self.place = place }

        init(from decoder: any Decoder) throws {
            var row = try decoder.unkeyedContainer()
            place = try row.decode(Int64.self)
            pause = try row.decode(Int64?.self).map { .milliseconds($0) }
            span = try row.decode(Int64?.self).map { .milliseconds($0) }
            least = try row.decode(Int64?.self)
        }

        func encode(to encoder: any Encoder) throws {
            var row = encoder.unkeyedContainer()
            try row.encode(place)
            try row.encode(pause?.milliseconds)
            try row.encode(span?.milliseconds)
            try row.encode(least)
        }
    }

    /// When a count turned.
    private struct Turn: Sendable, Hashable, Codable {
        var from: Interval
        var to: Interval
    }

    /// For so many days no pause was longer.
    struct Bound: Sendable, Hashable, Codable {
        /// How many days.
        var days: Int64
        /// The longest pause of which that can be said.
        var pause: Interval
    }

    /// Nobody sleeps through so little, night after night: where it holds, something turns the meter meanwhile. The longer it holds, the
    /// longer the pauses that a sleeper would have shown.
    private static let bounds = [
        Bound(days: 3, pause: .hours(4)), Bound(days: 5, pause: .minutes(345)), Bound(days: 7, pause: .minutes(390)),
        Bound(days: 14, pause: .minutes(465)), Bound(days: 21, pause: .minutes(510)), Bound(days: 28, pause: .hours(9)),
    ]
    private static let daysKept: Int64 = 29
    private static let daysToKnow = 14
    private static let turnsKept = 4
    /// Over so long the water is summed.
    static let thinFor = Interval.hours(30)
    /// At the most so many counts in thirty hours, where there always were at least so many more.
    private static let thinCounts: Int64 = 2
    private static let usualCounts: Int64 = 5
    /// Counts nearer than this, or together, are no drip that could be slow.
    private static let together = Interval.minutes(36)
    private static let longestStretch = Interval.hours(1)
    private static let longestBlind = Interval.hours(6)

    private var days: [Day] = []
    private var turns: [Turn] = []
    private var window = VolumeWindow(length: thinFor)
    private var wholeSince: Interval?
    private var lastTogether: Interval?
    /// Until then the thirty hours hold some without any water, which is somebody away or fallen and nobody's habit.
    private var blurredUntil: Interval?
    private var judgedHour: Int64?
    /// The pause that the stretch taken last has ended; nil where it ended none.
    private(set) var pauseEnded: Interval?
    /// Where no pause is as long as a night; nil mostly.
    private(set) var boundedBy: Bound?
    /// Since when there were single counts only, fewer than this home ever needed; nil mostly.
    private(set) var thinSince: Interval?
    /// The millilitres of the last thirty hours, while they are thin.
    private(set) var thinVolume: Int64 = 0
    /// The least while it was thin: learnt when somebody drew water after all, and forgotten when somebody had to go and look.
    private var leastWhileThin: Int64?

    /// The least water of thirty hours that is usual here, in millilitres; nil while too few days are known.
    var usualLeast: Int64? { least(before: (days.last?.place ?? 0) - 1) }

    /// Takes one stretch.
    /// - Parameter learns: false while the counts are known to be a leak's
    mutating func take(_ use: Consumption, resolution: Volume, learns: Bool) {
        let now = use.to.elapsed
        pauseEnded = nil
        turnDay(to: now, resolution: resolution)
        window.add(use.volume, at: now)
        let stretch = use.to.since(use.from)
        if wholeSince == nil || stretch > Self.longestBlind { wholeSince = now }
        if use.volume > .zero { count(use, stretch: stretch, resolution: resolution, learns: learns) }
        if let bound = boundedBy, let last = turns.last, max(now - last.to, pauseEnded ?? .zero) > bound.pause * 11 / 10 {
            boundedBy = Self.bounds.last { $0.pause > bound.pause && isBounded(by: $0, before: (days.last?.place ?? 0) + 1) }
        }
        let hour = now.milliseconds / Interval.hours(1).milliseconds
        guard use.volume > .zero || hour != judgedHour else { return }
        judgedHour = hour
        judgeThin(at: now, resolution: resolution, learns: learns)
    }

    /// Somebody was there, or came back: few counts were not a fall, and what is usual here is learnt anew.
    mutating func somebodyWasThere() {
        (thinSince, leastWhileThin) = (nil, nil)
        for index in days.indices { days[index].least = nil }
        // The pause until now was somebody's who was away or had fallen.
        turns.removeFirst(max(0, turns.count - 1))
    }

    /// Whether the last four counts took longer than nearly ever.
    var tookUnusuallyLong: Bool {
        guard turns.count == Self.turnsKept, let first = turns.first, let last = turns.last else { return false }
        let past = days.dropLast().compactMap(\.span)
        guard past.count >= Self.daysToKnow, let longest = past.max() else { return false }
        return (last.to - first.from) * 10 > longest * 9
    }

    private mutating func turnDay(to now: Interval, resolution: Volume) {
        let day = now.milliseconds / Interval.days(1).milliseconds
        guard day != days.last?.place else { return }
        days.append(Day(place: day))
        days.removeAll { $0.place < day - Self.daysKept }
        // A finer count shows every visit to the bathroom at night.
        boundedBy = resolution < .litres(10) ? nil : Self.bounds.last { isBounded(by: $0, before: day) }
    }

    private func isBounded(by bound: Bound, before day: Int64) -> Bool {
        let last = days.filter { $0.place < day && $0.place >= day - bound.days }
        return last.count == Int(bound.days) && last.allSatisfy { $0.pause.map { $0 <= bound.pause } ?? false }
    }

    private mutating func count(_ use: Consumption, stretch: Interval, resolution: Volume, learns: Bool) {
        guard let today = days.indices.last else { return }
        // Where nobody saw for long when the count turned, the pause may have been as long as both may lie apart.
        let pause = turns.last.map { stretch > Self.longestStretch ? use.to.elapsed - $0.from : use.from.elapsed - $0.to }
        if let pause { days[today].pause = max(days[today].pause ?? .zero, pause) }
        pauseEnded = pause
        if use.volume > resolution || turns.last.map({ use.to.elapsed - $0.from < max(Self.together, stretch * 2 + .minutes(6)) }) ?? false {
            lastTogether = use.to.elapsed
        }
        let counts = min(max(1, use.volume.millilitres / max(1, resolution.millilitres)), Int64(Self.turnsKept))
        turns += Array(repeating: Turn(from: use.from.elapsed, to: use.to.elapsed), count: Int(counts))
        turns.removeFirst(max(0, turns.count - Self.turnsKept))
        guard learns, turns.count == Self.turnsKept, let first = turns.first, !turns.contains(where: { $0.to - $0.from > Self.longestStretch }),
            blurredUntil.map({ use.to.elapsed >= $0 }) ?? true
        else { return }
        days[today].span = max(days[today].span ?? .zero, use.to.elapsed - first.from)
    }

    private func least(before day: Int64) -> Int64? {
        let known = days.filter { $0.place < day }.compactMap(\.least)
        return known.count >= Self.daysToKnow ? known.min() : nil
    }

    private mutating func judgeThin(at now: Interval, resolution: Volume, learns: Bool) {
        let drewLately = lastTogether.map { now - $0 < Self.thinFor } ?? false
        if drewLately { (thinSince, thinVolume) = (nil, 0) }
        guard let wholeSince, now - wholeSince >= Self.thinFor, let today = days.indices.last else { return }
        let total = window.total(at: now).millilitres
        if !drewLately { judgeThin(total, count: resolution.millilitres) }
        thinVolume = thinSince == nil ? 0 : total
        learnThin(total, today: today)
        if total == 0 {
            blurredUntil = now + Self.thinFor
            for index in days.indices.suffix(2) { days[index].least = nil }
        }
        guard learns, thinSince == nil, blurredUntil.map({ now >= $0 }) ?? true else { return }
        days[today].least = min(days[today].least ?? total, total)
    }

    private mutating func learnThin(_ total: Int64, today: Int) {
        guard thinSince == nil else {
            // Not a single count is nobody's habit.
            if total > 0 { leastWhileThin = min(leastWhileThin ?? total, total) }
            return
        }
        guard let least = leastWhileThin else { return }
        leastWhileThin = nil
        days[today].least = min(days[today].least ?? least, least)
    }

    private mutating func judgeThin(_ total: Int64, count: Int64) {
        guard let least = usualLeast, total < least, least >= Self.usualCounts * count else {
            thinSince = nil
            return
        }
        // Without a single count it is a silence, and said so.
        let counts = Int(total / max(1, count))
        guard thinSince == nil, counts > 0, total <= Self.thinCounts * count, turns.count > counts else { return }
        thinSince = turns[turns.count - 1 - counts].to
    }
}
