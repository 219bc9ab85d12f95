import Phrasebook
import Telemetry

/// What a controller says against itself, or somebody says in its name: told to the technician once, and over when it was not seen for a while.
struct Contradictions: Sendable, Hashable {
    /// What contradicts what.
    enum Kind: String, Sendable, CaseIterable {
        /// Its word is offline, and its statuses arrive.
        case presence
        /// It says that the car is empty, and somebody or something is seen there.
        case emptyCar = "empty_car"
        /// Statuses that allow and forbid a hold follow each other within a moment.
        case statuses
        /// A number far ahead of what the controller can have sent.
        case leap = "sequence_leap"
        /// A message's own time does not fit the clock of its sender.
        case time = "sender_time"
        /// An answer with the boot of another start.
        case answer = "strange_answer"
        /// Messages that cannot be used.
        case unusable = "unusable_messages"

        /// How often it must be seen within `memory` before it is told: what can be chance once is not told once.
        var threshold: Int {
            switch self {
            case .presence, .leap: 1
            case .statuses, .answer: 2
            case .emptyCar, .time, .unusable: 3
            }
        }

        var sentence: Sentence {
            switch self {
            case .presence: .contradictionPresence
            case .emptyCar: .contradictionEmptyCar
            case .statuses: .contradictionStatuses
            case .leap: .contradictionLeap
            case .time: .contradictionTime
            case .answer: .contradictionAnswer
            case .unusable: .contradictionUnusable
            }
        }
    }

    private struct Seen: Sendable, Hashable {
        var times: [Interval] = []
        var toldAt: Interval?
        var isOpen = false
    }

    /// Not seen for so long is over.
    static let memory = Interval.minutes(10)
    /// Told again after so long at the soonest.
    static let toldAgain = Interval.hours(24)

    private var seen: [Kind: Seen] = [:]

    /// Notes one.
    /// - Returns: whether it is to be told
    mutating func see(_ kind: Kind, at now: Interval) -> Bool {
        var one = seen[kind] ?? Seen()
        one.times = one.times.filter { now - $0 < Self.memory }.suffix(7) + [now]
        defer { seen[kind] = one }
        guard !one.isOpen, one.times.count >= kind.threshold, one.toldAt.map({ now - $0 >= Self.toldAgain }) ?? true else { return false }
        (one.isOpen, one.toldAt) = (true, now)
        return true
    }

    /// One is over.
    mutating func end(_ kind: Kind) { seen[kind]?.isOpen = false }

    /// Ends what was not seen for a while.
    /// - Returns: whether the last open one has ended by that
    mutating func settle(at now: Interval) -> Bool {
        let before = isOpen
        for (kind, one) in seen where one.isOpen && one.times.last.map({ now - $0 >= Self.memory }) ?? true { seen[kind]?.isOpen = false }
        return before && !isOpen
    }

    /// Whether any is open.
    var isOpen: Bool { seen.values.contains(where: \.isOpen) }
    /// When the next one may be over; nil when none is open.
    var nextDeadline: Interval? { seen.values.filter(\.isOpen).compactMap { $0.times.last.map { $0 + Self.memory } }.min() }
}
