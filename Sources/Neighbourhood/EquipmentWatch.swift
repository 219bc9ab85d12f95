import Phrasebook
import Telemetry

/// Watches the meters' own health: which are silent, which give nothing that can be used, whether a whole bus is down.
/// A pure value. Its findings go to technicians; they are never alarms about people.
struct EquipmentWatch: Sendable {
    /// What is known of a meter's line.
    struct Line: Sendable, Hashable {
        var bus: BusID
        var unit: Int
        var misses = 0
        var firstMiss: Interval?
        var unusable = 0
        /// At the last miss a gateway answered in the meter's place.
        var gatewayAnswers = false
        var told: Told?
        enum Told: Sendable { case silent, unusable }
    }

    enum Effect: Sendable, Hashable {
        case raise(Finding)
        case clear(Subject)
    }

    private(set) var lines: [MeterID: Line]
    private(set) var downBuses: Set<BusID> = []
    private var lastAnswer: [BusID: Interval] = [:]
    private var heardBuses: Set<BusID> = []
    private var heardMeters: Set<MeterID> = []
    private var reversals: [MeterID: [Interval]] = [:]

    /// After so many polls without an answer a ticket is opened.
    static let missesUntilTold = 2
    /// After so many reversals within a day a ticket is opened.
    static let reversalsUntilTold = 3

    init(_ meters: [(id: MeterID, bus: BusID, unit: Int)]) {
        lines = Dictionary(meters.map { ($0.id, Line(bus: $0.bus, unit: $0.unit)) }, uniquingKeysWith: { first, _ in first })
    }

    /// Takes the end of one poll: whether the meter answered, and if so whether its totaliser can be used.
    /// - Parameter gatewayAnswers: a gateway said that the meter is silent
    mutating func take(
        _ meter: MeterID, answered: Bool, usable: Bool, reason: String, gatewayAnswers: Bool = false, at now: Instant
    ) -> [Effect] {
        guard var line = lines[meter] else { return [] }
        var effects: [Effect] = []
        if answered {
            lastAnswer[line.bus] = now.elapsed
            line.misses = 0
            line.firstMiss = nil
            line.unusable = usable ? 0 : line.unusable + 1
            // The first answer since the start clears too: a case may be open from before a restart.
            let firstOnBus = heardBuses.insert(line.bus).inserted
            let cameBack = downBuses.remove(line.bus) != nil
            // Whoever stays silent on a bus that works again is a trouble of its own.
            if cameBack {
                for id in lines.keys where lines[id]?.bus == line.bus && id != meter {
                    lines[id]?.told = nil
                    lines[id]?.misses = 0
                    lines[id]?.firstMiss = nil
                }
            }
            if cameBack || firstOnBus { effects.append(.clear(Subject(.bus, line.bus.rawValue))) }
            let first = usable && heardMeters.insert(meter).inserted
            if first || line.told == .silent || line.told == .unusable && usable {
                line.told = nil
                effects.append(.clear(Subject(.meter, meter.rawValue)))
            }
            if line.unusable >= Self.missesUntilTold, line.told == nil {
                line.told = .unusable
                effects.append(.raise(unusable(meter, reason, at: now)))
            }
        } else {
            line.misses += 1
            line.gatewayAnswers = gatewayAnswers
            line.firstMiss = line.firstMiss ?? now.elapsed
        }
        lines[meter] = line
        return effects + tellSilent(on: line.bus, at: now)
    }

    /// Takes something the register did that is not use. Water that ran backwards three times in a day is no accident.
    mutating func take(_ event: MeterEvent, of meter: MeterID, at now: Instant) -> Finding? {
        switch event {
        case .reverse(let volume):
            let recent = (reversals[meter] ?? []).filter { now.elapsed - $0 < .hours(24) } + [now.elapsed]
            reversals[meter] = recent.count >= Self.reversalsUntilTold ? [] : recent
            guard recent.count >= Self.reversalsUntilTold else { return nil }
            return Finding(
                subject: Subject(.meter, meter.rawValue), kind: .equipment, rule: "meter_reverse", severity: .attention, at: now,
                text: event.told(of: meter.rawValue), numbers: ["reversed_litres": volume.litres])
        case .replaced:
            return Finding(
                subject: Subject(.meter, meter.rawValue), kind: .equipment, rule: "meter_replaced", severity: .attention, at: now,
                text: event.told(of: meter.rawValue))
        case .rollover, .reset, .setBack, .quarantined, .glitchDropped: return nil
        }
    }

    /// What an answer of the meter does not settle: somebody must look at it.
    static let untilSeenTo: Set<String> = ["meter_replaced", "meter_reverse"]

    /// Whether a meter has given nothing that can be used for some polls.
    func isUnseen(_ meter: MeterID) -> Bool {
        guard let line = lines[meter] else { return false }
        return line.misses >= Self.missesUntilTold || line.unusable >= Self.missesUntilTold
    }

    private mutating func tellSilent(on bus: BusID, at now: Instant) -> [Effect] {
        let here = lines.filter { $0.value.bus == bus }
        let silent = here.filter { $0.value.misses >= Self.missesUntilTold }
        guard !silent.isEmpty, !downBuses.contains(bus) else { return [] }
        if here.count > 1, silent.count == here.count {
            downBuses.insert(bus)
            for id in here.keys where lines[id]?.told == nil { lines[id]?.told = .silent }
            return [.raise(down(bus, count: here.count, gatewayAnswers: here.values.allSatisfy(\.gatewayAnswers), at: now))]
        }
        var effects: [Effect] = []
        for (id, line) in silent.sorted(by: { $0.key < $1.key }) where line.told == nil {
            // Wait until another meter of the bus has answered since: otherwise the bus may be the trouble.
            let othersAnswer = lastAnswer[bus].map { $0 >= (line.firstMiss ?? .zero) } ?? false
            guard here.count == 1 || othersAnswer else { continue }
            lines[id]?.told = .silent
            effects.append(.raise(noReply(id, line, others: here.count > 1, at: now)))
        }
        return effects
    }

    private func finding(_ subject: Subject, _ rule: String, _ phrase: Phrase, at now: Instant) -> Finding {
        Finding(subject: subject, kind: .equipment, rule: rule, severity: .attention, at: now, text: phrase.text)
    }

    private func noReply(_ meter: MeterID, _ line: Line, others: Bool, at now: Instant) -> Finding {
        let words =
            others
            ? LocalizedText(chinese: "同一总线上其他表有应答。", english: "Others on the bus answer. ")
            : LocalizedText(chinese: "", english: "")
        return finding(
            Subject(.meter, meter.rawValue), "meter_silent",
            Phrase(
                line.gatewayAnswers ? .meterSilentBehindGateway : .meterSilent,
                [
                    "meter": .same(meter.rawValue), "bus": .same(line.bus.rawValue), "unit": .same("\(line.unit)"),
                    "count": .same("\(line.misses)"), "others": .text(words),
                ]), at: now)
    }

    private func unusable(_ meter: MeterID, _ reason: String, at now: Instant) -> Finding {
        finding(
            Subject(.meter, meter.rawValue), "meter_unusable",
            Phrase(
                .meterBad,
                [
                    "meter": .same(meter.rawValue), "reason": .same(reason),
                ]), at: now)
    }

    private func down(_ bus: BusID, count: Int, gatewayAnswers: Bool, at now: Instant) -> Finding {
        finding(
            Subject(.bus, bus.rawValue), "bus_down",
            Phrase(
                gatewayAnswers ? .busDownBehindGateway : .busDown,
                [
                    "bus": .same(bus.rawValue), "count": .same("\(count)"),
                ]), at: now)
    }
}
