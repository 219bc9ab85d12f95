import BoardingControl
import Casework
import Fieldbus
import Neighbourhood
import Phrasebook
import Safeguarding
import Simulation
import Telemetry

/// One run of the gateway from its start to its kill: the real cores, put together as the shells put them together, on a disk that can be full.
struct RehearsedGateway: Sendable {
    /// Which run this is; what an earlier one left under way means nothing to it.
    let run: Int
    /// Where the elapsed-time axis stands against true time.
    let axis: Interval
    var core: Neighbourhood
    var schedule: DeliverySchedule
    var buses: [PollSchedule]
    var desks: [BoardingDesk]
    /// What a full disk has refused, to be written before anything else.
    private var unsaved: [RehearsedDisk.Write] = []
    private var uncommitted: [(meter: MeterID, at: WallTime, register: Volume?)] = []
    /// Boardings called false, for the lifts' desks.
    private(set) var falseAlarms: [ElevatorID] = []
    private var storageTold = false

    /// What an event led to.
    struct Outcome {
        /// Whether all of it is on the disk.
        var isDurable: Bool
        var notices: [Notice] = []
        var saved: [Case] = []
        var refusal: Neighbourhood.Refusal?
        /// Findings about homes, as they went into the journal.
        var findings = 0
    }

    /// Starts from what is on the disk, as the gateway's own restoration does.
    /// - Returns: also what was found while the past was gone through again and must be told
    static func start(
        _ plan: VillagePlan, _ disk: RehearsedDisk, run: Int, at moment: (trueTime: Interval, wall: WallTime, boottime: Int64, bootID: String)
    ) throws -> (gateway: RehearsedGateway, untold: [Finding]) {
        let elapsed =
            disk.mark?.resume(wall: moment.wall, boottime: moment.boottime, bootID: moment.bootID).elapsed ?? .milliseconds(moment.wall.unixMilliseconds)
        let now = Instant(elapsed: elapsed, wall: moment.wall)
        var book = CaseBook(
            ladders: VillagePeople.ladders, directory: VillagePeople.directory(plan), language: .chinese, civil: plan.civil, open: try disk.openCases(),
            nextNumber: disk.nextNumber, tag: "village-\(run)")
        book.recallBoardings(disk.cases(since: moment.wall - .days(14)))
        var untold: [Finding] = []
        let homes = try plan.homes.map { place in
            let limits = ConsumptionLedger.Limits(resolution: place.resolution)
            var home = Neighbourhood.Home(
                id: place.id, meter: place.meter, bus: BusID("bus-\(place.bus)"),
                watch: HouseholdWatch(household: place.id, policy: plan.policy, limits: limits, clock: plan.civil))
            var since = now.wall - .days(60)
            if let saved = try disk.watch(place.id) {
                home.watch = saved.watch
                since = saved.at
            }
            let readings = (disk.readings[place.meter] ?? []).filter { $0.at > since && $0.at <= now.wall }.sorted { $0.at < $1.at }
            untold += home.replay(readings, at: now)
            return home
        }
        let meters = plan.homes.map { ($0.meter, BusID("bus-\($0.bus)"), 1) }
        let core = Neighbourhood(homes: homes, meters: meters, book: book)
        let buses = (0..<plan.buses).map { bus in
            PollSchedule(plan.homes.filter { $0.bus == bus }.map { .init(meter: $0.meter, poll: plan.poll) }, at: elapsed)
        }
        let desks = plan.lifts.map { lift in
            BoardingDesk(elevator: lift, policy: BoardingScene.policy, boot: "g\(run)", seed: plan.options.seed &+ UInt64(run), at: now)
        }
        let gateway = RehearsedGateway(
            run: run, axis: elapsed - moment.trueTime, core: core, schedule: DeliverySchedule(pending: try disk.undelivered(), seed: plan.options.seed),
            buses: buses, desks: desks)
        return (gateway, untold)
    }

    private init(run: Int, axis: Interval, core: Neighbourhood, schedule: DeliverySchedule, buses: [PollSchedule], desks: [BoardingDesk]) {
        self.run = run
        self.axis = axis
        self.core = core
        self.schedule = schedule
        self.buses = buses
        self.desks = desks
    }

    /// Decides an event, makes it durable, and hands its notices to the delivery: in this order, whatever happens.
    mutating func take(_ event: Neighbourhood.Event, at now: Instant, on disk: inout RehearsedDisk) -> Outcome {
        let effects: [Neighbourhood.Effect]
        do { effects = try core.handle(event, at: now) } catch { return Outcome(isDurable: true, refusal: error) }
        var outcome = Outcome(isDurable: true)
        var writes: [RehearsedDisk.Write] = []
        for effect in effects {
            switch effect {
            case .save(let item):
                writes.append(.item(item))
                outcome.saved.append(item)
            case .notify(let notice):
                writes.append(.notice(.init(notice)))
                outcome.notices.append(notice)
            case .saveWatch(let id): core.homes[id].map { writes.append(.watch(id, at: now.wall, $0.watch)) }
            case .falseBoardingAlarm(let lift): falseAlarms.append(lift)
            case .journal(let kind, let subject, _): if kind == "finding", subject.type == .household { outcome.findings += 1 }
            case .homeChanged: break
            }
        }
        if !writes.isEmpty { outcome.isDurable = save(writes, on: &disk) }
        if !outcome.isDurable { for index in outcome.notices.indices { outcome.notices[index].isUndurable = true } }
        for notice in outcome.notices { schedule.enqueue(notice) }
        return outcome
    }

    /// Saves, together with what could not be saved before.
    private mutating func save(_ writes: [RehearsedDisk.Write], on disk: inout RehearsedDisk) -> Bool {
        let all = unsaved + writes
        unsaved = []
        if disk.commit(all) { return true }
        unsaved = all.suffix(10_000)
        disk.noteNumber(core.book.highestNumber)
        return false
    }

    /// A technician is told once that the disk is full, and the case ends when it takes again.
    mutating func reportStorage(at now: Instant, on disk: inout RehearsedDisk) -> Outcome? {
        guard disk.isFull != storageTold else { return nil }
        storageTold = disk.isFull
        if disk.isFull {
            let found = Finding(
                subject: Self.storage, kind: .equipment, rule: "storage", severity: .attention, at: now, text: Phrase(.storageFull).text)
            return take(.finding(found), at: now, on: &disk)
        }
        return take(.cleared(Self.storage, .equipment), at: now, on: &disk)
    }

    private static let storage = Subject(.site, "storage")

    /// Whether everything is on the disk.
    var isCommitted: Bool { uncommitted.isEmpty && unsaved.isEmpty }

    /// Keeps a reading until the next commit of telemetry.
    mutating func note(_ meter: MeterID, at wall: WallTime, _ register: Volume?) { uncommitted.append((meter, wall, register)) }

    /// Commits telemetry, the axis, and what waited for the disk.
    mutating func commit(_ mark: AxisMark, on disk: inout RehearsedDisk) {
        guard !disk.isFull else { return }
        _ = save([.mark(mark), .readings(uncommitted)], on: &disk)
        uncommitted = []
    }

    /// Saves every watch, as the gateway does each hour.
    mutating func saveWatches(at now: Instant, on disk: inout RehearsedDisk) {
        _ = save(core.homes.values.map { .watch($0.id, at: now.wall, $0.watch) }, on: &disk)
        core.book.forgetClosed(before: now.elapsed - .days(1))
    }

    /// Lifts whose case was closed as false since the last call.
    mutating func takeFalseAlarms() -> [ElevatorID] {
        defer { falseAlarms = [] }
        return falseAlarms
    }
}
