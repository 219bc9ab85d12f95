import BoardingControl
import Casework
import Neighbourhood
import Safeguarding
import Telemetry

/// What befalls the village, and what its people do about it.
extension Village {
    func befall(_ happening: Happening) throws {
        switch happening {
        case .collapse(let home):
            homes[home].collapse(at: now, down: machine.down(until: now))
            tally.collapses += 1
        case .absence(let home, let until, let announced):
            homes[home].silence(from: now, until: until)
            homes[home].absentUntil = until
            if announced { try announce(home, until) }
        case .leak(let home, let until):
            homes[home].beginLeak(at: now)
            queue.put(.ended(happening), at: until)
        case .meter(let home, let failure, let until):
            homes[home].failure = failure
            queue.put(.ended(happening), at: until)
        case .meterReplaced(let home): homes[home].replaceMeter(at: now)
        case .bus(let bus, _, let until): busSilentUntil[bus] = max(busSilentUntil[bus] ?? .zero, until)
        case .waterCut(let bus, let until):
            for home in homes.indices where homes[home].place.bus == bus && homes[home].collapsedAt == nil { homes[home].silence(from: now, until: until) }
        case .channel(let channel, let until): channelDownUntil[channel] = max(channelDownUntil[channel] ?? .zero, until)
        case .diskFull(let until):
            disk.isFull = true
            queue.put(.ended(happening), at: until)
        case .killed(let down): kill(down: down)
        case .powerCut(let down, let clockLost):
            guard gateway != nil else { return }
            kill(down: down)
            machine.boots += 1
            machine.bootAt = now + down
            if clockLost {
                machine.setWall(WallTime(unixSeconds: 8) - (plan.start + now + down), at: now)
                queue.put(.clockFixed, at: now + down + people.pause(.seconds(30), .hours(2)))
            }
        case .wallStep(let by, let until):
            guard machine.wallOffset == .zero else { return }
            machine.setWall(by, at: now)
            queue.put(.clockFixed, at: until)
        case .boarding(let lift, let scene):
            guard scenes[lift] == nil else { return }
            scenes[lift] = scene
            tally.boardings += 1
            queue.put(.scene(lift: lift), at: now)
        }
    }

    func end(_ happening: Happening) {
        switch happening {
        case .leak(let home, _): homes[home].endLeak(at: now)
        case .meter(let home, _, _): homes[home].failure = nil
        case .diskFull: disk.isFull = false
        default: break
        }
    }

    /// The family enters an absence; if the gateway is not there they try again.
    func announce(_ home: Int, _ until: Interval) throws {
        guard until > now else { return }
        let entry = PresenceEntry(kind: .away, until: plan.start + until, by: "family")
        if gateway == nil { return queue.put(.announce(home: home, until: until), at: now + .minutes(10)) }
        try decide(.presence(plan.homes[home].id, entry))
    }

    // MARK: Deeds

    func perform(_ deed: VillagePeople.Deed) throws {
        guard gateway != nil else {
            var again = deed
            again.tries += 1
            if again.tries < 10 { queue.put(.deed(again), at: now + .minutes(3)) }
            return
        }
        guard let item = gateway?.core.book.cases[deed.item], item.isOpen else { return }
        switch deed.act {
        case .accept: try act(deed, .accept)
        case .arrived: try act(deed, .arrived)
        case .outcome: if let found = look(item) { try act(deed, found) }
        }
    }

    private func act(_ deed: VillagePeople.Deed, _ what: CaseBook.Act.Deed) throws {
        let outcome = try decide(.act(deed.item, .init(what, by: deed.who.rawValue)))
        tally.acts += 1
        if let outcome, outcome.refusal == nil, outcome.isDurable { judge.acknowledged(deed.item, what) }
    }

    /// What somebody finds who goes and looks; nil when there is nothing to say yet.
    private func look(_ item: Case) -> CaseBook.Act.Deed? {
        switch item.subject.type {
        case .household:
            guard let home = homeNumbers[HouseholdID(item.subject.id)] else { return nil }
            return look(item, home)
        case .elevator where item.kind == .ebike: return .outcome(people.chance(0.9) ? .removed : .falseAlarm, until: nil)
        case .elevator: return .outcome(.repaired, until: nil)
        case .meter:
            guard let home = meterNumbers[MeterID(item.subject.id)] else { return nil }
            // A technician mends what is broken; the case ends by the meter's next answer.
            guard homes[home].failure != nil else { return .outcome(.repaired, until: nil) }
            homes[home].failure = nil
            return nil
        case .bus:
            guard item.kind == .equipment, let bus = Int(item.subject.id.dropFirst(4)) else { return nil }
            guard let until = busSilentUntil[bus], now < until else { return .outcome(.repaired, until: nil) }
            busSilentUntil[bus] = now
            return nil
        case .site: return item.findings.contains { $0.rule == "unwatched" } ? .outcome(.safe, until: nil) : nil
        }
    }

    private func look(_ item: Case, _ home: Int) -> CaseBook.Act.Deed? {
        switch item.kind {
        case .inactivity, .useWhileAway:
            if people.findsDoorClosed() { return .outcome(.noAccess, until: nil) }
            if homes[home].collapsedAt != nil {
                tally.helped += 1
                judge.helped(home)
                if people.goesToHospital() {
                    homes[home].help(at: now, backAfter: .days(3))
                    return .outcome(.hospital, until: plan.start + now + .days(3))
                }
                homes[home].help(at: now, backAfter: .zero)
                return .outcome(.helped, until: nil)
            }
            let back = homes[home].absentUntil
            return back > now ? .outcome(.away, until: min(plan.start + back, plan.start + now + .days(29))) : .outcome(.safe, until: nil)
        case .continuousFlow, .degraded, .excessUse:
            guard homes[home].leaks else { return .outcome(.safe, until: nil) }
            homes[home].endLeak(at: now)
            return .outcome(.leak, until: nil)
        case .blind:
            if homes[home].failure != nil { homes[home].failure = nil }
            return nil
        default: return .outcome(.safe, until: nil)
        }
    }

    // MARK: Lifts

    func live(sceneAt lift: Int) throws {
        guard var scene = scenes[lift] else { return }
        scene.sabotage = plan.options.sabotage
        var desk = gateway?.desks[lift]
        var effects: [BoardingDesk.Effect] = []
        let breach = scene.live(&desk, at: instant, controllerTime: now) { effects.append($0) }
        if let desk { gateway?.desks[lift] = desk }
        for effect in effects {
            switch effect {
            case .raise(let finding) where finding.kind == .ebike && plan.options.sabotage == .missesBikes: break
            case .raise(let finding):
                if finding.kind == .ebike { judge.boardingRaised(lift, at: now) }
                try decide(.finding(finding))
            case .clearEquipment: try decide(.cleared(Subject(.elevator, plan.lifts[lift].rawValue), .equipment))
            case .record(let record):
                if record.what == .held { tally.holds += 1 }
            case .publish: break
            }
        }
        if let breach { throw judge.breach(breach.promise, "\(plan.lifts[lift]), scene \(scene.seed): \(breach.detail)", self) }
        try judge.watched(scene, lift, self)
        scenes[lift] = scene.isOver ? nil : scene
        if !scene.isOver { queue.put(.scene(lift: lift), at: now + BoardingScene.step) }
    }
}
