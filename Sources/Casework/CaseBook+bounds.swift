import Phrasebook
import Telemetry

/// When cases were opened lately, so that neither what comes and goes nor a source that names ever new subjects opens cases without end.
struct Openings: Sendable {
    private struct Key: Hashable, Sendable {
        var subject: Subject
        var kind: FindingKind
    }

    /// What is looked back on.
    static let window = Interval.hours(1)
    /// A matter that was opened so often within an hour comes and goes.
    static let mostOfAMatter = 6
    /// So many cases a source may open within an hour, and so many may be open at once.
    static let mostOfASource = 30
    static let mostOpenOfASource = 20
    /// So many matters and sources are remembered.
    static let most = 5000

    private var matters: [Key: [Interval]] = [:]
    private var sources: [String: [Interval]] = [:]

    mutating func note(_ opened: Case, at now: Interval) {
        let recent = { (moments: [Interval]?) in ((moments ?? []) + [now]).filter { now - $0 < Self.window }.suffix(Self.mostOfASource + 1) }
        if matters.count >= Self.most || sources.count >= Self.most { forget(before: now - Self.window) }
        let key = Key(subject: opened.subject, kind: opened.kind)
        matters[key] = Array(recent(matters[key]))
        if let source = opened.findings.first?.source { sources[source] = Array(recent(sources[source])) }
    }

    /// A matter came back before its case was closed.
    mutating func noteReturn(_ subject: Subject, _ kind: FindingKind, at now: Interval) {
        let key = Key(subject: subject, kind: kind)
        matters[key] = Array(((matters[key] ?? []) + [now]).suffix(Self.mostOfAMatter))
    }

    func comesAndGoes(_ subject: Subject, _ kind: FindingKind, at now: Interval) -> Bool {
        (matters[Key(subject: subject, kind: kind)] ?? []).count { now - $0 < Self.window } >= Self.mostOfAMatter
    }

    func isSpent(_ source: String, at now: Interval) -> Bool { (sources[source] ?? []).count { now - $0 < Self.window } >= Self.mostOfASource }

    mutating func forget(before: Interval) {
        matters = matters.filter { $0.value.last.map { $0 >= before } ?? false }
        sources = sources.filter { $0.value.last.map { $0 >= before } ?? false }
    }
}

extension Finding {
    /// The device on the broker that said it; nil of what we found ourselves.
    var source: String? { rule.hasPrefix("event/") ? String(rule.dropFirst(6)) : nil }
}

/// What has a bound: a source's cases, matters that come and go, what people do again and again.
extension CaseBook {
    /// A finding of a source that names more subjects than anybody can see to becomes part of one incident.
    func folded(_ finding: Finding, at now: Instant) -> Finding {
        guard let source = finding.source, openCase(finding.subject, finding.kind) == nil else { return finding }
        let open = cases.values.count { $0.isOpen && $0.folded == nil && $0.findings.first?.rule == finding.rule }
        guard open >= Openings.mostOpenOfASource || openings.isSpent(source, at: now.elapsed) else { return finding }
        var one = finding
        one.subject = Subject(.site, "\(source)-many")
        one.text = Phrase(.eventsFolded, ["source": .same(source), "newest": .text(finding.text)]).text
        one.plainText = one.text
        return one
    }

    /// A subject that was folded into another case is well again.
    mutating func unfold(_ subject: Subject, _ kind: FindingKind, at now: Instant) -> [Effect] {
        guard var found = cases.values.first(where: { $0.isOpen && $0.kind == kind && $0.folded?.subjects.contains(subject.id) == true }) else { return [] }
        found.folded?.subjects.remove(subject.id)
        if found.folded == Case.Folded() { found.clearedAt = now.elapsed }
        put(found)
        return [.save(found)]
    }

    /// Closes what came and went and has stayed away.
    mutating func closeWhatIsOver(at now: Instant) -> [Effect] {
        let over = cases.values.filter { item in item.isOpen && item.clearedAt.map { now.elapsed - $0 >= Openings.window } ?? false }
        return over.sorted { $0.openedAt.elapsed < $1.openedAt.elapsed }.flatMap { closeByItself($0, at: now) }
    }

    /// How many rounds of news a case gives of what people do.
    static let mostNews = 24
    /// How often people may hurry a case's climb within an hour.
    static let mostHurries = 4
    /// Within so long after one hand-back another hurries nothing.
    static let handBackHurriesAgain = Interval.minutes(10)
    /// How often one person may hand a case back.
    static let mostHandBacks = 3
    /// So many persons' hand-backs are counted apart.
    static let mostNames = 20

    /// News of what people do, for those who were told before; without an end they would drown what matters.
    mutating func news(_ found: inout Case, _ kind: Notice.Kind, _ text: LocalizedText, at now: Instant) -> [Effect] {
        var counts = found.actCounts ?? .init()
        guard counts.news < Self.mostNews else { return [] }
        counts.news += 1
        found.actCounts = counts
        return tellThoseTold(&found, kind, text, at: now)
    }
}

extension Case {
    /// Remembers a subject that shares this case.
    mutating func fold(_ subject: Subject) {
        guard var folded, subject != self.subject else { return }
        if folded.subjects.count < Self.mostFolded {
            folded.subjects.insert(subject.id)
        } else {
            folded.isMore = folded.isMore || !folded.subjects.contains(subject.id)
        }
        self.folded = folded
    }

    /// The climb goes on now, as somebody's word wants it; whoever says so again and again finds it going at its own pace.
    mutating func hurry(at now: Instant, noSoonerThan pause: Interval = .zero) {
        var counts = actCounts ?? .init()
        counts.hurries = counts.hurries.filter { now.elapsed - $0 < Openings.window }
        if counts.hurries.count < CaseBook.mostHurries, counts.hurries.last.map({ now.elapsed - $0 >= pause }) ?? true {
            counts.hurries.append(now.elapsed)
            goOn(at: now)
        }
        actCounts = counts
    }

    /// Counts a hand-back.
    /// - Returns: how often this person has handed the case back
    mutating func countHandBack(_ who: String) -> Int {
        var counts = actCounts ?? .init()
        let name = counts.handBacks[who] != nil || counts.handBacks.count < CaseBook.mostNames ? who : ""
        let count = (counts.handBacks[name] ?? 0) + 1
        counts.handBacks[name] = count
        actCounts = counts
        return count
    }

    /// Whether a person has handed the case back so often that somebody else must take it.
    func isSpent(_ who: String) -> Bool { (actCounts?.handBacks[who] ?? 0) >= CaseBook.mostHandBacks }

    /// Records a notice. Of many, the oldest are dropped whose readers are known from later ones.
    mutating func record(_ notice: NoticeRecord) {
        notices.append(notice)
        guard notices.count > Self.mostNotices else { return }
        var later: Set<ContactID> = []
        var oldest: Int?
        for index in notices.indices.reversed() where !later.insert(notices[index].contact).inserted { oldest = index }
        if let oldest { notices.remove(at: oldest) }
    }
}
