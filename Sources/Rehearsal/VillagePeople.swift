import Casework
import Simulation
import Telemetry

/// Those who are told, and what they do: some go at once, some forget, some press twice; what they say they found is true.
struct VillagePeople: Sendable {
    /// What one of them is about to do.
    struct Deed: Sendable {
        var item: CaseID
        var who: ContactID
        var act: Act
        /// How often the gateway was not there to hear it.
        var tries = 0

        enum Act: Sendable { case accept, arrived, outcome }
    }

    static let channels: [ChannelID] = ["family-mail", "grid-robot", "office-hook", "town-hook"]
    static let ladders = Ladders()
    private static let contacts: [ContactCard] = [
        ContactCard(id: "family", role: .family, channels: ["family-mail"], quietHours: Shift(parsing: "22:00-07:00")),
        ContactCard(id: "volunteer", role: .volunteer, channels: ["family-mail"]),
        ContactCard(
            id: "grid", role: .gridWorker, channels: ["grid-robot"], onDuty: [Shift(parsing: "mon-fri 08:00-20:00")].compactMap { $0 }, substitute: "committee"),
        ContactCard(id: "committee", role: .committee, channels: ["office-hook", "grid-robot"]),
        ContactCard(id: "station", role: .station, channels: ["town-hook"]), ContactCard(id: "town", role: .town, channels: ["town-hook"]),
        ContactCard(id: "property", role: .property, channels: ["office-hook"]), ContactCard(id: "technician", role: .technician, channels: ["office-hook"]),
    ]

    static func directory(_ plan: VillagePlan) -> Directory {
        var ties: [Subject: Directory.Tie] = [:]
        for home in plan.homes { ties[Subject(.household, home.id.rawValue)] = .init(contacts: ["family"], grid: "g") }
        return Directory(contacts: contacts, ties: ties)
    }

    private var random: SeededRandom
    /// Cases somebody has already made up their mind about.
    private var decided: Set<String> = []

    init(seed: UInt64) { random = SeededRandom(seed: seed &* 31 &+ 7) }

    /// What a person does after reading a notice: deeds and how long after.
    mutating func read(_ notice: Notice) -> [(after: Interval, deed: Deed)] {
        guard notice.kind == .opened || notice.kind == .escalated else { return [] }
        // A person decides once for each time they are told; most go at the first.
        let isNew = decided.insert("\(notice.caseID) \(notice.contact)").inserted
        if decided.count > 50_000 { decided = [] }
        let roll = random.unit()
        let goes: Double =
            switch notice.role {
            case .family, .volunteer: 0.35
            case .gridWorker, .committee: 0.5
            case .property, .technician: 0.6
            default: 0.7
            }
        guard roll < (isNew ? goes : goes / 2) else { return [] }
        func minutes(_ least: Double, _ most: Double) -> Interval { .milliseconds(Int64((least + random.unit() * (most - least)) * 60_000)) }
        func deed(_ act: Deed.Act) -> Deed { Deed(item: notice.caseID, who: notice.contact, act: act) }
        let accepts = minutes(1, 12)
        var deeds: [(Interval, Deed)] = [(accepts, deed(.accept))]
        if random.unit() < 0.1 { deeds.append((accepts + minutes(0, 0.1), deed(.accept))) }
        // One in eight takes it on and forgets it.
        guard random.unit() >= 0.125 else { return deeds }
        let arrives = accepts + minutes(3, notice.role == .technician ? 600 : 50)
        if random.unit() < 0.8 { deeds.append((arrives, deed(.arrived))) }
        if random.unit() < 0.9 { deeds.append((arrives + minutes(2, 40), deed(.outcome))) }
        return deeds
    }

    /// Whether somebody who stands before a closed door goes away again.
    mutating func findsDoorClosed() -> Bool { random.unit() < 0.15 }
    /// Whether somebody who was helped had to be taken to hospital.
    mutating func goesToHospital() -> Bool { random.unit() < 0.4 }
    /// A chance.
    mutating func chance(_ share: Double) -> Bool { random.unit() < share }
    /// So long, within bounds.
    mutating func pause(_ least: Interval, _ most: Interval) -> Interval {
        .milliseconds(least.milliseconds + Int64(random.unit() * Double((most - least).milliseconds)))
    }
}
