import BoardingControl
import Casework
import DeviceProfiles
import Foundation
import Neighbourhood
import Phrasebook
import Safeguarding
import SiteConfiguration
import Telemetry
import TimeSeriesStore
import Watchkeeping

/// Brings the core back to where it stood: watches from their last save plus the readings since, cases, undelivered
/// notices, the elapsed-time axis.
struct Restoration {
    let configuration: SiteConfiguration
    let store: Store

    /// What a start needs.
    struct State {
        var core: Neighbourhood
        var undelivered: [DeliverySchedule.Item]
        var clock: GatewayClock
        /// Findings of watches that came up in the replay and were not told before the stop.
        var untold: [Finding]
        /// Names this record for receivers.
        var tag: String
        /// The time nobody was watched, nil on the first start.
        var unwatched: (from: WallTime, to: WallTime)?
    }

    func state(speed: Double, startAt: WallTime?) throws -> State {
        let wall = startAt ?? GatewayClock.systemWall()
        let mark = try store.readNow { try $0.fact("axis") }.flatMap { try? JSONDecoder().decode(AxisMark.self, from: Data($0.utf8)) }
        let resumed = speed == 1 ? mark?.resume(wall: wall) : nil
        let clock = GatewayClock(elapsed: resumed?.elapsed ?? .milliseconds(wall.unixMilliseconds), wall: wall, speed: speed)
        let (open, number, undelivered) = try store.readNow { reader in
            (try reader.cases(open: true, limit: 10_000), try reader.nextCaseNumber(), try reader.undelivered())
        }
        let tag = try tag()
        let noted = CaseNumberMark(besides: configuration.storage.path)
        noted.keep()
        var book = CaseBook(
            ladders: configuration.ladders, directory: configuration.directory, language: configuration.language,
            civil: configuration.clock, open: open, nextNumber: max(number, noted.highest + 1),
            // With a part of each start's own: what was told but never written down is forgotten, and its names must not come again.
            tag: "\(tag)-\(String(UInt32.random(in: 0x1000...0xFFFF), radix: 16))")
        book.recallBoardings(try store.readNow { try $0.cases(from: wall - .days(14), to: wall) })
        var untold: [Finding] = []
        let now = clock.now()
        let homes = try configuration.watchedHomes.map { home in
            var restored = home
            untold += try replay(&restored, now: now)
            restored.watch.resume(at: now)
            return restored
        }
        var unwatched: (from: WallTime, to: WallTime)?
        // A stop shorter than five minutes is an upgrade or a restart; nobody needs to be told, unless a home is to be blind sooner.
        let worthTelling = homes.map(\.watch.policy.noData).reduce(Interval.minutes(5), min)
        if let mark, let down = resumed?.down, down >= worthTelling { unwatched = (WallTime(unixMilliseconds: mark.wall), wall) }
        // A demonstration's time begins when it can be seen, not while its history is replayed.
        let running = speed == 1 ? clock : GatewayClock(elapsed: now.elapsed, wall: now.wall, speed: speed)
        let core = Neighbourhood(homes: homes, meters: configuration.polledMeters.map { ($0.id, $0.bus, $0.unit) }, book: book)
        return State(core: core, undelivered: undelivered, clock: running, untold: untold, tag: tag, unwatched: unwatched)
    }

    /// When each lift's door was held within the last hour: a restart must not begin to count anew.
    func heldLately() throws -> [ElevatorID: [WallTime]] {
        let now = GatewayClock.systemWall()
        return try store.readNow { reader in
            try configuration.elevators.reduce(into: [:]) { result, lift in
                let records = try reader.journal(
                    subject: Subject(.elevator, lift.id.rawValue).description, kind: "boarding", from: now - .hours(1), to: now, limit: 10_000)
                result[lift.id] = records.compactMap { record in
                    (try? JSONDecoder().decode(BoardingRecord.self, from: Data(record.body.utf8))).flatMap { $0.what == .held ? record.at : nil }
                }
            }
        }
    }

    /// Made at the first start and kept with the record.
    private func tag() throws -> String {
        if let kept = try store.readNow({ try $0.fact("tag") }) { return kept }
        let made = UpstreamTags.made()
        try store.writeNow { try $0.setFact("tag", made) }
        return made
    }

    private func replay(_ home: inout Neighbourhood.Home, now: Instant) throws -> [Finding] {
        guard let meter = home.meter, let settings = configuration.meter(meter) else { return [] }
        let point = configuration.profiles[settings.profile]?.volumeTotal?.id ?? "volume_total"
        var since = now.wall - .days(60)
        let id = home.id
        if let saved = try store.readNow({ try $0.watch(id) }),
            var watch = try? JSONDecoder().decode(HouseholdWatch.self, from: saved.body)
        {
            watch.adopt(home.watch)
            home.watch = watch
            since = saved.at
        }
        let readings = try store.readNow { try $0.readings(of: meter, point: point, from: since + .milliseconds(1), to: now.wall, limit: 100_000) }
        return home.replay(readings.map { ($0.at, $0.quality.isUsable ? $0.value.flatMap { Volume(litres: $0) } : nil) }, at: now)
    }
}

extension SiteConfiguration {
    /// The meters that are polled: not disabled, and of homes only those whose consent is on record.
    var polledMeters: [Meter] {
        meters.filter(isPolled)
    }

    /// The homes that are watched, with watches that have seen nothing yet.
    var watchedHomes: [Neighbourhood.Home] {
        households.compactMap { home in
            guard home.consent != nil, let meter = home.meter.flatMap(meter) else { return nil }
            let profile = profiles[meter.profile]
            let limits = ConsumptionLedger.Limits(resolution: profile?.resolution ?? .litres(1), rollover: profile?.rollover)
            let watch = HouseholdWatch(household: home.id, policy: policies[home.policy] ?? SafeguardingPolicy(), limits: limits, clock: clock)
            return Neighbourhood.Home(id: home.id, meter: meter.id, bus: meter.bus, watch: watch)
        }
    }
}
