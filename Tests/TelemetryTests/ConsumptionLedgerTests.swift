import Foundation
import Simulation
import Telemetry
import Testing

@Suite struct ConsumptionLedgerTests {
    let start = Instant(recorded: WallTime(unixSeconds: 1_700_000_000))

    func ledger(resolution: Volume = .litres(1), rollover: Volume? = nil) -> ConsumptionLedger {
        ConsumptionLedger(limits: .init(resolution: resolution, rollover: rollover))
    }

    func minutes(_ count: Int64) -> Instant { start.advanced(by: .minutes(count)) }

    @Test func `a rise of the register is use between the two readings`() {
        var ledger = ledger()
        #expect(ledger.handle(.litres(100), at: start) == .baseline)
        let entry = ledger.handle(.litres(107), at: minutes(15))
        #expect(entry == .consumption(Consumption(from: start, to: minutes(15), volume: .litres(7))))
    }

    @Test func `the same reading twice means nothing twice, and an older one adds nothing`() {
        var ledger = ledger()
        _ = ledger.handle(.litres(100), at: start)
        _ = ledger.handle(.litres(105), at: minutes(15))
        #expect(ledger.handle(.litres(105), at: minutes(15)) == .duplicate)
        #expect(ledger.handle(.litres(102), at: minutes(7)) == .late)
        #expect(ledger.handle(.litres(106), at: minutes(30)) == .consumption(.init(from: minutes(15), to: minutes(30), volume: .litres(1))))
    }

    @Test func `jitter around one count is neither reverse flow nor use`() {
        var ledger = ledger()
        _ = ledger.handle(.litres(100), at: start)
        for (index, value) in [99, 100, 99, 100].enumerated() {
            let at = minutes(Int64(15 * (index + 1)))
            guard case .consumption(let use) = ledger.handle(.litres(Int64(value)), at: at) else {
                Issue.record("jitter became an event")
                return
            }
            #expect(use.volume == .zero)
        }
    }

    @Test func `a rollover is told and its use is known`() {
        var ledger = ledger(rollover: .litres(100_000))
        _ = ledger.handle(.litres(99_995), at: start)
        #expect(ledger.handle(.litres(3), at: minutes(15)) == .event(.quarantined(from: .litres(99_995), to: .litres(3))))
        #expect(ledger.handle(.litres(3), at: minutes(30)) == .event(.rollover(from: .litres(99_995), to: .litres(3))))
        #expect(ConsumptionLedger.use(acrossRolloverFrom: .litres(99_995), to: .litres(3), modulus: .litres(100_000)) == .litres(8))
    }

    @Test func `a register that falls to nearly zero far from a power of ten is a reset, not negative use`() {
        var ledger = ledger()
        _ = ledger.handle(.litres(34_567), at: start)
        #expect(ledger.handle(.litres(2), at: minutes(15)) == .event(.quarantined(from: .litres(34_567), to: .litres(2))))
        #expect(ledger.handle(.litres(2), at: minutes(30)) == .event(.reset(from: .litres(34_567), to: .litres(2))))
        #expect(ledger.handle(.litres(5), at: minutes(45)) == .consumption(.init(from: minutes(30), to: minutes(45), volume: .litres(3))))
    }

    @Test func `a single false jump is held back and dropped`() {
        var ledger = ledger()
        _ = ledger.handle(.litres(1000), at: start)
        #expect(ledger.handle(.litres(900_000), at: minutes(15)) == .event(.quarantined(from: .litres(1000), to: .litres(900_000))))
        #expect(ledger.handle(.litres(1000), at: minutes(30)) == .event(.glitchDropped(.litres(900_000))))
        #expect(ledger.handle(.litres(1004), at: minutes(45)) == .consumption(.init(from: minutes(30), to: minutes(45), volume: .litres(4))))
    }

    @Test func `a register that stays elsewhere is another meter`() {
        var ledger = ledger()
        _ = ledger.handle(.litres(1000), at: start)
        _ = ledger.handle(.litres(900_000), at: minutes(15))
        _ = ledger.handle(.litres(900_001), at: minutes(30))
        #expect(ledger.handle(.litres(900_001), at: minutes(45)) == .event(.replaced(from: .litres(1000), to: .litres(900_001))))
        #expect(ledger.register == .litres(900_001))
    }

    @Test func `water that runs backwards is an event and no use`() {
        var ledger = ledger()
        _ = ledger.handle(.litres(1000), at: start)
        #expect(ledger.handle(.litres(980), at: minutes(15)) == .event(.quarantined(from: .litres(1000), to: .litres(980))))
        #expect(ledger.handle(.litres(980), at: minutes(30)) == .event(.reverse(.litres(20))))
    }

