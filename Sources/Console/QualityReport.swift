import Foundation
import Safeguarding
import SiteConfiguration
import Telemetry
import Watchkeeping

/// Completeness, compliance and timeliness of the totalisers' readings, for the site, each bus and each meter.
enum QualityReport {
    private struct Counts {
        var expected = 0
        var received = 0
        var compliant = 0
        var timely = 0

        static func + (left: Counts, right: Counts) -> Counts {
            Counts(
                expected: left.expected + right.expected, received: left.received + right.received,
                compliant: left.compliant + right.compliant, timely: left.timely + right.timely)
        }

        var json: JSON {
            func share(_ part: Int, _ whole: Int) -> JSON { whole == 0 ? .number(0) : .number(min(1, Double(part) / Double(whole))) }
            return .of([
                "expected": .integer(Int64(expected)), "received": .integer(Int64(received)),
                "completeness": share(received, expected), "compliance": share(compliant, received), "timeliness": share(timely, received),
            ])
        }
    }

    static func make(_ premises: Premises, from: WallTime, to: WallTime) async throws -> JSON {
        let configuration = premises.configuration
        var site = Counts()
        var buses: [BusID: Counts] = [:]
        var meters: [JSON.Member] = []
        for meter in configuration.meters where !meter.disabled {
            let point = configuration.profiles[meter.profile]?.volumeTotal?.id ?? "volume_total"
            let count = configuration.profiles[meter.profile]?.resolution.litres ?? 1
            let (found, falls) = try await premises.store.read { reader in
                (
                    try reader.counts(of: meter.id, point: point, from: from, to: to),
                    try reader.falls(of: meter.id, point: point, jitter: 2 * count, from: from, to: to)
                )
            }
            let expected = Int((to - from).milliseconds / max(1, meter.poll.milliseconds))
            let usable = (found[.good] ?? 0) + (found[.suspect] ?? 0)
            let late = found[.backfilled] ?? 0
            let received = min(expected, usable + late)
            let counts = Counts(
                expected: expected, received: received, compliant: max(0, min(received, (found[.good] ?? 0) + late) - falls), timely: min(received, usable))
            site = site + counts
            buses[meter.bus] = (buses[meter.bus] ?? Counts()) + counts
            meters.append(.init(key: meter.id.rawValue, value: counts.json))
        }
        var civil = configuration.clock
        return .of([
            "from": .string(civil.rfc3339(from)), "to": .string(civil.rfc3339(to)), "site": site.json,
            "buses": .object(buses.sorted { $0.key < $1.key }.map { .init(key: $0.key.rawValue, value: $0.value.json) }),
            "meters": .object(meters),
        ])
    }
}
