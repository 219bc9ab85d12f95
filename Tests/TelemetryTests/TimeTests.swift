import Phrasebook
import Telemetry
import Testing

@Suite struct TimeTests {
    @Test(arguments: [("500ms", 500), ("20s", 20_000), ("15m", 900_000), ("12h", 43_200_000), ("2d", 172_800_000)])
    func `durations are read and written as the contract writes them`(text: String, milliseconds: Int64) {
        #expect(Interval(parsing: text)?.milliseconds == milliseconds)
        #expect(Interval(milliseconds: milliseconds).written == text)
    }

    @Test(arguments: ["", "5", "m", "-5s", "1.5h", "5 m", "99999999999999999999s", "100000000000d"])
    func `what is no duration is refused`(text: String) { #expect(Interval(parsing: text) == nil) }

    @Test func `RFC 3339 goes out with the site's offset and comes back the same`() throws {
        var shanghai = try #require(CivilClock(identifier: "Asia/Shanghai"))
        let time = WallTime(unixMilliseconds: 1_700_000_000_123)
        #expect(shanghai.rfc3339(time) == "2023-11-15T06:13:20.123+08:00")
        #expect(CivilClock.parse(rfc3339: "2023-11-15T06:13:20.123+08:00") == time)
        #expect(CivilClock.parse(rfc3339: "2023-11-14T22:13:20.123Z") == time)
    }

    @Test(arguments: [
        "2026-02-31T00:00:00Z", "2026-02-29T00:00:00Z", "2026-04-31T10:00:00Z", "2026-00-10T10:00:00Z", "2026-01-00T10:00:00Z", "1900-02-29T00:00:00Z",
        "2026-01-01T10:00:00+99:00", "2026-01-01T10:00:00+08:60",
    ])
    func `a day or an offset that does not exist is refused`(text: String) { #expect(CivilClock.parse(rfc3339: text) == nil) }

    @Test func `the last day of every month is a day`() {
        for (month, days) in [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].enumerated() {
            let name = month < 9 ? "0\(month + 1)" : "\(month + 1)"
            #expect(CivilClock.parse(rfc3339: "2026-\(name)-\(days)T23:59:60Z") != nil)
            #expect(CivilClock.parse(rfc3339: "2026-\(name)-\(days + 1)T00:00:00Z") == nil)
        }
        #expect(CivilClock.parse(rfc3339: "2024-02-29T00:00:00Z") != nil && CivilClock.parse(rfc3339: "2000-02-29T00:00:00Z") != nil)
    }

    @Test(arguments: ["2023-11-15", "2023-11-15T06:13:20", "2023-13-15T06:13:20Z", "yesterday", "2023-11-15T06:13:20.Z", "2023-11-15T06:13:20+8"])
    func `what is no RFC 3339 time is refused`(text: String) { #expect(CivilClock.parse(rfc3339: text) == nil) }

    @Test func `a day of summer time has 23 or 25 hours and midnight stays midnight`() throws {
        var rome = try #require(CivilClock(identifier: "Europe/Rome"))
        let spring = try #require(CivilClock.parse(rfc3339: "2024-03-31T12:00:00+02:00"))
        #expect(rome.rfc3339(rome.startOfDay(at: spring)) == "2024-03-31T00:00:00.000+01:00")
        let autumn = try #require(CivilClock.parse(rfc3339: "2024-10-27T12:00:00+01:00"))
        #expect(rome.rfc3339(rome.startOfDay(at: autumn)) == "2024-10-27T00:00:00.000+02:00")
        #expect(rome.weekday(at: spring) == 6)
    }

    @Test(arguments: Sentence.allCases)
    func `every sentence has the same blanks in both languages`(sentence: Sentence) {
        #expect(Sentence.blanks(in: sentence.template.chinese) == Sentence.blanks(in: sentence.template.english))
        #expect(!sentence.template.chinese.isEmpty && !sentence.template.english.isEmpty)
    }
}

@Suite struct AxisMarkTests {
    private let mark = AxisMark(Instant(elapsed: .hours(1000), wall: WallTime(unixSeconds: 1_800_000_000)), boottime: 5_000_000, bootID: "a")

    @Test func `within a boot the kernel's clock counts the stop, whatever the wall says`() {
        let resumed = mark.resume(wall: WallTime(unixSeconds: 0), boottime: 5_000_000 + 90_000, bootID: "a")
        #expect(resumed.down == .seconds(90) && resumed.elapsed == .hours(1000) + .seconds(90))
        let years = mark.resume(wall: WallTime(unixSeconds: 0), boottime: 5_000_000 + Interval.days(500).milliseconds, bootID: "a")
        #expect(years.down == .days(500), "stopped for long on a machine that ran on")
    }

    @Test func `after a reboot the wall is believed, unless it went backwards or by years`() {
        func down(_ wall: Int64) -> Interval { mark.resume(wall: WallTime(unixSeconds: wall), boottime: 20_000, bootID: "b").down }
        #expect(down(1_800_000_000 + 7200) == .hours(2))
        #expect(down(8) == .zero, "1970")
        #expect(down(4_000_000_000) == .zero, "2096")
    }
}

@Suite struct FindingTests {
    @Test func `a finding's sentence told an hour later or more says of when it speaks`() {
        let at = Instant(recorded: WallTime(unixSeconds: 1_800_000_000))
        let finding = Finding(
            subject: Subject(.household, "h"), kind: .inactivity, rule: "volume", severity: .alarm, at: at,
            text: LocalizedText(chinese: "今天07:35之后没有用水。", english: "No water since 07:35 today."),
            plainText: LocalizedText(chinese: "没有动静。", english: "No sign."))
        var clock = CivilClock(zone: .gmt)
        #expect(finding.told(plain: true, at: at.advanced(by: .minutes(59)), clock: &clock) == finding.plainText)
        let later = finding.told(plain: false, at: at.advanced(by: .hours(20)), clock: &clock)
        #expect(later.chinese == "今天07:35之后没有用水。（这是昨天08:00的情况。）", "\(later.chinese)")
        #expect(later.english.hasSuffix("(As of 08:00 yesterday.)"), "\(later.english)")
    }
}
