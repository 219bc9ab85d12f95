import Telemetry

/// Watches one home: turns its meter's register into findings.
///
/// A pure value with constant memory. It is driven by events and a moment; it reads no clock. Silence is counted on the
/// elapsed-time axis, clock time of day on the wall clock's.
public struct HouseholdWatch: Sendable, Hashable, Codable {
    /// What happens to a home.
    public enum Event: Sendable, Hashable {
        /// A usable reading of the totaliser.
        case register(Volume)
        /// The meter was asked and gave nothing that can be used.
        case unreadable
        /// Time passes.
        case tick
        /// Somebody entered or ended a presence entry.
        case presence(PresenceEntry?)
        /// A person was there and said what they found: the silence until now is explained.
        case seen
    }

    /// What follows.
    public enum Effect: Sendable, Hashable {
        /// A rule fired.
        case raise(Finding)
        /// The reason of a finding is over.
        case clear(FindingKind, rule: Rule)
        /// Water ran above the leak floor.
        case lifeSign(Volume)
        /// The first water of the local day.
        case firstUseToday
        /// The register did something that is not use.
        case meter(MeterEvent)
        /// The personal model has learnt enough to judge.
        case learnt
        /// A presence entry ran out.
        case presenceEnded(PresenceEntry)
        /// An absence is about to end: somebody should ask whether it does.
        case presenceEnding(PresenceEntry)
    }

    /// The home.
    public let household: HouseholdID
    /// How it is guarded.
    public var policy: SafeguardingPolicy {
        didSet {
            guard policy.volumeRule?.within != oldValue.volumeRule?.within else { return }
            // A new window has seen nothing yet: the rule judges when it has been filled once.
            window = policy.volumeRule.map { VolumeWindow(length: $0.within) }
            armedSince = nil
        }
    }
    /// The rules its meter can support.
    public var coverage: Coverage
    var ledger: ConsumptionLedger
    var civil: CivilState
    var model = PersonalGapModel()
    var window: VolumeWindow?
    var flow = FlowRun()
    var floor = LeakFloor()
    /// The findings that stand, by rule.
    public internal(set) var standing: [Rule: Finding] = [:]
    /// When watching began.
    public internal(set) var began: Instant?
    /// The last use above the leak floor.
    public internal(set) var lastUse: Instant?
    /// The reading before the last use, where nothing was read for so long that nobody can say when water ran.
    var usedAfter: Instant?
    /// The last return or visit.
    var quietFrom: QuietFrom?
    /// The last usable reading.
    public internal(set) var lastReading: Instant?
    /// When watching went on after a stop: until then nobody asked the meter.
    var resumedAt: Instant?
    /// The first use of the local day, if there was one.
    var firstUseToday: WallTime?
    /// The presence entry in force.
    public internal(set) var presence: PresenceEntry?
    /// How long before its end the present absence is asked about.
    var askLead: Interval?
    /// The end of the absence that was asked about last, so that each is asked about once.
    var askedUntil: WallTime?
    /// Since when silence is unexplained: the beginning, the last time a person looked, or a return.
    var armedSince: Instant?
    /// How much of the present silence lies between readings too far apart to see by.
    var unseenInSilence: Interval?
    var usedToday = Volume.zero
    var today: Int64?
    var hasLearnt = false

    /// A watch that has seen nothing yet.
    public init(household: HouseholdID, policy: SafeguardingPolicy, limits: ConsumptionLedger.Limits, clock: CivilClock) {
        self.household = household
        self.policy = policy
        coverage = Coverage(resolution: limits.resolution)
        ledger = ConsumptionLedger(limits: limits)
        civil = CivilState(clock)
        window = policy.volumeRule.map { VolumeWindow(length: $0.within) }
    }

    /// Goes on under a changed configuration. Behind a meter that counts in other steps nothing that was learnt of pauses and leaks holds.
    public mutating func adopt(_ fresh: HouseholdWatch) {
        policy = fresh.policy
        civil = fresh.civil
        let before = ledger.limits.resolution
        ledger.limits = fresh.ledger.limits
        guard ledger.limits.resolution != before else { return }
        coverage = fresh.coverage
        (floor, model, hasLearnt) = (LeakFloor(), PersonalGapModel(), false)
    }

    /// Takes one event.
    public mutating func handle(_ event: Event, at now: Instant) -> [Effect] {
        began = began ?? now
        armedSince = armedSince ?? now
        var effects: [Effect] = []
        expirePresence(at: now, &effects)
        switch event {
        case .register(let register): take(register, at: now, &effects)
        case .unreadable, .tick: break
        case .seen:
            quietFrom = QuietFrom(at: now, reason: .seen)
            floor.somebodyWasThere()
            armedSince = now
            unseenInSilence = nil
            // Somebody looked: the silence until now is explained, and teaches nothing about silences that end by themselves.
            model.begin(at: now.elapsed, local: local(now), sure: false)
            clearInactivity(&effects)
        case .presence(let entry):
            presence = entry
            askLead = entry.map { leadOfQuestion($0, at: now) }
            if entry?.kind == .away || entry?.kind == .hospital {
                model.pause()
                // Few counts are what an empty home shows: each is somebody who should not be there.
                floor.somebodyWasThere()
                clearInactivity(&effects)
            }
            if entry == nil { clear(.useWhileAway, .useWhileAway, &effects) }
        }
        judge(at: now, &effects)
        return effects
    }

