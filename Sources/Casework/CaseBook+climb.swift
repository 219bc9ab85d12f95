import Phrasebook
import Telemetry

/// The climb: which rung is due, what was missed, who is told.
extension CaseBook {
    mutating func climbAll(at now: Instant) -> [Effect] {
        var effects: [Effect] = []
        for id in cases.keys.sorted() {
            guard let item = cases[id], item.isOpen, let due = item.nextDue, due <= now.elapsed else { continue }
            effects += climb(item, at: now)
        }
        return effects
    }

    /// Does what is due on one case and saves it.
    mutating func climb(_ item: Case, at now: Instant) -> [Effect] {
        var found = item
        var notices: [Effect] = []
        if let paused = found.pausedUntil, paused <= now.elapsed {
            found.pausedUntil = nil
            found.goOn(at: now)
        }
        superviseMissed(&found, at: now)
        while let index = found.dueRung(at: now.elapsed) {
            notices += step(&found, index, at: now)
        }
        put(found)
        return [.save(found)] + notices
    }

    /// Climbs the next rung although somebody may have taken the case; rungs that only repeat wait for their time.
    mutating func climbForRepeat(_ item: Case, at now: Instant) -> [Effect] {
        var found = item
        var notices: [Effect] = []
        if let next = found.rungs.firstIndex(where: { $0.doneAt == nil && !$0.repeated }) {
            found.rungs[next].dueAt = found.rungs[next].dueAt.earlier(of: now)
            notices = step(&found, next, at: now)
        }
        put(found)
        return [.save(found)] + notices
    }

    private mutating func step(_ found: inout Case, _ index: Int, at now: Instant) -> [Effect] {
        found.rungs[index].doneAt = now
        let step = found.rungs[index].step
        let roles = step.notify
        let first = found.noticeCount == 0
        let notices = tell(&found, roles, first ? .opened : .escalated, at: now)
        if !notices.isEmpty, found.stage == .filed || found.stage == .reported { found.stage = .dispatched }
        if roles.contains(where: { !$0.isRelative }), !notices.isEmpty { found.visitAsked = true }
        if found.severity == .alarm, !notices.isEmpty { found.visitAsked = true }
        if notices.isEmpty, index + 1 < found.rungs.count, found.rungs[index + 1].doneAt == nil {
            // Nobody answers to this step: do not wait for nobody.
            found.rungs[index + 1].dueAt = found.rungs[index + 1].dueAt.earlier(of: now)
        }
        if index == found.rungs.count - 1, found.repeatEvery > .zero {
            // An alarm never falls silent; of its repetitions only the newest are kept.
            if found.rungs.count >= Case.mostRungs, let old = found.rungs.firstIndex(where: { $0.repeated && $0.doneAt != nil }) {
                found.rungs.remove(at: old)
            }
            found.rungs.append(
                Case.Rung(
                    step: step, dueAt: now.advanced(by: found.repeatEvery), doneAt: nil, repeated: true))
        }
        return notices
    }

    /// A missed limit supervises the case and makes the next rung due.
    private func superviseMissed(_ found: inout Case, at now: Instant) {
        guard let limit = found.limit, limit.at <= now.elapsed, found.supervisedFor.insert(limit.key).inserted else { return }
        found.stage = .supervised
        found.supervisedAt = found.supervisedAt ?? now
        if found.supervisedFor.count > 2 * Case.mostRungs { found.supervisedFor = [limit.key] }
        if limit.reopens { found.letGo() }
        found.goOn(at: now)
    }

    // MARK: Telling

    /// Notices to everybody some roles mean, each contact by each of their channels.
    mutating func tell(_ found: inout Case, _ roles: [Role], _ kind: Notice.Kind, at now: Instant) -> [Effect] {
        let weekday = civil.weekday(at: now.wall)
        let minute = Int(civil.secondOfDay(at: now.wall) / 60)
        var effects: [Effect] = []
        // A substitute may belong to another role of the same step: one person, one notice.
        var told: Set<ContactID> = []
        for role in roles {
            for contact in directory.people(role, for: found.subject, weekday: weekday, minute: minute) where told.insert(contact.id).inserted {
                effects += tell(&found, contact, kind, nil, roles, at: now)
            }
        }
        return effects
    }

    /// News for those who were told before, each once.
    mutating func tellThoseTold(_ found: inout Case, _ kind: Notice.Kind, _ text: LocalizedText, at now: Instant) -> [Effect] {
        var seen: Set<ContactID> = []
        var effects: [Effect] = []
        for record in found.notices where seen.insert(record.contact).inserted {
            guard let contact = directory.contact(record.contact) else { continue }
            effects += tell(&found, contact, kind, text, [contact.role], at: now)
        }
        return effects
    }

    private mutating func tell(
        _ found: inout Case, _ contact: ContactCard, _ kind: Notice.Kind, _ text: LocalizedText?, _ roles: [Role], at now: Instant
    ) -> [Effect] {
        contact.channels.map { channel in
            found.noticeCount += 1
            let id = NoticeID("\(found.id)-n\(found.noticeCount)\(tag.isEmpty ? "" : "-\(tag)")")
            found.record(Case.NoticeRecord(id: id, channel: channel, contact: contact.id))
            let reader = contact.role
            // A drill is marked as such in every message.
            let kind = found.isDrill ? .drill : kind
            var notice = Notice(
                id: id, caseID: found.id, kind: kind, contact: contact.id, channel: channel, role: reader,
                language: contact.language ?? language, severity: found.severity, caseKind: found.kind, stage: found.stage,
                subject: found.subject, roles: roles,
                text: text ?? sentence(for: found, kind, reader, at: now), reasons: reasons(of: found, for: reader), createdAt: now,
                openedAt: found.openedAt, notBefore: earliest(contact, found.severity, at: now))
            if text == nil { notice.quote = found.latest?.quote }
            return .notify(notice)
        }
    }

