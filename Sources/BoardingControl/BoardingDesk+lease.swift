import Phrasebook
import Telemetry

/// Hold, renewal, release.
extension BoardingDesk {
    /// Brings the state to what the moment asks for; called after every event.
    mutating func settle(at now: Instant, _ effects: inout [Effect]) {
        retryUnanswered(at: now, &effects)
        if hold != nil { keep(at: now, &effects) }
        if hold == nil { begin(at: now, &effects) }
        if hold == nil, let lastEbike, now.elapsed - lastEbike >= policy.clearAfter {
            self.lastEbike = nil
            episode = nil
            tracks.removeAll()
        }
    }

    private var isVetoed: (Interval) -> Bool { { [vetoUntil] now in vetoUntil.map { now < $0 } ?? false } }

    // MARK: A hold in force

    private mutating func keep(at now: Instant, _ effects: inout [Effect]) {
        guard let current = hold else { return }
        if let refusal = interlock.refusal(at: now.elapsed) { return end(refusal, at: now, &effects) }
        if isVetoed(now.elapsed) { return end(.veto, at: now, &effects) }
        if now.elapsed >= current.endsBy.elapsed { return end(.longestHold, at: now, &effects) }
        if now.elapsed - (lastEbike ?? current.since.elapsed) >= policy.clearAfter { return end(.cleared, at: now, &effects) }
        // A lease that reaches the end is not renewed: what is left would be shorter each time.
        if now.elapsed >= current.renewAt, current.leaseUntil < current.endsBy.elapsed { sendHold(since: current.since, at: now, &effects) }
    }

    private mutating func sendHold(since: Instant, at now: Instant, _ effects: inout [Effect]) {
        let endsBy = since.advanced(by: policy.longestHold)
        let lease = min(policy.lease, endsBy.since(now))
        let command = command(.holdDoor, lease: lease, reason: "ebike", announcement: Phrase(.announceHold).text, at: now)
        hold = Hold(
            since: since, endsBy: endsBy, command: command.id, renewAt: now.elapsed + lease / 2, leaseUntil: now.elapsed + lease)
        send(command, at: now, &effects)
    }

    mutating func end(_ reason: ReleaseReason, at now: Instant, _ effects: inout [Effect]) {
        guard let ended = hold else { return }
        hold = nil
        lastHold = ended
        tracks.removeAll()
        pending.removeAll { $0.command.action == .holdDoor }
        if reason != .controller && reason != .unanswered {
            send(command(.release, lease: .zero, reason: reason.rawValue, announcement: nil, at: now), at: now, &effects)
        }
        switch reason {
        case .person, .stopping, .longestHold, .unanswered, .controller: coolDownUntil = now.advanced(by: policy.coolDown)
        default: break
        }
        effects.append(
            .record(
                BoardingRecord(
                    elevator: elevator, what: .released, reason: reason, at: now, command: ended.command,
                    frames: heldOn.frames, confidence: heldOn.confidence, heldFor: now.since(ended.since))))
        if reason == .longestHold {
            let held = Phrase.Filling.text(Phrase.span(milliseconds: now.since(ended.since).milliseconds))
            effects.append(
                .raise(
                    finding(
                        "longest_hold", .ebikeLongestHold, ["held": held], numbers: ["held_seconds": now.since(ended.since).seconds], at: now)))
        }
    }

    mutating func releaseByPerson(_ who: String, _ reason: ReleaseReason = .person, at now: Instant, _ effects: inout [Effect]) {
        if hold != nil {
            end(reason, at: now, &effects)
        } else {
            // Nothing is held as far as we know; say release all the same, and do not hold again at once.
            send(command(.release, lease: .zero, reason: reason.rawValue, announcement: nil, at: now), at: now, &effects)
            coolDownUntil = now.advanced(by: policy.coolDown)
        }
        effects.append(
            .record(
                BoardingRecord(
                    elevator: elevator, what: .releaseAsked, reason: reason, at: now, command: nil, frames: 0, confidence: 0,
                    heldFor: .zero, by: who)))
    }

    // MARK: Beginning

