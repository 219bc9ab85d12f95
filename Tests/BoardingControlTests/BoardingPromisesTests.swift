import BoardingControl
import Telemetry
import Testing

@Suite struct BoardingPromisesTests {
    @Test func `three clear frames in a fresh interlock hold the door`() {
        var bench = DeskBench()
        bench.clearEbike()
        #expect(bench.holds.count == 1)
        #expect(bench.holds.first?.lease == .seconds(10))
        #expect(bench.holds.first?.statusSequence == bench.statusSequence)
    }

    @Test(arguments: 0..<9)
    func `promise 1: anything unknown, stale or contradictory holds nothing`(index: Int) {
        let changes: [@Sendable (inout ElevatorStatus) -> Void] = [
            { $0.serviceMode = .firefighter }, { $0.serviceMode = .unknown }, { $0.motion = .up }, { $0.motion = .unknown },
            { $0.doorZone = false }, { $0.doorZone = nil }, { $0.door = .closing }, { $0.door = .unknown }, { $0.faults = ["2"] },
        ]
        var bench = DeskBench()
        bench.status(changes[index])
        for _ in 0..<5 { bench.frame() }
        #expect(bench.holds.isEmpty)
        #expect(bench.raised.contains { $0.rule.hasPrefix("refused") })
    }

    @Test func `promise 1: a status older than two seconds, a kept one, or an unreadable one holds nothing`() {
        var stale = DeskBench()
        stale.status()
        stale.now = stale.now.advanced(by: .milliseconds(2001))
        for _ in 0..<3 { stale.frame() }
        #expect(stale.holds.isEmpty)
        var kept = DeskBench()
        kept.status(fresh: false)
        for _ in 0..<3 { kept.frame() }
        #expect(kept.holds.isEmpty)
        var garbled = DeskBench()
        garbled.status()
        garbled.take(.unreadableStatus)
        for _ in 0..<3 { garbled.frame() }
        #expect(garbled.holds.isEmpty)
    }

    @Test func `promise 2: a lease is renewed at half its length while the vehicle is seen, with a new id and sequence`() {
        var bench = DeskBench()
        bench.clearEbike()
        bench.stay(.seconds(6))
        #expect(bench.holds.count == 2)
        #expect(bench.holds[0].id != bench.holds[1].id && bench.holds[0].sequence < bench.holds[1].sequence)
    }

    @Test func `promise 2: not seen for clear_after releases at once, without a cool-down`() {
        var bench = DeskBench()
        bench.clearEbike()
        for _ in 0..<14 {
            bench.wait(.milliseconds(500))
            bench.status()
            bench.acknowledge()
        }
        #expect(bench.releases.first?.reason == "cleared")
        #expect(bench.desk.coolDownUntil.elapsed <= bench.now.elapsed)
    }

    @Test func `promise 2: longest_hold always releases, tells people, and cools down`() {
        var bench = DeskBench()
        bench.clearEbike()
        bench.stay(.seconds(100))
        #expect(bench.releases.first?.reason == "longest_hold")
        #expect(bench.raised.contains { $0.rule == "longest_hold" })
        let total = bench.holds.map { $0.issuedAt + $0.lease }.max()
        #expect(total.map { $0 - bench.holds[0].issuedAt <= .seconds(90) } == true)
        let before = bench.holds.count
        bench.stay(.seconds(30))
        #expect(bench.holds.count == before)
    }

    @Test func `promise 2: a lease that reaches the longest hold is not renewed in ever shorter ones`() throws {
        var bench = DeskBench()
        bench.clearEbike()
        bench.stay(.seconds(100))
        let leases = bench.holds.map(\.lease)
        #expect(leases.allSatisfy { $0 >= .seconds(4) }, "\(leases)")
        #expect(leases.count <= 19)
    }

    @Test func `promise 8: a release is on record with the evidence of its hold, and a stop of the gateway as such`() throws {
        var bench = DeskBench()
        bench.clearEbike()
        bench.take(.stopping(why: "gateway stopping"))
        #expect(bench.releases.last?.reason == "stopping")
        let released = try #require(bench.records.last { $0.what == .released })
        #expect(released.reason == .stopping && released.frames >= 2 && released.confidence > 0.8)
    }

    @Test func `at most six holds an hour, those before a restart among them`() {
        var bench = DeskBench()
        bench.desk.recall(holds: (1...6).map { bench.now.elapsed - .minutes($0) })
        bench.clearEbike()
        #expect(bench.holds.isEmpty && bench.raised.contains { $0.rule == "too_often" })
    }

