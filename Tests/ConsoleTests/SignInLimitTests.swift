import Testing
import Threads

@testable import Console

/// What many tries cost and leave behind.
@Suite struct SignInLimitTests {
    /// A table that a macro may look into.
    private final class Table {
        var table: TryTable
        init(most: Int, window: Int64, room: Int) { table = TryTable(most: most, window: window, room: room) }
        func take(_ key: String, at now: Int64) -> Bool { table.take(key, at: now) }
    }

    @Test func `tries beyond the limit leave nothing behind, and the window begins anew after its end`() {
        let tries = Table(most: 3, window: 1000, room: 100)
        for now in 0..<3 { #expect(tries.take("a", at: Int64(now))) }
        for now in 3..<500 { #expect(!tries.take("a", at: Int64(now))) }
        #expect(tries.table.count == 1 && tries.take("b", at: 500))
        #expect(tries.take("a", at: 1002) && tries.table.count == 2)
        #expect(tries.take("b", at: 3000) && tries.table.count == 1)
    }

    @Test func `the table holds no more keys than it has room for, and whoever did well is forgotten`() {
        let tries = Table(most: 3, window: 1_000_000, room: 100)
        for number in 0..<100_000 { #expect(tries.take("k\(number)", at: Int64(number / 10))) }
        #expect(tries.table.count == 100)
        for now in 0..<1000 {
            #expect(tries.take("good", at: 10_000 + Int64(now)))
            tries.table.forget("good")
        }
        #expect(tries.table.count < 101)
    }

    @Test func `addresses of one IPv6 network count as one`() {
        #expect(RateLimit.key(of: "2001:db8:0:1::5") == RateLimit.key(of: "2001:db8:0:1:ffff:1:2:3"))
        #expect(RateLimit.key(of: "2001:db8::5") != RateLimit.key(of: "2001:db8:0:1::5"))
        #expect(RateLimit.key(of: "::ffff:10.0.0.1") == RateLimit.key(of: "10.0.0.1"))
        #expect(RateLimit.key(of: "::1") == "0:0:0:0::/64")
    }

    @Test func `every refused try is in the audit, and a flood of them takes a few lines a minute`() {
        var tally = RefusalTally()
        var lines: [RefusalTally.Line] = []
        for number in 0..<1000 { lines += tally.note(number % 2 == 0 ? "429" : "503", from: "10.0.0.\(number % 20)", at: Int64(number)) }
        #expect(lines.count == RefusalTally.eachSaid && lines[0].note == "10.0.0.0 429" && !lines[0].isCount)
        let (early, sum, again) = (tally.passed(at: 2000), tally.passed(at: 61_000), tally.passed(at: 200_000))
        #expect(early == nil)
        #expect(sum?.note.contains("497×429 498×503") == true && sum?.isCount == true, "\(sum?.note ?? "")")
        #expect(again == nil, "nothing is said twice")
        let next = tally.note("", from: "10.0.0.1", at: 300_000)
        #expect(next == [.init(note: "10.0.0.1")])
    }

    @Test func `a pool takes so much work and no more, and goes on when it is done`() async throws {
        let pool = BlockingPool(workers: 2, waiting: 3)
        let gate = BlockingQueue<Int>(capacity: 10)
        let results = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<60 { group.addTask { (try? await pool.value { gate.pop() }) != nil } }
            var results: [Bool] = []
            for await result in group {
                results.append(result)
                // Everything that was refused is back before the first that was taken.
                if results.count == 55 { for number in 0..<5 { gate.push(number) } }
            }
            return results
        }
        #expect(results.prefix(55).allSatisfy { !$0 } && results.suffix(5).allSatisfy { $0 } && pool.load == 0)
        #expect(try await pool.value { 7 } == 7)
    }
}
