import CZlib
import Foundation
import Telemetry
import TimeSeriesStore

/// A spool entry as it leaves the house.
///
/// Topic `{prefix}/sites/{site}/{kind}`; payload `{"id","seq","site","kind","subject","at","body"}` in UTF-8 JSON, deflated (RFC 1950) where
/// configured. `id` is the same whenever an entry is sent again: a receiver that keeps the ids has each entry exactly once. `seq` grows by
/// one; a gap says that entries were given up for want of room. There is no name in it, and no word that somebody typed.
public struct UpstreamMessage: Sendable, Hashable {
    public var topic: String
    public var payload: [UInt8]

    /// The message of an entry.
    /// - Parameter tag: the record's own, so that a new record's numbers are not taken for old ones
    public init(_ entry: SpoolEntry, prefix: String, site: SiteID, tag: String, deflates: Bool) {
        topic = "\(prefix)/sites/\(site)/\(entry.kind.word)"
        var civil = CivilClock(zone: .gmt)
        // An earlier release spooled other devices' own words with their findings, and words of any length.
        let body = entry.kind == .finding ? SpoolEntry.finding(body: entry.body) ?? "{}" : entry.body
        let bytes = JSONText.object([
            ("id", .text("\(site).\(tag).\(entry.number)")), ("seq", .integer(entry.number)), ("site", .text("\(site)")), ("kind", .text(entry.kind.word)),
            ("subject", .text(entry.subject)), ("at", .text(civil.rfc3339(entry.at))), ("body", .written(body)),
        ]).bytes
        payload = deflates ? Self.deflated(bytes) : bytes
    }

    /// Deflated in zlib's own wrapping (compress2(3)). A payload that zlib refuses goes as it is: it begins with `{`, which no deflated one does.
    static func deflated(_ bytes: [UInt8]) -> [UInt8] {
        var size = compressBound(uLong(bytes.count))
        let out = [UInt8](unsafeUninitializedCapacity: Int(size)) { buffer, count in
            let code = compress2(buffer.baseAddress, &size, bytes, uLong(bytes.count), 6)
            count = code == Z_OK ? Int(size) : 0
        }
        return out.isEmpty ? bytes : out
    }
}

/// When to try again upstream: at once while all goes well, later and later while it does not. A pure value.
public struct UpstreamPace: Sendable, Hashable {
    private var failures = 0
    private var random: UInt64
    /// The longest pause.
    public static let longest = Interval.minutes(5)

    /// A pace; the seed spreads many gateways that lost the same hub.
    public init(seed: UInt64) { random = seed }

    /// Notes how a batch ended.
    /// - Returns: how long to wait before the next
    public mutating func next(arrived: Bool) -> Interval {
        guard !arrived else {
            failures = 0
            return .zero
        }
        failures = min(failures + 1, 10)
        random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let whole = min(Self.longest.milliseconds, 1000 << Int64(failures - 1))
        return .milliseconds(whole / 2 + Int64(random >> 33) % (whole / 2 + 1))
    }
}