    @Test func `promise 2: a hold lost with the line and begun again is one hold to whoever stands in the car`() throws {
        var bench = DeskBench()
        bench.clearEbike()
        let begun = try #require(bench.desk.hold?.since)
        for _ in 0..<20 {
            bench.wait(.seconds(1))
            bench.status()
            bench.frame()
            bench.acknowledge()
        }
        // The broker is gone for a moment: the release cannot arrive, and the lease runs on at the controller.
        bench.take(.disconnected)
        #expect(bench.desk.hold == nil)
        bench.wait(.seconds(2))
        bench.clearEbike()
        let again = try #require(bench.desk.hold)
        #expect(again.since == begun && again.endsBy.since(begun) == .seconds(90))
        // Long after the lease a new hold is a new one.
        bench.take(.disconnected)
        bench.wait(.seconds(20))
        bench.clearEbike()
        #expect(bench.desk.hold.map { $0.since != begun } == true)
    }

    @Test func `promise 2: a hold lost with the line when its longest time was up is not begun again before the cool-down`() throws {
        var bench = DeskBench()
        bench.clearEbike()
        for _ in 0..<88 {
            bench.wait(.seconds(1))
            bench.status()
            bench.frame()
            bench.acknowledge()
        }
        bench.take(.disconnected)
        bench.wait(.milliseconds(1300))
        bench.clearEbike()
        #expect(bench.desk.hold == nil && bench.raised.contains { $0.rule == "refused_longest_hold" }, "\(bench.raised.map(\.rule))")
        for _ in 0..<46 {
            bench.wait(.seconds(1))
            bench.status()
            bench.frame()
            #expect(bench.desk.hold == nil)
        }
        bench.wait(.seconds(3))
        bench.clearEbike()
        #expect(bench.desk.hold != nil)
    }

    @Test func `promise 2: a person's release is at once and cools down`() {
        var bench = DeskBench()
        bench.clearEbike()
        bench.take(.release(by: "property-1"))
        #expect(bench.releases.last?.reason == "person")
        bench.stay(.seconds(40))
        #expect(bench.holds.count == 1)
        bench.stay(.seconds(12))
        #expect(bench.holds.count > 1)
    }

    @Test(arguments: 0..<6)
    func `a lost condition during a hold releases at once`(index: Int) {
        var bench = DeskBench()
        bench.clearEbike()
        switch index {
        case 0: bench.status { $0.serviceMode = .fireReturn }
        case 1: bench.status { $0.door = .closing }
        case 2: bench.take(.availability(online: false))
        case 3: bench.take(.disconnected)
        case 4: bench.frame(.wheelchair, 0.6, track: "t2")
        default: bench.wait(.milliseconds(2100))
        }
        #expect(bench.desk.hold == nil)
        #expect(bench.releases.count == 1)
    }

    @Test func `promise 3: one frame never confirms, however sure`() {
        var bench = DeskBench()
        bench.status()
        bench.frame(.ebike, 1.0)
        bench.wait(.milliseconds(100))
        #expect(bench.holds.isEmpty)
    }

    @Test(arguments: [DetectedClass.wheelchair, .mobilityScooter, .pram, .stretcher])
    func `promise 3: somebody who must not be kept vetoes a hold`(kind: DetectedClass) {
        var bench = DeskBench()
        bench.frame(kind, 0.6, track: "other")
        bench.clearEbike()
        #expect(bench.holds.isEmpty)
        #expect(bench.raised.contains { $0.rule == "veto" })
        // An empty car beside what was seen a moment ago is a contradiction, and lifts nothing; later it is the truth.
        bench.status {
            $0.passenger = false; $0.loadKilograms = 0
        }
        bench.clearEbike()
        #expect(bench.holds.isEmpty)
        bench.wait(.seconds(8))
        bench.status {
            $0.passenger = false; $0.loadKilograms = 0
        }
        bench.clearEbike()
        #expect(bench.holds.count == 1)
    }

