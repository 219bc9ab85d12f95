import Telemetry

/// Decides which meter of a bus is asked next. A pure value.
///
/// Meters are asked when they are due, the longest overdue first. A meter that gives no answer is asked once instead of
/// with all its retries, and all such meters together may take at most a tenth of the bus's time.
public struct PollSchedule: Sendable {
    /// What a meter needs of the schedule.
    public struct Entry: Sendable, Hashable {
        public var meter: MeterID
        public var poll: Interval

        /// An entry.
        public init(meter: MeterID, poll: Interval) {
            self.meter = meter
            self.poll = poll
        }
    }

    /// What to do next.
    public enum Decision: Sendable, Hashable {
        /// Ask this meter now; `probing` means once only.
        case ask(MeterID, probing: Bool)
        /// Nothing is due before this moment.
        case wait(until: Interval)
        /// There is nothing to ask on this bus.
        case idle
    }

    /// After so many polls without an answer a meter counts as silent.
    public static let silentAfter = 2
    /// Silent meters may take one part in so many of the bus's time.
    public static let silentShare: Int64 = 10

    private struct Slot: Sendable {
        var entry: Entry
        var dueAt: Interval
        var misses = 0
    }

    private var slots: [Slot]
    /// What silent meters may still use of the bus's time, times `silentShare`: whole milliseconds of the clock go in as they
    /// pass, so that nothing is lost to rounding however often the schedule is asked.
    private var silentCredit = Interval.seconds(2) * silentShare
    private static let mostCredit = Interval.seconds(5) * silentShare
    private var creditAt: Interval

    /// A schedule whose first polls are spread over the shortest poll interval, at most ten seconds, so that a start is
    /// no storm.
    public init(_ entries: [Entry], at now: Interval) {
        let spread = min(.seconds(10), entries.map(\.poll).min() ?? .zero)
        let count = Int64(max(1, entries.count))
        slots = entries.enumerated().map { index, entry in
            Slot(entry: entry, dueAt: now + .milliseconds(spread.milliseconds * Int64(index) / count))
        }
        creditAt = now
    }

    /// What to do at a moment.
    public mutating func next(at now: Interval) -> Decision {
        silentCredit = min(Self.mostCredit, silentCredit + max(.zero, now - creditAt))
        creditAt = now
        guard !slots.isEmpty else { return .idle }
        let due = slots.indices.filter { slots[$0].dueAt <= now && (!isSilent($0) || silentCredit > .zero) }
        if let first = due.min(by: { slots[$0].dueAt < slots[$1].dueAt }) {
            return .ask(slots[first].entry.meter, probing: isSilent(first))
        }
        let next = slots.indices.map { index -> Interval in
            isSilent(index) && silentCredit <= .zero
                ? max(slots[index].dueAt, now + (.milliseconds(1) - silentCredit))
                : slots[index].dueAt
        }.min()
        return .wait(until: max(next ?? now, now + .milliseconds(1)))
    }

    private func isSilent(_ index: Int) -> Bool { slots[index].misses >= Self.silentAfter }

    /// Notes how an ask ended. The next poll is counted from when this one was due, so that a schedule keeps its beat;
    /// polls that were missed altogether are not made up for.
    /// - Returns: how many polls running the meter has not answered.
    @discardableResult
    public mutating func finish(_ meter: MeterID, answered: Bool, took: Interval, at now: Interval) -> Int {
        guard let index = slots.firstIndex(where: { $0.entry.meter == meter }) else { return 0 }
        if isSilent(index), !answered { silentCredit = silentCredit - took * Self.silentShare }
        slots[index].misses = answered ? 0 : slots[index].misses + 1
        let poll = slots[index].entry.poll
        var due = slots[index].dueAt + poll
        if due <= now { due = due + .milliseconds((now - due).milliseconds / max(1, poll.milliseconds) * poll.milliseconds) }
        if due <= now { due = due + poll }
        slots[index].dueAt = due
        return slots[index].misses
    }
}
