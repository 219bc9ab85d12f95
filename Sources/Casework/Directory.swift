import Phrasebook
import Telemetry

/// A weekly shift such as `mon-fri 08:00-20:00`; over midnight when it ends before it begins.
public struct Shift: Sendable, Hashable, Codable {
    private static let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    /// Days of the week on which the shift begins, 0 = Monday.
    public var days: Set<Int>
    /// Minutes after midnight.
    public var from: Int
    /// Minutes after midnight; 1440 for the end of the day.
    public var until: Int

    /// Reads the written form; the days may be absent (every day), a day, a list with commas, or a range.
    public init?(parsing text: String) {
        let words = text.lowercased().split(separator: " ")
        guard let clock = words.last, words.count <= 2 else { return nil }
        let ends = clock.split(separator: "-").compactMap { Shift.minutes(String($0)) }
        guard ends.count == 2, ends[0] != ends[1] else { return nil }
        (from, until) = (ends[0], ends[1])
        days = []
        guard words.count == 2 else {
            days = Set(0...6)
            return
        }
        for part in words[0].split(separator: ",") {
            let range = part.split(separator: "-").map { Shift.names.firstIndex(of: String($0)) }
            guard let first = range.first ?? nil, let last = range.last ?? nil, range.count <= 2 else { return nil }
            var day = first
            days.insert(day)
            while day != last {
                day = (day + 1) % 7
                days.insert(day)
            }
        }
    }

    /// Minutes after midnight as `08:00`.
    public static func clockFace(_ minute: Int) -> String {
        [minute / 60, minute % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
    }

    /// A moment of the week as it is written, 0 = Monday: `sun 22:00`.
    public static func written(weekday: Int, minute: Int) -> String { "\(names[weekday % 7]) \(clockFace(minute))" }

    /// The shift as it is written: `mon-fri 08:00-20:00`.
    public var written: String {
        let hours = "\(Self.clockFace(from))-\(Self.clockFace(until))"
        if days.count == 7 { return hours }
        let sorted = days.sorted()
        let isRun = sorted.count > 2 && (sorted.last ?? 0) - (sorted.first ?? 0) == sorted.count - 1
        let names = isRun ? [sorted.first, sorted.last].compactMap { $0.map { Self.names[$0] } } : sorted.map { Self.names[$0] }
        return "\(names.joined(separator: isRun ? "-" : ",")) \(hours)"
    }

    private static func minutes(_ text: String) -> Int? {
        let parts = text.split(separator: ":").compactMap { Int($0) }
        guard parts.count == 2, (0...24).contains(parts[0]), (0...59).contains(parts[1]), parts[0] * 60 + parts[1] <= 1440
        else { return nil }
        return parts[0] * 60 + parts[1]
    }

    /// Whether the shift covers a clock time on a weekday.
    public func covers(weekday: Int, minute: Int) -> Bool {
        if from < until { return days.contains(weekday) && (from..<until).contains(minute) }
        return days.contains(weekday) && minute >= from || days.contains((weekday + 6) % 7) && minute < until
    }

    /// Minutes from a clock time inside the shift until it ends.
    public func minutesLeft(minute: Int) -> Int { (until - minute + 1440) % 1440 }
}

/// A person who can be told. No names here: those live where only pages and notices reach them.
public struct ContactCard: Sendable, Hashable, Codable {
    public var id: ContactID
    public var role: Role
    /// Grids this person looks after; empty means all.
    public var grids: [String]
    /// Elevators this person looks after; empty means all.
    public var elevators: [ElevatorID]
    public var channels: [ChannelID]
    /// The language of their notices; the site's when nil.
    public var language: Language?
    /// When they are on duty; empty means always.
    public var onDuty: [Shift]
    /// When attention must wait; alarms never do.
    public var quietHours: Shift?
    /// Who is told too while they are off duty.
    public var substitute: ContactID?

    /// A contact with the defaults of the contract.
    public init(
        id: ContactID, role: Role, grids: [String] = [], elevators: [ElevatorID] = [], channels: [ChannelID] = [],
        language: Language? = nil, onDuty: [Shift] = [], quietHours: Shift? = nil, substitute: ContactID? = nil
    ) {
        self.id = id
        self.role = role
        self.grids = grids
        self.elevators = elevators
        self.channels = channels
        self.language = language
        self.onDuty = onDuty
        self.quietHours = quietHours
        self.substitute = substitute
    }

    /// Whether the person is on duty at a clock time; always, where no shift is written.
    public func isOnDuty(weekday: Int, minute: Int) -> Bool {
        onDuty.isEmpty || onDuty.contains { $0.covers(weekday: weekday, minute: minute) }
    }
}

/// Who belongs to whom: finds the people a step of a ladder speaks to.
public struct Directory: Sendable {
    /// What ties a subject to people.
    public struct Tie: Sendable, Hashable {
        public var contacts: [ContactID]
        public var grid: String?

        /// A home's or a lift's own contacts and its grid.
        public init(contacts: [ContactID], grid: String? = nil) {
            self.contacts = contacts
            self.grid = grid
        }
    }

    /// Everybody.
    public var contacts: [ContactCard]
    /// The ties of homes and lifts.
    public var ties: [Subject: Tie]

    /// A directory.
    public init(contacts: [ContactCard] = [], ties: [Subject: Tie] = [:]) {
        self.contacts = contacts
        self.ties = ties
    }

    /// A contact by id.
    public func contact(_ id: ContactID) -> ContactCard? { contacts.first { $0.id == id } }

    /// Those a role means for a subject now: of the subject's own people or those who look after its grid or lift, the
    /// ones on duty; all of them if none is, together with the substitutes of those who are off.
    public func people(_ role: Role, for subject: Subject, weekday: Int, minute: Int) -> [ContactCard] {
        let tie = ties[subject]
        let fitting = contacts.filter { $0.role == role && isResponsible($0, subject, tie) }
        let present = fitting.filter { $0.isOnDuty(weekday: weekday, minute: minute) }
        guard present.isEmpty else { return present }
        let substitutes = fitting.compactMap(\.substitute).compactMap(contact)
            .filter { $0.isOnDuty(weekday: weekday, minute: minute) && !fitting.contains($0) }
        return fitting + substitutes
    }

    /// Whether a contact still has to do with a subject: its own people, those who look after its grid or lift, and who stands in for one of
    /// them. Who has left a home or moved to another grid has not.
    public func concerns(_ subject: Subject, _ id: ContactID) -> Bool {
        let tie = ties[subject]
        guard let contact = contact(id) else { return false }
        return isResponsible(contact, subject, tie) || contacts.contains { $0.substitute == id && isResponsible($0, subject, tie) }
    }

    private func isResponsible(_ contact: ContactCard, _ subject: Subject, _ tie: Tie?) -> Bool {
        if tie?.contacts.contains(contact.id) == true { return true }
        switch contact.role {
        case .family, .resident: return false
        case .property, .maintenance:
            guard subject.type == .elevator else { return contact.elevators.isEmpty }
            return contact.elevators.isEmpty || contact.elevators.contains(ElevatorID(subject.id))
        case .volunteer:
            guard let grid = tie?.grid else { return false }
            return contact.grids.contains(grid)
        default:
            guard let grid = tie?.grid else { return true }
            return contact.grids.isEmpty || contact.grids.contains(grid)
        }
    }
}
