import Casework
import Foundation
import Phrasebook
import Telemetry
import Testing

/// Who is told what, and when.
@Suite struct CaseTellingTests {
    @Test func `families are told without litres, grid workers with them`() throws {
        var bench = BookBench()
        bench.silence()
        bench.wait(.minutes(10))
        let family = try #require(bench.notices.first { $0.contact == "daughter" })
        #expect(!family.text.english.contains("L") && family.reasons.allSatisfy { !$0.numbers.keys.contains("used_litres") })
        let grid = try #require(bench.notices.first { $0.contact == "grid" })
        #expect(grid.text.english.contains("only 3 L"))
    }

    @Test func `an account is spoken of by its own role, whatever contact its name is like, and hands back in its own name`() throws {
        var bench = BookBench()
        bench.silence()
        bench.take(.act("c-1", .init(.accept, by: "committee", as: .account(.gridWorker))))
        #expect(bench.notices.last { $0.contact == "daughter" }?.text.english == "the grid worker is going.")
        bench = BookBench()
        bench.silence()
        bench.take(.act("c-1", .init(.accept, by: "daughter", as: .account(nil))))
        #expect(!bench.item.acceptedByRelative && bench.notices.last { $0.contact == "daughter" }?.text.english == "Somebody is going.")
    }

    @Test func `what a device says in its own words travels beside the sentence`() throws {
        var bench = BookBench()
        bench.take(
            .finding(
                Finding(
                    subject: Subject(.site, "bin-7"), kind: .incident, rule: "event/bin", severity: .attention, at: bench.now,
                    text: LocalizedText(chinese: "满了。", english: "Full."), quote: "Zhang says so")))
        #expect(!bench.notices.isEmpty)
        for notice in bench.notices {
            #expect(
                notice.quote == "Zhang says so" && !notice.text.english.contains("Zhang") && notice.reasons.allSatisfy { !$0.text.english.contains("Zhang") })
        }
    }

    @Test func `a contact concerns a home while they belong to it, look after its grid, or stand in for somebody who does`() {
        let home = Subject(.household, "h")
        let directory = Directory(
            contacts: [
                ContactCard(id: "daughter", role: .family), ContactCard(id: "son", role: .family), ContactCard(id: "wang", role: .gridWorker, grids: ["g"]),
                ContactCard(id: "li", role: .gridWorker, grids: ["other"]), ContactCard(id: "chen", role: .gridWorker, grids: ["g"], substitute: "zhao"),
                ContactCard(id: "zhao", role: .gridWorker, grids: ["third"]),
            ], ties: [home: .init(contacts: ["daughter"], grid: "g")])
        #expect(["daughter", "wang", "chen", "zhao"].allSatisfy { directory.concerns(home, $0) })
        #expect(["son", "li", "nobody"].allSatisfy { !directory.concerns(home, $0) })
        #expect(!directory.concerns(Subject(.household, "gone"), "daughter"))
    }

    @Test func `quiet hours delay attention, never an alarm`() throws {
        let quiet = ContactCard(id: "daughter", role: .family, channels: ["f"], quietHours: Shift(parsing: "22:00-06:00"))
        var bench = BookBench(contacts: [quiet])
        bench.now = Instant(recorded: WallTime(unixSeconds: 1_700_006_400 - 3600))  // 23:00 UTC
        bench.silence(.attention)
        let soft = try #require(bench.notices.last)
        #expect(soft.notBefore - bench.now.elapsed == .hours(7))
        bench.silence(.alarm)
        let hard = try #require(bench.notices.last)
        #expect(hard.notBefore == bench.now.elapsed)
    }

    @Test func `quiet hours end at their minute for everything that waited, whatever the second at which it came`() throws {
        let daughter = ContactCard(id: "daughter", role: .family, channels: ["f"], quietHours: Shift(parsing: "23:00-07:00"))
        var bench = BookBench(contacts: [daughter])
        // 23:00:50, and closed by water at 00:30:10.
        bench.now = Instant(recorded: WallTime(unixSeconds: 1_700_002_850))
        bench.silence(.attention)
        bench.now = bench.now.advanced(by: .seconds(5360))
        bench.take(.signOfLife("h"))
        #expect(bench.told == ["opened daughter", "closed daughter"])
        let moments = bench.notices.map(\.notBefore)
        #expect(moments[0] == moments[1] && moments[0].milliseconds % 60_000 == 0)
    }

    @Test func `a sentence told again much later says of when it speaks`() throws {
        var bench = BookBench()
        bench.silence()
        let first = try #require(bench.notices.last)
        #expect(!first.text.english.contains("As of"))
        for _ in 0..<10 { bench.wait(.minutes(15)) }
        let later = try #require(bench.notices.last)
        #expect(later.kind == .escalated && later.text.english.contains("As of") && later.text.chinese.contains("的情况"))
    }

    @Test func `a step goes to those on duty, to all if none is, with substitutes for those who are off`() {
        let day = ContactCard(id: "day", role: .gridWorker, channels: ["f"], onDuty: [Shift(parsing: "08:00-20:00")!])
        let night = ContactCard(id: "night", role: .gridWorker, channels: ["f"], onDuty: [Shift(parsing: "20:00-08:00")!])
        let directory = Directory(contacts: [day, night])
        let subject = Subject(.household, "h")
        #expect(directory.people(.gridWorker, for: subject, weekday: 0, minute: 600).map(\.id) == ["day"])
        #expect(directory.people(.gridWorker, for: subject, weekday: 0, minute: 180).map(\.id) == ["night"])
        #expect(Directory(contacts: [day]).people(.gridWorker, for: subject, weekday: 0, minute: 180).map(\.id) == ["day"])
        var covered = day
        covered.substitute = "deputy"
        let deputy = ContactCard(id: "deputy", role: .committee, channels: ["f"])
        let both = Directory(contacts: [covered, deputy])
        #expect(both.people(.gridWorker, for: subject, weekday: 0, minute: 600).map(\.id) == ["day"])
        #expect(both.people(.gridWorker, for: subject, weekday: 0, minute: 180).map(\.id) == ["day", "deputy"])
    }

    @Test func `a substitute who belongs to another role of the same step is told once`() {
        let grid = ContactCard(id: "grid", role: .gridWorker, channels: ["f"], onDuty: [Shift(parsing: "08:00-09:00")!], substitute: "committee")
        var bench = BookBench(
            contacts: [grid, ContactCard(id: "committee", role: .committee, channels: ["f"])],
            ladders: Ladders(["elder": Ladder(steps: [.init(after: .zero, notify: [.gridWorker, .committee])])]))
        bench.silence()
        #expect(bench.told == ["opened grid", "opened committee"])
    }

    @Test func `the question whether an absence ends goes to those who know, not to a technician`() {
        var bench = BookBench(contacts: [
            ContactCard(id: "daughter", role: .family, channels: ["f"]), ContactCard(id: "tech", role: .technician, channels: ["f"]),
        ])
        bench.take(
            .finding(
                Finding(
                    subject: Subject(.household, "h"), kind: .incident, rule: "absence_ending", severity: .attention, at: bench.now,
                    text: LocalizedText(chinese: "明天回来？", english: "back tomorrow?"))))
        #expect(bench.told == ["opened daughter"])
    }
}
