import Phrasebook
import Telemetry

/// All cases of a site: joins findings, climbs ladders, takes acts, says whom to tell. A pure value; the same events at
/// the same moments give the same notices with the same identifiers, also after it was saved and restored.
public struct CaseBook: Sendable {
    /// What happens.
    public enum Event: Sendable {
        case finding(Finding)
        /// The reason of a kind of finding is over.
        case cleared(Subject, FindingKind)
        /// Water ran after the alarm.
        case signOfLife(HouseholdID)
        case act(CaseID, Act)
        case tick
    }

    /// What somebody does about a case.
    public struct Act: Sendable, Hashable {
        /// The acts.
        public enum Deed: Sendable, Hashable {
            case accept, arrived, handBack
            case outcome(Outcome, until: WallTime?)
        }

        /// What a name stands for.
        public enum Speaker: Sendable, Hashable {
            /// A contact's id, or a name that somebody said.
            case contact
            /// An account of the console, with the role people know it by.
            case account(Role?)
        }

        public var deed: Deed
        /// Who: a contact's id, an account, or a name.
        public var by: String
        /// What `by` stands for: an account is no contact, whatever its name.
        public var speaker: Speaker
        public var note: String

        /// An act.
        public init(_ deed: Deed, by: String, as speaker: Speaker = .contact, note: String = "") {
            self.deed = deed
            self.by = by
            self.speaker = speaker
            self.note = note
        }
    }

    /// What follows. All effects of one event are made durable together before any of them is carried out.
    public enum Effect: Sendable, Hashable {
        /// The case is new or changed: save it.
        case save(Case)
        /// Tell somebody.
        case notify(Notice)
        /// A person found nobody at home for a reason: enter it.
        case presence(HouseholdID, Outcome, until: WallTime, by: String)
        /// A person was there: the silence is explained.
        case seenByPerson(HouseholdID, Outcome)
        /// A person called the boarding alarm false.
        case falseBoardingAlarm(ElevatorID)
    }

    /// Why an act cannot be.
    public enum Refusal: Error, Sendable, Hashable {
        case unknownCase(CaseID)
        case closed(Outcome?)
        case outcomeNotAllowed(Outcome, allowed: [Outcome])
        case notAccepted
        /// Somebody else has taken it on.
        case notYours
        /// An absence that is over already explains nothing.
        case untilPast
        /// The same person has handed the case back so often that somebody else must take it.
        case handedBackTooOften
    }

    /// How long a sign of life lets the climb rest.
    public static let signOfLifePause = Interval.minutes(30)
    /// The rule of a finding that an e-bike has come in.
    static let boardedRule = "confirmed"
    /// What `away` and `hospital` mean without a date, and at most.
    public static let presenceDefault = Interval.days(1)
    static let presenceLongest = Interval.days(30)

    /// Cases by id: all open ones, and those closed since the start.
    public private(set) var cases: [CaseID: Case] = [:]
    public var ladders: Ladders
    public var directory: Directory
    public var language: Language
    var civil: CivilClock
    /// The site's civil time.
    public var clock: CivilClock { civil }
    private var nextNumber: Int
    /// The number of the newest case, 0 when there is none.
    public var highestNumber: Int { nextNumber - 1 }
    /// When cases were opened lately: by subject and kind, and by source.
    var openings = Openings()
    /// When e-bikes came in, by lift.
    var boardings: [Subject: [WallTime]] = [:]
    /// Ends the identifiers of notices, so that two sites, or a site with a new record, never send the same one: receivers drop what they
    /// have had before. Empty in tests.
    public let tag: String

    /// A book with the cases that are still open, and the number the next case gets.
    public init(
        ladders: Ladders, directory: Directory, language: Language, civil: CivilClock, open: [Case] = [], nextNumber: Int = 1, tag: String = ""
    ) {
        self.ladders = ladders
        self.directory = directory
        self.language = language
        self.civil = civil
        self.nextNumber = nextNumber
        self.tag = tag
        for item in open { cases[item.id] = item }
        recallBoardings(open)
    }

