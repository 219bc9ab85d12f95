import Casework
import Foundation
import Phrasebook
import Safeguarding
import Telemetry

/// All that a gateway decides about homes, meters and cases, as one pure value: readings and acts go in, what must be
/// saved and whom to tell comes out. The shells around it carry that out; a test or a rehearsal drives it directly.
public struct Neighbourhood: Sendable {
    /// What the core must know of one home.
    public struct Home: Sendable {
        public var id: HouseholdID
        public var meter: MeterID?
        public var bus: BusID?
        public var watch: HouseholdWatch

        /// A home with its watch.
        public init(id: HouseholdID, meter: MeterID?, bus: BusID?, watch: HouseholdWatch) {
            self.id = id
            self.meter = meter
            self.bus = bus
            self.watch = watch
        }
    }

    /// How one poll of a meter ended.
    public struct Poll: Sendable, Hashable {
        public var meter: MeterID
        /// Whether the device said anything.
        public var answered: Bool
        /// The totaliser, when it can be used.
        public var register: Volume?
        /// Why not, in a word for technicians.
        public var reason: String
        /// Totals of the meter's own log since the last poll that could be used, oldest first.
        public var past: [Past]
        /// A gateway answered in the device's place that it is silent.
        public var gatewayAnswers: Bool

        /// One total of the past.
        public struct Past: Sendable, Hashable {
            public var at: WallTime
            public var register: Volume

            /// A total at a moment of the past.
            public init(at: WallTime, register: Volume) {
                self.at = at
                self.register = register
            }
        }

        /// A poll's end.
        public init(
            meter: MeterID, answered: Bool, register: Volume?, reason: String = "", past: [Past] = [], gatewayAnswers: Bool = false
        ) {
            self.past = past
            self.gatewayAnswers = gatewayAnswers
            self.meter = meter
            self.answered = answered
            self.register = register
            self.reason = reason
        }
    }

    /// What happens.
    public enum Event: Sendable {
        case poll(Poll)
        /// A finding from elsewhere: boarding, storage, delivery.
        case finding(Finding)
        /// The reason of such a finding is over.
        case cleared(Subject, FindingKind)
        case act(CaseID, CaseBook.Act)
        case presence(HouseholdID, PresenceEntry?)
        /// Something for the journal alone: a hold, a release.
        case record(Subject, kind: String, body: String)
        /// Consent was withdrawn: open cases of these subjects end, and nobody is told.
        case withdrawn(Set<Subject>)
        /// The data of these subjects was erased: nothing of them is kept.
        case erased(Set<Subject>)
        case tick
    }

    /// What follows. The effects of one event belong to one transaction.
    public enum Effect: Sendable {
        case save(Case)
        case notify(Notice)
        /// The home's watch changed in a way that must survive a restart.
        case saveWatch(HouseholdID)
        case journal(kind: String, subject: Subject, body: String)
        /// The home's page has news.
        case homeChanged(HouseholdID)
        case falseBoardingAlarm(ElevatorID)
    }

    /// Why an event cannot be.
    public enum Refusal: Error, Sendable, Hashable {
        case unknownHome(HouseholdID)
        case impossibleAct(CaseBook.Refusal)
        /// The gateway is stopping: the event was not taken.
        case stopping
        /// The event was taken and has its effect, but the disk takes no more: a restart would not know of it.
        case undurable
    }

    /// Homes by id.
    public private(set) var homes: [HouseholdID: Home]
    /// The cases.
    public var book: CaseBook
    var equipment: EquipmentWatch
    private var homeOfMeter: [MeterID: HouseholdID]
    /// Homes whose blindness was told as part of an incident and not by itself.
    var untoldBlind: Set<HouseholdID> = []

