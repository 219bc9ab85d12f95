import Casework
import Telemetry

/// What somebody may see or do here. Every page, call, stream, export and link asks for one of these; who has them stands in one table.
enum Right: String, Sendable, CaseIterable {
    /// Homes, by pseudonym, with their state and their cases.
    case homes
    /// Homes' names and addresses, contacts' names.
    case names
    /// Homes that are out of sight, as meters to repair.
    case blindHomes
    /// Amounts of water in sentences and numbers.
    case litres
    /// Readings and totals of homes' meters.
    case homeMeters
    /// What people typed about a case, and who they are.
    case typedWords
    /// What was typed about disputed readings.
    case correctionNotes
    /// What other devices said in their own words.
    case deviceWords
    /// Contacts one by one, by their ids.
    case contacts
    /// The page of people and channels, and notices that were lost.
    case people
    /// Lost notices of every home, by pseudonym: who mends channels.
    case lostNotices
    case audit
    /// What concerns a home that the configuration does not know any more.
    case formerHomes

    case actOnHomes, actOnIncidents, actOnEquipment, keepPresence, releaseDoors, careForChannels, careForReadings, setDuty, revokeLinks
}

extension AccountRole {
    private static let sights: Set<Right> = [
        .homes, .names, .blindHomes, .litres, .homeMeters, .typedWords, .correctionNotes, .deviceWords, .contacts, .people,
    ]
    private static let acts: Set<Right> = [.actOnHomes, .actOnIncidents, .actOnEquipment, .keepPresence, .releaseDoors, .careForChannels, .careForReadings]

    /// The table: who sees and does what. A grid worker has these rights over the own grid's homes only.
    static let rights: [AccountRole: Set<Right>] = [
        .admin: Set(Right.allCases),
        .committee: Set(Right.allCases),
        .station: sights.union(acts).union([.setDuty, .revokeLinks]),
        .gridWorker: sights.union(acts),
        // Pseudonyms throughout: nothing that somebody typed, nobody's id.
        .auditor: [.homes, .blindHomes, .litres, .homeMeters, .people, .lostNotices, .audit],
        .integrator: [.homes, .blindHomes, .litres, .homeMeters],
        .technician: [
            .blindHomes, .litres, .homeMeters, .correctionNotes, .people, .lostNotices, .actOnEquipment, .releaseDoors, .careForChannels, .careForReadings,
        ],
        .property: [.people, .actOnEquipment, .releaseDoors, .careForChannels, .careForReadings],
    ]

    /// Whether a role has a right.
    func may(_ right: Right) -> Bool { Self.rights[self]?.contains(right) ?? false }
}

/// What a case is about, as far as rights go.
enum Matter: Sendable, Hashable {
    /// A person at home.
    case home
    /// A home that is out of sight: its meter is to be repaired.
    case blindHome
    /// An incident that stands for homes: closing it says something about each of them.
    case sharedIncident
    /// Another incident: of another device, of the gateway itself, a drill.
    case incident
    /// Meters, buses, channels, the record, lifts.
    case equipment

    init(_ subject: Subject, _ kind: FindingKind) {
        switch (subject.type, kind) {
        case (.household, .blind): self = .blindHome
        case (.household, _): self = .home
        case (.elevator, _): self = .equipment
        case (.bus, .incident): self = .sharedIncident
        case (_, .incident): self = subject.id == "homes" ? .sharedIncident : .incident
        default: self = .equipment
        }
    }

    /// What it takes to act on it; any of these.
    var actors: [Right] {
        switch self {
        case .home: [.actOnHomes]
        case .blindHome: [.actOnHomes, .actOnEquipment]
        case .sharedIncident, .incident: [.actOnIncidents]
        case .equipment: [.actOnEquipment]
        }
    }

    /// What it takes to see it; any of these. None: everybody with an account does, within the grid.
    var watchers: [Right] {
        switch self {
        case .home: [.homes]
        case .blindHome, .sharedIncident: [.homes, .blindHomes]
        case .incident, .equipment: []
        }
    }
}

extension Case {
    /// What it is about, as far as rights go.
    var matter: Matter { Matter(subject, kind) }
}
