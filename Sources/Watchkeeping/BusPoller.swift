import DeviceProfiles
import Fieldbus
import Logging
import Neighbourhood
import SiteConfiguration
import Synchronization
import Telemetry
import TimeSeriesStore

/// Polls the meters of one bus as its schedule says.
public final class BusPoller: Sendable {
    /// One polled meter.
    public struct Target: Sendable {
        var meter: MeterID
        var unit: UInt8
        var reads: AdaptivePlan
        var decoder: MeterDecoder
        var poll: Interval
    }

    /// What happened on the bus since the start.
    public struct Tally: Sendable, Hashable {
        public var polls = 0
        public var failures = 0
        public var cycle: Interval = .zero
        /// How long the newest answered poll of each meter took; together one round of the bus.
        public var lastTook: [MeterID: Interval] = [:]
        /// One round of all meters that answer, as measured.
        public var round: Interval { lastTook.values.reduce(.zero, +) }
        public var deadTime: Interval = .zero
        /// Meters that were asked at least once.
        public var asked: Set<MeterID> = []
        public var lastAnswer: [MeterID: WallTime] = [:]
        /// Registers that are left out because the device says it does not have them, by meter: they belong into its profile.
        public var refused: [MeterID: Int] = [:]
        /// What the line had to say beside its answers: noise, echoes, late replies.
        public var notes = LineNotes()
        /// Past totals taken from meters' own logs.
        public var backfilled = 0
    }

    /// The bus.
    public let id: BusID
    private let bus: ModbusBus
    private let closesAfterRound: Bool
    private let targets: [MeterID: Target]
    private let order: [MeterID]
    private let clock: GatewayClock
    private let zone: CivilClock
    private let writer: TelemetryWriter
    private let desk: SiteDesk
    private let log: Logger
    private let state = Mutex(Tally())

    /// A poller for a bus and the meters on it.
    public init(
        _ settings: SiteConfiguration.Bus, meters: [SiteConfiguration.Meter], configuration: SiteConfiguration,
        clock: GatewayClock, writer: TelemetryWriter, desk: SiteDesk, log: Logger
    ) {
        id = settings.id
        bus = ModbusBus(settings.address, responseTimeout: settings.responseTimeout, betweenRequests: settings.betweenRequests)
        closesAfterRound = settings.closeAfterRound
        var targets: [MeterID: Target] = [:]
        for meter in meters {
            guard let profile = configuration.profiles[meter.profile] else { continue }
            let decoder = MeterDecoder(profile: profile, parameters: InstanceParameters(meter.parameters))
            targets[meter.id] = Target(
                meter: meter.id, unit: UInt8(meter.unit),
                reads: AdaptivePlan(
                    decoder.wantedFields, essential: profile.volumeTotal?.neededFields ?? [], rules: profile.reading, cost: settings.cost(profile)),
                decoder: decoder, poll: meter.poll)
        }
        self.targets = targets
        order = meters.map(\.id).filter { targets[$0] != nil }
        self.clock = clock
        zone = configuration.clock
        self.writer = writer
        self.desk = desk
        self.log = log
    }

    /// The tally so far.
    public var tally: Tally { state.withLock { $0 } }
    /// Whether every meter was asked at least once.
    public var hasPolledAll: Bool { state.withLock { $0.asked.count == order.count } }

    /// Polls until cancelled. A read under way ends with it, whatever it waits for.
    public func run() async {
        await withTaskCancellationHandler {
            await pollAll()
        } onCancel: {
            bus.abandon()
        }
    }

    private func pollAll() async {
        var schedule = PollSchedule(
            order.compactMap { id in targets[id].map { PollSchedule.Entry(meter: id, poll: $0.poll) } }, at: clock.now().elapsed)
        var civil = zone
        var memory: [MeterID: Memory] = [:]
        while !Task.isCancelled {
            switch schedule.next(at: clock.now().elapsed) {
            case .ask(let meter, let probing):
                await poll(meter, probing: probing, &schedule, &civil, &memory[meter, default: Memory(reads: targets[meter]?.reads)])
            case .wait(let until):
                // A converter with one client serves others now.
                if closesAfterRound { await bus.close() }
                try? await Task.sleep(for: min(clock.realTime(until: until), .seconds(1)))
            case .idle:
                try? await Task.sleep(for: .seconds(1))
            }
        }
        await bus.close()
    }

    private func poll(
        _ meter: MeterID, probing: Bool, _ schedule: inout PollSchedule, _ civil: inout CivilClock, _ memory: inout Memory
    ) async {
        guard let target = targets[meter], let requests = memory.reads?.round(at: clock.now().elapsed) else { return }
        let plan = MeterPlan(unit: target.unit, requests: requests, timing: target.decoder.profile.timing)
        let answer = await bus.run(plan, tries: probing ? 1 : nil)
        // What was cut off by our own end says nothing about the meter.
        guard !Task.isCancelled else { return }
        let now = clock.now()
        learn(answer, of: meter, &memory, at: now)
        var readings = target.decoder.readings(of: meter, in: answer.image, at: now.wall, civil: &civil)
        let isTotal = { (reading: Reading) in reading.point == target.decoder.profile.volumeTotal?.id }
        let newest = readings.first(where: isTotal)
        let held = memory.repeats.isHeld(deviceAt: newest?.deviceAt, register: newest?.value.flatMap { Volume(litres: $0) }, at: now)
        if held {
            for index in readings.indices where readings[index].quality.isUsable { readings[index].quality = .stale }
        }
        await writer.add(answer.answered ? readings : readings.filter(isTotal))
        let misses = schedule.finish(meter, answered: answer.answered, took: answer.took, at: now.elapsed)
        note(meter, answer, at: now.wall)
        if misses == 1 || misses == PollSchedule.silentAfter {
            log.info("no reply", metadata: ["bus": "\(id)", "meter": "\(meter)", "why": "\(answer.faults.first?.fault.description ?? "")"])
        }
        let total = readings.first(where: isTotal)
        let usable = total?.quality.isUsable == true ? total?.value.flatMap { Volume(litres: $0) } : nil
        let unclear = held ? "its clock stands still: an old answer is being repeated" : "quality \(total?.quality.rawValue ?? "missing")"
        let reason = answer.faults.first?.fault.description ?? unclear
        var past: [Neighbourhood.Poll.Past] = []
        if usable != nil {
            if let before = memory.lastUsable, let low = memory.lastRegister, let high = usable {
                past = await backfill(target, since: before, between: low, high, now: now, &civil)
            }
            memory.lastUsable = now.wall
            memory.lastRegister = usable
        }
        let gatewayAnswers = answer.faults.first?.fault.isGatewaysWord == true
        desk.tell(
            .poll(.init(meter: meter, answered: answer.answered, register: usable, reason: reason, past: past, gatewayAnswers: gatewayAnswers)))
    }

