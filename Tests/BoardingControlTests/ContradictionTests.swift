import Telemetry
import Testing

@testable import BoardingControl

/// What a controller says against itself, and what somebody says in its name.
@Suite struct ContradictionTests {
    private func rules(_ bench: DeskBench) -> [String] { bench.raised.map(\.rule) }

    /// Statuses and e-bike frames twice a second.
    private func live(_ bench: inout DeskBench, seconds: Int, ebike: Bool = true, _ change: (inout ElevatorStatus) -> Void = { _ in }) {
        for _ in 0..<(seconds * 2) {
            bench.wait(.milliseconds(500))
            bench.status(change)
            if ebike { bench.frame() }
            bench.acknowledge()
        }
    }

    @Test func `a kept word offline beside statuses that arrive is told once, and the lift is there and guarded`() {
        var bench = DeskBench()
        bench.take(.connected)
        bench.take(.availability(online: false))
        #expect(bench.desk.online(at: bench.now.elapsed) == false)
        live(&bench, seconds: 6)
        #expect(bench.desk.online(at: bench.now.elapsed) == true && !bench.holds.isEmpty)
        live(&bench, seconds: 600, ebike: false)
        #expect(rules(bench).filter { $0 == "contradiction_presence" }.count == 1 && !rules(bench).contains("offline"))
    }

