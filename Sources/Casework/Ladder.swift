import Telemetry

/// One step of a ladder: whom to tell after how long, and what is expected of them.
public struct LadderStep: Sendable, Hashable, Codable {
    /// Counted from the opening of the case.
    public var after: Interval
    public var notify: [Role]
    /// Somebody must have accepted this long after the step; otherwise the case climbs.
    public var acceptWithin: Interval?
    /// Somebody must have arrived this long after accepting.
    public var arriveWithin: Interval?
    /// The outcome must be in this long after arriving.
    public var outcomeWithin: Interval?

    /// A step.
    public init(
        after: Interval, notify: [Role], acceptWithin: Interval? = nil, arriveWithin: Interval? = nil,
        outcomeWithin: Interval? = nil
    ) {
        self.after = after
        self.notify = notify
        self.acceptWithin = acceptWithin
        self.arriveWithin = arriveWithin
        self.outcomeWithin = outcomeWithin
    }
}

/// The steps by which a case climbs, the last of which repeats until somebody accepts.
public struct Ladder: Sendable, Hashable, Codable {
    public var steps: [LadderStep]
    /// How often the last step repeats.
    public var `repeat`: Interval

    /// A ladder; its last step repeats every quarter of an hour unless said otherwise.
    public init(steps: [LadderStep], repeat: Interval = .minutes(15)) {
        self.steps = steps
        self.repeat = `repeat`
    }
}

/// The ladders of a site by name, with defaults for those the configuration does not set.
public struct Ladders: Sendable, Hashable {
    public var byName: [String: Ladder]
    /// Rules of this site whose findings climb a ladder of their own, by the ladder's name.
    public var byRule: [String: String] = [:]

    /// Ladders by name.
    public init(_ byName: [String: Ladder] = [:]) { self.byName = byName }

    /// The ladder of a kind of case (contract: "Default kind → ladder").
    public func ladder(for kind: FindingKind, severity: Severity) -> Ladder {
        let name = Ladders.name(for: kind, severity: severity)
        return byName[name] ?? Ladders.defaults[name] ?? Ladder(steps: [LadderStep(after: .zero, notify: [.committee])])
    }

    /// The ladder of a finding: of its kind, unless its rule has one of its own.
    public func ladder(for finding: Finding) -> Ladder {
        guard let name = byRule[finding.rule] ?? Ladders.usualByRule[finding.rule] else { return ladder(for: finding.kind, severity: finding.severity) }
        return byName[name] ?? Ladders.defaults[name] ?? ladder(for: finding.kind, severity: finding.severity)
    }

    /// Rules whose findings climb a ladder of their own: whether somebody really comes home tomorrow is asked of those who know, not of a
    /// technician.
    static let usualByRule = ["absence_ending": "absence", "drill": "elder", "outcome_to_confirm": "confirm"]

    /// All names a configuration may give a ladder.
    public static let names = Set(defaults.keys)

    /// The name of the ladder a kind of case climbs.
    public static func name(for kind: FindingKind, severity: Severity) -> String {
        switch kind {
        case .inactivity: severity == .alarm ? "elder" : "attention"
        case .useWhileAway: "attention"
        case .continuousFlow, .degraded, .excessUse: "leak"
        case .blind: "blind"
        case .equipment, .meterEvent: "equipment"
        case .ebike, .ebikeBattery, .gasCylinder: "ebike"
        case .incident: "incident"
        }
    }

    /// What holds where the configuration says nothing.
    public static let defaults: [String: Ladder] = [
        "elder": Ladder(steps: [
            // The contract's steps; and who says "I'm going" is waited for an hour, who is there four hours: accepted and forgotten climbs.
            LadderStep(after: .zero, notify: [.family], acceptWithin: .minutes(10), arriveWithin: .hours(1), outcomeWithin: .hours(4)),
            LadderStep(
                after: .minutes(10), notify: [.gridWorker, .committee], acceptWithin: .minutes(15), arriveWithin: .hours(1), outcomeWithin: .hours(4)),
            LadderStep(after: .minutes(25), notify: [.station], acceptWithin: .minutes(15), arriveWithin: .hours(1), outcomeWithin: .hours(4)),
            LadderStep(after: .minutes(40), notify: [.town], arriveWithin: .hours(1), outcomeWithin: .hours(4)),
        ]),
        "absence": Ladder(
            steps: [LadderStep(after: .zero, notify: [.family, .committee])], repeat: .zero),
        // A second word on what would leave a home unwatched for weeks.
        "confirm": Ladder(steps: [LadderStep(after: .zero, notify: [.committee])], repeat: .hours(24)),
        "attention": Ladder(
            steps: [
                LadderStep(after: .zero, notify: [.family]),
                LadderStep(after: .minutes(60), notify: [.volunteer]),
            ], repeat: .hours(6)),
        "leak": Ladder(
            steps: [
                LadderStep(after: .zero, notify: [.family, .committee]),
                LadderStep(after: .hours(2), notify: [.gridWorker]),
            ], repeat: .hours(12)),
        // Told once; a person who was silent before the meter fell silent is the elder ladder's.
        "blind": Ladder(steps: [LadderStep(after: .zero, notify: [.technician, .committee])], repeat: .zero),
        "equipment": Ladder(steps: [LadderStep(after: .zero, notify: [.technician])], repeat: .hours(24)),
        "ebike": Ladder(
            steps: [
                LadderStep(after: .zero, notify: [.property]),
                // Property again, with the count of this week.
                LadderStep(after: .minutes(2), notify: [.property, .gridWorker, .committee]),
            ], repeat: .hours(2)),
        "incident": Ladder(steps: [LadderStep(after: .zero, notify: [.technician, .committee])], repeat: .hours(6)),
    ]
}
