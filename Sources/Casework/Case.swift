import Phrasebook
import Telemetry

/// The seven links of grid management.
public enum CaseStage: String, Sendable, Codable, CaseIterable {
    case reported, filed, dispatched, handling, supervised, verified, closed
}

/// What a person found.
public enum Outcome: String, Sendable, Codable, CaseIterable {
    case safe, away, helped, hospital, deceased, leak
    case meterFault = "meter_fault"
    case noAccess = "no_access"
    case falseAlarm = "false_alarm"
    case removed, repaired

    /// The outcomes that make sense for a kind of case (contract, precisions of cases).
    public static func allowed(for kind: FindingKind) -> [Outcome] {
        switch kind {
        case .inactivity, .useWhileAway: [.safe, .away, .helped, .hospital, .deceased, .leak, .meterFault, .noAccess]
        case .ebike, .ebikeBattery, .gasCylinder: [.removed, .falseAlarm]
        case .equipment, .meterEvent, .blind: [.meterFault, .repaired, .falseAlarm]
        case .continuousFlow, .degraded, .excessUse: [.leak, .repaired, .safe, .meterFault, .falseAlarm, .noAccess]
        case .incident: [.repaired, .safe, .removed, .falseAlarm, .meterFault]
        }
    }
}

/// A matter that somebody must see to, from the first finding to what a person found.
public struct Case: Sendable, Hashable, Codable {
    /// One rung with its times.
    public struct Rung: Sendable, Hashable, Codable {
        public var step: LadderStep
        /// When it is due, unless somebody has taken the case on.
        public var dueAt: Instant
        /// When its people were told.
        public var doneAt: Instant?
        /// Whether it repeats an earlier one.
        public var repeated: Bool
    }

    /// One notice of the case, as the delivery reports it.
    public struct NoticeRecord: Sendable, Hashable, Codable {
        public var id: NoticeID
        public var channel: ChannelID
        public var contact: ContactID
    }

    public var id: CaseID
    public var kind: FindingKind
    public var severity: Severity
    public var subject: Subject
    public var stage: CaseStage
    public var openedAt: Instant
    public var acceptedAt: Instant?
    public var acceptedBy: String?
    /// Whether only a relative has accepted, so that the dispatch goes on.
    public var acceptedByRelative = false
    public var arrivedAt: Instant?
    public var arrivedBy: String?
    /// When somebody said first that they go, and was there first: what follows may undo the acceptance, not the fact.
    public var firstAcceptedAt: Instant?
    public var firstArrivedAt: Instant?
    public var signOfLifeAt: Instant?
    public var closedAt: Instant?
    public var outcome: Outcome?
    /// The person whose word closed it; nil when it ended by itself.
    public var closedBy: String?
    public var note: String
    public var findings: [Finding]
    public var rungs: [Rung]
    public var repeatEvery: Interval
    /// The climb rests until then.
    public var pausedUntil: Interval?
    /// Limits that were missed and told, so that each is told once.
    public var supervisedFor: Set<String> = []
    /// When a limit was missed first.
    public var supervisedAt: Instant?
    public var notices: [NoticeRecord] = []
    /// How many notices the case has made; part of their identifiers.
    public var noticeCount = 0
    /// Who found nobody opening last, and when: the same word sent twice must not climb twice.
    public var noAccessBy: String?
    public var noAccessAt: Interval?
    /// Whether a person was asked to go: then only a person closes the case.
    public var visitAsked = false
    /// What people did so often that it is bounded; nil until they did.
    public var actCounts: ActCounts?
    /// Since when its reason is over, where the matter comes and goes and is not believed to be over yet.
    public var clearedAt: Interval?
    /// What one source reported in such numbers that it became this one case; nil in every other case.
    public var folded: Folded?

    /// How often people handed a case back, hurried its climb, and gave news of themselves.
    public struct ActCounts: Sendable, Hashable, Codable {
        /// Hand-backs by whose they were.
        public var handBacks: [String: Int] = [:]
        /// When the climb was hurried within the last hour.
        public var hurries: [Interval] = []
        /// How many rounds of news there were.
        public var news = 0

