import Phrasebook
import Telemetry

/// What people do about a case. Repeating an act is harmless; an impossible one is refused with its reason.
extension CaseBook {
    mutating func take(_ act: Act, on id: CaseID, at now: Instant) throws(Refusal) -> [Effect] {
        guard var found = cases[id] else { throw .unknownCase(id) }
        if !found.isOpen {
            // The same outcome twice is harmless; anything else comes too late.
            if case .outcome(let outcome, _) = act.deed, outcome == found.outcome { return [] }
            throw .closed(found.outcome)
        }
        // The same act sent twice by a phone with a bad line must not write its note twice.
        let note = act.note.bounded(.note)
        if !note.isEmpty, found.note != note, !found.note.hasSuffix("\n\(note)"), found.note.utf8.count < Case.longestNote {
            found.note = found.note.isEmpty ? note : "\(found.note)\n\(note)"
        }
        switch act.deed {
        case .accept: return try accept(&found, act, at: now)
        case .arrived: return arrive(&found, act, at: now)
        case .handBack: return try handBack(&found, act, at: now)
        case .outcome(let outcome, let until): return try conclude(&found, outcome, until, act, at: now)
        }
    }

    /// The same word of the same person within so long is one word, sent twice.
    private static let sentTwiceWithin = Interval.minutes(10)

    private func isRelative(_ act: Act) -> Bool { act.speaker == .contact && directory.contact(ContactID(act.by))?.role.isRelative ?? false }

    private mutating func accept(_ found: inout Case, _ act: Act, at now: Instant) throws(Refusal) -> [Effect] {
        // The climb goes on meanwhile: whoever cannot decide must not hold it.
        guard !found.isSpent(act.by) else { throw .handedBackTooOften }
        let relative = isRelative(act)
        // Somebody who can go replaces a relative; otherwise the first acceptance stands.
        guard found.acceptedAt == nil || found.acceptedByRelative && !relative else {
            put(found)
            return [.save(found)]
        }
        found.acceptedAt = now
        found.acceptedBy = act.by
        found.firstAcceptedAt = found.firstAcceptedAt ?? now
        found.acceptedByRelative = relative
        found.stage = .handling
        found.visitAsked = true
        let text = Phrase(.acceptedBy, ["who": .text(spoken(act))]).text
        let notices = news(&found, .accepted, text, at: now)
        put(found)
        return [.save(found)] + notices
    }

    private mutating func arrive(_ found: inout Case, _ act: Act, at now: Instant) -> [Effect] {
        guard found.arrivedAt == nil else {
            put(found)
            return [.save(found)]
        }
        if found.acceptedAt == nil {
            found.acceptedAt = now
            found.acceptedBy = act.by
        }
        found.arrivedAt = now
        found.arrivedBy = act.by
        found.firstAcceptedAt = found.firstAcceptedAt ?? now
        found.firstArrivedAt = found.firstArrivedAt ?? now
        found.stage = .handling
        found.visitAsked = true
        let text = Phrase(.arrivedBy, ["who": .text(spoken(act))]).text
        let notices = news(&found, .arrived, text, at: now)
        put(found)
        return [.save(found)] + notices
    }

    private mutating func handBack(_ found: inout Case, _ act: Act, at now: Instant) throws(Refusal) -> [Effect] {
        guard found.acceptedAt != nil else { throw .notAccepted }
        // A relative's link must not take the case from whoever is on the way.
        guard found.acceptedBy == act.by || !isRelative(act) else { throw .notYours }
        // Whoever is there has the case, whoever took it on before; only those who direct the others take it from them.
        if let there = found.arrivedBy, there != act.by, !directs(act) { throw .notYours }
        if found.arrivedAt != nil, found.isSpent(act.by) { throw .handedBackTooOften }
        let rested = found.isTaken
        found.letGo()
        found.stage = .dispatched
        // A relative's word had not stopped the climb, so there is nothing to make up for.
        if rested { found.hurry(at: now, noSoonerThan: Self.handBackHurriesAgain) }
        var notices: [Effect] = []
        if found.countHandBack(act.by) == Self.mostHandBacks {
            notices = news(&found, .escalated, Phrase(.handedBackOften, ["who": .text(spoken(act))]).text, at: now)
        }
        return climb(found, at: now) + notices
    }

    /// The role in which somebody acts; nil of a name that is nobody's we know.
    private func role(of act: Act) -> Role? {
        switch act.speaker {
        case .contact: directory.contact(ContactID(act.by))?.role
        case .account(let role): role
        }
    }

    /// Whether a person directs those who go.
    private func directs(_ act: Act) -> Bool {
        guard let role = role(of: act) else { return true }
        return role == .committee || role == .station || role == .town || role == .district
    }

    /// Whether one person's word is enough to leave a home unwatched for weeks: of those whose office it is, not of a relative's link.
    private func suffices(_ act: Act) -> Bool {
        guard let role = role(of: act) else { return true }
        return role == .gridWorker || directs(act)
    }

    /// What a word that needs a second one explains meanwhile.
    static let unconfirmedDeath = Interval.days(1)
    static let unconfirmedAbsence = Interval.days(7)