    /// The use of a day of quarter hours, and what else was told.
    func day(_ ledger: inout ConsumptionLedger, _ value: (Int) -> Int64) -> (used: Volume, events: [MeterEvent]) {
        var used = Volume.zero
        var events: [MeterEvent] = []
        for quarter in 0..<96 {
            switch ledger.handle(.litres(value(quarter)), at: minutes(Int64(15 * quarter))) {
            case .consumption(let use): used += use.volume
            case .event(let event): events.append(event)
            default: break
            }
        }
        return (used, events)
    }

    @Test(arguments: [3, 10, 40]) func `water that swings back and forth in the pipe is no use, and each swing is told`(litres: Int64) {
        var ledger = ledger()
        let seen = day(&ledger) { $0 / 2 % 2 == 1 ? 1000 - litres : 1000 }
        #expect(seen.used == .zero)
        #expect(seen.events.filter { $0 == .reverse(.litres(litres)) }.count == 24, "\(seen.events)")
        #expect(seen.events.count == 25, "only the first is held back")
    }

    @Test(arguments: [1, 2]) func `a slow swing that falls by less than jitter at each reading is no use either, for days`(step: Int64) {
        var ledger = ledger()
        var used = Volume.zero
        // Six litres down in an hour and a half, and up again; then three hours' rest.
        for quarter in 0..<(96 * 4) {
            let place = Int64(quarter % 24)
            let down = place < 6 ? place * step : place < 12 ? (12 - place) * step : 0
            if case .consumption(let use) = ledger.handle(.litres(1000 - down), at: minutes(Int64(15 * quarter))) { used += use.volume }
        }
        #expect(used == .zero)
    }

    @Test func `a swing a day, by the pressure of the mains, is use the first time and not again`() {
        var ledger = ledger()
        var daily: [Volume] = []
        for day in 0..<5 {
            var used = Volume.zero
            for quarter in 0..<96 {
                // Down forty litres in the evening, up again in the morning.
                let value: Int64 = quarter < 28 || quarter >= 72 ? 960 : 1000
                if case .consumption(let use) = ledger.handle(.litres(day == 0 && quarter < 28 ? 1000 : value), at: minutes(Int64(day * 1440 + 15 * quarter))) {
                    used += use.volume
                }
            }
            daily.append(used)
        }
        #expect(daily[0] == .zero && daily[2...].allSatisfy { $0 == .zero }, "\(daily)")
    }

