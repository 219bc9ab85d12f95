import Phrasebook
import SiteConfiguration
import Telemetry
import Testing

@testable import Gateway

@Suite struct DrillCalendarTests {
    let civil = CivilClock(zone: .gmt)
    let drill = SiteConfiguration.Drill(day: 5, minute: 600)

    @Test(arguments: [
        ("2026-11-05T09:59:00Z", String?.none, String?.none), ("2026-11-05T10:00:00Z", nil, "2026-11"), ("2026-11-05T10:00:00Z", "2026-11", nil),
        ("2026-11-20T00:00:00Z", "2026-10", "2026-11"), ("2026-12-01T00:00:00Z", "2026-11", nil), ("2026-12-05T12:00:00Z", "2026-11", "2026-12"),
    ])
    func `a drill is due once a month, on its day and hour or later`(now: String, last: String?, due: String?) throws {
        let time = try #require(CivilClock.parse(rfc3339: now))
        #expect(DrillCalendar.due(drill, heldIn: last, now: time, civil: civil) == due)
    }
}