    /// Takes one event.
    /// - Throws: `Refusal` when an act is impossible; nothing has changed then.
    public mutating func handle(_ event: Event, at now: Instant) throws(Refusal) -> [Effect] {
        switch event {
        case .finding(let finding): return join(finding, at: now)
        case .cleared(let subject, let kind): return clear(subject, kind, at: now)
        case .signOfLife(let household): return signOfLife(household, at: now)
        case .act(let id, let act): return try take(act, on: id, at: now)
        case .tick: return climbAll(at: now) + closeWhatIsOver(at: now)
        }
    }

    /// The open case of a subject and kind.
    public func openCase(_ subject: Subject, _ kind: FindingKind) -> Case? {
        cases.values.first { $0.isOpen && $0.subject == subject && $0.kind == kind }
    }

    /// The open case of a subject that matters most.
    public func openCase(_ subject: Subject) -> Case? {
        cases.values.filter { $0.isOpen && $0.subject == subject }
            .max { ($0.severity, $1.openedAt.elapsed) < ($1.severity, $0.openedAt.elapsed) }
    }

    /// Forgets closed cases; the store keeps them.
    public mutating func forgetClosed(before: Interval) {
        cases = cases.filter { $0.value.isOpen || ($0.value.closedAt?.elapsed ?? .zero) >= before }
        openings.forget(before: before)
    }

    /// Ends open cases about which nobody may be told any more: consent was withdrawn. Nobody hears of the end either.
    public mutating func withdraw(_ subjects: Set<Subject>, at now: Instant) -> [Effect] {
        cases.values.filter { $0.isOpen && subjects.contains($0.subject) }.sorted { $0.id < $1.id }.map { open in
            var ended = open
            ended.stage = .closed
            ended.closedAt = now
            ended.pausedUntil = nil
            ended.note = ended.note.isEmpty ? "auto" : ended.note
            put(ended)
            return .save(ended)
        }
    }

    /// Forgets every case of subjects whose data was erased.
    public mutating func forget(_ subjects: Set<Subject>) { cases = cases.filter { !subjects.contains($0.value.subject) } }

    mutating func put(_ item: Case) { cases[item.id] = item }

    /// The earliest moment at which a case needs a tick.
    public var nextDeadline: Interval? {
        cases.values.filter(\.isOpen).compactMap(\.nextDue).min()
    }

    // MARK: Findings

    /// Findings of boarding that are told to people although the case stands already.
    private static let doorGivenUp: Set<String> = ["longest_hold", "too_often"]

    mutating func join(_ said: Finding, at now: Instant) -> [Effect] {
        guard said.kind != .meterEvent else { return [] }
        noteBoarding(said)
        let finding = folded(said, at: now)
        guard var found = openCase(finding.subject, finding.kind) else { return open(finding, foldedFrom: said.subject, at: now) }
        if found.clearedAt != nil {
            found.clearedAt = nil
            openings.noteReturn(finding.subject, finding.kind, at: now.elapsed)
        }
        found.fold(said.subject)
        if found.findings.count >= Case.mostFindings { found.findings.remove(at: 1) }
        found.findings.append(finding)
        if finding.severity > found.severity {
            found.severity = finding.severity
            found.rungs = rungs(for: finding, from: now)
            found.repeatEvery = ladders.ladder(for: finding).repeat
            found.pausedUntil = nil
            // Whoever took an attention on may have time; an alarm needs somebody who goes now. Only who is there already stays.
            if found.arrivedAt == nil { found.letGo() }
            return climb(found, at: now)
        }
        // The same lift boarded again: whoever was told has not ended it, so the next ones hear of it now.
        if found.kind == .ebike, finding.rule == Self.boardedRule, found.findings.contains(where: { $0.rule == Self.boardedRule && $0.at != finding.at }) {
            return climbForRepeat(found, at: now)
        }
        // The door is not held any more, or will not be: whoever was told must know that nothing keeps the e-bike out now.
        if found.kind == .ebike, Self.doorGivenUp.contains(finding.rule) {
            let notices = news(&found, .escalated, finding.text, at: now)
            put(found)
            return [.save(found)] + notices
        }
        // Renewed silence after a sign of life: the climb goes on at once.
        if found.kind == .inactivity, found.signOfLifeAt != nil, found.pausedUntil != nil {
            found.pausedUntil = nil
            found.goOn(at: now)
            return climb(found, at: now)
        }
        put(found)
        return [.save(found)]
    }

