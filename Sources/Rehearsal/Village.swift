import BoardingControl
import Casework
import Neighbourhood
import Safeguarding
import Simulation
import Telemetry

/// The whole village on a driven clock: homes with their water, meters on buses, lifts, people, a machine with a clock and a disk, and the
/// gateway in the middle. All that happens follows from the seed.
final class Village {
    let plan: VillagePlan
    var queue = OccurrenceQueue()
    /// True time since the beginning.
    var now = Interval.zero
    var people: VillagePeople
    var random: SeededRandom
    var disk = RehearsedDisk()
    var gateway: RehearsedGateway?
    var homes: [VillageHome]
    var scenes: [Int: BoardingScene] = [:]
    var machine: VillageMachine
    var judge = VillageJudge()
    var tally = RehearsalReport.Tally()
    /// Until when a line, a channel or the disk fails.
    var busSilentUntil: [Int: Interval] = [:]
    var channelDownUntil: [ChannelID: Interval] = [:]
    var channelUpSince: [ChannelID: Interval] = [:]
    var pumpAt: Interval?
    let homeNumbers: [HouseholdID: Int]
    let meterNumbers: [MeterID: Int]

    init(_ plan: VillagePlan) {
        self.plan = plan
        people = VillagePeople(seed: plan.options.seed)
        random = SeededRandom(seed: plan.options.seed &* 13 &+ 5)
        homes = plan.homes.map { VillageHome($0, from: plan.start) }
        machine = VillageMachine(start: plan.start)
        homeNumbers = Dictionary(uniqueKeysWithValues: plan.homes.enumerated().map { ($1.id, $0) })
        meterNumbers = Dictionary(uniqueKeysWithValues: plan.homes.enumerated().map { ($1.meter, $0) })
        disk.sabotage = plan.options.sabotage
        for (at, what) in plan.happenings { queue.put(.happening(what), at: at) }
        queue.put(.start, at: .zero)
    }

    /// Lives until the end, or until a promise is broken.
    func live(_ dayBegins: (Int) -> Void) throws {
        let end = Interval.days(Int64(plan.options.days))
        var days = 0
        while let (at, what) = queue.next(), at < end {
            now = max(now, at)
            while .days(Int64(days)) <= now {
                days += 1
                dayBegins(days)
            }
            try take(what)
        }
        now = end
    }

    /// The moment as the gateway sees it.
    var instant: Instant { Instant(elapsed: (gateway?.axis ?? .zero) + now, wall: machine.wall(at: now)) }

    /// Whether an occurrence of a run still means something.
    private func runs(_ run: Int) -> Bool { gateway?.run == run }

    private func take(_ what: Occurrence) throws {
        switch what {
        case .happening(let happening): try befall(happening)
        case .ended(let happening): end(happening)
        case .start: try start()
        case .clockFixed: machine.setWall(.zero, at: now)
        case .poll(let run, let bus): if runs(run) { try poll(bus) }
        case .tick(let run): if runs(run) { try tick() }
        case .deadline(let run): if runs(run) { try decide(.tick) }
        case .pump(let run): if runs(run) { try pump() }
        case .arrival(let notices, let channel): for notice in notices { try arrive(notice, channel) }
        case .finish(let run, let parcel, let attempt): if runs(run) { try finish(parcel, attempt) }
        case .commit(let run): if runs(run) { commit() }
        case .hourly(let run): if runs(run) { try hourly() }
        case .deed(let deed): try perform(deed)
        case .announce(let home, let until): try announce(home, until)
        case .scene(let lift): try live(sceneAt: lift)
        }
    }
}