    @Test func `nothing is due in the past, so that no thread runs in circles`() {
        var bench = DeskBench()
        bench.take(.connected)
        bench.take(.availability(online: false))
        for step in 0..<2000 {
            bench.status { $0.door = step % 7 == 0 ? .closed : .open }
            bench.frame(step % 11 == 0 ? .wheelchair : .ebike, zone: .car)
            bench.acknowledge()
            bench.wait(.milliseconds(Int64(step % 13) * 100))
            if let due = bench.desk.nextDeadline { #expect(due > bench.now.elapsed, "step \(step)") }
        }
        for _ in 0..<20 {
            bench.wait(.minutes(1))
            if let due = bench.desk.nextDeadline { #expect(due > bench.now.elapsed) }
        }
        #expect(bench.desk.online(at: bench.now.elapsed) == false)
    }

    @Test func `one status behind the word offline is still on its way, and holds nothing`() {
        var bench = DeskBench()
        bench.status()
        bench.take(.availability(online: false))
        bench.status()
        for _ in 0..<4 { bench.frame() }
        #expect(bench.holds.isEmpty && bench.desk.online(at: bench.now.elapsed) == false)
    }

    @Test func `a controller that was online and of which nothing is heard is away, and told`() {
        var bench = DeskBench()
        bench.take(.connected)
        bench.take(.availability(online: true))
        bench.wait(.seconds(50))
        #expect(bench.desk.online(at: bench.now.elapsed) == true)
        bench.wait(.seconds(20))
        #expect(bench.desk.online(at: bench.now.elapsed) == false)
        for _ in 0..<10 { bench.wait(.minutes(1)) }
        #expect(rules(bench).filter { $0 == "offline" }.count == 1)
    }

    @Test func `a controller that never said anything is told, but not while the broker is away`() {
        var never = DeskBench()
        never.take(.connected)
        for _ in 0..<8 { never.wait(.minutes(1)) }
        #expect(rules(never) == ["offline"])
        var cut = DeskBench()
        cut.take(.connected)
        cut.take(.disconnected)
        for _ in 0..<60 { cut.wait(.minutes(1)) }
        #expect(cut.raised.isEmpty)
    }

    @Test(arguments: [DetectedClass.wheelchair, .pram, .stretcher, .mobilityScooter])
    func `a car that says it is empty for ever lifts no veto of what was seen a moment before`(kind: DetectedClass) {
        var bench = DeskBench()
        for _ in 0..<20 {
            bench.frame(kind, 0.5, zone: .car, track: "w")
            bench.wait(.milliseconds(200))
            bench.status { ($0.loadKilograms, $0.passenger) = (0, false) }
            bench.frame()
            bench.wait(.milliseconds(200))
        }
        #expect(bench.holds.isEmpty)
        #expect(rules(bench).filter { $0 == "contradiction_empty_car" }.count == 1)
    }

    @Test func `an e-bike in a car that says it is empty is held, and the contradiction told once`() {
        var bench = DeskBench()
        for _ in 0..<20 {
            bench.frame(.ebike, 0.9, zone: .car)
            bench.status { ($0.loadKilograms, $0.passenger) = (0, false) }
            bench.wait(.milliseconds(500))
            bench.acknowledge()
        }
        #expect(!bench.holds.isEmpty && rules(bench).filter { $0 == "contradiction_empty_car" }.count == 1)
    }

    @Test func `what nobody has seen vetoes nothing, what is faintly seen does`() {
        var nothing = DeskBench()
        nothing.frame(.pram, 0.0, track: "p")
        nothing.clearEbike()
        #expect(nothing.holds.count == 1)
        var faint = DeskBench()
        faint.frame(.pram, 0.15, track: "p")
        faint.clearEbike()
        #expect(faint.holds.isEmpty)
    }

    @Test func `a leap of the number is not believed, told, and the true line goes on`() {
        var bench = DeskBench()
        live(&bench, seconds: 3, ebike: false) { $0.serviceMode = .fireReturn }
        let true_ = bench.statusSequence
        bench.statusSequence = 1 << 62
        bench.status { $0.floor = "LIAR" }
        #expect(bench.desk.status?.floor == "1" && rules(bench) == ["contradiction_sequence_leap"])
        bench.statusSequence = true_
        live(&bench, seconds: 3) { $0.serviceMode = .fireReturn }
        #expect(bench.desk.status?.serviceMode == .fireReturn && bench.desk.status?.sequence == bench.statusSequence && bench.holds.isEmpty)
    }

    @Test func `a controller whose number really leapt is believed when its old line has ended`() {
        var bench = DeskBench()
        live(&bench, seconds: 3, ebike: false)
        bench.statusSequence += 1 << 40
        live(&bench, seconds: 8, ebike: false)
        #expect(bench.desk.status?.sequence == bench.statusSequence)
    }

    @Test func `a true line behind a leap that was believed comes back by its own time`() {
        var sequence = SenderSequence()
        var now = Interval.seconds(1000)
        func at() -> WallTime { WallTime(unixMilliseconds: 1_700_000_000_000 + now.milliseconds) }
        for number in 1...10 {
            #expect(sequence.judge(boot: "c", sequence: Int64(number), sentAt: at(), at: now) == .news)
            now = now + .milliseconds(500)
        }
        // Just inside of what is believed at once.
        #expect(sequence.judge(boot: "c", sequence: 9000, sentAt: at(), at: now) == .news)
        var verdicts: [SenderSequence.Verdict] = []
        for number in 11...16 {
            now = now + .milliseconds(500)
            verdicts.append(sequence.judge(boot: "c", sequence: Int64(number), sentAt: at(), at: now))
        }
        #expect(verdicts.prefix(2).allSatisfy { $0 != .news } && verdicts.suffix(3).allSatisfy { $0 == .news }, "\(verdicts)")
    }

    @Test func `extreme numbers are no trap`() {
        var sequence = SenderSequence()
        for number in [Int64.min, .max, 0, -1, .min, .max, 1] {
            _ = sequence.judge(boot: "c", sequence: number, sentAt: nil, at: .seconds(1))
            _ = sequence.judge(boot: nil, sequence: number, sentAt: nil, at: .seconds(2))
        }
    }

    @Test func `a replay is old by its sender's own clock, however many starts were pushed in between`() {
        var sequence = SenderSequence()
        let origin = WallTime(unixSeconds: 1_000_000_000)
        func at(_ seconds: Int64) -> WallTime { origin + .seconds(seconds) }
        for second in 0..<60 { #expect(sequence.judge(boot: "true", sequence: Int64(second), sentAt: at(Int64(second)), at: .seconds(Int64(second))) == .news) }
        for number in 0..<20 { _ = sequence.judge(boot: "pushed \(number)", sequence: 1, sentAt: nil, at: .seconds(60)) }
        #expect(sequence.judge(boot: "true", sequence: 5, sentAt: at(5), at: .seconds(61)) == .replayed)
        // The sender itself is heard still, late by some seconds too.
        #expect(sequence.judge(boot: "true", sequence: 62, sentAt: at(58), at: .seconds(62)) == .news)
    }

    @Test func `a sender whose clock was set is believed again half a minute later`() {
        var sequence = SenderSequence()
        for second in 0..<20 {
            _ = sequence.judge(boot: "c", sequence: Int64(second), sentAt: WallTime(unixSeconds: Int64(second)), at: .seconds(Int64(second)))
        }
        var news = 0
        for second in 20..<80 {
            let verdict = sequence.judge(
                boot: "c", sequence: Int64(second), sentAt: WallTime(unixSeconds: 1_700_000_000 + Int64(second)), at: .seconds(Int64(second)))
            if verdict == .news { news += 1 }
        }
        #expect(news >= 25 && news <= 32, "\(news)")
    }

    @Test func `a liar that says open behind each closed holds no door, and the two voices are told`() {
        var bench = DeskBench()
        for _ in 0..<20 {
            bench.status { $0.door = .closed }
            bench.wait(.milliseconds(20))
            bench.status()
            bench.frame()
            bench.wait(.milliseconds(480))
        }
        #expect(bench.holds.isEmpty && rules(bench).filter { $0 == "contradiction_statuses" }.count == 1, "\(rules(bench))")
    }

    @Test func `a door that has just opened is held a moment later, and nothing is said against it meanwhile`() {
        var bench = DeskBench()
        bench.status { $0.door = .closed }
        bench.wait(.milliseconds(500))
        bench.status { $0.door = .opening }
        for _ in 0..<3 {
            bench.frame()
            bench.wait(.milliseconds(200))
        }
        #expect(bench.holds.isEmpty && bench.raised.isEmpty)
        bench.status()
        bench.wait(.milliseconds(1000))
        #expect(bench.holds.count == 1)
    }

    @Test func `a stranger's answer keeps no hold believed, and what lets go is believed of anybody`() {
        var bench = DeskBench()
        bench.status()
        for _ in 0..<3 { bench.frame() }
        #expect(bench.holds.count == 1)
        bench.take(.acknowledgement(id: bench.holds[0].id, .accepted, reason: nil, boot: "stranger"))
        for _ in 0..<6 {
            bench.wait(.milliseconds(500))
            bench.status()
            bench.frame()
        }
        #expect(rules(bench).contains("unanswered"))
        var other = DeskBench()
        other.clearEbike()
        other.take(.acknowledgement(id: other.holds[0].id, .completed, reason: nil, boot: "stranger"))
        #expect(other.desk.hold == nil)
    }

    @Test func `messages that cannot be used are told at the third, once, and are over when none came for a while`() {
        var bench = DeskBench()
        for _ in 0..<5 { bench.take(.unusable(field: "detection.confidence")) }
        #expect(rules(bench) == ["contradiction_unusable_messages"])
        #expect(bench.raised[0].text.english.contains("detection.confidence"))
        var cleared = 0
        for _ in 0..<12 {
            bench.now = bench.now.advanced(by: .minutes(1))
            for case .clearEquipment in bench.desk.handle(.tick, at: bench.now) { cleared += 1 }
        }
        #expect(cleared == 1)
    }

    // MARK: Payloads

    @Test func `a floor that is a number is read, and a list of detections`() throws {
        let status = try NativeElevatorMessages.status(Array(#"{"seq":1,"floor":3,"door":"open"}"#.utf8))
        #expect(status.floor == "3")
        let one = #"{"seq":7,"track":"a","class":"ebike","confidence":0.9,"zone":"car"}"#
        let list = try NativeElevatorMessages.detections(Array("[\(one),\(one.replacing("\"a\"", with: "\"b\""))]".utf8))
        #expect(list.map(\.track) == ["a", "b"])
        var bench = DeskBench()
        bench.status()
        for number in 1...3 {
            let sights = ["a", "b"].map {
                Detection(sequence: Int64(number), boot: "d", track: $0, kind: $0 == "a" ? .person : .ebike, confidence: 0.9, zone: .car)
            }
            bench.take(.detections(sights, fresh: true))
        }
        #expect(bench.holds.count == 1)
    }

    @Test(arguments: [
        (#"{"seq":1,"track":"a","class":"ebike","confidence":91.4,"zone":"car"}"#, "confidence"),
        (#"{"seq":1,"track":"a","class":"ebike","confidence":-0.1,"zone":"car"}"#, "confidence"),
        (#"{"seq":1,"track":"a","class":"ebike","confidence":"much","zone":"car"}"#, "confidence"),
        (#"{"seq":1,"track":"a","class":"ebike","zone":"car"}"#, "confidence"),
        (#"{"seq":1,"track":"a","class":"ebike","confidence":0.9,"zone":"roof"}"#, "zone"),
        (#"{"track":"a","class":"ebike","confidence":0.9,"zone":"car"}"#, "seq"), ("{", "json"), ("7", "json"),
    ]) func `what cannot be used is named by its field`(text: String, field: String) {
        #expect(throws: NativeElevatorMessages.Fault.self) { try NativeElevatorMessages.detections(Array(text.utf8)) }
        do throws(NativeElevatorMessages.Fault) { _ = try NativeElevatorMessages.detections(Array(text.utf8)) } catch { #expect(error.field == field) }
    }

    @Test func `a command is JSON whatever stands in it, and the same bytes each time`() throws {
        let command = BoardingCommand(
            id: "i\"d", sequence: 1, action: .announce, issuedAt: WallTime(unixSeconds: 0), lease: .zero, reason: "a\\b\n", statusSequence: nil,
            announcement: nil, boot: "b")
        var clock = CivilClock(zone: .gmt)
        let bytes = NativeElevatorMessages.encode(command, clock: &clock, openCase: nil)
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.contains(#""id":"i\"d""#) && text.contains(#""reason":"a\\b\n""#) && text.contains(#""case":null"#))
        #expect(bytes == NativeElevatorMessages.encode(command, clock: &clock, openCase: nil))
    }
}
