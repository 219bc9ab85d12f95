import Neighbourhood
import Phrasebook
import Safeguarding
import Telemetry

/// Runs a home's watch over recorded history. The clock is the data's.
public struct Backtest: Sendable {
    /// A finding with its end.
    public struct Line: Sendable, Hashable {
        public var finding: Finding
        public var lastUseAt: WallTime?
        public var clearedAt: WallTime?
    }

    /// What became of one simulated collapse.
    public struct OnsetResult: Sendable, Hashable {
        public var onset: WallTime
        /// What stood at that moment: `clear`, `attention`, `alarm`, or `unwatched` before the first row and a day after the row before.
        public var stateAtOnset: String
        public var attentionAt: WallTime?
        public var detectedAt: WallTime?
        public var rule: String?
        public var horizonEnd: WallTime

        /// Whether the fall could be noticed: the meter was watched, and no alarm stood already.
        public var isJudged: Bool { stateAtOnset != "alarm" && isWatched }
        /// Whether a register was known that could be held.
        public var isWatched: Bool { stateAtOnset != "unwatched" }
    }

    /// A stretch of presence that was known.
    public struct KnownPresence: Sendable, Hashable {
        public var kind: PresenceEntry.Kind
        public var from: WallTime
        public var until: WallTime

        /// A stretch.
        public init(kind: PresenceEntry.Kind, from: WallTime, until: WallTime) {
            self.kind = kind
            self.from = from
            self.until = until
        }
    }

    /// What a run gave.
    public struct Result: Sendable {
        public var lines: [Line] = []
        public var onsets: [OnsetResult] = []
        public var learntAt: WallTime?
        /// Whether the meter can show a person's silences.
        public var isCovered = true
        /// How long the meter was observed.
        public var observed: Interval = .zero
    }

    /// A collapse is looked for this long.
    public static let horizon = Interval.hours(72)
    /// Held registers are polled this often.
    public static let heldPoll = Interval.minutes(15)

    private let policy: SafeguardingPolicy
    private let clock: CivilClock
    private let resolution: Volume?

    /// A back-test under a policy.
    public init(policy: SafeguardingPolicy, clock: CivilClock, resolution: Volume? = nil) {
        self.policy = policy
        self.clock = clock
        self.resolution = resolution
    }

    /// Runs over one home.
    public func run(_ history: RegisterHistory, presence: [KnownPresence] = [], onsets: [WallTime] = []) -> Result {
        var run = Run(
            watch: HouseholdWatch(
                household: HouseholdID(history.household), policy: policy,
                limits: .init(resolution: resolution ?? history.inferredResolution), clock: clock))
        if let first = history.rows.first, let uncovered = run.watch.notCovered(at: Instant(recorded: first.at)) {
            run.result.lines.append(Line(finding: uncovered))
            run.result.isCovered = false
        }
        let first = history.rows.first?.at ?? WallTime(unixSeconds: 0)
        let moments = presence.filter { $0.until > first }.map { KnownPresence(kind: $0.kind, from: max($0.from, first), until: $0.until) }
            .sorted { $0.from < $1.from }
        let falls = onsets.sorted()
        var nextPresence = 0
        var nextFall = 0
        for row in history.rows {
            while nextPresence < moments.count, moments[nextPresence].from <= row.at {
                let entry = PresenceEntry(kind: moments[nextPresence].kind, until: moments[nextPresence].until, by: "ledger")
                run.take(.presence(entry), at: moments[nextPresence].from)
                nextPresence += 1
            }
            while nextFall < falls.count, falls[nextFall] < row.at {
                run.result.onsets.append(collapse(run, at: falls[nextFall]))
                nextFall += 1
            }
            run.advance(to: row.at)
            run.take(.register(row.register), at: row.at)
        }
        for fall in falls[nextFall...] { run.result.onsets.append(collapse(run, at: fall)) }
        return run.result
    }

    /// Holds the register from a moment on, in a copy of the watch.
    private func collapse(_ run: Run, at onset: WallTime) -> OnsetResult {
        var fallen = run
        fallen.result = Result()
        fallen.advance(to: onset)
        let state = fallen.watch.inactivitySeverity.map(\.rawValue) ?? "clear"
        fallen.result = Result()
        let end = onset + Self.horizon
        var outcome = OnsetResult(onset: onset, stateAtOnset: state, horizonEnd: end)
        // Nothing is known of a register so long after its last row.
        guard let held = fallen.watch.register, onset - run.last <= .days(1) else {
            outcome.stateAtOnset = "unwatched"
            return outcome
        }
        var time = max(onset, fallen.last + Self.heldPoll)
        while time <= end {
            fallen.take(.register(held), at: time)
            for line in fallen.result.lines where line.finding.kind == .inactivity && line.finding.at.wall >= onset {
                outcome.attentionAt = outcome.attentionAt ?? line.finding.at.wall
                if line.finding.severity == .alarm {
                    outcome.detectedAt = line.finding.at.wall
                    outcome.rule = line.finding.rule
                    return outcome
                }
            }
            time = time + Self.heldPoll
        }
        return outcome
    }

    /// A watch on its way through the data.
    private struct Run: Sendable {
        var watch: HouseholdWatch
        var result = Result()
        var last = WallTime(unixMilliseconds: .min / 4)

        /// Lets time pass between two rows where they lie further apart than a meter is polled.
        mutating func advance(to time: WallTime) {
            guard last.unixMilliseconds > .min / 8, time > last else { return }
            if time - last <= .minutes(30) { result.observed = result.observed + (time - last) }
            var moment = last + .minutes(15)
            // Nothing changes any more after some days without data.
            let end = min(time, last + .days(4))
            while moment < end {
                apply(.tick, at: moment)
                moment = moment + .minutes(15)
            }
        }

        mutating func take(_ event: HouseholdWatch.Event, at time: WallTime) {
            apply(event, at: time)
            last = max(last, time)
        }

        private mutating func apply(_ event: HouseholdWatch.Event, at time: WallTime) {
            let lastUse = watch.lastUse?.wall
            for effect in watch.handle(event, at: Instant(recorded: time)) {
                switch effect {
                case .raise(let finding):
                    // A leak that was just recognised moves the last use back: the sentence and this field must agree.
                    result.lines.append(Line(finding: finding, lastUseAt: finding.kind == .inactivity ? watch.lastUse?.wall : lastUse))
                case .clear(_, let rule):
                    for index in result.lines.indices.reversed() where result.lines[index].finding.rule == rule.rawValue && result.lines[index].clearedAt == nil
                    {
                        result.lines[index].clearedAt = time
                    }
                case .meter(let event):
                    let finding = Finding(
                        subject: Subject(.household, watch.household.rawValue), kind: .meterEvent, rule: Rule.meter.rawValue,
                        severity: .attention, at: Instant(recorded: time),
                        text: event.told(of: watch.household.rawValue))
                    result.lines.append(Line(finding: finding, lastUseAt: lastUse, clearedAt: time))
                case .learnt: result.learntAt = result.learntAt ?? time
                case .lifeSign, .firstUseToday, .presenceEnded, .presenceEnding: break
                }
            }
        }
    }
}