    private mutating func begin(at now: Instant, _ effects: inout [Effect]) {
        guard let track = confirmingTrack(at: now) else { return }
        let evidence = track.summary(at: now.elapsed, within: policy.confirmation.within)
        // A door that has just opened is no contradiction yet: a moment later it is known.
        let isSettling = interlock.refusal(at: now.elapsed) == nil && interlock.settledAt(now.elapsed) != nil
        if isSettling, !interlock.isContradictory(at: now.elapsed), policy.mode == .hold { return }
        if episode == nil { episode = Episode() }
        if let refusal = refusalToBegin(at: now) {
            if refusal == .longestHold { coolDownUntil = now.advanced(by: policy.coolDown) }
            return refuse(refusal, evidence, at: now, &effects)
        }
        holdsBegun.removeAll { now.elapsed - $0 >= .hours(1) }
        holdsBegun.append(now.elapsed)
        sendHold(since: beginning(at: now), at: now, &effects)
        heldOn = Evidence(frames: evidence.frames, confidence: evidence.confidence)
        record(.held, reason: nil, evidence, at: now, &effects)
        tell("held", finding("confirmed", .ebikeHeld, words(evidence), numbers: numbers(evidence), at: now), &effects)
    }

    /// When a hold that is asked for now has begun: the release of the one before may have been lost with the line, and to whoever stands in the
    /// car the two are one.
    private func beginning(at now: Instant) -> Instant {
        guard let lastHold, now.elapsed <= lastHold.leaseUntil + BoardingPolicy.freshness else { return now }
        return lastHold.since
    }

    private func refusalToBegin(at now: Instant) -> ReleaseReason? {
        if policy.mode == .alarm { return .alarmOnly }
        if isVetoed(now.elapsed) { return .veto }
        if now.elapsed < coolDownUntil.elapsed { return .coolDown }
        if now.since(beginning(at: now)) >= policy.longestHold { return .longestHold }
        if let refusal = interlock.refusal(at: now.elapsed) { return refusal }
        if interlock.settledAt(now.elapsed) != nil { return .contradictory }
        if !policy.servedFloors.isEmpty, !policy.servedFloors.contains(interlock.status?.floor ?? "") { return .floor }
        if holdsBegun.filter({ now.elapsed - $0 < .hours(1) }).count >= BoardingPolicy.holdsPerHour { return .tooOften }
        return nil
    }

    private mutating func refuse(
        _ reason: ReleaseReason, _ evidence: (frames: Int, confidence: Double), at now: Instant, _ effects: inout [Effect]
    ) {
        // A warning is harmless; it is said once in an episode whatever the reason, except to those who must not be scared.
        if episode?.announced == false, reason != .veto {
            episode?.announced = true
            send(command(.announce, lease: .zero, reason: "ebike", announcement: Phrase(.announceAlarm).text, at: now), at: now, &effects)
        }
        guard episode?.told.contains(reason.rawValue) == false else { return }
        record(.refused, reason: reason, evidence, at: now, &effects)
        let found: Finding
        switch reason {
        case .alarmOnly, .floor: found = finding("confirmed", .ebikeSeen, words(evidence), numbers: numbers(evidence), at: now)
        case .veto:
            let other = Phrase.Filling.text((vetoClass ?? .wheelchair).name)
            found = finding("veto", .ebikeVetoed, ["other": other], numbers: numbers(evidence), at: now)
        case .tooOften:
            found = finding("too_often", .ebikeTooOften, ["count": .same("\(BoardingPolicy.holdsPerHour)")], at: now)
        default:
            found = finding("refused_\(reason.rawValue)", .ebikeRefused, ["reason": .text(reason.name)], numbers: numbers(evidence), at: now)
        }
        tell(reason.rawValue, found, &effects)
    }

    private mutating func tell(_ key: String, _ finding: Finding, _ effects: inout [Effect]) {
        guard episode?.told.insert(key).inserted ?? true else { return }
        effects.append(.raise(finding))
    }

    private func words(_ evidence: (frames: Int, confidence: Double)) -> [String: Phrase.Filling] {
        ["frames": .same("\(evidence.frames)"), "confidence": .same(Phrase.number(evidence.confidence * 100) + " %")]
    }

    private func numbers(_ evidence: (frames: Int, confidence: Double)) -> [String: Double] {
        ["frames": Double(evidence.frames), "confidence": evidence.confidence]
    }

    private func record(
        _ what: BoardingRecord.What, reason: ReleaseReason?, _ evidence: (frames: Int, confidence: Double), at now: Instant,
        _ effects: inout [Effect]
    ) {
        effects.append(
            .record(
                BoardingRecord(
                    elevator: elevator, what: what, reason: reason, at: now, command: hold?.command, frames: evidence.frames,
                    confidence: evidence.confidence, heldFor: .zero)))
    }
}
