import Casework
import Telemetry

/// Who could go, and when nobody who could is on duty.
extension Directory {
    private static let owners: [Role] = [.gridWorker, .committee, .station]

    /// Whether anybody who could go belongs to a subject, on duty or not.
    func hasSomebodyToGo(for subject: Subject) -> Bool {
        Self.owners.contains { !people($0, for: subject, weekday: 0, minute: 0).isEmpty }
    }

    /// The first moment of the week from which nobody who could go is on duty, as `sun 22:00`; nil when there is none.
    func hourWithoutOwner(for subject: Subject) -> String? {
        momentWithoutOwner(for: subject).map { Shift.written(weekday: $0.weekday, minute: $0.minute) }
    }

    /// The first moment of the week (0 = Monday, minutes after midnight) from which nobody who could go is on duty; nil when there is none. Only
    /// where a shift begins or ends can that change.
    public func momentWithoutOwner(for subject: Subject) -> (weekday: Int, minute: Int)? {
        let edges = Set([0] + contacts.flatMap(\.onDuty).flatMap { [$0.from, $0.until % 1440] }).sorted()
        for (weekday, minute) in (0..<7).flatMap({ day in edges.map { (day, $0) } }) {
            let isCovered = Self.owners.contains { role in
                people(role, for: subject, weekday: weekday, minute: minute).contains { $0.isOnDuty(weekday: weekday, minute: minute) }
            }
            if !isCovered { return (weekday, minute) }
        }
        return nil
    }
}

extension SiteConfiguration {
    /// Who belongs to whom, without names.
    public var directory: Directory {
        var ties: [Subject: Directory.Tie] = [:]
        for home in households { ties[Subject(.household, home.id.rawValue)] = .init(contacts: home.contacts, grid: home.grid) }
        for lift in elevators { ties[Subject(.elevator, lift.id.rawValue)] = .init(contacts: lift.contacts) }
        return Directory(contacts: contacts.map(\.card), ties: ties)
    }
}