    private mutating func open(_ finding: Finding, foldedFrom subject: Subject, at now: Instant) -> [Effect] {
        let id = CaseID("c-\(nextNumber)")
        nextNumber += 1
        var opened = Case(
            id: id, kind: finding.kind, severity: finding.severity, subject: finding.subject, stage: .filed, openedAt: now,
            note: "", findings: [finding], rungs: rungs(for: finding, from: now), repeatEvery: ladders.ladder(for: finding).repeat)
        if finding.subject != subject {
            opened.folded = Case.Folded()
            opened.fold(subject)
        }
        openings.note(opened, at: now.elapsed)
        return climb(opened, at: now)
    }

    private func rungs(for finding: Finding, from now: Instant) -> [Case.Rung] {
        ladders.ladder(for: finding).steps.map {
            Case.Rung(step: $0, dueAt: now.advanced(by: $0.after), doneAt: nil, repeated: false)
        }
    }

    // MARK: Ends without a person, and signs of life

    private mutating func clear(_ subject: Subject, _ kind: FindingKind, at now: Instant) -> [Effect] {
        guard var found = openCase(subject, kind), kind != .inactivity, kind != .ebike, kind != .useWhileAway else { return unfold(subject, kind, at: now) }
        // What comes and goes all the time is one case until it has stayed away for a while.
        guard !openings.comesAndGoes(subject, kind, at: now.elapsed), found.folded == nil else {
            found.clearedAt = now.elapsed
            put(found)
            return [.save(found)]
        }
        return closeByItself(found, at: now)
    }

    mutating func closeByItself(_ closing: Case, at now: Instant) -> [Effect] {
        var found = closing
        let kind = found.kind
        found.outcome = kind == .continuousFlow || kind == .excessUse ? .safe : .repaired
        found.note = found.note.isEmpty ? "auto" : found.note
        return close(found, by: nil, at: now)
    }

    private mutating func signOfLife(_ household: HouseholdID, at now: Instant) -> [Effect] {
        guard var found = openCase(Subject(.household, household.rawValue), .inactivity) else { return [] }
        if !found.visitAsked {
            found.signOfLifeAt = now
            found.outcome = .safe
            found.note = found.note.isEmpty ? "auto" : found.note
            return close(found, by: nil, at: now)
        }
        let first = found.signOfLifeAt == nil || found.pausedUntil == nil
        found.signOfLifeAt = found.signOfLifeAt ?? now
        guard first else { return [] }
        found.pausedUntil = now.elapsed + Self.signOfLifePause
        let text = Phrase(.signOfLife, ["at": .same(civil.clockFace(now.wall))]).text
        let notices = tellThoseTold(&found, .signOfLife, text, at: now)
        put(found)
        return [.save(found)] + notices
    }

    mutating func close(_ closing: Case, by who: String?, at now: Instant) -> [Effect] {
        var found = closing
        found.stage = .closed
        found.closedAt = now
        found.closedBy = who
        found.pausedUntil = nil
        let word = (found.outcome ?? .safe).name
        let text = Phrase(.closedWith, ["outcome": .text(word)]).text
        let notices = tellThoseTold(&found, .closed, text, at: now)
        put(found)
        return [.save(found)] + notices
    }
}
