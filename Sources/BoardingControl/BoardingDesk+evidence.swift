import Phrasebook
import Telemetry

extension BoardingDesk {
    /// The most tracks followed at once; a car does not hold more.
    private static let mostTracks = 16

    mutating func take(_ detections: [Detection], fresh: Bool, at now: Instant, _ effects: inout [Effect]) {
        guard fresh else { return }
        // What one message says at once has one number, or several in a row.
        var accepted: Set<SightNumber> = []
        for detection in detections {
            let number = SightNumber(boot: detection.boot, sequence: detection.sequence)
            guard accepted.contains(number) || isNews(detection, at: now, &effects) else { continue }
            accepted.insert(number)
            take(detection, at: now, &effects)
        }
    }

    private struct SightNumber: Hashable {
        var boot: String?
        var sequence: Int64
    }

    private mutating func take(_ detection: Detection, at now: Instant, _ effects: inout [Effect]) {
        guard (BoardingPolicy.leastSight...1).contains(detection.confidence), detection.zone != .landing else { return }
        if detection.kind.fillsCar {
            seenAt = now.elapsed
            if detection.zone == .car { seenInCar = now.elapsed }
        }
        switch detection.kind {
        case .wheelchair, .mobilityScooter, .pram, .stretcher:
            vetoUntil = now.elapsed + BoardingPolicy.vetoLasts
            vetoClass = detection.kind
        case .ebikeBattery, .gasCylinder: takeContraband(detection, at: now, &effects)
        default: break
        }
        follow(detection, at: now)
        if detection.kind == .ebike, detection.confidence >= policy.confirmation.confidence { lastEbike = now.elapsed }
    }

    private mutating func isNews(_ detection: Detection, at now: Instant, _ effects: inout [Effect]) -> Bool {
        let verdict = detections.judge(boot: detection.boot, sequence: detection.sequence, sentAt: detection.sentAt, at: now.elapsed)
        tell(verdict, at: now, &effects)
        return verdict == .news
    }

    private mutating func tell(_ verdict: SenderSequence.Verdict, at now: Instant, _ effects: inout [Effect]) {
        switch verdict {
        case .news, .repetition: break
        case .leap: contradict(.leap, at: now, &effects)
        case .replayed: contradict(.time, at: now, &effects)
        }
    }

    mutating func take(_ status: ElevatorStatus, fresh: Bool, at now: Instant, _ effects: inout [Effect]) {
        let verdict = interlock.take(status, fresh: fresh, at: now.elapsed)
        tell(verdict, at: now, &effects)
        guard verdict == .news, fresh else { return }
        if heardAt != nil { heardAt = now.elapsed }
        noteLoad(status.loadKilograms, at: now.elapsed)
        noteEmpty(status, at: now, &effects)
        if interlock.isContradictory(at: now.elapsed) { contradict(.statuses, at: now, &effects) }
        guard interlock.isWordContradicted else { return }
        contradict(.presence, at: now, &effects)
        // A controller that was said to be away and speaks is there.
        settleTrouble(&effects)
    }

    /// An empty car lifts a veto, unless something was seen there a moment ago: then the word of the controller is the weaker one.
    private mutating func noteEmpty(_ status: ElevatorStatus, at now: Instant, _ effects: inout [Effect]) {
        guard status.showsEmptyCar else {
            emptyBesides = 0
            return
        }
        let isContradicted = seenAt.map { now.elapsed - $0 < policy.clearAfter } ?? false
        if !isContradicted { vetoUntil = nil }
        // A load cell lags by a second; three statuses beside something in the car are no lag.
        emptyBesides = seenInCar.map { now.elapsed - $0 <= .seconds(2) } ?? false ? emptyBesides + 1 : 0
        if emptyBesides >= 3 { contradict(.emptyCar, at: now, &effects) }
    }

    private mutating func follow(_ detection: Detection, at now: Instant) {
        if tracks[detection.track] == nil, tracks.count >= Self.mostTracks,
            let oldest = tracks.min(by: { $0.value.lastSeen < $1.value.lastSeen })?.key
        {
            tracks[oldest] = nil
        }
        tracks[detection.track, default: TrackEvidence(at: now.elapsed)]
            .take(detection, at: now.elapsed, within: policy.confirmation.within)
    }

    /// Batteries and gas cylinders are told, never held, once a minute at most.
    private mutating func takeContraband(_ detection: Detection, at now: Instant, _ effects: inout [Effect]) {
        guard detection.confidence >= policy.confirmation.confidence else { return }
        if let last = lastContraband[detection.kind], now.elapsed - last < .minutes(1) { return }
        lastContraband[detection.kind] = now.elapsed
        let isBattery = detection.kind == .ebikeBattery
        effects.append(
            .raise(
                Finding(
                    subject: subject, kind: isBattery ? .ebikeBattery : .gasCylinder, rule: "seen", severity: .attention, at: now,
                    text: Phrase(isBattery ? .batterySeen : .gasSeen).text, numbers: ["confidence": detection.confidence])))
    }

    /// The track that confirms an e-bike now, if any.
    func confirmingTrack(at now: Instant) -> TrackEvidence? {
        tracks.filter { $0.value.confirms(policy.confirmation, at: now.elapsed, caution: falseHolds, loadRose: loadRose(at: now.elapsed)) }
            .max { ($0.value.lastSeen, $0.key) < ($1.value.lastSeen, $1.key) }?.value
    }

    /// The least step of load that a bike with or without its rider makes, in kilograms; light e-bikes weigh about twenty.
    private static let leastLoadStep = 15.0
    private static let loadMemory = Interval.seconds(10)

    mutating func noteLoad(_ kilograms: Double?, at now: Interval) {
        loads.removeAll { now - $0.at > Self.loadMemory }
        guard let kilograms, kilograms.isFinite else { return }
        if loads.count >= 32 { loads.removeFirst() }
        loads.append(Load(at: now, kilograms: kilograms))
    }

    /// Whether the car got heavier in the last ten seconds; nil where no load is measured, or not for long enough to tell.
    func loadRose(at now: Interval) -> Bool? {
        let recent = loads.filter { now - $0.at <= Self.loadMemory }
        guard recent.count >= 2, let least = recent.map(\.kilograms).min(), let newest = recent.last?.kilograms else { return nil }
        return newest - least >= Self.leastLoadStep
    }

    var subject: Subject { Subject(.elevator, elevator.rawValue) }

    func finding(
        _ rule: String, _ sentence: Sentence, _ fillings: [String: Phrase.Filling] = [:], kind: FindingKind = .ebike,
        numbers: [String: Double] = [:], at now: Instant
    ) -> Finding {
        Finding(
            subject: subject, kind: kind, rule: rule, severity: .attention, at: now, text: Phrase(sentence, fillings).text,
            numbers: numbers)
    }
}