    /// What the poller keeps of a meter between two polls.
    private struct Memory {
        var reads: AdaptivePlan?
        var repeats = HeldReply()
        var lastUsable: WallTime?
        var lastRegister: Volume?
        /// Which connection its newest answer came over, and whether it was silent when it was asked last.
        var connection = 0
        var wasSilent = false
    }

    /// Registers a device does not have are left out of the plan, and a technician can read which; they are tried again when
    /// the line is connected anew, when the device comes back after a silence, and now and then.
    private func learn(_ answer: PlanAnswer, of meter: MeterID, _ memory: inout Memory, at now: Instant) {
        if answer.connection != memory.connection || memory.wasSilent, answer.answered { memory.reads?.reconnected(at: now.elapsed) }
        if answer.answered { memory.connection = answer.connection }
        memory.wasSilent = !answer.answered
        let before = memory.reads?.refused.count
        for block in answer.image.blocks {
            let request = ReadRequest(function: block.function, address: block.address, count: block.words.count)
            guard memory.reads?.accept(request) == true else { continue }
            log.info(
                "registers that were left out answer again",
                metadata: ["bus": "\(id)", "meter": "\(meter)", "wire": "\(request.address)", "count": "\(request.count)"])
        }
        for fault in answer.faults where fault.fault == .exception(AdaptivePlan.illegalAddress) {
            guard let lost = memory.reads?.refuse(fault.request, at: now.elapsed) else { continue }
            log.warning(
                "the meter does not have these registers; leave them out of its profile if it stays so",
                metadata: [
                    "bus": "\(id)", "meter": "\(meter)", "function": "\(lost.function)", "wire": "\(lost.address)", "count": "\(lost.type.registerCount)",
                ])
        }
        guard let left = memory.reads?.refused, left.count != before else { return }
        state.withLock { $0.refused[meter] = left.isEmpty ? nil : left.reduce(0) { $0 + $1.type.registerCount } }
    }

    /// After a gap longer than one record of the meter's own log: the totals in between, stored as back-filled and handed on in
    /// their time. What the log cannot give stays missing; so does what cannot be: a record that was never written, or another
    /// register's, does not lie between the totals around the gap.
    private func backfill(
        _ target: Target, since before: WallTime, between low: Volume, _ high: Volume, now: Instant, _ civil: inout CivilClock
    ) async -> [Neighbourhood.Poll.Past] {
        guard low <= high else { return [] }
        let profile = target.decoder.profile
        for log in profile.histories.sorted(by: { $0.period == .hourly && $1.period != .hourly }) {
            let length = log.period == .hourly ? Interval.hours(1) : .days(1)
            guard now.wall - before > length, now.wall - before > target.poll * 2 else { continue }
            let decoder = HistoryDecoder(log, rules: profile.reading)
            let plan = MeterPlan(unit: target.unit, requests: decoder.requests(since: before, now: now.wall), timing: profile.timing)
            let answer = await bus.run(plan)
            let records = decoder.records(in: answer.image, deviceNow: now.wall, civil: &civil).filter {
                $0.at > before && $0.at < now.wall && $0.total >= low - .litres(1) && $0.total <= high + .litres(1)
            }
            guard !records.isEmpty, let point = profile.volumeTotal?.id else { continue }
            await writer.add(
                records.map {
                    Reading(
                        meter: target.meter, point: point, at: $0.at, receivedAt: now.wall, value: $0.total.litres, unit: "L", quality: .backfilled, raw: $0.raw
                    )
                })
            state.withLock { $0.backfilled += records.count }
            return records.map { .init(at: $0.at, register: $0.total) }
        }
        return []
    }

    private func note(_ meter: MeterID, _ answer: PlanAnswer, at now: WallTime) {
        state.withLock { tally in
            tally.polls += 1
            tally.asked.insert(meter)
            tally.notes.add(answer.notes)
            tally.cycle = tally.cycle + answer.took
            if answer.answered {
                tally.lastAnswer[meter] = now
                tally.lastTook[meter] = answer.took
            } else {
                tally.failures += 1
                tally.deadTime = tally.deadTime + answer.took
            }
        }
    }
}

extension SiteConfiguration.Bus {
    /// The bus as the field bus knows it.
    public var address: BusAddress {
        switch transport {
        case .rtu: .rtu(device: device, baud: baud, parity: parity, stopBits: stopBits)
        case .tcp: .tcp(host: host, port: port)
        case .rtuOverTCP: .rtuOverTCP(host: host, port: port)
        }
    }
}
