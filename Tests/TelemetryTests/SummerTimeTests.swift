import Telemetry
import Testing

/// A zone that changes its clocks: Berlin on 29 March 2026 (02:00 becomes 03:00) and on 25 October 2026 (03:00 becomes 02:00).
@Suite struct SummerTimeTests {
    private func at(_ text: String) throws -> WallTime { try #require(CivilClock.parse(rfc3339: text)) }

    @Test func `a span is cut where the offset changes, and nowhere else`() throws {
        var berlin = try #require(CivilClock(identifier: "Europe/Berlin"))
        let spring = berlin.pieces(from: try at("2026-03-28T23:00:00Z"), to: try at("2026-03-29T22:00:00Z"))
        #expect(spring.map(\.offset) == [3600, 7200])
        #expect(spring.map { $0.to.unixSeconds - $0.from.unixSeconds } == [2 * 3600, 21 * 3600], "the day has 23 hours")
        let autumn = berlin.pieces(from: try at("2026-10-24T22:00:00Z"), to: try at("2026-10-25T23:00:00Z"))
        #expect(autumn.map(\.offset) == [7200, 3600])
        #expect(autumn.map { $0.to.unixSeconds - $0.from.unixSeconds } == [3 * 3600, 22 * 3600], "the day has 25 hours")
        let year = berlin.pieces(from: try at("2026-01-01T00:00:00Z"), to: try at("2027-01-01T00:00:00Z"))
        #expect(year.count == 3 && zip(year, year.dropFirst()).allSatisfy { $0.to == $1.from })
        var shanghai = try #require(CivilClock(identifier: "Asia/Shanghai"))
        #expect(shanghai.pieces(from: try at("2020-01-01T00:00:00Z"), to: try at("2030-01-01T00:00:00Z")).count == 1)
        #expect(shanghai.pieces(from: try at("2026-01-02T00:00:00Z"), to: try at("2026-01-01T00:00:00Z")).isEmpty)
    }

    @Test func `what ends at a time on the clock face ends then, whatever the clocks do in between`() throws {
        var berlin = try #require(CivilClock(identifier: "Europe/Berlin"))
        // From 22:00 to 06:00 on the clock face: eight hours, seven in spring, nine in autumn.
        for (evening, hours) in [("2026-03-27T21:00:00Z", 8), ("2026-03-28T21:00:00Z", 7), ("2026-10-24T20:00:00Z", 9)] {
            let now = try at(evening)
            #expect(berlin.clockFace(now) == "22:00")
            let wait = berlin.seconds(untilClockFaceMoves: 8 * 3600, from: now)
            #expect(wait == Int64(hours) * 3600 && berlin.clockFace(now + .seconds(wait)) == "06:00", "\(evening)")
        }
    }

    @Test func `each hour that is missing or doubled belongs to its day`() throws {
        var berlin = try #require(CivilClock(identifier: "Europe/Berlin"))
        let moments = try ["2026-03-29T00:59:00Z", "2026-03-29T01:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"].map(at)
        #expect(moments.map { berlin.clockFace($0) } == ["01:59", "03:00", "02:30", "02:30"])
        for moment in ["2026-03-29T10:00:00Z", "2026-10-25T10:00:00Z"] {
            let start = berlin.startOfDay(at: try at(moment))
            #expect(berlin.clockFace(start) == "00:00" && CivilClock.date(ofDay: berlin.day(at: start)) == String(moment.prefix(10)))
        }
    }
}
