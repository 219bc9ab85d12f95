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
        for (at, what) in plan.happenings { queue.put(.happening(what), at: at) }
        queue.put(.start, at: .zero)
    }

    /// Lives until the end, or until a promise is broken.
    func live() throws {
        let end = Interval.days(Int64(plan.options.days))
        while let (at, what) = queue.next(), at < end {
            now = max(now, at)
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

/// The machine under the gateway: when it was switched on, and what its clock says.
struct VillageMachine {
    let start: WallTime
    /// How far the clock on the wall is from the truth.
    var wallOffset = Interval.zero
    /// When it was set last.
    var wallSetAt = Interval.zero
    var bootAt = Interval.zero
    var boots = 1
    var runs = 0
    /// Since when no gateway runs.
    var downSince: Interval?
    /// How long no gateway has run, all in all, before the present gap.
    var downBefore = Interval.zero
    /// Since when the present one runs.
    var upSince = Interval.zero

    func wall(at now: Interval) -> WallTime { start + now + wallOffset }
    mutating func setWall(_ offset: Interval, at now: Interval) {
        wallOffset = offset
        wallSetAt = now
    }
    /// How long no gateway has run until a moment.
    func down(until now: Interval) -> Interval { downBefore + (downSince.map { now - $0 } ?? .zero) }
    /// How long the present gateway has run.
    func up(until now: Interval) -> Interval { downSince == nil ? now - upSince : .zero }
}

/// A home as it really is.
struct VillageHome {
    let place: VillagePlan.Home
    private let origin: WallTime
    private var life: SimulatedHome
    private var extra = Volume.zero
    private var leakSince: Interval?
    /// Since when somebody lies there.
    private(set) var collapsedAt: Interval?
    /// From when on the gateway can count the silence: the collapse, or after an outage the first reading that shows the last water. With how
    /// long no gateway had run by then.
    private(set) var countedFrom: (at: Interval, down: Interval)?
    private var isSeenLying = false
    /// Until when nobody is at home.
    var absentUntil = Interval.zero
    var failure: Happening.Failure?
    /// When a gateway last got a usable answer.
    var lastSeen = Interval.zero

    private static let leakLitresPerHour = 12.0
    private static let never = Interval.days(100_000)

    init(_ place: VillagePlan.Home, from origin: WallTime) {
        self.place = place
        self.origin = origin
        life = place.life
    }

    /// What the meter shows.
    mutating func shown(at now: Interval) -> Volume {
        let total = life.register(at: origin + now) + extra + leaked(until: now)
        return Volume(millilitres: total.millilitres / place.resolution.millilitres * place.resolution.millilitres)
    }

    private func leaked(until now: Interval) -> Volume {
        leakSince.flatMap { Volume(litres: (now - $0).hours * Self.leakLitresPerHour) } ?? .zero
    }

    /// No water is drawn from now on, until then.
    mutating func silence(from now: Interval, until end: Interval) {
        let (from, until) = (origin + now, origin + end)
        if let last = life.story.absences.last, last.upperBound >= from {
            // Stretches must not overlap: their water would be taken away twice.
            life.story.absences[life.story.absences.count - 1] = last.lowerBound..<max(last.upperBound, until)
        } else {
            life.story.absences.append(from..<until)
        }
    }

    mutating func collapse(at now: Interval, down: Interval) {
        collapsedAt = now
        countedFrom = (now, down)
        isSeenLying = false
        silence(from: now, until: Self.never)
    }

    /// A gateway got a usable answer.
    mutating func seen(at now: Interval, down: Interval) {
        lastSeen = now
        guard collapsedAt != nil, !isSeenLying else { return }
        isSeenLying = true
        countedFrom = (now, down)
    }

    /// Somebody has come and helped; life goes on after a while.
    mutating func help(at now: Interval, backAfter: Interval) {
        collapsedAt = nil
        countedFrom = nil
        guard let last = life.story.absences.last else { return }
        life.story.absences[life.story.absences.count - 1] = last.lowerBound..<(origin + now + backAfter)
        if backAfter > .zero { absentUntil = now + backAfter }
    }

    mutating func beginLeak(at now: Interval) { leakSince = now }
    mutating func endLeak(at now: Interval) {
        extra += leaked(until: now)
        leakSince = nil
    }
    var leaks: Bool { leakSince != nil }

    /// A new meter that begins at nothing.
    mutating func replaceMeter(at now: Interval) { extra = extra - (life.register(at: origin + now) + extra + leaked(until: now)) }
}
