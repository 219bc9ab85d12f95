import Casework
import Phrasebook
import Safeguarding
import Telemetry

/// Most homes of a bus fall quiet at once: water that was cut off, not that many people who fell. One incident instead of a
/// case for each home, for some hours at most.
///
/// It never holds back a case that is open already, nor the hard ceiling of silence. Homes that have been quiet for longer than
/// the incident lasts are away, not cut off, and count for nothing: a village at the Spring Festival is no water cut. Kept
/// nowhere: the open incident and the homes' watches say it all, also after a restart.
extension Neighbourhood {
    /// So many homes at least, and more than half of those that can be judged.
    static let fewestQuietTogether = 3
    /// Homes whose silences were noticed within this are quiet together, and for so long their findings are told as one.
    static let quietTogetherWithin = Interval.hours(8)
    static let sharedSilenceRule = "homes_quiet"

    /// Whether a finding belongs to an incident that is open, or that it opens.
    mutating func isPartOfSharedSilence(_ finding: Finding, at now: Instant, _ effects: inout [Effect]) -> Bool {
        guard finding.kind == .inactivity, finding.subject.type == .household, finding.rule != Rule.longestSilence.rawValue,
            let bus = homes[HouseholdID(finding.subject.id)]?.bus, book.openCase(finding.subject, .inactivity) == nil
        else { return false }
        if let incident = sharedSilence(on: bus) { return now.since(incident.openedAt) < Self.quietTogetherWithin }
        let judged = judgedHomes(on: bus, at: now)
        let quiet = judged.filter { home in
            home.watch.standing.values.contains { $0.kind == .inactivity && now.since($0.at) < Self.quietTogetherWithin }
                && !home.watch.standing.values.contains { $0.kind == .inactivity && now.since($0.at) >= Self.quietTogetherWithin }
        }
        guard quiet.count >= Self.fewestQuietTogether, quiet.count * 2 > judged.count else { return false }
        let phrase = Phrase(
            .mostHomesQuiet, ["bus": .same(bus.rawValue), "count": .same("\(quiet.count)"), "all": .same("\(judged.count)")])
        let incident = Finding(
            subject: Subject(.bus, bus.rawValue), kind: .incident, rule: Self.sharedSilenceRule, severity: .alarm, at: now,
            text: phrase.text, numbers: ["homes": Double(quiet.count), "judged": Double(judged.count)])
        journal(incident, &effects)
        settle(.finding(incident), at: now, &effects)
        return true
    }

    /// Ends the incident when most homes have drawn water again, and tells of those that have not.
    mutating func endSharedSilence(around home: HouseholdID, at now: Instant, _ effects: inout [Effect]) {
        guard let bus = homes[home]?.bus, let incident = sharedSilence(on: bus) else { return }
        let judged = judgedHomes(on: bus, at: now)
        let back = judged.filter { $0.watch.lastUse.map { $0.since(incident.openedAt) > .zero } ?? false }
        guard back.count * 2 > judged.count else { return }
        settle(.cleared(incident.subject, .incident), at: now, &effects)
        tellStillSilent(on: bus, at: now, &effects)
    }

    /// An incident that lasts too long hides nobody any more: each home that is still silent gets its own case.
    mutating func tellSharedSilenceThatLasts(at now: Instant, _ effects: inout [Effect]) {
        for bus in Set(homes.values.compactMap(\.bus)).sorted() {
            guard let incident = sharedSilence(on: bus), now.since(incident.openedAt) >= Self.quietTogetherWithin else { continue }
            tellStillSilent(on: bus, at: now, &effects)
        }
    }

    private mutating func tellStillSilent(on bus: BusID, at now: Instant, _ effects: inout [Effect]) {
        for home in homes.values.filter({ $0.bus == bus }).sorted(by: { $0.id < $1.id })
        where book.openCase(Subject(.household, home.id.rawValue), .inactivity) == nil {
            let standing = home.watch.standing.values.filter { $0.kind == .inactivity }
            if let worst = standing.max(by: { ($0.severity, $0.rule) < ($1.severity, $1.rule) }) { settle(.finding(worst), at: now, &effects) }
        }
    }

    /// An incident that was closed, by whomever and for whatever reason, holds nobody's silence any longer: each home that is still silent
    /// gets its own case.
    mutating func tellFolded(into incident: Case, at now: Instant, _ effects: inout [Effect]) {
        guard incident.kind == .incident, incident.subject.type == .bus, incident.findings.contains(where: { $0.rule == Self.sharedSilenceRule })
        else { return }
        tellStillSilent(on: BusID(incident.subject.id), at: now, &effects)
    }

    func sharedSilence(on bus: BusID) -> Case? {
        book.openCase(Subject(.bus, bus.rawValue), .incident).flatMap { item in
            item.findings.contains { $0.rule == Self.sharedSilenceRule } ? item : nil
        }
    }

    /// Homes on a bus that are seen now and where somebody should be.
    private func judgedHomes(on bus: BusID, at now: Instant) -> [Home] {
        homes.values.filter { home in
            home.bus == bus && (home.watch.presence == nil || home.watch.presence?.kind == .visitors) && home.watch.sees(at: now)
        }
    }
}
