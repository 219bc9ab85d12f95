import Telemetry

/// What a committee can show: how many alerts there were, how many for nothing, and how quickly somebody went; by month and kind.
public struct CaseStatistics: Sendable, Hashable {
    /// Times from opening to an act: nearest-rank percentiles, so that each is a time that really occurred.
    public struct Spread: Sendable, Hashable {
        public var count: Int
        public var median: Interval
        public var p95: Interval

        /// The spread of some times; nil of none.
        public init?(_ times: [Interval]) {
            let sorted = times.sorted()
            guard !sorted.isEmpty else { return nil }
            func rank(_ share: Int) -> Interval { sorted[max(0, (sorted.count * share + 99) / 100 - 1)] }
            (count, median, p95) = (sorted.count, rank(50), rank(95))
        }
    }

    /// One month, for all kinds together or for one.
    public struct Row: Sendable, Hashable {
        /// `2026-11`, in the site's own zone.
        public var month: String
        /// nil for all kinds together.
        public var kind: FindingKind?
        public var opened: Int
        /// Of them as alarms, where someone must go.
        public var alarms: Int
        /// Not closed yet.
        public var open: Int
        /// Closed by a person who found nothing amiss.
        public var falseAlarms: Int
        /// Closed without anybody's word: the water ran again, the device answered again.
        public var closedItself: Int
        /// What was found, by outcome.
        public var outcomes: [Outcome: Int]
        /// From opening until somebody accepted first; an outcome given without that is no acceptance.
        public var accepted: Spread?
        /// From opening until somebody was there.
        public var arrived: Spread?
    }

    /// Newest month first; in each month all kinds together, then each kind.
    public var rows: [Row]

    /// Statistics of cases.
    public init(_ cases: [Case], civil: CivilClock) {
        var civil = civil
        // A drill says nothing of how people do.
        let months = Dictionary(grouping: cases.filter { !$0.isDrill }) { String(civil.rfc3339($0.openedAt.wall).prefix(7)) }
        rows = months.sorted { $0.key > $1.key }.flatMap { month, found in
            let kinds = Dictionary(grouping: found, by: \.kind).sorted { $0.key.rawValue < $1.key.rawValue }
            return [Self.row(month, nil, found)] + kinds.map { Self.row(month, $0.key, $0.value) }
        }
    }

    private static func row(_ month: String, _ kind: FindingKind?, _ cases: [Case]) -> Row {
        // What ended by itself has nobody's word on what it was.
        let concluded = cases.filter { !$0.isOpen && $0.closedBy != nil }
        let outcomes = concluded.compactMap(\.outcome)
        return Row(
            month: month, kind: kind, opened: cases.count, alarms: cases.count { $0.severity == .alarm }, open: cases.count(where: \.isOpen),
            falseAlarms: concluded.count { item in item.outcome.map { $0.isFalseAlarm(for: item.kind) } ?? false },
            closedItself: cases.count { !$0.isOpen && $0.closedBy == nil }, outcomes: Dictionary(outcomes.map { ($0, 1) }, uniquingKeysWith: +),
            accepted: Spread(cases.compactMap { item in item.firstAcceptedAt.map { $0.since(item.openedAt) } }),
            arrived: Spread(cases.compactMap { item in item.firstArrivedAt.map { $0.since(item.openedAt) } }))
    }
}

extension Outcome {
    /// Whether a person found that there was nothing to go for. For a silence that is: at home and well, away without anybody having
    /// said so, or a meter at fault.
    public func isFalseAlarm(for kind: FindingKind) -> Bool {
        switch self {
        case .falseAlarm: true
        case .safe, .away, .meterFault: kind == .inactivity || kind == .useWhileAway
        default: false
        }
    }
}

extension Case {
    /// The seven links of grid management, each with the moment at which the case passed it; nil where it has not, or was not needed.
    public var passage: [(stage: CaseStage, at: Instant?)] {
        CaseStage.allCases.map { stage in
            switch stage {
            case .reported: (stage, findings.first?.at ?? openedAt)
            case .filed: (stage, openedAt)
            case .dispatched: (stage, rungs.compactMap(\.doneAt).min { $0.elapsed < $1.elapsed })
            case .handling: (stage, firstAcceptedAt ?? acceptedAt ?? arrivedAt)
            case .supervised: (stage, supervisedAt)
            // A person's word on what was found is the verification; what ended by itself has none.
            case .verified: (stage, closedBy == nil ? nil : closedAt)
            case .closed: (stage, closedAt)
            }
        }
    }
}
