import Casework
import Neighbourhood
import Safeguarding
import Telemetry

/// Watches whether the promises are kept, by what is true in the village. It keeps its own books and believes the gateway nothing.
struct VillageJudge {
    /// A ceiling of silence is checked at each reading and tick: so much may pass beyond it.
    private static let grace = Interval.minutes(30)
    /// A wall clock that is an hour wrong while the past is gone through again may move a silence by so much.
    private static let clockGrace = Interval.minutes(75)

    /// So long after the wall clock was set, readings it stamped wrongly lie no longer among those that a restart goes through: until then a home
    /// may count as seen for one poll longer than it was.
    private static let clocksForgotten = Interval.hours(12)

    /// The words under each name.
    private var names: [NoticeID: Int] = [:]
    /// The highest number that arrived of a case at a reader on a channel.
    private var highest: [String: Int] = [:]
    private var arrivedOnce: Set<NoticeID> = []
    /// Cases as they stand on the disk, in the gateway's own words at the time.
    private var mirror: [CaseID: Case] = [:]
    private var closedByWord: Set<CaseID> = []
    private var watchesBefore: [HouseholdID: HouseholdWatch] = [:]
    private var wasFull = false
    private var boardingRaisedAt: [Int: Interval] = [:]
    private var sceneFrom: [Int: Interval] = [:]
    private var collapsesAlarmed: [Int: Interval] = [:]
    private var alarmed: Set<CaseID> = []
    private var incidentEnded: [Subject: Interval] = [:]
    private(set) var checks = 0

    func breach(_ promise: Promise, _ detail: String, _ village: Village) -> Breach { Breach(promise: promise, after: village.now, detail: detail) }

    // MARK: Cases

    mutating func saved(_ item: Case, isDurable: Bool, _ village: Village) throws {
        checks += 1
        if isDurable { mirror[item.id] = item } else { wasFull = true }
        if !item.isOpen, isDurable { mirror[item.id] = nil }
        if !item.isOpen, item.kind == .incident { incidentEnded[item.subject] = village.now }
        guard let core = village.gateway?.core else { return }
        let alike = core.book.cases.values.count { $0.isOpen && $0.subject == item.subject && $0.kind == item.kind }
        if alike > 1 { throw breach(.oneCase, "\(alike) open of \(item.subject) \(item.kind.rawValue)", village) }
        let done = item.rungs.map { $0.doneAt != nil }
        if done != done.sorted(by: { $0 && !$1 }) { throw breach(.ladderInOrder, "\(item.id): a step was skipped", village) }
        for rung in item.rungs {
            if let at = rung.doneAt, at.since(rung.dueAt) < .zero { throw breach(.ladderInOrder, "\(item.id): a step before its time", village) }
        }
        if !item.isOpen, item.kind == .inactivity, item.visitAsked, item.closedBy == nil {
            throw breach(.closedByPerson, "\(item.id) closed itself", village)
        }
        guard item.isOpen, item.kind == .inactivity, let home = village.homeNumbers[HouseholdID(item.subject.id)] else { return }
        if item.severity == .alarm { noteAlarm(item, home, village) }
        if item.openedAt == village.instant, let entry = core.homes[HouseholdID(item.subject.id)]?.watch.presence, entry.kind != .visitors {
            throw breach(.awayNotAlarmed, "\(item.id) of \(item.subject), away until \(entry.until.unixSeconds)", village)
        }
    }

    private mutating func noteAlarm(_ item: Case, _ home: Int, _ village: Village) {
        guard let since = village.homes[home].collapsedAt, collapsesAlarmed[home] == nil else {
            if village.homes[home].collapsedAt == nil, village.homes[home].absentUntil < village.now, alarmed.insert(item.id).inserted {
                village.tally.alarmsOnTheWell += 1
            }
            return
        }
        collapsesAlarmed[home] = village.now
        village.tally.delays.append((village.now - since).hours)
    }

    mutating func helped(_ home: Int) { collapsesAlarmed[home] = nil }

    mutating func acknowledged(_ item: CaseID, _ deed: CaseBook.Act.Deed) {
        guard case .outcome(let outcome, _) = deed, outcome != .noAccess else { return }
        closedByWord.insert(item)
    }

    // MARK: Kills

    mutating func killed(_ village: Village) {
        wasFull = wasFull || village.disk.isFull
        // What lay in memory only, or between two wall clocks, is missing for a moment; all else must be as it was.
        let isWhole = !wasFull && village.gateway?.isCommitted == true && village.now - village.machine.wallSetAt > Self.clocksForgotten
        watchesBefore = isWhole ? village.gateway?.core.homes.mapValues(\.watch) ?? [:] : [:]
    }

