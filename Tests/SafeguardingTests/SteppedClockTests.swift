import Foundation
import Phrasebook
import Telemetry
import Testing

@testable import Safeguarding

/// Learning goes by the seconds that pass; a wall clock that was wrong for a while takes nothing away.
struct SteppedClockTests {
    private static let start = Instant(recorded: WallTime(unixSeconds: 1_767_225_600))

    /// A home that draws water at seven, noon and nine in the evening, and a wall clock off by what the closure says of the day.
    private func live(_ watch: inout HouseholdWatch, days: Range<Int64>, _ register: inout Int64, off: (Int64) -> Interval = { _ in .zero }) {
        for minute in stride(from: days.lowerBound * 1440, to: days.upperBound * 1440, by: 5) {
            var now = Self.start.advanced(by: .minutes(minute))
            now.wall = now.wall + off(minute / 1440)
            if [420, 425, 720, 1260, 1265].contains(minute % 1440 + (minute / 1440 % 3) * 5) { register += 20 }
            _ = watch.handle(.register(.litres(register)), at: now)
        }
    }

    private func home(_ zone: String = "Asia/Shanghai") throws -> HouseholdWatch {
        HouseholdWatch(
            household: "h-1", policy: SafeguardingPolicy(), limits: ConsumptionLedger.Limits(resolution: .litres(1)),
            clock: try #require(CivilClock(identifier: zone)))
    }

    @Test(arguments: [Interval.days(3650), .days(-20_000), .days(60), .days(-30), .hours(8)])
    func `a day in a wrong year costs nothing that was learnt, and learning goes on when the clock is right again`(off: Interval) throws {
        var register: Int64 = 1000
        var watch = try home()
        live(&watch, days: 0..<40, &register)
        #expect(watch.isLearnt)
        let before = watch.model.silences.count
        live(&watch, days: 40..<41, &register) { _ in off }
        #expect(watch.isLearnt && watch.model.silences.count >= before)
        // It goes on, with a save between, as a restart would do.
        watch = try JSONDecoder().decode(HouseholdWatch.self, from: JSONEncoder().encode(watch))
        live(&watch, days: 41..<61, &register)
        #expect(watch.model.silences.count >= before + 20 && watch.isLearnt)
        let days = watch.model.silences.map(\.endDay)
        #expect(days == days.sorted() && (days.last ?? 0) - (days.first ?? 0) < 75, "the days follow one another")
    }

    @Test func `a state saved by a clock of 2036 goes on learning in the right year`() throws {
        var register: Int64 = 1000
        var watch = try home()
        live(&watch, days: 0..<40, &register) { _ in .days(3650) }
        let before = watch.model.silences.count
        live(&watch, days: 40..<60, &register)
        #expect(watch.isLearnt && watch.model.silences.count >= before + 20)
    }

    @Test func `another time zone in the configuration reaches a home with a saved watch`() throws {
        var watch = try JSONDecoder().decode(HouseholdWatch.self, from: JSONEncoder().encode(home()))
        watch.adopt(try home("Europe/Berlin"))
        let noon = Instant(recorded: WallTime(unixSeconds: 1_767_225_600))
        #expect(watch.local(noon).second == 3600)
    }
}
