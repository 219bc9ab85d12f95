import Casework
import Fieldbus
import Neighbourhood
import Phrasebook
import Safeguarding
import Telemetry

/// The gateway's runs: its start, its rounds on the buses, its ticks and deliveries, its kills.
extension Village {
    private static let commitEvery = Interval.seconds(5)
    private static let tickEvery = Interval.minutes(5)
    /// What a healthy meter takes to answer, and what silence costs.
    private static let answerTakes = Interval.milliseconds(80)
    private static let silenceTakes = Interval.milliseconds(1000)

    func start() throws {
        guard gateway == nil else { return }
        machine.runs += 1
        let moment = (
            trueTime: now, wall: machine.wall(at: now), boottime: (now - machine.bootAt).milliseconds, bootID: "boot-\(machine.boots)"
        )
        let (started, untold) = try RehearsedGateway.start(plan, disk, run: machine.runs, at: moment)
        if let since = machine.downSince { machine.downBefore = machine.downBefore + (now - since) }
        let gap = machine.downSince.map { now - $0 } ?? .zero
        machine.downSince = nil
        machine.upSince = now
        gateway = started
        gateway?.schedule.paces = ["grid-robot": .init(count: 19, per: .minutes(1), merge: 4)]
        try judge.restarted(self)
        for finding in untold { try decide(.finding(finding)) }
        if gap >= .minutes(5) {
            let text = LocalizedText(chinese: "网关停过。", english: "The gateway was down.")
            try decide(.finding(Finding(subject: Subject(.site, "village"), kind: .incident, rule: "unwatched", severity: .attention, at: instant, text: text)))
        }
        for bus in 0..<plan.buses { queue.put(.poll(run: machine.runs, bus: bus), at: now) }
        queue.put(.tick(run: machine.runs), at: now + .seconds(1))
        queue.put(.commit(run: machine.runs), at: now + Self.commitEvery)
        queue.put(.hourly(run: machine.runs), at: now + .hours(1))
        pumpAt = nil
        try pump()
    }

    /// Power or process is gone: only what is on the disk remains.
    func kill(down: Interval) {
        guard gateway != nil else { return }
        tally.kills += 1
        judge.killed(self)
        gateway = nil
        machine.downSince = now
        queue.put(.start, at: now + down)
    }

    // MARK: Polls

    func poll(_ bus: Int) throws {
        let asked = instant.elapsed
        guard let run = gateway?.run, let decision = gateway?.buses[bus].next(at: asked) else { return }
        switch decision {
        case .idle: break
        case .wait(let until): queue.put(.poll(run: run, bus: bus), at: now + max(.milliseconds(1), until - asked))
        case .ask(let meter, _):
            guard let home = meterNumbers[meter] else { return }
            let isSilent = busSilentUntil[bus].map { now < $0 } ?? false || homes[home].failure == .silent
            let took = isSilent ? Self.silenceTakes : Self.answerTakes
            now = now + took
            let moment = instant
            gateway?.buses[bus].finish(meter, answered: !isSilent, took: took, at: moment.elapsed)
            var register = isSilent || homes[home].failure == .unreadable ? nil : homes[home].shown(at: now)
            if plan.options.sabotage == .phantomWater, let shown = register { register = shown + .litres(Int64(tally.polls)) }
            gateway?.note(meter, at: moment.wall, register)
            tally.polls += 1
            if register != nil { homes[home].seen(at: now, down: machine.down(until: now)) }
            if register == nil, plan.options.sabotage == .hidesSilence { return queue.put(.poll(run: run, bus: bus), at: now + .milliseconds(1)) }
            try decide(.poll(.init(meter: meter, answered: !isSilent, register: register, reason: register == nil ? "bad" : "")))
            queue.put(.poll(run: run, bus: bus), at: now + .milliseconds(1))
        }
    }

    // MARK: Ticks and commits

    func tick() throws {
        guard let run = gateway?.run else { return }
        try decide(.tick)
        let moment = instant
        if let outcome = gateway?.reportStorage(at: moment, on: &disk) { try follow(outcome) }
        try judge.ticked(self)
        queue.put(.tick(run: run), at: now + Self.tickEvery)
    }