    @Test(arguments: [760, 0, 850]) func `one false answer now and then, too low by however much, is dropped and is no use`(wrong: Int64) {
        var ledger = ledger()
        let seen = day(&ledger) { $0 % 8 == 7 ? wrong : 860 }
        #expect(seen.used == .zero)
        #expect(
            seen.events.allSatisfy { event in
                if case .quarantined = event { true } else { event == .glitchDropped(.litres(wrong)) }
            })
    }

    @Test func `a register that was believed to be reset and comes back did not use the way`() {
        var ledger = ledger()
        let seen = day(&ledger) { (40..<46).contains($0) ? 0 : 860 }
        #expect(seen.used == .zero)
        #expect(seen.events.contains(.reset(from: .litres(860), to: .zero)) && seen.events.last == .glitchDropped(.zero))
        #expect(ledger.register == .litres(860))
    }

    @Test(arguments: [(995, 990, 15), (97_060, 97_055, 20 * 60), (9_980, 9_940, 15)]) func `a small fall below a power of ten is no rollover`(
        high: Int64, low: Int64, after: Int64
    ) {
        var ledger = ledger()
        _ = ledger.handle(.litres(high), at: start)
        _ = ledger.handle(.litres(low), at: minutes(after))
        #expect(ledger.handle(.litres(low), at: minutes(after + 15)) == .event(.reverse(.litres(high - low))))
        #expect(ledger.handle(.litres(high), at: minutes(after + 30)) == .consumption(.init(from: minutes(after + 15), to: minutes(after + 30), volume: .zero)))
    }

    @Test func `use after water ran backwards counts above the earlier peak, and again from where it stands a day later`() {
        var ledger = ledger()
        _ = ledger.handle(.litres(1000), at: start)
        _ = ledger.handle(.litres(970), at: minutes(15))
        _ = ledger.handle(.litres(970), at: minutes(30))
        #expect(ledger.handle(.litres(990), at: minutes(45)) == .consumption(.init(from: minutes(30), to: minutes(45), volume: .zero)))
        #expect(ledger.handle(.litres(1006), at: minutes(60)) == .consumption(.init(from: minutes(45), to: minutes(60), volume: .litres(6))))
        _ = ledger.handle(.litres(980), at: minutes(75))
        _ = ledger.handle(.litres(980), at: minutes(90))
        _ = ledger.handle(.litres(980), at: minutes(90 + 24 * 60))
        #expect(
            ledger.handle(.litres(985), at: minutes(105 + 24 * 60))
                == .consumption(.init(from: minutes(90 + 24 * 60), to: minutes(105 + 24 * 60), volume: .litres(5))))
    }

    @Test(arguments: [3_000, 20_000, 110_000] as [Int64]) func `a meter that was replaced by a higher one stays replaced, and the difference is never use`(
        litres: Int64
    ) {
        var ledger = ledger()
        _ = ledger.handle(.litres(50_000), at: start)
        var used = Volume.zero
        var replaced = 0
        for quarter in 1...(4 * 48) {
            switch ledger.handle(.litres(50_000 + litres), at: minutes(Int64(15 * quarter))) {
            case .consumption(let use): used += use.volume
            case .event(.replaced): replaced += 1
            default: break
            }
        }
        #expect(used == .zero && replaced == 1)
        #expect(ledger.register == .litres(50_000 + litres))
    }

    /// What is used in some hours of quarters when a fine register trembles by up to 0.3 L about the given millilitres.
    func trembling(_ ledger: inout ConsumptionLedger, hours: Range<Int>, _ millilitres: (Int) -> Int64) -> Volume {
        var random = SeededRandom(seed: 7)
        var used = Volume.zero
        for quarter in (hours.lowerBound * 4)..<(hours.upperBound * 4) {
            let value = Volume(millilitres: millilitres(quarter) + Int64(random.next() % 601) - 300)
            if case .consumption(let use) = ledger.handle(value, at: minutes(Int64(15 * quarter))) { used += use.volume }
        }
        return used
    }

    @Test func `a fine register that trembles uses nothing, and what a person draws is still use`() {
        var ledger = ledger(resolution: Volume(millilitres: 1))
        _ = trembling(&ledger, hours: 0..<3) { _ in 50_000 }
        #expect(trembling(&ledger, hours: 3..<72) { _ in 50_000 } == .zero)
        let drawn = trembling(&ledger, hours: 72..<73) { _ in 52_000 }
        #expect(drawn.litres > 1.4 && drawn.litres < 2.6, "\(drawn)")
        let little = trembling(&ledger, hours: 73..<83) { 52_000 + Int64($0 - 73 * 4) * 100 }
        #expect(little.litres > 3 && little.litres < 5, "a tenth of a litre each quarter adds up to 3.9 L: \(little)")
    }

    @Test func `a fine register that holds still counts each drop, also a day after it trembled`() {
        var ledger = ledger(resolution: Volume(millilitres: 1))
        _ = trembling(&ledger, hours: 0..<3) { _ in 50_000 }
        let at = 3 * 60
        for quarter in 0..<97 { _ = ledger.handle(.litres(51), at: minutes(Int64(at + 15 * quarter))) }
        for quarter in 97..<110 {
            let entry = ledger.handle(.litres(51) + Volume(millilitres: Int64(quarter - 96) * 50), at: minutes(Int64(at + 15 * quarter)))
            guard case .consumption(let use) = entry else {
                Issue.record("\(entry)")
                return
            }
            #expect(use.volume == Volume(millilitres: 50))
        }
    }

    /// Takes readings at some minutes and says what was used, what else was told, and when the first use after the fall was told.
    func take(_ ledger: inout ConsumptionLedger, _ readings: [(minute: Int64, litres: Int64)]) -> (used: Volume, events: [MeterEvent], firstUse: Int64?) {
        var used = Volume.zero
        var events: [MeterEvent] = []
        var firstUse: Int64?
        for reading in readings {
            switch ledger.handle(.litres(reading.litres), at: minutes(reading.minute)) {
            case .consumption(let use):
                used += use.volume
                if use.volume > .zero { firstUse = firstUse ?? reading.minute }
            case .event(.setBack(let from, let to, let more)):
                used += more
                events.append(.setBack(from: from, to: to, used: more))
                if more > .zero { firstUse = firstUse ?? reading.minute }
            case .event(let event): events.append(event)
            default: break
            }
        }
        return (used, events, firstUse)
    }

    @Test(arguments: [20, 40, 90, 300] as [Int64]) func `a register set back after the meter was not heard counts on at once`(litres: Int64) {
        var ledger = ledger()
        for quarter in 0..<8 { _ = ledger.handle(.litres(5000), at: minutes(Int64(quarter) * 15)) }
        // An hour without power; then the home goes on drawing water.
        let seen = take(
            &ledger, [(180, 5000 - litres), (195, 5000 - litres + 3), (210, 5000 - litres + 9), (225, 5000 - litres + 9), (240, 5000 - litres + 15)])
        #expect(seen.events.contains { if case .setBack(.litres(5000), .litres(5000 - litres), _) = $0 { true } else { false } }, "\(seen.events)")
        #expect(seen.used == .litres(15) && seen.firstUse == 195, "\(seen)")
    }

    @Test func `a coarse register set back by two counts after a gap counts on at once`() {
        var ledger = ledger(resolution: .litres(10))
        for quarter in 0..<8 { _ = ledger.handle(.litres(5000), at: minutes(Int64(quarter) * 15)) }
        let seen = take(&ledger, [(180, 4980), (195, 4980), (210, 4990), (225, 5000)])
        #expect(seen.used == .litres(20) && seen.firstUse == 210, "\(seen)")
    }

    @Test(arguments: [15, 1] as [Int64]) func `a register set back between two polls counts on as soon as it rises by little after a rest`(beat: Int64) {
        var ledger = ledger()
        for poll in 0..<8 { _ = ledger.handle(.litres(5000), at: minutes(Int64(poll) * beat)) }
        let rise: [Int64] = [4960, 4960, 4960, 4965, 4965, 4971, 4977, 5010, 5016]
        let seen = take(&ledger, rise.enumerated().map { ((Int64($0.offset) + 8) * beat, $0.element) })
        #expect(seen.events.contains(.setBack(from: .litres(5000), to: .litres(4960), used: .litres(5))), "\(seen.events)")
        #expect(seen.used == .litres(56) && seen.firstUse == 11 * beat, "\(seen)")
    }

    @Test func `a register that leaps back faster than water runs counts on even without a rest`() {
        var ledger = ledger()
        for poll in 0..<8 { _ = ledger.handle(.litres(5000), at: minutes(Int64(poll))) }
        let seen = take(&ledger, (0..<20).map { (Int64($0) + 8, 4960 + 2 * Int64($0)) })
        #expect(seen.events.contains { if case .setBack = $0 { true } else { false } }, "\(seen.events)")
        #expect(seen.used >= .litres(36), "\(seen)")
    }

    @Test func `water that swings once after a gap is a set-back at the most once, and coming back the whole way is no use`() {
        var ledger = ledger()
        for quarter in 0..<8 { _ = ledger.handle(.litres(5000), at: minutes(Int64(quarter) * 15)) }
        let seen = take(&ledger, [(180, 4960), (195, 4960), (210, 5000), (225, 4960), (240, 4960), (255, 5000)])
        #expect(seen.used == .zero, "\(seen)")
    }

    @Test(arguments: [16, 23, 24, 31, 32], [1, 10, 100, 1000, 10_000] as [Int64]) func `a binary counter's end is known at any decimal`(
        bits: Int, count: Int64
    ) {
        let modulus = Volume(millilitres: Int64(1) << Int64(bits) * count)
        var ledger = ledger(resolution: Volume(millilitres: min(count, 1000)))
        let before = modulus - .litres(5)
        guard modulus >= .litres(1000) else { return }
        _ = ledger.handle(before, at: start)
        #expect(ledger.handle(.litres(3), at: minutes(15)) == .event(.quarantined(from: before, to: .litres(3))))
        #expect(ledger.handle(.litres(3), at: minutes(30)) == .event(.rollover(from: before, to: .litres(3))))
        #expect(ledger.modulus(for: before) == modulus)
        #expect(ConsumptionLedger.use(acrossRolloverFrom: before, to: .litres(3), modulus: modulus) == .litres(8))
    }

    @Test func `a reset some way below a binary counter's end is a reset, also after days`() {
        var ledger = ledger()
        _ = ledger.handle(.litres(65_000), at: start)
        _ = ledger.handle(.litres(0), at: minutes(3 * 1440))
        #expect(
            ledger.handle(.litres(0), at: minutes(3 * 1440 + 15)) == .event(.rollover(from: .litres(65_000), to: .zero)), "half a cubic metre in three days")
        var other = self.ledger()
        _ = other.handle(.litres(63_000), at: start)
        _ = other.handle(.litres(0), at: minutes(15))
        #expect(other.handle(.litres(0), at: minutes(30)) == .event(.reset(from: .litres(63_000), to: .zero)))
    }

    @Test func `a state saved before registers were held back still decodes`() throws {
        let old =
            #"{"limits":{"resolution":1000,"mostPerHour":5000000},"highest":7000,"register":7000,"readAt":{"elapsed":0,"wall":0},"pending":{"register":9000000,"confirmations":0}}"#
        let plain = try JSONEncoder().encode(ledger())
        let keys = try #require(try JSONSerialization.jsonObject(with: plain) as? [String: Any]).keys
        #expect(Set(keys).isSubset(of: ["limits", "highest"]), "what a new ledger has not seen is not written: \(keys)")
        var restored = try JSONDecoder().decode(ConsumptionLedger.self, from: Data(old.utf8))
        #expect(restored.handle(.litres(7), at: Instant(elapsed: .minutes(15), wall: WallTime(unixSeconds: 900))) == .event(.glitchDropped(.litres(9000))))
    }
}
