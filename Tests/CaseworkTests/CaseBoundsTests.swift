import Phrasebook
import Simulation
import Telemetry
import Testing

@testable import Casework

/// What sources, matters that come and go, and people do again and again stays bounded.
@Suite struct CaseBoundsTests {
    private func event(_ bench: BookBench, _ subject: String, source: String = "smoke", severity: Severity = .attention) -> CaseBook.Event {
        .finding(
            Finding(
                subject: Subject(.site, "\(source)-\(subject)"), kind: .incident, rule: "event/\(source)", severity: severity, at: bench.now,
                text: LocalizedText(chinese: "烟雾：\(subject)", english: "smoke: \(subject)")))
    }

    private var site: BookBench {
        BookBench(contacts: (1...6).map { ContactCard(id: ContactID("p-\($0)"), role: $0 < 4 ? .technician : .committee, channels: ["f"]) })
    }

    @Test func `a source that names two thousand subjects opens a few cases and one for the rest`() throws {
        var bench = site
        for number in 1...2000 {
            bench.take(event(bench, "\(number)"))
            bench.now = bench.now.advanced(by: .milliseconds(100))
        }
        #expect(bench.book.cases.count == Openings.mostOpenOfASource + 1)
        #expect(bench.notices.count == bench.book.cases.count * 6)
        let many = try #require(bench.book.openCase(Subject(.site, "smoke-many"), .incident))
        #expect(many.latest?.text.english.contains("smoke: 2000") == true)
        #expect(many.folded?.subjects.count == Case.mostFolded && many.folded?.isMore == true)
        // Another source is heard as ever.
        bench.take(event(bench, "1", source: "door"))
        #expect(bench.book.openCase(Subject(.site, "door-1"), .incident) != nil)
    }

    @Test func `what was folded ends when all of it is well and has stayed well for an hour`() throws {
        var bench = site
        for number in 1...30 { bench.take(event(bench, "\(number)")) }
        for number in 1...30 { bench.take(.cleared(Subject(.site, "smoke-\(number)"), .incident)) }
        let many = try #require(bench.book.openCase(Subject(.site, "smoke-many"), .incident))
        #expect(many.folded?.subjects.isEmpty == true)
        bench.wait(.minutes(59))
        #expect(bench.book.cases[many.id]?.isOpen == true)
        bench.wait(.minutes(2))
        #expect(bench.book.cases[many.id]?.isOpen == false && bench.book.cases.values.allSatisfy { !$0.isOpen })
    }

    @Test func `an alarm that is folded tells those who were told of an attention`() {
        var bench = site
        for number in 1...25 { bench.take(event(bench, "\(number)")) }
        let before = bench.notices.count
        bench.take(event(bench, "fire", severity: .alarm))
        #expect(bench.notices.count == before + 6 && bench.notices.last?.severity == .alarm)
    }

    @Test(arguments: [FindingKind.equipment, .incident, .continuousFlow, .degraded, .blind])
    func `a matter that comes and goes each second for days opens a few cases, and ends an hour after it stayed away`(kind: FindingKind) {
        var bench = site
        let subject = kind == .incident ? Subject(.site, "smoke-1") : Subject(.meter, "wm-1")
        let finding = { (now: Instant) in
            Finding(
                subject: subject, kind: kind, rule: kind == .incident ? "event/smoke" : "silent", severity: .attention, at: now,
                text: LocalizedText(chinese: "无", english: "none"))
        }
        for _ in 0..<(4 * 3600) {
            bench.take(.finding(finding(bench.now)))
            bench.take(.cleared(subject, kind))
            bench.now = bench.now.advanced(by: .seconds(1))
        }
        #expect(bench.book.cases.count <= Openings.mostOfAMatter && bench.notices.count <= Openings.mostOfAMatter * 6 * 4)
        #expect(bench.book.openCase(subject, kind) != nil, "it is not believed to be over")
        bench.wait(.minutes(61))
        #expect(bench.book.openCase(subject, kind) == nil)
    }

