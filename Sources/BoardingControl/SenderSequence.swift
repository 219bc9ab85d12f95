import Telemetry

/// Tells news from repetition, replay and leaps among the messages of one topic of one controller, by `boot`, `seq` and, where the sender says it,
/// `at`.
///
/// - A number that was heard before is no news.
/// - A number far ahead of what a controller can have sent since is a leap: somebody else speaks with its boot. The true line goes on. A
///   leap is believed only when its line goes on and the old one has ended.
/// - A sender's own clock runs evenly beside ours. A message whose `at` is off by more than a lease is a replay, or the clock was set: believed
///   when nothing else came for half a minute.
struct SenderSequence: Sendable, Hashable {
    enum Verdict: Sendable, Hashable { case news, repetition, replayed, leap }

    private struct Start: Sendable, Hashable {
        var boot: String?
        var sequence: Int64
        var heardAt: Interval
        var sentAt: WallTime?
    }

    /// A line of numbers beside the one believed.
    private struct OtherLine: Sendable, Hashable {
        var boot: String?
        var sequence: Int64
        var count: Int
        var since: Interval
        var heardAt: Interval
        var firstSentAt: WallTime?
        var sentAt: WallTime?
    }

    private struct OtherClock: Sendable, Hashable {
        var lag: Int64
        var since: Interval
    }

    /// So many starts of a sender are remembered.
    private static let mostStarts = 8
    /// No controller sends more than two messages in a millisecond, and ten thousand lost in a row are none of its own.
    private static let allowance: Int64 = 10_000
    private static let clockSettles = Interval.seconds(30)
    private static let lineEnds = Interval.seconds(5)

    private var starts: [Start] = []
    private var other: OtherLine?
    /// Our elapsed time less the sender's clock, at its least: what is on its way for the shortest time.
    private var lag: Int64?
    private var otherClock: OtherClock?
    private var newsAt: Interval?

    /// Judges one message and remembers it when it is news.
    mutating func judge(boot: String?, sequence: Int64, sentAt: WallTime?, at now: Interval) -> Verdict {
        guard let index = starts.firstIndex(where: { $0.boot == boot }) else {
            guard fitsClock(sentAt, at: now) else { return .replayed }
            if starts.count >= Self.mostStarts, let oldest = starts.indices.min(by: { starts[$0].heardAt < starts[$1].heardAt }) { starts.remove(at: oldest) }
            starts.append(Start(boot: boot, sequence: sequence, heardAt: now, sentAt: sentAt))
            return news(at: now)
        }
        let last = starts[index]
        if sequence == last.sequence { return .repetition }
        guard fitsClock(sentAt, at: now) else { return .replayed }
        let (ahead, overflow) = sequence.subtractingReportingOverflow(last.sequence)
        let leaps = sequence > last.sequence && (overflow || ahead > Self.allowance + 2 * (now - last.heardAt).milliseconds)
        // Without a boot id a lower number can only be a restart; with one it is old news.
        let isBack = boot != nil && sequence < last.sequence
        if leaps || isBack {
            guard goesOn(boot, sequence, sentAt, beside: last, isBack: isBack, at: now) else { return leaps ? .leap : .repetition }
        }
        starts[index] = Start(boot: boot, sequence: sequence, heardAt: now, sentAt: sentAt)
        return news(at: now)
    }

    private mutating func news(at now: Interval) -> Verdict {
        newsAt = now
        return .news
    }

    /// Whether a message belongs to another line of numbers that has shown itself to be the sender's.
    private mutating func goesOn(
        _ boot: String?, _ sequence: Int64, _ sentAt: WallTime?, beside last: Start, isBack: Bool, at now: Interval
    ) -> Bool {
        guard var line = other, line.boot == boot, sequence > line.sequence, !sequence.subtractingReportingOverflow(line.sequence).overflow,
            sequence - line.sequence <= 1000, now - line.heardAt <= Self.lineEnds
        else {
            // What belongs to the other line and is no step of it is not its beginning either.
            if other?.boot == boot, other?.sequence == sequence { return false }
            other = OtherLine(boot: boot, sequence: sequence, count: 1, since: now, heardAt: now, firstSentAt: sentAt, sentAt: sentAt)
            return false
        }
        line.count += 1
        (line.sequence, line.heardAt, line.sentAt) = (sequence, now, sentAt)
        other = line
        let isAlone = last.heardAt <= line.since && now - last.heardAt >= Self.lineEnds
        var isBelieved = line.count >= 3 && isAlone
        if isBack {
            // Newer by its own clock than all that was believed: the true one, behind somebody's leap.
            let isNewer = line.firstSentAt.flatMap { first in last.sentAt.map { first > $0 } } ?? false
            isBelieved = line.count >= 3 && isNewer || line.count >= 5 && isAlone && now - line.since >= Self.lineEnds * 2
        }
        if isBelieved { other = nil }
        return isBelieved
    }

    /// Whether a message's own time fits the clock that its sender showed so far.
    private mutating func fitsClock(_ sentAt: WallTime?, at now: Interval) -> Bool {
        guard let sentAt else { return true }
        let here = now.milliseconds - sentAt.unixMilliseconds
        guard let known = lag else {
            lag = here
            return true
        }
        if abs(here - known) <= BoardingPolicy.greatestLease.milliseconds {
            // Two clocks drift apart, at most by a thousandth.
            lag = min(here, known + (newsAt.map { (now - $0).milliseconds } ?? 0) / 1000)
            return true
        }
        if let strange = otherClock, abs(here - strange.lag) <= 2000, strange.since >= newsAt ?? strange.since {
            guard now - strange.since >= Self.clockSettles else { return false }
            (lag, otherClock) = (here, nil)
            return true
        }
        otherClock = OtherClock(lag: here, since: now)
        return false
    }
}