    /// The committee is asked to confirm what would leave a home unwatched for long.
    private mutating func askToConfirm(_ subject: Subject, _ outcome: Outcome, _ act: Act, until: WallTime, at now: Instant) -> [Effect] {
        let phrase = Phrase(
            .confirmOutcome,
            ["who": .text(spoken(act)), "outcome": .text(outcome.name), "until": .text(civil.spoken(until, at: now.wall))])
        return join(
            Finding(subject: subject, kind: .incident, rule: "outcome_to_confirm", severity: .attention, at: now, text: phrase.text), at: now)
    }

    private mutating func conclude(
        _ found: inout Case, _ outcome: Outcome, _ until: WallTime?, _ act: Act, at now: Instant
    ) throws(Refusal) -> [Effect] {
        let allowed = Outcome.allowed(for: found.kind)
        guard allowed.contains(outcome) else { throw .outcomeNotAllowed(outcome, allowed: allowed) }
        if outcome == .away || outcome == .hospital, let until, until <= now.wall { throw .untilPast }
        if outcome == .noAccess {
            if found.noAccessBy == act.by, found.acceptedAt == nil, let said = found.noAccessAt, now.elapsed - said < Self.sentTwiceWithin {
                put(found)
                return [.save(found)]
            }
            (found.noAccessBy, found.noAccessAt) = (act.by, now.elapsed)
            // Nobody opened: the case is not over, somebody with a key or a uniform must come.
            found.stage = .supervised
            found.supervisedAt = found.supervisedAt ?? now
            found.letGo()
            found.pausedUntil = nil
            found.hurry(at: now)
            return climb(found, at: now)
        }
        found.outcome = outcome
        if found.acceptedAt == nil {
            found.acceptedAt = now
            found.acceptedBy = act.by
        }
        var effects: [Effect] = []
        var unconfirmedUntil: WallTime?
        if found.subject.type == .household {
            let household = HouseholdID(found.subject.id)
            let latest = now.wall + Self.presenceLongest
            if outcome == .away || outcome == .hospital || outcome == .deceased {
                // Where somebody has died the family must not be told a day later that no water runs; the committee is asked before the entry ends.
                var end = outcome == .deceased ? latest : min(until ?? now.wall + Self.presenceDefault, latest)
                let longest = now.wall + (outcome == .deceased ? Self.unconfirmedDeath : Self.unconfirmedAbsence)
                if end > longest, !suffices(act) {
                    end = longest
                    unconfirmedUntil = end
                }
                effects.append(.presence(household, outcome, until: end, by: act.by))
            } else if found.kind == .inactivity || found.kind == .useWhileAway {
                // Only who went to the person has seen the person: a repaired meter says nothing about anybody's morning.
                effects.append(.seenByPerson(household, outcome))
            }
        }
        if found.subject.type == .elevator, outcome == .falseAlarm {
            effects.append(.falseBoardingAlarm(ElevatorID(found.subject.id)))
        }
        let closed = close(found, by: act.by, at: now)
        guard let unconfirmedUntil else { return closed + effects }
        return closed + effects + askToConfirm(found.subject, outcome, act, until: unconfirmedUntil, at: now)
    }

    /// A contact is spoken of by role; names are put in where a reader may see them.
    private func spoken(_ act: Act) -> LocalizedText {
        // What somebody typed may be a name, and this text goes to group robots too; the case file keeps it as typed.
        let role: Role? =
            switch act.speaker {
            case .contact: directory.contact(ContactID(act.by))?.role
            case .account(let role): role
            }
        return role?.name ?? LocalizedText(chinese: "有人", english: "Somebody")
    }
}

extension Role {
    /// The role in words.
    public var name: LocalizedText {
        let (chinese, english) =
            switch self {
            case .resident: ("本人", "the resident")
            case .family: ("家属", "family")
            case .volunteer: ("志愿者", "a volunteer")
            case .gridWorker: ("网格员", "the grid worker")
            case .committee: ("居委会", "the committee")
            case .station: ("联勤联动站", "the station")
            case .town: ("街镇城运中心", "the town")
            case .district: ("区城运中心", "the district")
            case .property: ("物业", "property management")
            case .technician: ("维修人员", "a technician")
            case .maintenance: ("电梯维保", "the lift maintenance company")
            }
        return LocalizedText(chinese: chinese, english: english)
    }
}

extension Outcome {
    /// The outcome in words.
    public var name: LocalizedText {
        let (chinese, english) =
            switch self {
            case .safe: ("人在家，平安", "at home and well")
            case .away: ("不在家", "away")
            case .helped: ("已帮助", "helped")
            case .hospital: ("已送医", "taken to hospital")
            case .deceased: ("已去世", "deceased")
            case .leak: ("漏水", "a leak")
            case .meterFault: ("水表故障", "meter fault")
            case .noAccess: ("没人开门", "no access")
            case .falseAlarm: ("误报", "false alarm")
            case .removed: ("已推出", "taken out")
            case .repaired: ("已恢复", "working again")
            }
        return LocalizedText(chinese: chinese, english: english)
    }
}
