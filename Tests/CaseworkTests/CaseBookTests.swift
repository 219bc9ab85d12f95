import Casework
import Foundation
import Phrasebook
import Telemetry
import Testing

@Suite struct CaseBookTests {
    @Test func `findings on one subject and of one kind join one case`() {
        var bench = BookBench()
        bench.silence()
        bench.silence()
        #expect(bench.book.cases.count == 1)
        #expect(bench.item.findings.count == 2)
        #expect(bench.told == ["opened daughter"])
    }

    @Test func `the ladder climbs step by step until somebody who can go accepts`() {
        var bench = BookBench()
        bench.silence()
        bench.wait(.minutes(10))
        #expect(bench.told == ["opened daughter", "escalated grid", "escalated committee"])
        #expect(bench.item.stage == .supervised)
        bench.act(.accept, by: "grid")
        #expect(bench.item.stage == .handling && bench.item.acceptedBy == "grid")
        let before = bench.notices.count
        bench.wait(.minutes(59))
        #expect(bench.notices.count == before)
        // Accepted and forgotten: after an hour without anybody there the case climbs again.
        bench.wait(.minutes(2))
        #expect(bench.told.suffix(1) == ["escalated station"] && bench.item.acceptedBy == nil)
        bench.act(.accept, by: "station")
        bench.act(.arrived, by: "station")
        let arrived = bench.notices.count
        bench.wait(.minutes(239))
        #expect(bench.notices.count == arrived)
        bench.wait(.minutes(2))
        #expect(bench.told.last == "escalated town", "there, but no word for four hours")
    }

    @Test func `an alarm that nobody answers is repeated for weeks, with no more than so many rungs kept`() {
        var bench = BookBench()
        bench.silence()
        for _ in 0..<(14 * 24 * 4) { bench.wait(.minutes(15)) }
        #expect(bench.notices.filter { $0.contact == "town" }.count > 14 * 24 * 4 - 10)
        #expect(bench.item.rungs.count <= 64)
        #expect(Set(bench.notices.map(\.id)).count == bench.notices.count)
    }

    @Test func `handed back late, the next step is told now and the others at the ladder's pace`() {
        var bench = BookBench()
        bench.silence()
        bench.act(.accept, by: "grid")
        bench.wait(.minutes(55))
        let before = bench.notices.count
        bench.act(.handBack, by: "grid")
        #expect(bench.told.suffix(bench.notices.count - before) == ["escalated grid", "escalated committee"])
        bench.wait(.minutes(14))
        #expect(!bench.told.contains("escalated station"))
        bench.wait(.minutes(2))
        #expect(bench.told.contains("escalated station") && !bench.told.contains("escalated town"))
    }

    @Test func `a relative cannot hand back what somebody who can go has taken on`() {
        var bench = BookBench()
        bench.silence()
        bench.act(.accept, by: "grid")
        #expect(throws: CaseBook.Refusal.notYours) { try bench.book.handle(.act("c-1", .init(.handBack, by: "daughter")), at: bench.now) }
        #expect(bench.item.acceptedBy == "grid")
    }

    @Test func `an attention that somebody took on and that becomes an alarm is told again`() {
        var bench = BookBench()
        bench.silence(.attention)
        bench.act(.accept, by: "grid")
        let before = bench.notices.count
        bench.silence(.alarm)
        #expect(bench.notices.count == before + 1 && bench.item.acceptedBy == nil)
        bench.wait(.minutes(10))
        #expect(bench.told.contains("escalated committee"))
    }

    @Test func `only who went to a person has seen the person; a repaired meter says nothing of anybody's morning`() {
        var bench = BookBench()
        bench.take(
            .finding(
                Finding(
                    subject: Subject(.household, "h"), kind: .blind, rule: "no_data", severity: .attention, at: bench.now,
                    text: LocalizedText(chinese: "看不到", english: "out of sight"))))
        bench.act(.outcome(.repaired, until: nil), by: "tech")
        #expect(!bench.others.contains { if case .seenByPerson = $0 { true } else { false } })
    }

