import Telemetry
import Testing

@testable import Watchkeeping

/// How much one device on the site's broker may say.
@Suite struct SourceAllowanceTests {
    @Test func `two thousand subjects of one source in eight seconds are thirty-odd incidents and one that stands for the rest`() {
        var allowance = SourceAllowance()
        var counts: [SourceAllowance.Verdict: Int] = [:]
        for number in 0..<2000 { counts[allowance.raise("bin-\(number)", at: .milliseconds(Int64(number) * 4)), default: 0] += 1 }
        #expect((30...35).contains(counts[.pass] ?? 0) && counts[.fold] == 1)
    }

    @Test func `a source has a hundred subjects a day, however patient it is`() {
        var allowance = SourceAllowance()
        let passed = (0..<1000).filter { allowance.raise("bin-\($0)", at: .seconds(Int64($0) * 10)) == .pass }
        #expect(passed.count == SourceAllowance.mostSubjects)
        #expect(allowance.raise("bin-3", at: .seconds(20_000)) == .pass, "what is known is heard")
        #expect(allowance.raise("bin-2000", at: .seconds(100_000)) == .pass, "a day later there is room")
    }

    @Test func `a subject is heard once a second and again when it was cleared; a flood of clearings ends nothing`() {
        var allowance = SourceAllowance()
        #expect(allowance.raise("smoke", at: .seconds(1)) == .pass && allowance.raise("smoke", at: .milliseconds(1500)) == .drop)
        #expect(allowance.clear("smoke", at: .milliseconds(1600)) == .pass && allowance.raise("smoke", at: .milliseconds(1700)) == .pass)
        let cleared = (0..<1000).filter { _ in allowance.clear("other", at: .seconds(3)) == .pass }
        #expect(cleared.count <= SourceAllowance.burst)
    }

    @Test func `what is left out is counted, and told once an hour`() {
        var allowance = SourceAllowance()
        let told = (0..<1000).compactMap { _ in allowance.noteDropped(at: .seconds(5)) }
        #expect(told == [SourceAllowance.burst] && allowance.dropped == 1000)
        #expect(allowance.noteDropped(at: .hours(2)) == 1001)
    }

    @Test func `the desk's box takes so much of one source and all of the others`() {
        let box = Mailbox<Int>()
        let taken = (0..<1000).filter { box.put($0, from: "bin", bytes: 10) }
        #expect(taken.count == Mailbox<Int>.mostOfASource)
        #expect(box.put(1, from: "smoke", bytes: 800) && box.put(2), "polls and people are not held up")
        #expect(!box.put(3, from: "fat", bytes: 1 << 20))
        #expect(box.take(1000).count == taken.count + 2)
        #expect(box.put(4, from: "bin", bytes: 10), "what was taken out makes room")
    }
}