    private mutating func take(_ register: Volume, at now: Instant, _ effects: inout [Effect]) {
        let before = ledger.readAt ?? now
        let entry = ledger.handle(register, at: now)
        // An answer that comes late is already inside what was counted: it turns no day and sees nothing new.
        if entry == .duplicate || entry == .late { return }
        turnDay(at: now)
        if let lastReading, now.since(lastReading) >= policy.noData { unseenInSilence = (unseenInSilence ?? .zero) + now.since(lastReading) }
        switch entry {
        case .baseline:
            lastReading = now
        case .consumption(let use):
            lastReading = now
            take(use, at: now, &effects)
        case .event(.rollover(let from, let to)):
            lastReading = now
            effects.append(.meter(.rollover(from: from, to: to)))
            if let modulus = ledger.modulus(for: from) {
                let use = ConsumptionLedger.use(acrossRolloverFrom: from, to: to, modulus: modulus)
                take(Consumption(from: before, to: now, volume: use), at: now, &effects)
            }
        case .event(let event):
            lastReading = now
            effects.append(.meter(event))
            if case .setBack(_, _, let used) = event, used > .zero { take(Consumption(from: before, to: now, volume: used), at: now, &effects) }
        case .duplicate, .late: break
        }
    }

    private mutating func take(_ use: Consumption, at now: Instant, _ effects: inout [Effect]) {
        // Readings far apart show no pauses: of two hours, six must show use.
        flow.take(use, longest: max(policy.continuousFlow / 6, .milliseconds(1)))
        let leaked = floor.perHour
        let life = floor.take(
            use, resolution: ledger.limits.resolution, gathered: use.volume > .zero ? ledger.gathered ?? .zero : .zero, tremble: ledger.tremble)
        window?.add(use.volume, at: now.elapsed)
        usedToday += use.volume
        // A leak that was found, or has grown, was no sign of life while it was not known.
        if floor.perHour > leaked * 1.2 { takeBack(at: now) }
        if let late = floor.lifeFoundLate, late > lastUse?.elapsed ?? began?.elapsed ?? late { findLate(late, at: now, &effects) }
        learn(use, life: life, at: now, &effects)
        guard life else { return }
        lastUse = now
        usedAfter = use.to.since(use.from) > policy.noData ? use.from : nil
        unseenInSilence = nil
        // Water ran: the volume rule has had its answer and judges again when its window has passed once more.
        if standing[.volume] != nil { armedSince = now }
        clearInactivity(&effects)
        effects.append(.lifeSign(use.volume))
        if firstUseToday == nil {
            firstUseToday = now.wall
            effects.append(.firstUseToday)
        }
        if let presence, presence.kind != .visitors, standing[.useWhileAway] == nil {
            raise(useWhileAway(use, at: now), .useWhileAway, &effects)
        }
    }

    /// Each stretch teaches what is usual, unless people are away or visiting, or the meter is too coarse to show it.
    private mutating func learn(_ use: Consumption, life: Bool, at now: Instant, _ effects: inout [Effect]) {
        guard coverage.personalGap else { return }
        if let presence, presence.kind != .visitors { return }
        model.take(
            from: use.from.elapsed, to: now.elapsed, local: local(now), life: life, learns: presence == nil,
            attention: policy.attentionBudget, alarm: policy.falseAlarmBudget)
        if !hasLearnt, model.isLearnt {
            hasLearnt = true
            effects.append(.learnt)
            clear(.inactivity, .volume, &effects)
        }
    }

    /// The first use of the local day of a moment; nil when there was none yet, also when the last one heard of was yesterday's.
    public func firstUse(today now: Instant) -> WallTime? {
        var clock = civil
        return firstUseToday.flatMap { clock.day(at: $0) == clock.day(at: now.wall) ? $0 : nil }
    }

    func local(_ now: Instant) -> PersonalGapModel.Local {
        var clock = civil
        return PersonalGapModel.Local(day: clock.day(at: now.wall), second: clock.secondOfDay(at: now.wall))
    }

    private mutating func turnDay(at now: Instant) {
        let day = civil.day(at: now.wall)
        guard day != today else { return }
        today = day
        usedToday = .zero
        firstUseToday = nil
    }

    /// Watching goes on after a stop: that nobody asked the meter meanwhile says nothing about the meter.
    public mutating func resume(at now: Instant) { resumedAt = now }

    /// An absence is asked about so long before it ends: long enough to reach somebody by daylight.
    public static let askedBefore = Interval.hours(12)

    /// How long before its end an absence is asked about: half a day, half the ceiling of silence, or a quarter of a short absence.
    private func leadOfQuestion(_ entry: PresenceEntry, at now: Instant) -> Interval {
        min(Self.askedBefore, policy.longestSilence / 2, (entry.until - now.wall) / 4)
    }

    private mutating func expirePresence(at now: Instant, _ effects: inout [Effect]) {
        if let entry = presence, entry.kind != .visitors, askedUntil != entry.until, now.wall >= entry.until - (askLead ?? Self.askedBefore),
            now.wall < entry.until
        {
            askedUntil = entry.until
            effects.append(.presenceEnding(entry))
        }
        guard let entry = presence, now.wall >= entry.until else { return }
        presence = nil
        // Whoever comes back gets the time to draw water: silence is counted from the return.
        if entry.kind != .visitors {
            quietFrom = QuietFrom(at: now, reason: .returned)
            floor.somebodyWasThere()
            armedSince = now
            unseenInSilence = nil
            model.begin(at: now.elapsed, local: local(now), sure: false)
        }
        clear(.useWhileAway, .useWhileAway, &effects)
        effects.append(.presenceEnded(entry))
    }
}