    @Test func `nobody is told a day later that no water runs where somebody has died`() {
        var bench = BookBench()
        bench.silence()
        bench.act(.outcome(.deceased, until: nil), by: "grid")
        #expect(bench.others.contains(.presence("h", .deceased, until: bench.now.wall + .days(30), by: "grid")))
    }

    @Test func `what ended by itself is no false alarm and was verified by nobody; a person's word is both`() throws {
        var bench = BookBench()
        bench.silence(.attention)
        bench.take(.signOfLife("h"))
        bench.silence(.alarm)
        bench.take(.act("c-2", .init(.outcome(.safe, until: nil), by: "grid")))
        let row = try #require(CaseStatistics(Array(bench.book.cases.values), civil: CivilClock(zone: .gmt)).rows.first)
        #expect(row.opened == 2 && row.closedItself == 1 && row.falseAlarms == 1 && row.outcomes == [.safe: 1])
        func verified(_ id: CaseID) -> Instant? { bench.book.cases[id]?.passage.first { $0.stage == .verified }?.at }
        #expect(verified("c-1") == nil && verified("c-2") != nil)
    }

    @Test func `a note sent twice by a phone with a bad line is written once`() throws {
        var bench = BookBench()
        bench.silence()
        for _ in 0..<3 { bench.take(.act("c-1", .init(.accept, by: "grid", note: "on my way"))) }
        #expect(bench.item.note == "on my way")
    }

    @Test func `a relative who accepts does not stop the dispatch of somebody who can go, unless they arrive`() {
        var bench = BookBench()
        bench.silence()
        bench.act(.accept, by: "daughter")
        bench.wait(.minutes(10))
        #expect(bench.told.contains("escalated grid"))
        bench.act(.arrived, by: "daughter")
        bench.wait(.hours(1))
        #expect(!bench.told.contains("escalated station"))
    }

    @Test func `the last step repeats until accepted`() {
        var bench = BookBench()
        bench.silence()
        for _ in 0..<90 { bench.wait(.minutes(1)) }
        #expect(bench.notices.filter { $0.contact == "town" }.count >= 3)
    }

    @Test func `no access does not close: the case climbs`() {
        var bench = BookBench()
        bench.silence()
        bench.act(.accept, by: "grid")
        bench.act(.outcome(.noAccess, until: nil), by: "grid")
        #expect(bench.item.isOpen && bench.item.stage == .supervised)
        #expect(bench.told.contains("escalated committee"))
    }

    @Test func `no access sent twice by a phone with a bad line climbs once`() {
        var bench = BookBench()
        bench.silence()
        bench.act(.accept, by: "grid")
        bench.act(.outcome(.noAccess, until: nil), by: "grid")
        let once = bench.told
        for _ in 0..<2 { bench.act(.outcome(.noAccess, until: nil), by: "grid") }
        #expect(bench.told == once)
        bench.act(.accept, by: "grid")
        bench.act(.outcome(.noAccess, until: nil), by: "grid")
        #expect(bench.told.count > once.count + 1, "who went again may find nobody again")
    }

    @Test func `an outcome closes, tells those told, and repeating it is harmless`() {
        var bench = BookBench()
        bench.silence()
        bench.act(.outcome(.safe, until: nil), by: "grid")
        #expect(bench.item.stage == .closed && bench.item.outcome == .safe)
        #expect(bench.told.last == "closed daughter")
        #expect(bench.others.contains(.seenByPerson("h", .safe)))
        let before = bench.notices.count
        bench.act(.outcome(.safe, until: nil), by: "grid")
        #expect(bench.notices.count == before)
    }