        /// Nothing yet.
        public init() {}
    }

    /// Subjects that share a case.
    public struct Folded: Sendable, Hashable, Codable {
        /// Those whose reason is not over, by identifier.
        public var subjects: Set<String> = []
        /// Whether there were more than are kept.
        public var isMore = false

        /// None yet.
        public init() {}
    }

    /// Whether the case waits for somebody.
    public var isOpen: Bool { closedAt == nil }
    /// Whether it is the monthly drill.
    public var isDrill: Bool { findings.first?.rule == Case.drillRule }
    /// The rule of a drill's finding.
    public static let drillRule = "drill"
    /// The newest finding.
    public var latest: Finding? { findings.last }
    /// The most findings kept; the first and the newest ones matter.
    static let mostFindings = 50
    /// The most rungs kept, repetitions among them.
    static let mostRungs = 64
    /// The most notices recorded; who was told stays known.
    static let mostNotices = 400
    /// The most subjects that a case remembers of those folded into it.
    static let mostFolded = 200
    /// A note takes no more than this, in bytes.
    public static let longestNote = 20_000

    /// The case with texts as long as this release writes them, whatever a record holds.
    public var fitted: Case {
        var item = self
        if note.utf8.count > Self.longestNote + 8000 { item.note = note.bounded(.init(scalars: Self.longestNote, bytes: Self.longestNote, hasLines: true)) }
        func short(_ text: String?) -> String? { text.map { $0.utf8.count <= 320 ? $0 : $0.bounded(.name) } }
        (item.acceptedBy, item.arrivedBy, item.closedBy, item.noAccessBy) = (short(acceptedBy), short(arrivedBy), short(closedBy), short(noAccessBy))
        return item
    }
}

/// A message that is to reach one contact by one channel.
public struct Notice: Sendable, Hashable, Codable {
    /// What happened to the case; the contract's CloudEvents types end in these words.
    public enum Kind: String, Sendable, Codable, CaseIterable {
        case opened, escalated, accepted, arrived
        case signOfLife = "sign_of_life"
        case closed, drill
    }

    /// Stays the same through every retry.
    public var id: NoticeID
    public var caseID: CaseID
    public var kind: Kind
    public var contact: ContactID
    public var channel: ChannelID
    public var role: Role
    public var language: Language
    public var severity: Severity
    public var caseKind: FindingKind
    public var stage: CaseStage
    public var subject: Subject
    /// The roles told together.
    public var roles: [Role]
    /// The sentence without names; the renderer puts the subject in front.
    public var text: LocalizedText
    public var reasons: [Reason]
    public var createdAt: Instant
    public var openedAt: Instant
    /// Not to be sent before this place on the elapsed-time axis (quiet hours).
    public var notBefore: Interval
    /// What another device said in its own words; the renderer puts them in where the channel may carry names.
    public var quote: String?
    /// Set when the case behind it could not be written down: the disk is full, and a restart would not know of it.
    public var isUndurable: Bool?

    /// A notice with all its parts.
    public init(
        id: NoticeID, caseID: CaseID, kind: Kind, contact: ContactID, channel: ChannelID, role: Role, language: Language,
        severity: Severity, caseKind: FindingKind, stage: CaseStage, subject: Subject, roles: [Role], text: LocalizedText,
        reasons: [Reason], createdAt: Instant, openedAt: Instant, notBefore: Interval
    ) {
        self.id = id
        self.caseID = caseID
        self.kind = kind
        self.contact = contact
        self.channel = channel
        self.role = role
        self.language = language
        self.severity = severity
        self.caseKind = caseKind
        self.stage = stage
        self.subject = subject
        self.roles = roles
        self.text = text
        self.reasons = reasons
        self.createdAt = createdAt
        self.openedAt = openedAt
        self.notBefore = notBefore
    }

    /// A reason as a notice carries it.
    public struct Reason: Sendable, Hashable, Codable {
        public var rule: String
        public var text: LocalizedText
        public var numbers: [String: Double]
    }
}