    @Test(arguments: [DetectedClass.bicycle, .person, .other, .ebikeBattery, .gasCylinder])
    func `promise 3: nothing but an e-bike holds`(kind: DetectedClass) {
        var bench = DeskBench()
        bench.status()
        for _ in 0..<6 { bench.frame(kind, 0.95) }
        #expect(bench.holds.isEmpty)
        if kind == .ebikeBattery || kind == .gasCylinder { #expect(bench.raised.count == 1) }
    }

    @Test func `promise 4: an alarm elevator gets an announcement and a finding, never a hold`() {
        var bench = DeskBench(mode: .alarm)
        bench.clearEbike()
        bench.stay(.seconds(20))
        #expect(bench.holds.isEmpty)
        #expect(bench.sent.filter { $0.action == .announce }.count == 1)
        #expect(bench.raised.filter { $0.kind == .ebike }.count == 1)
    }

    @Test func `promise 5: a command without an answer is sent once more with the same id, then never again`() {
        var bench = DeskBench()
        bench.status()
        for _ in 0..<3 { bench.frame() }
        for _ in 0..<6 {
            bench.wait(.milliseconds(500))
            bench.status()
            bench.frame(.ebike, 0.9)
        }
        #expect(bench.holds.count == 2)
        #expect(bench.holds[0] == bench.holds[1])
        #expect(bench.raised.contains { $0.kind == .equipment })
    }

    @Test func `promise 6 and the crash loop: an elevator starts in cool-down`() {
        var bench = DeskBench(warm: false)
        bench.clearEbike()
        #expect(bench.holds.isEmpty)
    }

    @Test func `landing frames, repeated frames and kept frames are no evidence`() {
        var bench = DeskBench()
        bench.status()
        for _ in 0..<6 { bench.frame(.ebike, 0.95, zone: .landing) }
        for _ in 0..<6 { bench.frame(.ebike, 0.95, fresh: false) }
        for _ in 0..<6 {
            bench.take(.detection(Detection(sequence: 900, boot: "d", track: "t9", kind: .ebike, confidence: 0.95, zone: .car), fresh: true))
        }
        #expect(bench.holds.isEmpty)
    }

    @Test func `at most six holds an hour, then people are told`() {
        var bench = DeskBench()
        for _ in 0..<9 {
            bench.clearEbike()
            bench.wait(.seconds(8))
            bench.status()
            bench.acknowledge()
            bench.wait(.seconds(8))
        }
        #expect(bench.holds.count == 6)
        #expect(bench.raised.contains { $0.rule == "too_often" })
    }

    @Test func `unserved floors are not guarded`() {
        var bench = DeskBench(floors: ["2"])
        bench.clearEbike()
        #expect(bench.holds.isEmpty)
    }

    @Test(arguments: [#"{"seq":1}"#, "{", "", "null", #"{"seq":"x","door":"open"}"#, #"{"seq":99999999999999999999}"#])
    func `a payload that cannot be read is a fault or all unknown, never a guess`(text: String) {
        guard let status = try? NativeElevatorMessages.status(Array(text.utf8)) else { return }
        #expect(status.serviceMode == .unknown && status.motion == .unknown && status.door == .unknown && status.doorZone == nil)
    }

    @Test func `an unmapped value is unknown, never normal`() throws {
        let text = #"{"seq":1,"service_mode":"NORMAL","motion":"stopped","floor":"1","door":"ajar","door_zone":true}"#
        let status = try NativeElevatorMessages.status(Array(text.utf8))
        #expect(status.serviceMode == .unknown && status.door == .unknown)
    }

    @Test func `a controller away for six minutes is told once, a short gap is not, and coming back ends it`() {
        var bench = DeskBench()
        var cleared = 0
        func take(_ event: BoardingDesk.Event) {
            for effect in bench.desk.handle(event, at: bench.now) {
                if case .raise(let finding) = effect { bench.raised.append(finding) }
                if effect == .clearEquipment { cleared += 1 }
            }
        }
        take(.availability(online: true))
        take(.availability(online: false))
        bench.now = bench.now.advanced(by: .minutes(5))
        take(.tick)
        take(.availability(online: true))
        #expect(bench.raised.isEmpty && cleared == 0)
        take(.availability(online: false))
        for _ in 0..<20 {
            bench.now = bench.now.advanced(by: .minutes(1))
            take(.tick)
        }
        #expect(bench.raised.map(\.rule) == ["offline"] && bench.raised.allSatisfy { $0.kind == .equipment && !$0.text.english.contains("{") })
        take(.availability(online: true))
        #expect(cleared == 1)
    }

    @Test func `a car that got no heavier asks for more evidence, and three clear frames still hold`() {
        func framesUntilHold(load: (Int) -> Double?, confidence: Double) -> Int? {
            var bench = DeskBench()
            for step in 0..<6 {
                bench.status { $0.loadKilograms = load(step) }
                bench.wait(.milliseconds(400))
            }
            for frame in 1...8 {
                bench.status { $0.loadKilograms = load(6 + frame) }
                bench.frame(.ebike, confidence)
                if !bench.holds.isEmpty { return frame }
                bench.now = bench.now.advanced(by: .milliseconds(300))
            }
            return nil
        }
        let same = framesUntilHold(load: { _ in 80 }, confidence: 0.75)
        let risen = framesUntilHold(load: { $0 < 6 ? 0 : 95 }, confidence: 0.75)
        let unknown = framesUntilHold(load: { _ in nil }, confidence: 0.75)
        #expect((same ?? 99) > (unknown ?? 99) && (risen ?? 99) <= (unknown ?? 99), "\(String(describing: (same, risen, unknown)))")
        #expect(framesUntilHold(load: { _ in 80 }, confidence: 0.8).map { $0 <= 3 } == true)
    }
}