    private mutating func sentence(for found: Case, _ kind: Notice.Kind, _ reader: Role, at now: Instant) -> LocalizedText {
        var text = found.latest?.told(plain: !reader.maySeeLitres, at: now, clock: &civil) ?? Phrase(.askOutcome).text
        if kind == .escalated {
            text = text + Phrase(.escalated).text
            if found.kind == .ebike {
                let count = boardings(of: found.subject, inWeekOf: now.wall)
                if count > 0 { text = text + Phrase(.boardingsThisWeek, ["count": .same("\(count)")]).text }
            }
        }
        if reader.isRelative { return text + Phrase(.askCall).text }
        if let within = found.rungs.last(where: { $0.doneAt != nil })?.step.acceptWithin {
            let span = Phrase.Filling.text(Phrase.span(milliseconds: within.milliseconds))
            return text + Phrase(.askAccept, ["within": span]).text
        }
        return text + Phrase(found.kind == .inactivity ? .askOutcome : .askLook).text
    }

    private func reasons(of found: Case, for reader: Role) -> [Notice.Reason] {
        found.findings.suffix(3).map { finding in
            Notice.Reason(
                rule: finding.rule, text: reader.maySeeLitres ? finding.text : finding.plainText,
                numbers: reader.maySeeLitres ? finding.numbers : finding.plainNumbers)
        }
    }

    /// Quiet hours hold back attention until they end; alarms never wait.
    private mutating func earliest(_ contact: ContactCard, _ severity: Severity, at now: Instant) -> Interval {
        guard severity == .attention, let quiet = contact.quietHours else { return now.elapsed }
        let second = civil.secondOfDay(at: now.wall)
        let minute = Int(second / 60)
        guard quiet.covers(weekday: civil.weekday(at: now.wall), minute: minute) else { return now.elapsed }
        // To the minute at which they end: what came later in a minute must not overtake what came before it.
        let left = Int64(quiet.minutesLeft(minute: minute)) * 60 - second % 60
        return now.elapsed + .seconds(civil.seconds(untilClockFaceMoves: left, from: now.wall))
    }
}

extension Case {
    /// A time limit that somebody is expected to keep.
    struct Limit {
        var at: Interval
        var key: String
        /// Whether missing it means that nobody has the case any more.
        var reopens: Bool
    }

    /// Whether somebody who can go has taken the case on, so that the climb rests.
    public var isTaken: Bool { arrivedAt != nil || acceptedAt != nil && !acceptedByRelative }

    /// Nobody has the case any more.
    mutating func letGo() {
        acceptedAt = nil
        acceptedBy = nil
        acceptedByRelative = false
        arrivedAt = nil
        arrivedBy = nil
    }

    /// The climb goes on now, at the pace of its ladder: what fell due while somebody had the case is not all told in one breath.
    mutating func goOn(at now: Instant) {
        guard let next = rungs.firstIndex(where: { $0.doneAt == nil }) else { return }
        let late = max(.zero, now.since(rungs[next].dueAt))
        for index in rungs.indices where index > next && rungs[index].doneAt == nil { rungs[index].dueAt = rungs[index].dueAt.advanced(by: late) }
        rungs[next].dueAt = now
    }

    /// The limit that runs now.
    var limit: Limit? {
        guard let index = rungs.lastIndex(where: { $0.doneAt != nil }), let done = rungs[index].doneAt else { return nil }
        let step = rungs[index].step
        if let arrivedAt {
            return step.outcomeWithin.map { Limit(at: arrivedAt.elapsed + $0, key: "outcome-\(arrivedAt.elapsed)", reopens: false) }
        }
        if let acceptedAt, !acceptedByRelative {
            return step.arriveWithin.map { Limit(at: acceptedAt.elapsed + $0, key: "arrive-\(acceptedAt.elapsed)", reopens: true) }
        }
        return step.acceptWithin.map { Limit(at: done.elapsed + $0, key: "accept-\(done.elapsed)", reopens: false) }
    }

    /// The first rung that is due.
    func dueRung(at now: Interval) -> Int? {
        guard isOpen, pausedUntil == nil else { return nil }
        let limitMissed = limit.map { supervisedFor.contains($0.key) } ?? false
        guard !isTaken || limitMissed else { return nil }
        guard let next = rungs.firstIndex(where: { $0.doneAt == nil }), rungs[next].dueAt.elapsed <= now else { return nil }
        // While somebody is there but late with the outcome, only the rung made due by that is climbed.
        return next
    }

    /// The next moment at which something may be due.
    var nextDue: Interval? {
        guard isOpen else { return nil }
        if let pausedUntil { return pausedUntil }
        var moments: [Interval] = []
        if let limit, !supervisedFor.contains(limit.key) { moments.append(limit.at) }
        if !isTaken || limit.map({ supervisedFor.contains($0.key) }) == true,
            let next = rungs.first(where: { $0.doneAt == nil })
        {
            moments.append(next.dueAt.elapsed)
        }
        return moments.min()
    }
}
