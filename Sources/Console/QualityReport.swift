import Foundation
import Safeguarding
import SiteConfiguration
import Telemetry
import Watchkeeping

/// Completeness, compliance and timeliness of the totalisers' readings, for the site, each bus, each meter and each day.
struct QualityReport {
    /// What was to come, and what came.
    struct Counts {
        var expected = 0
        /// In time or later, usable.
        var received = 0
        /// Within the profile's limits and not below the reading before.
        var compliant = 0
        /// When it was due.
        var timely = 0

        static func + (left: Counts, right: Counts) -> Counts {
            Counts(
                expected: left.expected + right.expected, received: left.received + right.received,
                compliant: left.compliant + right.compliant, timely: left.timely + right.timely)
        }

        var completeness: Double { share(received, expected) }
        var compliance: Double { share(compliant, received) }
        var timeliness: Double { share(timely, received) }

        private func share(_ part: Int, _ whole: Int) -> Double { whole == 0 ? 0 : min(1, Double(part) / Double(whole)) }

        var members: [JSON.Member] {
            [
                .init(key: "expected", value: .integer(Int64(expected))), .init(key: "received", value: .integer(Int64(received))),
                .init(key: "completeness", value: .number(completeness)), .init(key: "compliance", value: .number(compliance)),
                .init(key: "timeliness", value: .number(timeliness)),
            ]
        }
    }

    var from: WallTime
    var to: WallTime
    var site = Counts()
    var buses: [BusID: Counts] = [:]
    var meters: [(id: MeterID, counts: Counts)] = []
    /// By local day, as a date.
    var days: [(date: String, counts: Counts)] = []
    /// How many requests to correct readings touch each meter in this stretch.
    var disputed: [MeterID: Int] = [:]

    /// Counts what the store has.
    /// - Parameter sees: whether the reader may see a meter; the others count in the sums only
    static func make(
        _ premises: Premises, from: WallTime, to: WallTime, sees: (SiteConfiguration.Meter) -> Bool
    ) async throws -> QualityReport {
        let configuration = premises.configuration
        var civil = configuration.clock
        // A day on which summer time begins or ends has 23 or 25 hours: each piece is counted by the offset that held in it.
        let pieces = civil.pieces(from: from, to: to)
        var report = QualityReport(from: from, to: to)
        var days: [Int64: Counts] = [:]
        for meter in configuration.meters where configuration.isPolled(meter) {
            let point = configuration.profiles[meter.profile]?.volumeTotal?.id ?? "volume_total"
            let count = configuration.profiles[meter.profile]?.resolution.litres ?? 1
            var whole = Counts()
            for piece in pieces {
                let (found, falls) = try await premises.store.read { reader in
                    (
                        try reader.counts(of: meter.id, point: point, from: piece.from, to: piece.to, offset: piece.offset),
                        try reader.falls(of: meter.id, point: point, jitter: 2 * count, from: piece.from, to: piece.to, offset: piece.offset)
                    )
                }
                for (day, length) in Self.days(piece.from, piece.to, offset: piece.offset) {
                    let expected = Int(length.milliseconds / max(1, meter.poll.milliseconds))
                    func number(_ quality: Quality) -> Int { found.first { $0.day == day && $0.quality == quality }?.count ?? 0 }
                    let usable = number(.good) + number(.suspect)
                    let received = min(expected, usable + number(.backfilled))
                    let counts = Counts(
                        expected: expected, received: received,
                        compliant: max(0, min(received, number(.good) + number(.backfilled)) - (falls[day] ?? 0)), timely: min(received, usable))
                    whole = whole + counts
                    days[day] = (days[day] ?? Counts()) + counts
                }
            }
            report.site = report.site + whole
            report.buses[meter.bus] = (report.buses[meter.bus] ?? Counts()) + whole
            if sees(meter) { report.meters.append((meter.id, whole)) }
        }
        report.days = days.sorted { $0.key < $1.key }.map { (CivilClock.date(ofDay: $0.key), $0.value) }
        let requests = try await premises.store.read { try $0.corrections(from: from, to: to) }.filter { $0.state != .rejected }
        report.disputed = Dictionary(requests.map { ($0.meter, 1) }, uniquingKeysWith: +)
        return report
    }

    /// The local days of a stretch, each with how much of it lies inside.
    static func days(_ from: WallTime, _ to: WallTime, offset: Int64) -> [(day: Int64, length: Interval)] {
        let length: Int64 = 86_400_000
        let (first, last) = (from.unixMilliseconds + offset * 1000, to.unixMilliseconds + offset * 1000)
        guard first < last else { return [] }
        return (first / length...(last - 1) / length).map { day in
            (day, .milliseconds(min(last, (day + 1) * length) - max(first, day * length)))
        }
    }

    /// The contract's shape.
    func json(_ civil: CivilClock) -> JSON {
        var civil = civil
        func object(_ counts: Counts, _ more: [JSON.Member] = []) -> JSON { .object(counts.members + more) }
        return .of([
            "from": .string(civil.rfc3339(from)), "to": .string(civil.rfc3339(to)), "site": object(site),
            "buses": .object(buses.sorted { $0.key < $1.key }.map { .init(key: $0.key.rawValue, value: object($0.value)) }),
            "meters": .object(
                meters.map { id, counts in
                    .init(key: id.rawValue, value: object(counts, [.init(key: "disputed", value: .integer(Int64(disputed[id] ?? 0)))]))
                }),
            "days": .object(days.map { .init(key: $0.date, value: object($0.counts)) }),
        ])
    }
}
