import Messaging
import Simulation
import Telemetry
import Testing

/// The rules of a connection, on a driven clock.
@Suite struct ConnectionSupervisionTests {
    typealias Supervision = ConnectionSupervision

    /// A supervision and the moment.
    struct Bench {
        var supervision: Supervision
        var now = Interval.seconds(1000)
        var effects: [Supervision.Effect] = []

        init(topics: [String] = ["a", "b"], seed: UInt64 = 1) { supervision = Supervision(topics: topics, seed: seed, at: .seconds(1000)) }

        mutating func take(_ event: Supervision.Event) { effects = supervision.handle(event, at: now) }

        /// Goes on to what is due next.
        mutating func next() {
            now = max(now, supervision.nextDeadline)
            take(.tick)
        }

        /// Goes on until a connection is tried.
        mutating func untilTried() -> Supervision.Dialect? {
            for _ in 0..<50 {
                next()
                for case .connect(let dialect, _) in effects { return dialect }
            }
            return nil
        }

        mutating func connect() {
            _ = untilTried()
            take(.accepted)
            take(.subscribed(topic: 0))
            take(.subscribed(topic: 1))
        }
    }

    @Test func `a connection is up when the broker has let us in and granted what we asked to hear`() {
        var bench = Bench()
        _ = bench.untilTried()
        bench.take(.accepted)
        #expect(bench.effects == [.subscribe([0, 1])])
        bench.take(.subscribed(topic: 0))
        #expect(bench.effects.isEmpty)
        bench.take(.subscribed(topic: 1))
        #expect(bench.effects == [.up] && bench.supervision.health.isGood)
    }

    @Test func `a refused login is named, tried again within the longest pause, and forgotten when it is let in`() {
        var bench = Bench()
        for _ in 0..<12 {
            let before = bench.now
            #expect(bench.untilTried() == .five)
            #expect(bench.now - before <= Supervision.longestPause)
            bench.take(.refused(ConnectionTrouble(.loginRefused)))
            #expect(bench.supervision.health.troubles.map(\.kind) == [.loginRefused] && !bench.supervision.health.isGood)
        }
        bench.connect()
        #expect(bench.supervision.health.isGood)
    }

    @Test func `a refused subscription leaves the rest at work, does not look healthy, and is asked for again`() {
        var bench = Bench()
        _ = bench.untilTried()
        bench.take(.accepted)
        bench.take(.subscribed(topic: 0))
        bench.take(.subscriptionRefused(topic: 1, "not authorised"))
        #expect(bench.effects == [.up])
        #expect(bench.supervision.health.isConnected && bench.supervision.health.troubles.map(\.kind) == [.subscriptionRefused])
        let asked = bench.now
        bench.next()
        #expect(bench.effects == [.subscribe([1])] && bench.now - asked <= Supervision.longestPause)
        bench.take(.subscribed(topic: 1))
        #expect(bench.supervision.health.isGood)
    }

    @Test func `a refused publication is remembered until one of the same topic is taken`() {
        var bench = Bench()
        bench.connect()
        bench.take(.publicationRefused(topic: "t", "not authorised"))
        bench.take(.published(topic: "other"))
        #expect(bench.supervision.health.troubles.map(\.kind) == [.publicationRefused])
        bench.take(.published(topic: "t"))
        #expect(bench.supervision.health.isGood)
    }

    @Test func `a twin that takes our place is named until a connection has proven itself, and we come under another name`() {
        var bench = Bench()
        bench.connect()
        bench.take(.ended(ConnectionTrouble(.takenOver)))
        bench.now = max(bench.now, bench.supervision.nextDeadline)
        bench.take(.tick)
        #expect(bench.effects == [.connect(.five, freshName: true)])
        bench.take(.accepted)
        bench.take(.subscribed(topic: 0))
        bench.take(.subscribed(topic: 1))
        #expect(bench.supervision.health.isConnected && bench.supervision.health.troubles.map(\.kind) == [.takenOver])
        bench.now = bench.now + Supervision.proof
        bench.take(.tick)
        #expect(bench.supervision.health.isGood)
    }

    @Test func `connections that last seconds only are named, whatever version the broker speaks`() {
        var bench = Bench()
        for _ in 0..<4 {
            bench.connect()
            bench.now = bench.now + .seconds(1)
            bench.take(.ended(ConnectionTrouble(.lost)))
        }
        #expect(bench.supervision.health.troubles.map(\.kind) == [.unstable])
    }

    @Test func `a broker that does not answer is given up and tried again`() {
        var bench = Bench()
        _ = bench.untilTried()
        bench.next()
        #expect(bench.effects == [.close] && bench.supervision.health.troubles.map(\.kind) == [.silent])
        #expect(bench.untilTried() != nil)
        bench.take(.accepted)
        bench.next()
        #expect(bench.effects.first == .close)
    }

    @Test func `a broker that speaks no MQTT 5, or nothing intelligible, is asked in 3_1_1 at once`() {
        for event: Supervision.Event in [.versionRefused, .failed(ConnectionTrouble(.noMQTT)), .failed(ConnectionTrouble(.lost))] {
            var bench = Bench()
            #expect(bench.untilTried() == .five)
            bench.take(event)
            let before = bench.now
            #expect(bench.untilTried() == .threeOneOne && bench.now - before < .seconds(1))
            bench.take(.refused(ConnectionTrouble(.loginRefused)))
            #expect(bench.untilTried() == .threeOneOne)
        }
    }

    @Test(arguments: 1...200) func `whatever happens, attempts come soon, never without a pause, and never two at once`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var bench = Bench(seed: seed)
        var triedAt: Interval?
        var isOpen = false
        let troubles = ConnectionTrouble.Kind.allCases.map { ConnectionTrouble($0) }
        for _ in 0..<400 {
            let trouble = troubles[Int(random.next() % UInt64(troubles.count))]
            let topic = Int(random.next() % 2)
            bench.effects = []
            switch random.next() % 10 {
            case 0: bench.take(.failed(trouble))
            case 1: bench.take(.refused(trouble))
            case 2: bench.take(.versionRefused)
            case 3: bench.take(.accepted)
            case 4: bench.take(.subscribed(topic: topic))
            case 5: bench.take(.subscriptionRefused(topic: topic, "no"))
            case 6: bench.take(.publicationRefused(topic: "\(topic)", "no"))
            case 7: bench.take(.ended(trouble))
            case 8: bench.now = bench.now + .milliseconds(Int64(random.next() % 20_000))
            default: bench.next()
            }
            for effect in bench.effects {
                guard case .connect = effect else { continue }
                if let triedAt { #expect(bench.now - triedAt >= .milliseconds(200), "seed \(seed)") }
                triedAt = bench.now
                isOpen = true
            }
            // Nothing is ever further away than the proof of a connection or the longest pause, unless all is well.
            if !bench.supervision.health.isGood { #expect(bench.supervision.nextDeadline - bench.now <= Supervision.refusalLasts, "seed \(seed)") }
            if !bench.supervision.health.isConnected {
                #expect(bench.supervision.nextDeadline - bench.now <= Supervision.longestPause, "seed \(seed)")
            }
        }
        #expect(isOpen)
    }
}
