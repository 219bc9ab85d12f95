import Telemetry

/// What is usual in this home: for each half-hour of the clock, how long it had been silent by then on past days.
///
/// Constant memory: 48 half-hours by 35 days, one byte each (in steps of ten minutes).
struct PersonalGapModel: Sendable, Hashable, Codable {
    static let slotsPerDay = 48
    static let days = 35
    /// Days that must be seen before the model judges.
    static let daysToLearn = 10
    private static let step: Int64 = 600_000
    private static let unknown: UInt8 = 255

    private var elapsed: [UInt8] = Array(repeating: unknown, count: slotsPerDay * days)
    private var newestDay: Int64?
    private var daysSeen = 0

    /// Whether enough days were seen to judge by.
    var isLearnt: Bool { daysSeen >= Self.daysToLearn }

    /// Notes the silence that stood at a moment of an ordinary day.
    mutating func learn(silence: Interval, day: Int64, secondOfDay: Int64) {
        if newestDay != day {
            if let newest = newestDay {
                guard day > newest else { return }
                for passed in 1...min(day - newest, Int64(Self.days)) { clear(newest + passed) }
                daysSeen = min(daysSeen + 1, Self.days)
            }
            newestDay = day
        }
        let slot = Int(secondOfDay / 1800) % Self.slotsPerDay
        let value = UInt8(min(254, silence.milliseconds / Self.step))
        let index = place(day, slot)
        elapsed[index] = elapsed[index] == Self.unknown ? value : max(elapsed[index], value)
    }

    private func place(_ day: Int64, _ slot: Int) -> Int {
        let row = Int(((day % Int64(Self.days)) + Int64(Self.days)) % Int64(Self.days))
        return row * Self.slotsPerDay + slot
    }

    private mutating func clear(_ day: Int64) {
        for slot in 0..<Self.slotsPerDay { elapsed[place(day, slot)] = Self.unknown }
    }

    /// The longest silence seen by this clock time; nil before anything was learnt.
    func longest(secondOfDay: Int64) -> Interval? {
        ranked(secondOfDay: secondOfDay).first.map { Interval(milliseconds: Int64($0) * Self.step) }
    }

    /// The silence at which a severity begins at this clock time; nil while learning.
    ///
    /// Alarm: a quarter longer than the longest of the kept days, at least two hours more. Attention: a tenth longer
    /// than the third longest, at least an hour more.
    func threshold(_ severity: Severity, secondOfDay: Int64) -> Interval? {
        guard isLearnt else { return nil }
        let ranked = ranked(secondOfDay: secondOfDay)
        guard let longest = ranked.first else { return nil }
        let third = ranked[min(2, ranked.count - 1)]
        let (base, factor, least): (UInt8, Double, Int64) = severity == .alarm ? (longest, 1.25, 12) : (third, 1.1, 6)
        let steps = max(Int64((Double(base) * factor).rounded(.up)), Int64(base) + least)
        return Interval(milliseconds: steps * Self.step)
    }

    private func ranked(secondOfDay: Int64) -> [UInt8] {
        let slot = Int(secondOfDay / 1800) % Self.slotsPerDay
        return (0..<Self.days).compactMap { row -> UInt8? in
            let value = elapsed[row * Self.slotsPerDay + slot]
            return value == Self.unknown ? nil : value
        }.sorted(by: >)
    }
}
