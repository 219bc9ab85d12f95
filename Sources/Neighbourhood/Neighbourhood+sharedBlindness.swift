import Casework
import Phrasebook
import Safeguarding
import Telemetry

/// Most homes of a bus, or of the site, can no longer be seen: power that was cut, a line that broke. One incident instead of a case for
/// each home; and when it is over, whoever stays out of sight gets a case of their own.
///
/// The open incident says that one stands, also after a restart.
extension Neighbourhood {
    static let sharedBlindnessRule = "homes_blind"
    /// The subject of an incident of the whole site.
    static let everywhere = Subject(.site, "homes")

    /// Whether a finding of blindness belongs to an incident that is open, or that it opens.
    mutating func isPartOfSharedBlindness(_ finding: Finding, at now: Instant, _ effects: inout [Effect]) -> Bool {
        guard finding.kind == .blind, finding.subject.type == .household, let bus = homes[HouseholdID(finding.subject.id)]?.bus,
            book.openCase(finding.subject, .blind) == nil
        else { return false }
        let home = HouseholdID(finding.subject.id)
        if sharedBlindness(Self.everywhere) != nil || sharedBlindness(Subject(.bus, bus.rawValue)) != nil {
            untoldBlind.insert(home)
            return true
        }
        let all = homes.values
        let here = all.filter { $0.bus == bus }
        // A site of one bus is that bus; with more of them the power may be gone everywhere.
        if here.count < all.count, isShared(all) {
            openIncident(Self.everywhere, Phrase(.mostHomesOfSiteBlind, ["count": .same("\(unseen(all).count)")]), unseen(all).count, at: now, &effects)
        } else if isShared(here) {
            let count = unseen(here).count
            openIncident(
                Subject(.bus, bus.rawValue), Phrase(.mostHomesBlind, ["bus": .same(bus.rawValue), "count": .same("\(count)")]), count, at: now, &effects)
        } else {
            return false
        }
        untoldBlind.insert(home)
        return true
    }

    /// More than half, and at least three; or the only homes of a bus that is down altogether.
    private func isShared(_ some: some Collection<Home>) -> Bool {
        let count = unseen(some).count
        let isWholeBus = count == some.count && count > 1
        return count * 2 > some.count && (count >= Self.fewestQuietTogether || isWholeBus)
    }

    private func unseen(_ some: some Collection<Home>) -> [Home] {
        some.filter { home in home.meter.map { equipment.isUnseen($0) } ?? false }
    }

    private mutating func openIncident(_ subject: Subject, _ phrase: Phrase, _ count: Int, at now: Instant, _ effects: inout [Effect]) {
        let incident = Finding(
            subject: subject, kind: .incident, rule: Self.sharedBlindnessRule, severity: .alarm, at: now, text: phrase.text,
            numbers: ["homes": Double(count)])
        journal(incident, &effects)
        settle(.finding(incident), at: now, &effects)
    }

    private func sharedBlindness(_ subject: Subject) -> Case? {
        book.openCase(subject, .incident).flatMap { item in
            item.findings.contains { $0.rule == Self.sharedBlindnessRule } ? item : nil
        }
    }

    /// After a poll of a home's meter: ends incidents that are over, and tells of a home that stays out of sight when the others are back.
    mutating func reviewSharedBlindness(around id: HouseholdID, seen: Bool, at now: Instant, _ effects: inout [Effect]) {
        guard let home = homes[id], let bus = home.bus else { return }
        if seen {
            untoldBlind.remove(id)
            for subject in [Subject(.bus, bus.rawValue), Self.everywhere] where sharedBlindness(subject) != nil {
                let some = homes.values.filter { subject == Self.everywhere || $0.bus == bus }
                if unseen(some).count * 2 <= some.count { settle(.cleared(subject, .incident), at: now, &effects) }
            }
            return
        }
        guard untoldBlind.contains(id), sharedBlindness(Self.everywhere) == nil, sharedBlindness(Subject(.bus, bus.rawValue)) == nil,
            let blind = home.watch.standing[.noData]
        else { return }
        untoldBlind.remove(id)
        settle(.finding(blind), at: now, &effects)
    }

    /// After a restart: who is out of sight and has no case was told as part of an incident, which may be over by now.
    mutating func recallSharedBlindness() {
        for home in homes.values where home.watch.standing[.noData] != nil && book.openCase(Subject(.household, home.id.rawValue), .blind) == nil {
            untoldBlind.insert(home.id)
        }
    }
}
