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
        #expect(ledger.handle(.litres(3), at: minutes(15)) == .event(.rollover(from: .litres(99_995), to: .litres(3))))
        #expect(ConsumptionLedger.use(acrossRolloverFrom: .litres(99_995), to: .litres(3), modulus: .litres(100_000)) == .litres(8))
    }

    @Test func `a register that falls to nearly zero far from a power of ten is a reset, not negative use`() {
        var ledger = ledger()
        _ = ledger.handle(.litres(34_567), at: start)
        #expect(ledger.handle(.litres(2), at: minutes(15)) == .event(.reset(from: .litres(34_567), to: .litres(2))))
        #expect(ledger.handle(.litres(5), at: minutes(30)) == .consumption(.init(from: minutes(15), to: minutes(30), volume: .litres(3))))
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
        #expect(ledger.handle(.litres(980), at: minutes(15)) == .event(.reverse(.litres(20))))
    }
}
