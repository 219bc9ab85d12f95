import Foundation
import Simulation
import Telemetry
import Testing

@testable import BoardingControl

@Suite struct BoardingModelTests {
    /// Breadth first through every state within reach; BOARDING_STATES sets how many at most.
    @Test func `whatever is lost, doubled, late, swapped or restarted, no door is held outside the promises`() {
        let most = ProcessInfo.processInfo.environment["BOARDING_STATES"].flatMap { Int($0) } ?? 15_000
        var warm = BoardingModel()
        // Out of the first cool-down: what may happen in it is reached again through a restart.
        for _ in 0..<7 { warm.take(.quiet) }
        var seen: Set<BoardingModel.Key> = [warm.key]
        var frontier = [(warm, [BoardingModel.Move]())]
        var transitions = 0
        var depth = 0
        var heldOnce = false
        var releasedByTime = false
        search: while !frontier.isEmpty {
            var next: [(BoardingModel, [BoardingModel.Move])] = []
            for (state, path) in frontier {
                for move in BoardingModel.Move.allCases {
                    var after = state
                    after.take(move)
                    transitions += 1
                    heldOnce = heldOnce || after.firmware.heldUntil != nil
                    if let since = state.firmwareHeldSince, after.firmware.heldUntil == nil, after.now.elapsed - since >= BoardingModel.policy.longestHold {
                        releasedByTime = true
                    }
                    guard after.violations.isEmpty else {
                        Issue.record("\(after.violations) after \(path + [move])")
                        return
                    }
                    guard seen.insert(after.key).inserted else { continue }
                    next.append((after, path + [move]))
                    if seen.count >= most { break search }
                }
            }
            depth += 1
            frontier = next
        }
        print(
            "boarding model: \(seen.count) states, \(transitions) transitions, every sequence of \(depth) moves\(frontier.isEmpty ? " and the whole space" : "")"
        )
        #expect(heldOnce && depth >= 2)
        if most > 100_000 { #expect(releasedByTime) }
    }

    /// The same moves, drawn at random and much longer than breadth can go.
    @Test(arguments: 1...12) func `long random histories keep the promises too`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var model = BoardingModel()
        var path: [BoardingModel.Move] = []
        var holds = 0
        for _ in 0..<1200 {
            // Mostly an e-bike that stays, so that holds happen between the troubles.
            let move =
                random.unit() < 0.55 ? BoardingModel.Move.ebike : BoardingModel.Move.allCases[Int(random.next() % UInt64(BoardingModel.Move.allCases.count))]
            path.append(move)
            let before = model.firmware.heldUntil
            model.take(move)
            if before == nil, model.firmware.heldUntil != nil { holds += 1 }
            guard model.violations.isEmpty else {
                Issue.record("seed \(seed): \(model.violations) after \(path.suffix(12))")
                return
            }
        }
        #expect(holds > 0, "seed \(seed)")
    }

    @Test(arguments: 1...30) func `from any state, an e-bike that stands clear in an open car is held at last`(seed: UInt64) {
        var random = SeededRandom(seed: seed &* 77)
        var model = BoardingModel()
        for _ in 0..<60 { model.take(BoardingModel.Move.allCases[Int(random.next() % UInt64(BoardingModel.Move.allCases.count))]) }
        // Calm again: the car stands open in normal service, and whoever vetoed has half a minute to leave.
        model.take(.normalMode)
        model.take(.doorOpens)
        for _ in 0..<64 { model.take(.quiet) }
        let spent = model.desk.holdsBegun.count >= BoardingPolicy.holdsPerHour
        var held = false
        for _ in 0..<6 {
            model.take(.ebike)
            held = held || model.firmware.heldUntil != nil
        }
        #expect(held != spent, "seed \(seed): held \(held), six holds spent \(spent)")
        #expect(model.violations.isEmpty)
    }

    @Test func `promise 7: the command is the first thing that follows; findings and the journal come behind it`() throws {
        var bench = DeskBench()
        bench.status()
        var effects: [BoardingDesk.Effect] = []
        for sequence in 1...3 {
            bench.now = bench.now.advanced(by: .milliseconds(300))
            let frame = Detection(sequence: Int64(sequence), boot: "d", track: "t1", kind: .ebike, confidence: 0.9, zone: .door)
            effects += bench.desk.handle(.detection(frame, fresh: true), at: bench.now)
        }
        guard case .publish(let command)? = effects.first else {
            Issue.record("\(effects)")
            return
        }
        #expect(command.action == .holdDoor && effects.count == 3)
    }

    @Test func `promise 8: every hold, release and refusal is journaled with its evidence`() throws {
        var bench = DeskBench()
        var records: [BoardingRecord] = []
        func take(_ event: BoardingDesk.Event, _ bench: inout DeskBench) {
            for case .record(let record) in bench.desk.handle(event, at: bench.now) { records.append(record) }
        }
        bench.status()
        for sequence in 1...3 {
            bench.now = bench.now.advanced(by: .milliseconds(300))
            take(.detection(Detection(sequence: Int64(sequence), boot: "d", track: "t1", kind: .ebike, confidence: 0.9, zone: .door), fresh: true), &bench)
        }
        take(.release(by: "guard-li"), &bench)
        bench.now = bench.now.advanced(by: .seconds(2))
        for sequence in 4...6 {
            bench.now = bench.now.advanced(by: .milliseconds(300))
            take(.detection(Detection(sequence: Int64(sequence), boot: "d", track: "t1", kind: .ebike, confidence: 0.9, zone: .door), fresh: true), &bench)
        }
        #expect(records.map(\.what) == [.held, .released, .releaseAsked, .refused])
        #expect(records[0].frames >= 2 && records[0].confidence > 0.8 && records[0].command != nil)
        #expect(records[1].reason == .person && records[1].heldFor >= .zero)
        #expect(records[2].by == "guard-li" && records[3].reason == .coolDown)
    }
}