    mutating func restarted(_ village: Village) throws {
        guard let book = village.gateway?.core.book else { return }
        checks += 1
        for id in closedByWord where book.cases[id]?.isOpen == true { throw breach(.actKept, "\(id) is open again after a restart", village) }
        if !wasFull {
            let open = book.cases.values.filter(\.isOpen)
            for item in open where mirror[item.id] != item { throw breach(.actKept, "\(item.id) is not as it was before the kill", village) }
            if open.count != mirror.count { throw breach(.actKept, "\(open.count) open cases after a restart, \(mirror.count) before", village) }
        }
        if village.machine.wallOffset == .zero, village.now - village.machine.wallSetAt > Self.clocksForgotten {
            for (id, before) in watchesBefore {
                // A new meter of the last hour is left to the next poll.
                guard let number = village.homeNumbers[id], let after = village.gateway?.core.homes[id]?.watch, before.register == after.register,
                    let difference = before.difference(to: after, register: village.homes[number].shown(at: village.now), at: village.instant)
                else { continue }
                throw breach(.samePerson, "\(id): \(difference)", village)
            }
        }
        watchesBefore = [:]
        mirror = Dictionary(uniqueKeysWithValues: book.cases.values.filter(\.isOpen).map { ($0.id, $0) })
        wasFull = village.disk.isFull
    }

    // MARK: Notices

    /// A notice is about to be sent.
    mutating func leaving(_ item: DeliverySchedule.Item, _ village: Village) throws {
        checks += 1
        if village.disk.notices[item.notice.id] == nil, item.notice.isUndurable != true { throw breach(.durableFirst, "\(item.notice.id)", village) }
    }

    mutating func arrived(_ notice: Notice, _ channel: ChannelID, _ village: Village) throws {
        checks += 1
        var hasher = Hasher()
        hasher.combine(notice.caseID)
        hasher.combine(notice.kind)
        hasher.combine(notice.contact)
        hasher.combine(notice.text)
        hasher.combine(notice.createdAt)
        let words = hasher.finalize()
        if let before = names.updateValue(words, forKey: notice.id), before != words { throw breach(.toldOnce, "\(notice.id) means two things", village) }
        guard arrivedOnce.insert(notice.id).inserted, notice.notBefore <= notice.createdAt.elapsed else { return }
        // c-43-n3-village-7: the third of its case, made by the seventh run; what a full disk and a kill made forgotten is numbered anew.
        let parts = notice.id.rawValue.split(separator: "-")
        let number = parts.dropFirst(2).first.flatMap { Int($0.dropFirst()) } ?? 0
        let key = "\(notice.caseID) \(notice.contact) \(channel) \(parts.last ?? "")"
        if let before = highest[key], number < before { throw breach(.inOrder, "\(notice.id) after n\(before) on \(channel)", village) }
        highest[key] = max(highest[key] ?? 0, number)
    }

    // MARK: Time passes

    mutating func ticked(_ village: Village) throws {
        guard let core = village.gateway?.core else { return }
        checks += 1
        let up = village.machine.up(until: village.now)
        let moment = village.instant
        for (number, home) in village.homes.enumerated() {
            let id = home.place.id
            guard let watch = core.homes[id]?.watch else { continue }
            let unseen = village.now - home.lastSeen
            if up >= village.plan.policy.noData + .minutes(6), unseen >= village.plan.policy.noData + .minutes(1) {
                let state = watch.state(at: moment)
                guard state == .blind || state == .alarm || state == .attention else {
                    throw breach(.blindNeverSafe, "\(id) is \(state.rawValue) after \(unseen.hours) h unseen", village)
                }
                if unseen >= .minutes(110), up >= .minutes(110), !isTold(id, home.place.bus, core.book, village) {
                    throw breach(.blindTold, "\(id) unseen for \(unseen.hours) h; \(story(home, village))", village)
                }
            }
            try judgeCollapse(number, home, core, village)
        }
    }

