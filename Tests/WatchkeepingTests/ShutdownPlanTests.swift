import Telemetry
import Testing

@testable import Gateway

/// One deadline for everything that ends.
struct ShutdownPlanTests {
    /// Ends all parts in their order, the first two together, each after what the closure says of its budget.
    private func run(_ takes: (ShutdownPlan.Part, Interval) -> Interval) -> (plan: ShutdownPlan, took: Interval, store: Interval) {
        let start = Interval.hours(7)
        var plan = ShutdownPlan(at: start)
        var now = start
        var store = Interval.zero
        func end(_ parts: [ShutdownPlan.Part]) {
            var longest = Interval.zero
            for part in parts {
                let budget = plan.budget(for: part, at: now)
                if part == .store { store = budget }
                let taken = takes(part, budget)
                if taken < budget { plan.ended(part) }
                longest = max(longest, min(taken, budget))
            }
            now = now + longest
        }
        end([.lifts, .buses])
        for part in [ShutdownPlan.Part.telemetry, .desk, .delivery, .store, .connections] { end([part]) }
        return (plan, now - start, store)
    }

    @Test func `whatever hangs, all parts together keep the deadline, and the record has its share`() {
        let hung = run { _, _ in .days(1) }
        #expect(hung.took <= ShutdownPlan.deadline)
        #expect(ShutdownPlan.deadline < ShutdownPlan.limit)
        #expect(hung.store == ShutdownPlan.keptForStore)
        #expect(hung.plan.unended == ShutdownPlan.Part.allCases)
    }

    @Test(arguments: 0..<200)
    func `for any delays the record's share is whole and what hangs is named`(seed: UInt64) {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        func random() -> Int64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int64(state >> 33)
        }
        var hanging: Set<ShutdownPlan.Part> = []
        let done = run { part, budget in
            let takes = Interval.milliseconds(random() % 3000)
            if takes >= budget { hanging.insert(part) }
            return takes
        }
        #expect(done.took <= ShutdownPlan.deadline && done.store == ShutdownPlan.keptForStore)
        #expect(done.plan.unended == ShutdownPlan.Part.allCases.filter { hanging.contains($0) || $0 == .console })
    }

    @Test func `the deadline comes once, and not before`() {
        let plan = ShutdownPlan(at: .seconds(10))
        #expect(!plan.isOver(at: .milliseconds(10_000 + 4599)) && plan.isOver(at: .milliseconds(10_000 + 4600)))
        #expect(plan.budget(for: .desk, at: .seconds(100)) == .zero, "a late part gets nothing")
    }
}
