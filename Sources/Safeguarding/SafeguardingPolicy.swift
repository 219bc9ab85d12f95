import Telemetry

/// The published rule: less than so many litres within so long.
public struct VolumeRule: Sendable, Hashable, Codable {
    /// When the rule applies.
    public enum Applies: String, Sendable, Codable, CaseIterable {
        /// Only until the personal model has learnt the home.
        case learning
        /// Always.
        case always
    }

    /// Less than this.
    public var below: Volume
    /// Within this long.
    public var within: Interval
    /// When the rule applies.
    public var when: Applies
    /// How much it matters.
    public var severity: Severity

    /// The rule; by default the one published for Shanghai Changning, 10 L in 12 h.
    public init(
        below: Volume = .litres(10), within: Interval = .hours(12), when: Applies = .learning, severity: Severity = .alarm
    ) {
        self.below = below
        self.within = within
        self.when = when
        self.severity = severity
    }
}

/// How a home is guarded.
public struct SafeguardingPolicy: Sendable, Hashable, Codable {
    /// The published volume rule; nil switches it off.
    public var volumeRule: VolumeRule?
    /// The hard ceiling of silence, always armed.
    public var longestSilence: Interval
    /// False alarms of the personal model a month (30 days) that people can live with.
    public var falseAlarmBudget: Double
    /// The same for its softer attention.
    public var attentionBudget: Double
    /// Water running this long without a pause is told.
    public var continuousFlow: Interval
    /// More than this in a day is told.
    public var dailyCeiling: Volume
    /// Without a reading for so long a home is BLIND.
    public var noData: Interval
    /// Whether the personal model judges at all.
    public var personal: Bool

    /// The default policy of the contract's configuration page.
    public init(
        volumeRule: VolumeRule? = VolumeRule(), longestSilence: Interval = .hours(24), falseAlarmBudget: Double = 0.5,
        attentionBudget: Double = 2, continuousFlow: Interval = .hours(2), dailyCeiling: Volume = .litres(2000),
        noData: Interval = .minutes(45), personal: Bool = true
    ) {
        self.volumeRule = volumeRule
        self.longestSilence = longestSilence
        self.falseAlarmBudget = falseAlarmBudget
        self.attentionBudget = attentionBudget
        self.continuousFlow = continuousFlow
        self.dailyCeiling = dailyCeiling
        self.noData = noData
        self.personal = personal
    }
}

/// The rules, by the names that appear in findings.
public enum Rule: String, Sendable, Codable, CaseIterable, Hashable {
    case volume
    case longestSilence = "longest_silence"
    case personalGap = "personal_gap"
    case continuousFlow = "continuous_flow"
    case leakFloor = "leak_floor"
    case dailyCeiling = "daily_ceiling"
    case useWhileAway = "use_while_away"
    case noData = "no_data"
    /// The meter counts too coarsely for a person's silences to show.
    case resolution
    case meter
}

/// Why nobody is at home, or why more people are: an entry of the presence ledger.
public struct PresenceEntry: Sendable, Hashable, Codable {
    /// What is the case.
    public enum Kind: String, Sendable, Codable, CaseIterable { case away, hospital, visitors }

    /// What is the case.
    public var kind: Kind
    /// Until when; the entry expires then.
    public var until: WallTime
    /// Who said so.
    public var by: String
    /// Their note.
    public var note: String

    /// An entry.
    public init(kind: Kind, until: WallTime, by: String, note: String = "") {
        self.kind = kind
        self.until = until
        self.by = by
        self.note = note
    }
}

/// How a home stands, in the contract's words.
public enum HomeState: String, Sendable, Codable, CaseIterable {
    case safe = "SAFE"
    case attention = "ATTENTION"
    case alarm = "ALARM"
    case away = "AWAY"
    case blind = "BLIND"
    case degraded = "DEGRADED"
    case learning = "LEARNING"
}
