/// A name of one thing in the configuration, typed by what it names, so that a meter's id can never be handed to
/// a call that wants a household's.
///
/// Identifiers are pseudonyms: they may appear in logs, metrics and upstream topics. Names and addresses may not.
public struct Identifier<Subject>: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The identifier as written in the configuration.
    public let rawValue: String

    /// Makes an identifier from its written form; no check is made here, `config check` does that.
    public init(_ rawValue: String) { self.rawValue = rawValue }

    /// The identifier as written.
    public var description: String { rawValue }

    /// Orders by the written form, for stable lists.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

extension Identifier: ExpressibleByStringLiteral {
    /// Lets a test write an identifier as a string.
    public init(stringLiteral value: String) { self.init(value) }
}

extension Identifier: Codable {
    /// Reads the identifier from a plain string.
    public init(from decoder: any Decoder) throws {
        self.init(try decoder.singleValueContainer().decode(String.self))
    }

    /// Writes the identifier as a plain string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
}

extension Identifier: CodingKeyRepresentable {
    /// The identifier as a key of a JSON object.
    public var codingKey: any CodingKey { IdentifierKey(stringValue: rawValue) }

    /// Reads an identifier back from a key of a JSON object.
    public init?<Key: CodingKey>(codingKey: Key) { self.init(codingKey.stringValue) }
}

private struct IdentifierKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

/// What an identifier can name.
public enum Named {
    /// A site: the neighbourhood one gateway serves.
    public enum Site {}
    /// A serial line or a TCP endpoint with meters on it.
    public enum Bus {}
    /// A water meter.
    public enum Meter {}
    /// A home.
    public enum Household {}
    /// An elevator.
    public enum Elevator {}
    /// A person who can be told.
    public enum Contact {}
    /// A way of telling.
    public enum Channel {}
    /// A device profile.
    public enum Profile {}
    /// A case.
    public enum Case {}
    /// A notice.
    public enum Notice {}
}

/// Names a site.
public typealias SiteID = Identifier<Named.Site>
/// Names a bus.
public typealias BusID = Identifier<Named.Bus>
/// Names a meter.
public typealias MeterID = Identifier<Named.Meter>
/// Names a home.
public typealias HouseholdID = Identifier<Named.Household>
/// Names an elevator.
public typealias ElevatorID = Identifier<Named.Elevator>
/// Names a contact.
public typealias ContactID = Identifier<Named.Contact>
/// Names a channel.
public typealias ChannelID = Identifier<Named.Channel>
/// Names a device profile.
public typealias ProfileID = Identifier<Named.Profile>
/// Names a case.
public typealias CaseID = Identifier<Named.Case>
/// Names a notice.
public typealias NoticeID = Identifier<Named.Notice>
