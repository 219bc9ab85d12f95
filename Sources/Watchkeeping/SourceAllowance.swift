import Telemetry

/// How much one source of site events may say. A pure value, one for each source of the configuration: what a message calls its subject is the
/// sender's own choice and gives it no more room.
///
/// Each subject is heard once a second. A source may raise thirty incidents in one breath and one in two seconds after that, for a hundred
/// subjects a day; what goes beyond is folded into one incident under the source's own name, told again every half minute.
struct SourceAllowance: Sendable, Hashable {
    /// What becomes of a message.
    enum Verdict: Sendable, Hashable {
        case pass
        /// Told under the source's own name.
        case fold
        case drop
    }

    static let pause = Interval.seconds(1)
    static let burst = 30
    static let refill = Interval.seconds(2)
    static let mostSubjects = 100
    static let subjectLasts = Interval.days(1)
    static let foldEvery = Interval.seconds(30)
    static let tellEvery = Interval.hours(1)

    private var subjects: [String: Interval] = [:]
    private var raises = Bucket()
    private var clears = Bucket()
    private var foldedAt: Interval?
    private var toldAt: Interval?
    /// How many messages were left out.
    private(set) var dropped = 0

    /// Fills by itself, one in a while.
    private struct Bucket: Sendable, Hashable {
        var left = SourceAllowance.burst
        var filledAt: Interval?

        mutating func take(at now: Interval) -> Bool {
            let since = filledAt.map { now - $0 } ?? .zero
            let more = since.milliseconds / SourceAllowance.refill.milliseconds
            if filledAt == nil || more > 0 || since < .zero {
                left = min(SourceAllowance.burst, left + Int(clamping: max(0, more)))
                filledAt = filledAt.map { more > 0 ? $0 + .milliseconds(more * SourceAllowance.refill.milliseconds) : now } ?? now
            }
            guard left > 0 else { return false }
            left -= 1
            return true
        }
    }

    /// A message that raises an incident.
    mutating func raise(_ subject: String, at now: Interval) -> Verdict {
        if let last = subjects[subject], now - last < Self.pause, now >= last { return .drop }
        if subjects[subject] == nil, subjects.count >= Self.mostSubjects { subjects = subjects.filter { now - $0.value < Self.subjectLasts } }
        guard subjects[subject] != nil || subjects.count < Self.mostSubjects, raises.take(at: now) else { return fold(at: now) }
        subjects[subject] = now
        return .pass
    }

    /// A message that ends one. A flood of them ends none: an incident that stays open is seen by people.
    mutating func clear(_ subject: String, at now: Interval) -> Verdict {
        guard clears.take(at: now) else { return .drop }
        subjects[subject] = nil
        return .pass
    }

    private mutating func fold(at now: Interval) -> Verdict {
        if let foldedAt, now - foldedAt < Self.foldEvery, now >= foldedAt { return .drop }
        foldedAt = now
        return .fold
    }

    /// Counts a message that was left out.
    /// - Returns: how many there are by now, when people are to be told of it again
    mutating func noteDropped(at now: Interval) -> Int? {
        dropped += 1
        if let toldAt, now - toldAt < Self.tellEvery { return nil }
        // A device that says the same thing twice in a second is no flood.
        guard dropped >= Self.burst else { return nil }
        toldAt = now
        return dropped
    }
}