    /// A neighbourhood.
    /// - Parameters:
    ///   - meters: every polled meter with its bus and unit
    public init(homes: [Home], meters: [(id: MeterID, bus: BusID, unit: Int)], book: CaseBook) {
        self.homes = Dictionary(homes.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        self.book = book
        equipment = EquipmentWatch(meters)
        homeOfMeter = Dictionary(homes.compactMap { home in home.meter.map { ($0, home.id) } }, uniquingKeysWith: { first, _ in first })
        recallSharedBlindness()
    }

    /// Takes one event.
    public mutating func handle(_ event: Event, at now: Instant) throws(Refusal) -> [Effect] {
        var effects: [Effect] = []
        switch event {
        case .poll(let poll): take(poll, at: now, &effects)
        case .finding(let finding): tell(finding, at: now, &effects)
        case .cleared(let subject, let kind): settle(.cleared(subject, kind), at: now, &effects)
        case .act(let id, let act):
            do throws(CaseBook.Refusal) {
                let done = try book.handle(.act(id, act), at: now)
                carry(done, at: now, &effects)
            } catch { throw .impossibleAct(error) }
        case .presence(let id, let entry):
            guard homes[id] != nil else { throw .unknownHome(id) }
            // Whoever enters a new date or a return has answered the question.
            settle(.cleared(Subject(.household, id.rawValue), .incident), at: now, &effects)
            watch(id, .presence(entry), at: now, &effects)
            effects += [.saveWatch(id), .homeChanged(id)]
            if let entry { explain(id, entry, at: now, &effects) }
        case .record(let subject, let kind, let body): effects.append(.journal(kind: kind, subject: subject, body: body))
        case .withdrawn(let subjects): carry(book.withdraw(subjects, at: now), at: now, &effects)
        case .erased(let subjects):
            book.forget(subjects)
            for subject in subjects where subject.type == .household { forget(HouseholdID(subject.id), &effects) }
        case .tick:
            for id in homes.keys.sorted() { watch(id, .tick, at: now, &effects) }
            tellSharedSilenceThatLasts(at: now, &effects)
            settle(.tick, at: now, &effects)
        }
        return effects
    }

    private mutating func forget(_ id: HouseholdID, _ effects: inout [Effect]) {
        if let meter = homes[id]?.meter { homeOfMeter[meter] = nil }
        homes[id] = nil
        untoldBlind.remove(id)
        effects.append(.homeChanged(id))
    }

    /// Whoever enters an absence says why the home is silent: an open case of silence has its outcome.
    private mutating func explain(_ id: HouseholdID, _ entry: PresenceEntry, at now: Instant, _ effects: inout [Effect]) {
        guard entry.kind != .visitors, let open = book.openCase(Subject(.household, id.rawValue), .inactivity) else { return }
        let outcome: Outcome = entry.kind == .hospital ? .hospital : .away
        guard let done = try? book.handle(.act(open.id, .init(.outcome(outcome, until: entry.until), by: entry.by, note: entry.note)), at: now)
        else { return }
        // The entry itself is in the ledger already.
        carry(done.filter { if case .presence = $0 { false } else { true } }, at: now, &effects)
    }

    // MARK: Homes and meters

    private mutating func take(_ poll: Poll, at now: Instant, _ effects: inout [Effect]) {
        let told = equipment.take(
            poll.meter, answered: poll.answered, usable: poll.register != nil, reason: poll.reason, gatewayAnswers: poll.gatewayAnswers, at: now)
        for effect in told {
            switch effect {
            case .raise(let finding): tell(finding, at: now, &effects)
            case .clear(let subject):
                if let open = book.openCase(subject, .equipment), open.findings.contains(where: { EquipmentWatch.untilSeenTo.contains($0.rule) }) { continue }
                settle(.cleared(subject, .equipment), at: now, &effects)
            }
        }
        guard let home = homeOfMeter[poll.meter] else { return }
        let late = replay(poll.past, for: home, at: now, &effects)
        watch(home, poll.register.map { .register($0) } ?? .unreadable, at: now, &effects)
        // Told now, not in the past: a ladder that began hours ago would climb to its end in one breath. And only what still stands.
        for finding in late where homes[home]?.watch.standing.values.contains(finding) == true { tell(finding, at: now, &effects) }
        reviewSharedBlindness(around: home, seen: poll.register != nil, at: now, &effects)
        effects.append(.homeChanged(home))
    }

    /// The meter's own log puts use where it happened: each total is taken at its place on the elapsed-time axis, those the
    /// home has already heard of are left out, and so is what does not fit between the last reading and now.
    /// - Returns: what the watch found on the way
    private mutating func replay(_ past: [Poll.Past], for id: HouseholdID, at now: Instant, _ effects: inout [Effect]) -> [Finding] {
        guard let heard = homes[id]?.watch.lastReading else { return [] }
        var found: [Finding] = []
        for record in past {
            let ago = now.wall - record.at
            let at = Instant(elapsed: now.elapsed - ago, wall: record.at)
            guard ago > .zero, at.since(heard) > .zero, let steps = homes[id]?.watch.handle(.register(record.register), at: at) else { continue }
            for step in steps {
                if case .raise(let finding) = step { found.append(finding) } else { take(step, of: id, metered: at, at: now, &effects) }
            }
            effects.append(.saveWatch(id))
        }
        return found
    }

    private mutating func watch(_ id: HouseholdID, _ event: HouseholdWatch.Event, at now: Instant, _ effects: inout [Effect]) {
        guard let heard = homes[id]?.watch.handle(event, at: now) else { return }
        for effect in heard { take(effect, of: id, metered: now, at: now, &effects) }
        let matters = heard.contains { effect in
            switch effect {
            case .lifeSign, .firstUseToday, .meter: false
            default: true
            }
        }
        if matters { effects += [.saveWatch(id), .homeChanged(id)] }
    }

    /// Takes what a watch said.
    /// - Parameters:
    ///   - metered: when the meter showed it
    ///   - now: when it is known, and told
    private mutating func take(_ effect: HouseholdWatch.Effect, of id: HouseholdID, metered: Instant, at now: Instant, _ effects: inout [Effect]) {
        let subject = Subject(.household, id.rawValue)
        switch effect {
        case .raise(let finding): tell(finding, at: now, &effects)
        case .clear(let kind, _):
            if kind != .inactivity { settle(.cleared(subject, kind), at: now, &effects) }
        case .lifeSign:
            // Water that ran before the case was opened says nothing about the person now.
            if let open = book.openCase(subject, .inactivity), metered.since(open.openedAt) <= .zero { break }
            settle(.signOfLife(id), at: now, &effects)
            endSharedSilence(around: id, at: now, &effects)
        case .presenceEnded: settle(.cleared(subject, .incident), at: now, &effects)
        case .presenceEnding(let entry):
            var clock = book.clock
            let phrase = Phrase(.absenceEnding, ["until": .text(clock.spoken(entry.until, at: now.wall))])
            let question = Finding(subject: subject, kind: .incident, rule: "absence_ending", severity: .attention, at: now, text: phrase.text)
            tell(question, at: now, &effects)
        case .meter(let event):
            effects.append(.journal(kind: "meter_event", subject: subject, body: event.summary))
            if let meter = homes[id]?.meter, let told = equipment.take(event, of: meter, at: now) { tell(told, at: now, &effects) }
        case .learnt, .firstUseToday: break
        }
    }

    /// A home that goes blind or quiet together with most others is part of one incident, not a case of its own.
    private mutating func tell(_ finding: Finding, at now: Instant, _ effects: inout [Effect]) {
        journal(finding, &effects)
        if isPartOfSharedBlindness(finding, at: now, &effects) { return }
        if isPartOfSharedSilence(finding, at: now, &effects) { return }
        settle(.finding(finding), at: now, &effects)
    }

    func journal(_ finding: Finding, _ effects: inout [Effect]) {
        guard let body = try? JSONEncoder().encode(finding) else { return }
        effects.append(.journal(kind: "finding", subject: finding.subject, body: String(decoding: body, as: UTF8.self)))
    }

    // MARK: Cases

    /// Hands an event to the case book that it cannot refuse.
    mutating func settle(_ event: CaseBook.Event, at now: Instant, _ effects: inout [Effect]) {
        do throws(CaseBook.Refusal) {
            let done = try book.handle(event, at: now)
            carry(done, at: now, &effects)
        } catch {
            assertionFailure("only acts can be refused")
        }
    }

    private mutating func carry(_ done: [CaseBook.Effect], at now: Instant, _ effects: inout [Effect]) {
        for effect in done {
            switch effect {
            case .save(let item):
                effects.append(.save(item))
                if !item.isOpen { tellFolded(into: item, at: now, &effects) }
            case .notify(let notice): effects.append(.notify(notice))
            case .presence(let home, let outcome, let until, let by):
                let kind: PresenceEntry.Kind = outcome == .hospital ? .hospital : .away
                watch(home, .presence(PresenceEntry(kind: kind, until: until, by: by)), at: now, &effects)
                effects += [.saveWatch(home), .homeChanged(home)]
            case .seenByPerson(let home, _):
                watch(home, .seen, at: now, &effects)
                effects += [.saveWatch(home), .homeChanged(home)]
            case .falseBoardingAlarm(let elevator): effects.append(.falseBoardingAlarm(elevator))
            }
        }
    }

    /// Whether a meter has not answered its last polls.
    public func isSilent(_ meter: MeterID) -> Bool { (equipment.lines[meter]?.misses ?? 0) >= EquipmentWatch.missesUntilTold }

    /// Puts a new configuration in place: homes that stay keep what they have learnt, and cases stay open.
    public mutating func reconfigure(
        homes new: [Home], meters: [(id: MeterID, bus: BusID, unit: Int)], ladders: Ladders, directory: Directory, language: Language
    ) {
        var kept: [HouseholdID: Home] = [:]
        for var home in new {
            if let old = homes[home.id], old.meter == home.meter {
                var watch = old.watch
                watch.adopt(home.watch)
                home.watch = watch
            }
            kept[home.id] = home
        }
        homes = kept
        homeOfMeter = Dictionary(new.compactMap { home in home.meter.map { ($0, home.id) } }, uniquingKeysWith: { first, _ in first })
        equipment = EquipmentWatch(meters)
        book.ladders = ladders
        book.directory = directory
        book.language = language
    }

    /// The next moment at which a tick matters to a case.
    public var nextDeadline: Interval? { book.nextDeadline }
}
