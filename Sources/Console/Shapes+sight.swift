import Casework
import Neighbourhood
import SiteConfiguration
import Telemetry

/// What a reader sees of a site: the table of rights, within the grid of those who have one.
extension Shapes {
    /// The homes this reader may see.
    var visibleHomes: [SiteConfiguration.Household] { configuration.households.filter(isMine) }

    /// Whether a home is in the reader's grid; readers without a grid have all of them.
    func isMine(_ home: SiteConfiguration.Household) -> Bool {
        guard account.role == .gridWorker, let grid = account.grid else { return true }
        return home.grid == grid
    }

    /// Whether this reader may see a meter and its readings: a home's water is its person's day.
    func sees(_ meter: SiteConfiguration.Meter) -> Bool {
        guard let home = configuration.household(of: meter.id) else { return true }
        return account.role.may(.homeMeters) && isMine(home)
    }

    /// Whether a bus is any of the reader's business: it has no homes, or one of theirs.
    private func sees(bus id: String) -> Bool {
        let homes = configuration.meters.filter { $0.bus.rawValue == id }.compactMap { configuration.household(of: $0.id) }
        return homes.isEmpty || homes.contains(where: isMine)
    }

    /// Whether this reader may see a thing at all.
    func sees(_ subject: Subject) -> Bool {
        switch subject.type {
        case .household:
            // A home that was taken out of the configuration leaves its open case to those who look after the whole site.
            guard let home = configuration.households.first(where: { $0.id.rawValue == subject.id }) else { return account.role.may(.formerHomes) }
            return isMine(home)
        case .meter:
            return configuration.meter(MeterID(subject.id)).map(sees)
                ?? (account.role.may(.formerHomes) || account.role.may(.blindHomes) && account.grid == nil)
        case .bus: return sees(bus: subject.id)
        case .elevator, .site: return true
        }
    }

    /// Whether this reader may see what concerns a subject.
    func sees(_ subject: Subject, _ kind: FindingKind) -> Bool {
        let watchers = Matter(subject, kind).watchers
        return (watchers.isEmpty || watchers.contains(where: account.role.may)) && sees(subject)
    }

    /// Whether this reader may see a case.
    func sees(_ item: Case) -> Bool { sees(item.subject, item.kind) }

    /// Whether the reader sees a notice that was lost: those who mend channels see all of them, by pseudonyms.
    func sees(lost notice: Notice) -> Bool { account.role.may(.lostNotices) || sees(notice.subject, notice.caseKind) }

    /// Whether this reader may act on a case they see.
    func acts(on item: Case) -> Bool { item.matter.actors.contains(where: account.role.may) }

    /// Whether a contact is one of those this reader looks after, or with.
    func sees(_ contact: SiteConfiguration.Contact) -> Bool {
        let isOfHome = contact.card.role.isRelative || contact.card.role == .volunteer
        // Without contacts one by one there is left who is on duty, by role.
        guard account.role.may(.contacts) else { return !isOfHome }
        guard account.role == .gridWorker, let grid = account.grid else { return true }
        if visibleHomes.contains(where: { $0.contacts.contains(contact.card.id) }) || contact.card.grids.contains(grid) { return true }
        return !isOfHome && contact.card.grids.isEmpty
    }
}
