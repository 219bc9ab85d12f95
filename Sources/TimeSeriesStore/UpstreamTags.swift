import Foundation
import GRDB

/// Names what is sent upstream. An entry's id is a tag and its number in the record, and a receiver that keeps ids takes no entry twice.
///
/// A record that was set back by a restore, or begun anew after damage, counts on from an earlier number: its new entries would bear ids that
/// others had, and a receiver would drop them. So each such record gets a new tag for what comes from then on, and what was in it already keeps
/// its own.
public struct UpstreamTags: Sendable, Hashable, Codable {
    private struct Era: Sendable, Hashable, Codable {
        var last: Int64
        var tag: String
    }

    static let fact = "upstream_tags"
    private var eras: [Era] = []
    private var current: String

    /// Tags of a record that was never set back.
    public init(_ tag: String) { current = tag }

    /// The tag of an entry.
    public func tag(of number: Int64) -> String { eras.first { number <= $0.last }?.tag ?? current }

    /// From here on another tag. Numbers behind this one, if there were any, are gone and will come again.
    mutating func begin(after number: Int64, tag: String) {
        for index in eras.indices { eras[index].last = min(eras[index].last, number) }
        eras.append(Era(last: number, tag: current))
        current = tag
    }

    /// A new tag: six letters and digits that nobody reads wrongly.
    public static func made() -> String { String((0..<6).map { _ in "abcdefghijkmnpqrstuvwxyz23456789".randomElement() ?? "x" }) }
}

extension StoreReader {
    /// The tags of what is sent upstream; nil in a record that was never started.
    public func upstreamTags() throws -> UpstreamTags? {
        if let kept = try fact(UpstreamTags.fact), let tags = try? JSONDecoder().decode(UpstreamTags.self, from: Data(kept.utf8)) { return tags }
        return try fact("tag").map { UpstreamTags($0) }
    }
}

extension StoreWriter {
    /// Notes that this record was set back: what comes from now on gets names of its own upstream.
    public func beginUpstreamTag() throws {
        guard var tags = try reader.upstreamTags() else { return }
        let last = try Int64.fetchOne(database, sql: "SELECT seq FROM sqlite_sequence WHERE name = 'spool'") ?? 0
        tags.begin(after: last, tag: UpstreamTags.made())
        try setFact(UpstreamTags.fact, String(decoding: try JSONEncoder().encode(tags), as: UTF8.self))
    }
}
