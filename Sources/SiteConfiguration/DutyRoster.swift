import Casework
import Telemetry

/// Who is on duty when, as it was changed on the console: it stands in the record and goes before the configuration file, which names the
/// people and stays as its author wrote it.
public struct DutyRoster: Sendable, Hashable, Codable {
    /// One person's hours.
    public struct Entry: Sendable, Hashable, Codable {
        public var onDuty: [Shift]
        public var quietHours: Shift?
        public var substitute: ContactID?

        /// Hours of duty, quiet hours, and who steps in.
        public init(onDuty: [Shift], quietHours: Shift?, substitute: ContactID?) {
            self.onDuty = onDuty
            self.quietHours = quietHours
            self.substitute = substitute
        }
    }

    /// Why an entry cannot be.
    public enum Fault: Error, Sendable, Hashable {
        case unknownContact(String)
        case noShift(String)
    }

    public var entries: [ContactID: Entry]

    /// A roster.
    public init(_ entries: [ContactID: Entry] = [:]) { self.entries = entries }

    /// Reads one person's hours as people write them: shifts with commas or semicolons between them, nothing for always.
    public static func entry(
        onDuty: String, quietHours: String, substitute: String, in configuration: SiteConfiguration
    ) throws(Fault) -> Entry {
        var shifts: [Shift] = []
        // A comma stands between days too: what follows it is a shift of its own only where it has hours.
        for part in onDuty.split(whereSeparator: { $0 == ";" || $0 == "；" }).map({ $0.trimmed }) where !part.isEmpty {
            guard let shift = Shift(parsing: part) else { throw .noShift(part) }
            shifts.append(shift)
        }
        let quiet = Substring(quietHours).trimmed
        let quietShift = quiet.isEmpty ? nil : Shift(parsing: quiet)
        if !quiet.isEmpty, quietShift == nil { throw .noShift(quiet) }
        let name = Substring(substitute).trimmed
        if !name.isEmpty, !configuration.contacts.contains(where: { $0.card.id.rawValue == name }) { throw .unknownContact(name) }
        return Entry(onDuty: shifts, quietHours: quietShift, substitute: name.isEmpty ? nil : ContactID(name))
    }
}

extension Substring {
    fileprivate var trimmed: String {
        var rest = self
        while rest.first?.isWhitespace == true { rest = rest.dropFirst() }
        while rest.last?.isWhitespace == true { rest = rest.dropLast() }
        return String(rest)
    }
}

extension SiteConfiguration {
    /// The same site with the hours of a roster. Entries of people who are gone do nothing.
    public func following(_ roster: DutyRoster) -> SiteConfiguration {
        var changed = self
        for index in changed.contacts.indices {
            guard let entry = roster.entries[changed.contacts[index].card.id] else { continue }
            changed.contacts[index].card.onDuty = entry.onDuty
            changed.contacts[index].card.quietHours = entry.quietHours
            changed.contacts[index].card.substitute = entry.substitute
        }
        return changed
    }
}