    /// The last cases around a home, for whoever must find out why.
    private func story(_ home: VillageHome, _ village: Village) -> String {
        let around: Set<Subject> = [
            Subject(.household, home.place.id.rawValue), Subject(.meter, home.place.meter.rawValue), Subject(.bus, "bus-\(home.place.bus)"),
            Subject(.site, "homes"),
        ]
        let cases = village.disk.cases.values.filter { around.contains($0.subject) }.sorted { $0.openedAt.elapsed < $1.openedAt.elapsed }.suffix(6)
        let axis = village.gateway?.axis ?? .zero
        func second(_ moment: Instant?) -> String { moment.map { "\(Int(($0.elapsed - axis).seconds))" } ?? "open" }
        return cases.map {
            "\($0.id) \($0.subject) \($0.kind.rawValue) \($0.findings.first?.rule ?? "") \(second($0.openedAt))–\(second($0.closedAt)) \($0.outcome?.rawValue ?? "") by \($0.closedBy ?? "-")"
        }.joined(separator: "; ")
    }

    private func isTold(_ id: HouseholdID, _ bus: Int, _ book: CaseBook, _ village: Village) -> Bool {
        let home = Subject(.household, id.rawValue)
        if book.openCase(home) != nil { return true }
        // When a shared incident ends, whoever stays out of sight is told of at the next poll.
        let patience = village.plan.poll + .minutes(5)
        return [Subject(.bus, "bus-\(bus)"), Subject(.site, "homes")].contains { shared in
            book.openCase(shared) != nil || incidentEnded[shared].map { village.now - $0 < patience } ?? false
        }
    }

    private func judgeCollapse(_ number: Int, _ home: VillageHome, _ core: Neighbourhood, _ village: Village) throws {
        guard let since = home.collapsedAt, let counted = home.countedFrom, collapsesAlarmed[number] == nil else { return }
        let guarded = village.now - counted.at - (village.machine.down(until: village.now) - counted.down)
        guard guarded > village.plan.policy.longestSilence + Self.grace + Self.clockGrace else { return }
        let subject = Subject(.household, home.place.id.rawValue)
        if core.book.openCase(subject, .inactivity)?.severity == .alarm { return }
        let watch = core.homes[home.place.id]?.watch
        throw breach(
            .collapseAnswered,
            "\(home.place.id) lies for \((village.now - since).hours) h, guarded \(guarded.hours) h; state \(watch?.state(at: village.instant).rawValue ?? "?"); \(story(home, village))",
            village)
    }

    mutating func hourPassed(_ village: Village) throws {
        guard let core = village.gateway?.core else { return }
        let up = village.machine.up(until: village.now)
        guard up >= .minutes(50) else { return }
        let moment = village.instant
        for item in core.book.cases.values where item.isOpen && item.kind == .inactivity && item.severity == .alarm && !item.isTaken && item.pausedUntil == nil
        {
            guard let told = item.rungs.compactMap({ $0.doneAt?.elapsed }).max() else { continue }
            if moment.elapsed - told > .minutes(40) { throw breach(.alarmKeepsOn, "\(item.id) was told last \((moment.elapsed - told).hours) h ago", village) }
        }
        guard up >= .hours(3) else { return }
        for id in village.disk.pending {
            guard let item = village.disk.notices[id] else { continue }
            let ready = max(item.notice.createdAt.elapsed, item.notice.notBefore)
            let working = village.channelDownUntil[item.notice.channel].map { village.now - $0 } ?? .days(1)
            if working > .hours(3), moment.elapsed - ready > .hours(3), !wasFull {
                throw breach(.delivered, "\(id) waits for \((moment.elapsed - ready).hours) h", village)
            }
        }
        forget()
    }

    /// Books of a year would fill the memory.
    private mutating func forget() {
        if highest.count > 20_000 { highest = [:] }
        if closedByWord.count > 5_000 { closedByWord = [] }
    }

    // MARK: Lifts

    mutating func boardingRaised(_ lift: Int, at now: Interval) { boardingRaisedAt[lift] = now }

    mutating func watched(_ scene: BoardingScene, _ lift: Int, _ village: Village) throws {
        checks += 1
        let from = sceneFrom[lift] ?? village.now
        sceneFrom[lift] = scene.isOver ? nil : from
        if scene.mustBeTold, village.machine.up(until: village.now) > .seconds(5), (boardingRaisedAt[lift] ?? .milliseconds(-1)) < from {
            throw breach(.boardingTold, "\(village.plan.lifts[lift]), scene \(scene.seed)", village)
        }
        if scene.isOver, scene.firmware.heldUntil.map({ $0 > village.now + BoardingScene.policy.lease }) == true {
            throw breach(.doorLetGo, "\(village.plan.lifts[lift]) is held when all is over, scene \(scene.seed)", village)
        }
    }
}
