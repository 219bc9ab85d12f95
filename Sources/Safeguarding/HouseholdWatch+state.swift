import Phrasebook
import Telemetry

/// How the home stands, and why, for those who look.
extension HouseholdWatch {
    /// A reason with its sentence.
    public struct Reason: Sendable, Hashable {
        /// The rule's name.
        public var rule: String
        /// For those who may see litres.
        public var text: LocalizedText
        /// For those who may not.
        public var plainText: LocalizedText
        /// The numbers behind it.
        public var numbers: [String: Double]
    }

    /// The home's state: the worst that stands. A home that cannot be judged is never SAFE.
    public func state(at now: Instant) -> HomeState {
        if standing.values.contains(where: { $0.kind == .inactivity && $0.severity == .alarm }) { return .alarm }
        if standing.values.contains(where: { $0.kind == .inactivity || $0.kind == .useWhileAway || $0.kind == .excessUse }) {
            return .attention
        }
        if !sees(at: now) { return .blind }
        if !coverage.volume { return .degraded }
        if standing[.continuousFlow] != nil || standing[.leakFloor] != nil { return .degraded }
        if let presence, presence.kind != .visitors { return .away }
        if policy.personal, coverage.personalGap, !model.isLearnt { return .learning }
        if !hasSign { return .learning }
        return .safe
    }

    /// Why: the standing findings, worst first, or the sentence that says all is well.
    public func reasons(at now: Instant) -> [Reason] {
        var copy = civil
        let worst = standing.sorted { ($1.value.severity, $0.key.rawValue) < ($0.value.severity, $1.key.rawValue) }
        let found = worst.map { rule, finding in
            Reason(
                rule: rule.rawValue, text: copy.told(finding, plain: false, at: now), plainText: copy.told(finding, plain: true, at: now),
                numbers: finding.numbers)
        }
        if !found.isEmpty { return found }
        let phrase: Phrase
        switch state(at: now) {
        case .away:
            let sentence: Sentence = presence?.kind == .hospital ? .inHospital : .away
            phrase = Phrase(sentence, ["until": .text(copy.spoken(presence?.until ?? now.wall, at: now.wall))])
        case .learning: phrase = Phrase(.learning)
        case .degraded: phrase = tooCoarse
        case .safe:
            if let lastUse { phrase = Phrase(.safe, ["last": .text(copy.spoken(lastUse.wall, at: now.wall))]) } else { phrase = Phrase(.safeNoUseYet) }
        default: return []
        }
        var text = phrase.text
        // No leak floor tells a drip of a litre an hour from a person behind a meter that counts in tens: whoever reads "safe" reads that too.
        if state(at: now) == .safe, ledger.limits.resolution > .litres(1) { text = text + Phrase(.coarseDrip).text }
        return [Reason(rule: "none", text: text, plainText: text, numbers: [:])]
    }

    /// The moment by which the next use is expected: when attention or an alarm would begin if none comes.
    public func nextSignExpected(at now: Instant) -> WallTime? {
        guard presence == nil, hasSign, let since = silentSince, sees(at: now) else { return nil }
        var limit = policy.longestSilence
        if policy.personal, let deadline = model.deadline(.attention) {
            limit = min(limit, deadline)
        } else if let rule = policy.volumeRule {
            limit = min(limit, rule.within)
        }
        return since.wall + limit
    }

    /// Since when the home stands as it does: the oldest standing finding's moment, else the last use.
    public var stateSince: WallTime? {
        standing.values.map(\.at).min { $0.elapsed < $1.elapsed }?.wall ?? lastUse?.wall ?? began?.wall
    }

    /// The worst inactivity finding that stands; nil when none does.
    public var inactivitySeverity: Severity? { standing.values.filter { $0.kind == .inactivity }.map(\.severity).max() }

    /// Whether the personal model has learnt enough to judge.
    public var isLearnt: Bool { model.isLearnt }
    /// The newest register.
    public var register: Volume? { ledger.register }
    /// The water of the local day so far.
    public var volumeToday: Volume { usedToday }
}