    func commit() {
        guard let run = gateway?.run else { return }
        let mark = AxisMark(instant, boottime: (now - machine.bootAt).milliseconds, bootID: "boot-\(machine.boots)")
        gateway?.commit(mark, on: &disk)
        // Between two polls there is nothing to commit; the mark alone can wait for ten seconds of its own.
        queue.put(.commit(run: run), at: now + (plan.options.days > 30 ? .minutes(1) : Self.commitEvery))
    }

    func hourly() throws {
        guard let run = gateway?.run else { return }
        let moment = instant
        gateway?.saveWatches(at: moment, on: &disk)
        disk.tidy(keeping: 400)
        try judge.hourPassed(self)
        queue.put(.hourly(run: run), at: now + .hours(1))
    }

    // MARK: Decisions and deliveries

    /// Hands an event to the gateway and follows what it led to.
    @discardableResult
    func decide(_ event: Neighbourhood.Event) throws -> RehearsedGateway.Outcome? {
        let moment = instant
        guard let outcome = gateway?.take(event, at: moment, on: &disk) else { return nil }
        try follow(outcome)
        return outcome
    }

    private func follow(_ outcome: RehearsedGateway.Outcome) throws {
        for item in outcome.saved { try judge.saved(plan.options.sabotage?.spoilt(item) ?? item, isDurable: outcome.isDurable, self) }
        let moment = instant
        for lift in gateway?.takeFalseAlarms() ?? [] {
            if let index = plan.lifts.firstIndex(of: lift) { _ = gateway?.desks[index].handle(.falseAlarm, at: moment) }
        }
        guard let run = gateway?.run, let axis = gateway?.axis else { return }
        if !outcome.saved.isEmpty, let next = gateway?.core.nextDeadline { queue.put(.deadline(run: run), at: max(now + .milliseconds(1), next - axis)) }
        if !outcome.notices.isEmpty { try pump() }
    }

    /// Tries what is due.
    func pump() throws {
        let moment = instant
        let sabotage = plan.options.sabotage
        if sabotage == .tellsNobody { return }
        guard let run = gateway?.run, let axis = gateway?.axis, let parcels = gateway?.schedule.due(at: moment.elapsed) else { return }
        for parcel in parcels {
            for item in parcel.items { try judge.leaving(item, self) }
            let isDown = channelDownUntil[parcel.channel].map { now < $0 } ?? false
            let takes = isDown ? Interval.seconds(10) : people.pause(.milliseconds(40), .seconds(3))
            let fails = isDown || people.chance(0.05)
            let late = sabotage == .outOfOrder && people.chance(0.5) ? Interval.hours(2) : .zero
            if !fails { queue.put(.arrival(parcel.items.map(\.notice), parcel.channel), at: now + takes / 2 + late) }
            if sabotage == .twoMeanings, var notice = parcel.items.first?.notice {
                notice.text = LocalizedText(chinese: "别的话。", english: "Something else.")
                queue.put(.arrival([notice], parcel.channel), at: now + takes)
            }
            queue.put(.finish(run: run, parcel, fails ? .failed("HTTP 503", retryAfter: nil) : .delivered), at: now + takes)
            tally.tries += 1
        }
        guard let next = gateway?.schedule.nextDue else { return }
        let wakes = max(now + .milliseconds(1), next - axis)
        if pumpAt.map({ $0 <= now || wakes < $0 }) ?? true {
            pumpAt = wakes
            queue.put(.pump(run: run), at: wakes)
        }
    }

    func finish(_ parcel: DeliverySchedule.Parcel, _ attempt: DeliverySchedule.Attempt) throws {
        let moment = instant
        guard let items = gateway?.schedule.finish(parcel, attempt, at: moment) else { return }
        // Delivery records on a full disk are lost until a restart sends the notice again under its old name.
        _ = disk.commit(items.map { .notice($0) })
        try pump()
    }

    /// A notice has reached its channel, and whoever reads it.
    func arrive(_ notice: Notice, _ channel: ChannelID) throws {
        tally.arrivals += 1
        try judge.arrived(notice, channel, self)
        for (after, deed) in people.read(notice) { queue.put(.deed(deed), at: now + after) }
    }
}