    @Test func `an impossible act is refused with its reason and changes nothing`() {
        var bench = BookBench()
        bench.silence()
        let before = bench.item
        #expect(throws: CaseBook.Refusal.outcomeNotAllowed(.removed, allowed: Outcome.allowed(for: .inactivity))) {
            try bench.book.handle(.act("c-1", .init(.outcome(.removed, until: nil), by: "grid")), at: bench.now)
        }
        #expect(throws: CaseBook.Refusal.unknownCase("c-9")) { try bench.book.handle(.act("c-9", .init(.accept, by: "grid")), at: bench.now) }
        #expect(bench.item == before)
    }

    @Test func `away opens the presence ledger for a day unless said otherwise, at most thirty days`() {
        var bench = BookBench()
        bench.silence()
        bench.act(.outcome(.away, until: bench.now.wall + .days(400)), by: "grid")
        #expect(bench.others.contains(.presence("h", .away, until: bench.now.wall + .days(30), by: "grid")))
    }

    @Test func `a sign of life pauses the climb for half an hour and asks for the outcome; only a person closes`() {
        var bench = BookBench()
        bench.silence()
        bench.take(.signOfLife("h"))
        #expect(bench.told.last == "sign_of_life daughter")
        bench.wait(.minutes(20))
        #expect(!bench.told.contains("escalated grid"))
        bench.wait(.minutes(15))
        #expect(bench.told.contains("escalated grid"))
        #expect(bench.item.isOpen)
    }

    @Test func `attention that nobody was sent for closes itself on a sign of life`() {
        var bench = BookBench()
        bench.silence(.attention)
        bench.take(.signOfLife("h"))
        #expect(!bench.item.isOpen)
    }

    @Test func `attention that becomes an alarm climbs the alarm's ladder in the same case`() {
        var bench = BookBench()
        bench.silence(.attention)
        bench.wait(.minutes(30))
        bench.silence(.alarm)
        bench.wait(.minutes(10))
        #expect(bench.book.cases.count == 1 && bench.item.severity == .alarm)
        #expect(bench.told.contains("escalated grid"))
    }

    @Test func `what a committee shows counts the first acceptance and arrival, no outcome as one, and no drill`() throws {
        var bench = BookBench()
        bench.silence()
        bench.wait(.minutes(4))
        bench.act(.accept, by: "grid")
        bench.wait(.minutes(10))
        bench.act(.arrived, by: "grid")
        bench.act(.outcome(.noAccess, until: nil), by: "grid")
        bench.wait(.hours(1))
        bench.act(.accept, by: "committee")
        bench.act(.outcome(.safe, until: nil), by: "committee")
        // A second one, ended by a word without anybody having said that they go; and a drill.
        bench.silence()
        bench.wait(.minutes(2))
        bench.take(.act("c-2", .init(.outcome(.safe, until: nil), by: "committee")))
        let drill = Finding(
            subject: Subject(.site, "s"), kind: .inactivity, rule: Case.drillRule, severity: .alarm, at: bench.now,
            text: LocalizedText(chinese: "", english: ""))
        bench.take(.finding(drill))
        let row = try #require(CaseStatistics(Array(bench.book.cases.values), civil: CivilClock(zone: .gmt)).rows.first)
        #expect(row.opened == 2 && row.alarms == 2 && row.outcomes[.safe] == 2)
        #expect(row.accepted == CaseStatistics.Spread([.minutes(4)]) && row.arrived == CaseStatistics.Spread([.minutes(14)]))
    }

    @Test func `a step whose people do not exist waits for nobody`() {
        var bench = BookBench(contacts: [ContactCard(id: "grid", role: .gridWorker, channels: ["f"])])
        bench.silence()
        #expect(bench.told == ["opened grid"])
    }
}

@Suite struct AbsenceTests {
    @Test func `an absence that is over already is refused, and the case stays open`() throws {
        var bench = BookBench()
        bench.silence()
        let id = try #require(bench.book.cases.keys.first)
        let past = bench.now.wall - .hours(1)
        #expect(throws: CaseBook.Refusal.untilPast) { try bench.book.handle(.act(id, .init(.outcome(.away, until: past), by: "grid")), at: bench.now) }
        #expect(bench.book.cases[id]?.isOpen == true)
    }
}
