import Telemetry
import Testing
import TimeSeriesStore

@Suite struct RetentionClockTests {
    /// A clock asked by hours of both kinds.
    private final class Asked {
        private var clock = RetentionClock()
        func may(_ elapsedHours: Int64, _ wallHours: Int64, _ isSynchronised: Bool?) -> Bool {
            let now = Instant(elapsed: .hours(elapsedHours), wall: WallTime(unixSeconds: 1_800_000_000) + .hours(wallHours))
            return clock.mayForget(at: now, isSynchronised: isSynchronised)
        }
    }

    @Test func `an hour in a wrong year costs nothing that was kept, and the right year goes on at once`() {
        let clock = Asked()
        // A new record waits until its clock has proved itself.
        #expect(!clock.may(0, 0, true))
        #expect(clock.may(24, 24, true))
        let years = Int64(3 * 8766)
        for hour in 25...26 as ClosedRange<Int64> { #expect(!clock.may(hour, hour + years, nil)) }
        #expect(clock.may(27, 27, nil), "back where it was")
        for hour in 28...30 as ClosedRange<Int64> { #expect(!clock.may(hour, hour - 400_000, nil), "1970") }
        #expect(clock.may(31, 31, nil))
    }

    @Test func `a clock that was set for good is believed after a day with the network's word, after a week without`() {
        for (synchronised, days) in [(true, 1), (false, 7)] as [(Bool, Int64)] {
            let clock = Asked()
            _ = clock.may(0, 0, true)
            #expect(clock.may(24, 24, true))
            var believed: Int64?
            for hour in 25..<400 as Range<Int64> where clock.may(hour, hour + 5000, synchronised) {
                believed = believed ?? hour
            }
            #expect(believed == 25 + days * 24)
        }
    }

    @Test func `summer time and slow drift are no jumps`() {
        let clock = Asked()
        _ = clock.may(0, 0, nil)
        #expect(clock.may(168, 168, nil))
        for hour in 169..<2000 as Range<Int64> { #expect(clock.may(hour, hour + (hour > 500 ? 1 : 0), nil)) }
    }
}
