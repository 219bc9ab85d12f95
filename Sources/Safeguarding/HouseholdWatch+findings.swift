import Phrasebook
import Telemetry

/// The findings in words, each with the numbers behind it.
extension HouseholdWatch {
    private var subject: Subject { Subject(.household, household.rawValue) }

    private mutating func last(at now: Instant) -> Phrase.Filling {
        // The sentences for a home that used no water yet do not ask for this.
        guard let lastUse else { return .same("") }
        return .text(civil.spoken(lastUse.wall, at: now.wall))
    }

    /// The last use, or the return or visit since which none came.
    private mutating func quiet(at now: Instant) -> Phrase.Filling {
        guard let quietFrom, lastUse.map({ $0.elapsed < quietFrom.at.elapsed }) ?? true else { return last(at: now) }
        let time = civil.spoken(quietFrom.at.wall, at: now.wall)
        return .text(Phrase(quietFrom.reason == .returned ? .sinceReturn : .sinceSeen, ["time": .text(time)]).text)
    }

    private func span(_ interval: Interval) -> Phrase.Filling { .text(Phrase.span(milliseconds: interval.milliseconds)) }

    private func inactivity(
        _ rule: Rule, _ severity: Severity, _ sentence: Sentence, _ plain: Sentence, _ fillings: [String: Phrase.Filling],
        _ numbers: [String: Double], at now: Instant
    ) -> Finding {
        Finding(
            subject: subject, kind: .inactivity, rule: rule.rawValue, severity: severity, at: now,
            text: Phrase(sentence, fillings).text, plainText: Phrase(plain, fillings).text, numbers: numbers)
    }

    mutating func volume(_ total: Volume, _ rule: VolumeRule, at now: Instant) -> Finding {
        let fillings: [String: Phrase.Filling] = [
            "within": span(rule.within), "litres": .same(Phrase.number(total.litres)),
            "below": .same(Phrase.number(rule.below.litres)), "last": last(at: now),
        ]
        let isNew = lastUse == nil
        return inactivity(
            .volume, rule.severity, isNew ? .silenceVolumeNever : .silenceVolume, isNew ? .silenceVolumeNeverPlain : .silenceVolumePlain, fillings,
            ["used_litres": total.litres, "below_litres": rule.below.litres, "within_hours": rule.within.hours], at: now)
    }

    mutating func ceiling(_ silence: Interval, at now: Instant) -> Finding {
        let fillings: [String: Phrase.Filling] = [
            "last": quiet(at: now), "silence": span(silence), "ceiling": span(policy.longestSilence),
        ]
        let numbers = ["silence_hours": silence.hours, "limit_hours": policy.longestSilence.hours]
        if !sees(at: now) {
            let isNew = lastUse == nil
            var words = fillings
            words["last"] = last(at: now)
            words["silence"] = (lastUse ?? began).map { span(now.since($0)) }
            return inactivity(
                .longestSilence, .alarm, isNew ? .silenceBlindNever : .silenceBlind, isNew ? .silenceBlindNeverPlain : .silenceBlindPlain, words, numbers,
                at: now)
        }
        if !hasSign {
            return inactivity(.longestSilence, .alarm, .silenceNeverSeen, .silenceNeverSeen, fillings, numbers, at: now)
        }
        return inactivity(.longestSilence, .alarm, .silenceCeiling, .silenceCeilingPlain, fillings, numbers, at: now)
    }

    mutating func personal(_ silence: Interval, _ severity: Severity, at now: Instant) -> Finding {
        let usual = model.longest(by: local(now), present: silence) ?? .hours(3)
        var fillings: [String: Phrase.Filling] = ["last": quiet(at: now), "silence": span(silence), "usual": span(usual)]
        var numbers = ["silence_hours": silence.hours, "usual_longest_hours": usual.hours]
        var sentence = Sentence.silencePersonal
        if usual >= silence {
            // The home has known as long a silence: what speaks for itself is how seldom.
            let count = max(1, model.count(by: local(now), atLeast: silence))
            sentence = .silencePersonalRare
            fillings["count"] = .same("\(count)")
            numbers["as_long_in_30_days"] = Double(count)
        }
        return inactivity(.personalGap, severity, sentence, .silencePersonalPlain, fillings, numbers, at: now)
    }

    /// What a reader must know beside the silence itself: that nobody saw when the last water ran, or that a leak runs on.
    mutating func qualify(_ finding: inout Finding) {
        var more: [LocalizedText] = []
        if let after = silentAfter {
            more.append(Phrase(.lastUseUnseen, ["from": .text(civil.spoken(after.wall, at: finding.at.wall)), "silence": span(finding.at.since(after))]).text)
            finding.numbers["silence_at_most_hours"] = finding.at.since(after).hours
        }
        // The volume rule counts what ran, leak or not.
        if floor.perHour > 0, finding.rule != Rule.volume.rawValue, sees(at: finding.at) {
            more.append(Phrase(floor.thin == nil ? .silenceOverLeak : .silenceOverCounts).text)
        }
        for text in more {
            finding.text = finding.text + text
            finding.plainText = finding.plainText + text
        }
    }