    @Test func `a case that nobody answers for months stays small, and everybody who was told stays known`() {
        var bench = BookBench()
        bench.silence()
        for _ in 0..<(60 * 24 * 4) { bench.wait(.minutes(15)) }
        #expect(bench.item.notices.count <= Case.mostNotices + 10)
        #expect(Set(bench.item.notices.map(\.contact)) == ["daughter", "grid", "committee", "station", "town"])
        let before = bench.notices.count
        bench.act(.outcome(.safe, until: nil), by: "grid")
        #expect(
            bench.told.suffix(bench.notices.count - before).sorted() == ["closed committee", "closed daughter", "closed grid", "closed station", "closed town"])
    }

    @Test(arguments: ["daughter", "grid"])
    func `whoever takes a case on and hands it back again and again neither drives nor holds its climb`(who: String) {
        var bench = BookBench()
        bench.silence()
        var refused = 0
        for _ in 0..<60 {
            for deed in [CaseBook.Act.Deed.accept, .handBack] {
                do {
                    for effect in try bench.book.handle(.act("c-1", .init(deed, by: who)), at: bench.now) {
                        if case .notify(let notice) = effect { bench.notices.append(notice) }
                    }
                } catch CaseBook.Refusal.handedBackTooOften { refused += 1 } catch {}
            }
            bench.now = bench.now.advanced(by: .milliseconds(100))
        }
        #expect(refused == 57)
        #expect(bench.notices.count < 40, "\(bench.notices.count) notices")
        #expect(!bench.told.contains { $0.hasSuffix("town") }, "due after forty minutes: \(bench.told)")
        if who == "daughter" { #expect(!bench.told.contains { $0.hasSuffix("station") || $0.hasSuffix("grid") }) }
        #expect(bench.told.contains { $0.hasPrefix("escalated") } && bench.item.acceptedBy == nil)
        // The climb goes on at its own pace, and another may take the case.
        for _ in 0..<9 { bench.wait(.minutes(5)) }
        #expect(bench.told.contains("escalated town"))
        bench.act(.accept, by: "committee")
        #expect(bench.item.acceptedBy == "committee")
    }

    @Test func `people under any names cannot make a case tell without an end`() {
        var bench = BookBench()
        bench.silence()
        var random = SeededRandom(seed: 5)
        for _ in 0..<2000 {
            let deeds: [CaseBook.Act.Deed] = [.accept, .arrived, .handBack, .outcome(.noAccess, until: nil)]
            bench.actOnOpen(deeds[Int(random.next() % 4)], by: "somebody-\(random.next() % 500)")
            bench.now = bench.now.advanced(by: .milliseconds(500))
        }
        #expect(bench.notices.count < 400, "\(bench.notices.count)")
        #expect((bench.item.actCounts?.handBacks.count ?? 0) <= CaseBook.mostNames + 1)
    }

    @Test(arguments: ["daughter", "grid"]) func `nobody hands a case back when somebody else is there`(who: String) throws {
        var bench = BookBench()
        bench.silence()
        bench.act(.accept, by: who)
        bench.act(.arrived, by: "committee")
        #expect(throws: CaseBook.Refusal.notYours) { try bench.book.handle(.act("c-1", .init(.handBack, by: who)), at: bench.now) }
        #expect(bench.item.arrivedBy == "committee" && bench.item.stage == .handling)
        bench.act(.handBack, by: "committee")
        #expect(bench.item.arrivedBy == nil)
    }

    @Test(arguments: [(Outcome.deceased, CaseBook.unconfirmedDeath), (.hospital, CaseBook.unconfirmedAbsence), (.away, CaseBook.unconfirmedAbsence)])
    func `a relative's word leaves no home unwatched for weeks: the committee is asked`(outcome: Outcome, longest: Interval) throws {
        var bench = BookBench()
        bench.silence()
        let end = bench.now.wall + .days(29)
        bench.act(.outcome(outcome, until: outcome == .deceased ? nil : end), by: "daughter")
        #expect(bench.book.cases["c-1"]?.outcome == outcome)
        #expect(bench.others.contains(.presence("h", outcome, until: bench.now.wall + longest, by: "daughter")))
        let question = try #require(bench.book.openCase(Subject(.household, "h"), .incident))
        #expect(question.latest?.rule == "outcome_to_confirm" && question.notices.map(\.contact) == ["committee"])
        // Whoever enters it on the home's page has answered.
        bench.take(.cleared(Subject(.household, "h"), .incident))
        #expect(bench.book.openCase(Subject(.household, "h"), .incident) == nil)
    }

    @Test(arguments: ["grid", "committee", "com-account"]) func `the word of those whose office it is stands, and so does a relative's for some days`(
        who: String
    ) {
        var bench = BookBench()
        bench.silence()
        bench.act(.outcome(.hospital, until: bench.now.wall + .days(20)), by: who)
        #expect(bench.others.contains(.presence("h", .hospital, until: bench.now.wall + .days(20), by: who)))
        #expect(bench.book.openCase(Subject(.household, "h"), .incident) == nil)
        var short = BookBench()
        short.silence()
        short.act(.outcome(.away, until: short.now.wall + .days(3)), by: "daughter")
        #expect(short.others.contains(.presence("h", .away, until: short.now.wall + .days(3), by: "daughter")))
        #expect(short.book.openCase(Subject(.household, "h"), .incident) == nil)
    }
}
