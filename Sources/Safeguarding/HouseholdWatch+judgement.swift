import Phrasebook
import Telemetry

/// The rules. Each is judged at every event; a rule that cannot judge stays silent and the home's state says why.
extension HouseholdWatch {
    mutating func judge(at now: Instant, _ effects: inout [Effect]) {
        judgeBlindness(at: now, &effects)
        judgeFlow(at: now, &effects)
        judgeCeiling(at: now, &effects)
        guard presence == nil || presence?.kind == .visitors else { return }
        judgeSilence(at: now, &effects)
    }

    /// Whether readings are current enough to judge by.
    public func sees(at now: Instant) -> Bool {
        guard let lastReading else { return false }
        return now.since(lastReading) < policy.noData
    }

    /// How much of the present silence nobody saw: stretches between two usable readings longer than `no_data`, and the one
    /// that goes on.
    func unseen(at now: Instant) -> Interval {
        let before = unseenInSilence ?? .zero
        guard let lastReading, !sees(at: now) else { return before }
        return before + now.since(lastReading)
    }

    private mutating func judgeSilence(at now: Instant, _ effects: inout [Effect]) {
        // A meter that counts in steps of a hundred litres shows no silences: the home is shown as not covered instead.
        guard let since = silentSince, coverage.volume else { return }
        let silence = now.since(since)
        if silence >= policy.longestSilence || usedAfter != nil && isPastCeiling(at: now), standing[.longestSilence] == nil,
            standing[.personalGap]?.severity != .alarm
        {
            raise(ceiling(silence, at: now), .longestSilence, &effects)
        }
        guard sees(at: now) else { return }
        if policy.personal, coverage.personalGap, hasSign { judgePersonal(silence, at: now, &effects) }
        judgeVolume(at: now, &effects)
    }

    private mutating func judgePersonal(_ silence: Interval, at now: Instant, _ effects: inout [Effect]) {
        // One alarm a silence: when the ceiling has spoken, the personal rule has nothing to add.
        guard standing[.longestSilence] == nil else { return }
        // Under a leak a count of ten litres hides most of what people draw: silence is told, and the ceiling sends somebody.
        let isHidden = floor.perHour > 0 && ledger.limits.resolution > .litres(1)
        for severity in isHidden ? [Severity.attention] : [.alarm, .attention] {
            guard let deadline = model.deadline(severity), silence >= deadline else { continue }
            if let earlier = standing[.personalGap], earlier.severity >= severity { return }
            raise(personal(silence, severity, at: now), .personalGap, &effects)
            return
        }
    }

    private mutating func judgeVolume(at now: Instant, _ effects: inout [Effect]) {
        guard let rule = policy.volumeRule, coverage.volume, let armedSince else { return }
        if rule.when == .learning, policy.personal, model.isLearnt { return }
        guard now.since(armedSince) >= rule.within, let total = window?.total(at: now.elapsed) else { return }
        if total >= rule.below {
            clear(.inactivity, .volume, &effects)
        } else if standing[.volume] == nil {
            raise(volume(total, rule, at: now), .volume, &effects)
        }
    }

    private mutating func judgeBlindness(at now: Instant, _ effects: inout [Effect]) {
        guard let seen = lastReading ?? began else { return }
        let dark = now.since(seen)
        if dark >= policy.noData {
            if standing[.noData] == nil, resumedAt.map({ now.since($0) >= policy.noData }) ?? true { raise(blindness(dark, at: now), .noData, &effects) }
        } else if lastReading != nil {
            clear(.blind, .noData, &effects)
        }
    }

    private mutating func judgeFlow(at now: Instant, _ effects: inout [Effect]) {
        guard coverage.continuousFlow else { return }
        if let start = flow.began, let last = lastReading, last.since(start) >= policy.continuousFlow {
            if standing[.continuousFlow] == nil { raise(running(since: start, until: last, at: now), .continuousFlow, &effects) }
        } else {
            clear(.continuousFlow, .continuousFlow, &effects)
        }
        if floor.perHour > 0 || floor.bound != nil {
            if standing[.leakFloor] == nil { raise(leak(at: now), .leakFloor, &effects) }
        } else {
            clear(.degraded, .leakFloor, &effects)
        }
    }

    private mutating func judgeCeiling(at now: Instant, _ effects: inout [Effect]) {
        if usedToday > policy.dailyCeiling {
            if standing[.dailyCeiling] == nil { raise(excess(at: now), .dailyCeiling, &effects) }
        } else {
            clear(.excessUse, .dailyCeiling, &effects)
        }
    }

    mutating func raise(_ raised: Finding, _ rule: Rule, _ effects: inout [Effect]) {
        var finding = raised
        let unseen = unseen(at: finding.at)
        if finding.kind == .inactivity, unseen > .zero, sees(at: finding.at) {
            let outage = Phrase(.silenceUnseen, ["unseen": .text(Phrase.span(milliseconds: unseen.milliseconds))]).text
            finding.text = finding.text + outage
            finding.plainText = finding.plainText + outage
            finding.numbers["unseen_hours"] = unseen.hours
        }
        if finding.kind == .inactivity { qualify(&finding) }
        standing[rule] = finding
        effects.append(.raise(finding))
    }

    mutating func clear(_ kind: FindingKind, _ rule: Rule, _ effects: inout [Effect]) {
        // Nearly always nothing stands: the look-up is not paid for at every reading.
        guard !standing.isEmpty, standing.removeValue(forKey: rule) != nil else { return }
        effects.append(.clear(kind, rule: rule))
    }

    mutating func clearInactivity(_ effects: inout [Effect]) {
        for rule in [Rule.volume, .longestSilence, .personalGap] { clear(.inactivity, rule, &effects) }
    }
}