    var tooCoarse: Phrase { Phrase(.tooCoarse, ["litres": .same(Phrase.number(ledger.limits.resolution.litres))]) }

    /// The finding that says that the meter is too coarse to guard the home by; nil where it is not.
    public func notCovered(at now: Instant) -> Finding? {
        guard !coverage.volume else { return nil }
        let litres = ledger.limits.resolution.litres
        return Finding(
            subject: subject, kind: .degraded, rule: Rule.resolution.rawValue, severity: .attention, at: now, text: tooCoarse.text,
            numbers: ["resolution_litres": litres])
    }

    mutating func useWhileAway(_ use: Consumption, at now: Instant) -> Finding {
        let fillings: [String: Phrase.Filling] = [
            "last": .text(civil.spoken(use.to.wall, at: now.wall)), "litres": .same(Phrase.number(use.volume.litres)),
        ]
        return Finding(
            subject: subject, kind: .useWhileAway, rule: Rule.useWhileAway.rawValue, severity: .attention, at: now,
            text: Phrase(.useWhileAway, fillings).text, plainText: Phrase(.useWhileAwayPlain, fillings).text,
            numbers: ["used_litres": use.volume.litres])
    }

    mutating func blindness(_ dark: Interval, at now: Instant) -> Finding {
        Finding(
            subject: subject, kind: .blind, rule: Rule.noData.rawValue, severity: .attention, at: now,
            text: Phrase(.blind, ["silence": span(dark)]).text, numbers: ["no_data_hours": dark.hours])
    }

    mutating func running(since start: Instant, until last: Instant, at now: Instant) -> Finding {
        let fillings: [String: Phrase.Filling] = [
            "lasting": span(last.since(start)), "since": .text(civil.spoken(start.wall, at: now.wall)),
            "litres": .same(Phrase.number(flow.volume.litres)),
        ]
        return Finding(
            subject: subject, kind: .continuousFlow, rule: Rule.continuousFlow.rawValue, severity: .attention, at: now,
            text: Phrase(.continuousFlow, fillings).text, plainText: Phrase(.continuousFlowPlain, fillings).text,
            numbers: ["lasting_hours": last.since(start).hours, "used_litres": flow.volume.litres])
    }

    mutating func leak(at now: Instant) -> Finding {
        let count = ledger.limits.resolution.litres
        let bounded = floor.perHour == 0 ? floor.bound : nil
        let litres = bounded.map { count / $0.pause.hours } ?? floor.perHour / 1000
        var fillings: [String: Phrase.Filling] = ["rate": .same(Phrase.number(litres)), "lasting": span(floor.foundOver ?? .hours(24))]
        var sentences = (Sentence.leakFloor, Sentence.leakFloorPlain)
        if let dripping = floor.dripping {
            sentences = (.steadyDrip, .steadyDripPlain)
            fillings["litres"] = .same(Phrase.number(count))
            fillings["pace"] = span(dripping.pace)
            fillings["count"] = .same("\(dripping.count)")
        } else if let thin = floor.thin {
            sentences = (.fewCounts, .fewCountsPlain)
            fillings["litres"] = .same(Phrase.number(thin.litres))
            fillings["usual"] = .same(Phrase.number(thin.usual))
            fillings["lasting"] = span(CountHabit.thinFor)
        } else if let bounded {
            sentences = (.noPause, .noPausePlain)
            fillings["days"] = .same("\(bounded.days)")
            fillings["pause"] = span(bounded.pause)
            fillings["litres"] = .same(Phrase.number(count))
        }
        return Finding(
            subject: subject, kind: .degraded, rule: Rule.leakFloor.rawValue, severity: .attention, at: now,
            text: Phrase(sentences.0, fillings).text, plainText: Phrase(sentences.1, fillings).text,
            numbers: ["floor_per_hour_litres": litres])
    }

    mutating func excess(at now: Instant) -> Finding {
        let fillings: [String: Phrase.Filling] = [
            "litres": .same(Phrase.number(usedToday.litres)), "ceiling": .same(Phrase.number(policy.dailyCeiling.litres)),
        ]
        return Finding(
            subject: subject, kind: .excessUse, rule: Rule.dailyCeiling.rawValue, severity: .attention, at: now,
            text: Phrase(.excessUse, fillings).text, plainText: Phrase(.excessUsePlain, fillings).text,
            numbers: ["used_litres": usedToday.litres, "ceiling_litres": policy.dailyCeiling.litres])
    }
}
