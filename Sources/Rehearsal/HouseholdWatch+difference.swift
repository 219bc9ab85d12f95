import Safeguarding
import Telemetry

extension HouseholdWatch {
    /// What two watches of a home do differently when they hear the same from now on: a day and a quarter without water, some water, and as long
    /// again; nil when they decide alike.
    func difference(to other: HouseholdWatch, register: Volume, at now: Instant) -> String? {
        var (left, right) = (self, other)
        var shown = register
        for step in 1...120 as ClosedRange<Int64> {
            if step == 60 { shown += .litres(20) }
            let moment = now.advanced(by: .minutes(30 * step))
            let (first, second) = (left.handle(.register(shown), at: moment), right.handle(.register(shown), at: moment))
            guard first != second else { continue }
            return "after \(Double(step) / 2) h one that was never killed says \(first), the other \(second)"
        }
        return nil
    }
}
