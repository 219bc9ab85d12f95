import Casework
import Foundation
import Phrasebook
import Telemetry
import Testing

/// Drives a case book on a driven clock.
struct BookBench {
    var book: CaseBook
    var now = Instant(recorded: WallTime(unixSeconds: 1_700_000_000))
    var notices: [Notice] = []
    var others: [CaseBook.Effect] = []

    init(contacts: [ContactCard]? = nil, ladders: Ladders = Ladders()) {
        let all: [ContactCard] =
            contacts ?? [
                ContactCard(id: "daughter", role: .family, channels: ["f"]), ContactCard(id: "grid", role: .gridWorker, channels: ["f"]),
                ContactCard(id: "committee", role: .committee, channels: ["f"]), ContactCard(id: "station", role: .station, channels: ["f"]),
                ContactCard(id: "town", role: .town, channels: ["f"]),
            ]
        let directory = Directory(contacts: all, ties: [Subject(.household, "h"): .init(contacts: ["daughter"], grid: "g")])
        book = CaseBook(ladders: ladders, directory: directory, language: .english, civil: CivilClock(zone: .gmt))
    }

    mutating func take(_ event: CaseBook.Event) {
        do {
            for effect in try book.handle(event, at: now) {
                if case .notify(let notice) = effect { notices.append(notice) } else { others.append(effect) }
            }
        } catch { Issue.record("refused: \(error)") }
    }

    mutating func wait(_ interval: Interval) {
        now = now.advanced(by: interval)
        take(.tick)
    }

    mutating func silence(_ severity: Severity = .alarm) {
        take(
            .finding(
                Finding(
                    subject: Subject(.household, "h"), kind: .inactivity, rule: "volume", severity: severity, at: now,
                    text: LocalizedText(chinese: "只用了3升", english: "only 3 L"), plainText: LocalizedText(chinese: "没有动静", english: "no sign"),
                    numbers: ["used_litres": 3, "hours": 12])))
    }

    mutating func act(_ deed: CaseBook.Act.Deed, by who: String) { take(.act("c-1", .init(deed, by: who))) }
    // A test that asks for a case that is not there is broken itself.
    // swift-format-ignore: NeverForceUnwrap
    var item: Case { book.cases["c-1"]! }
    var told: [String] { notices.map { "\($0.kind.rawValue) \($0.contact)" } }
}

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

    @Test func `families are told without litres, grid workers with them`() throws {
        var bench = BookBench()
        bench.silence()
        bench.wait(.minutes(10))
        let family = try #require(bench.notices.first { $0.contact == "daughter" })
        #expect(!family.text.english.contains("L") && family.reasons.allSatisfy { !$0.numbers.keys.contains("used_litres") })
        let grid = try #require(bench.notices.first { $0.contact == "grid" })
        #expect(grid.text.english.contains("only 3 L"))
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

    @Test func `a step whose people do not exist waits for nobody`() {
        var bench = BookBench(contacts: [ContactCard(id: "grid", role: .gridWorker, channels: ["f"])])
        bench.silence()
        #expect(bench.told == ["opened grid"])
    }

    @Test func `an e-bike that comes in again under somebody who took the case tells the next ones`() {
        var bench = BookBench(
            ladders: Ladders(["ebike": Ladder(steps: [.init(after: .zero, notify: [.gridWorker]), .init(after: .minutes(30), notify: [.committee])])]))
        func board() {
            bench.take(
                .finding(
                    Finding(
                        subject: Subject(.elevator, "lift"), kind: .ebike, rule: "confirmed", severity: .alarm, at: bench.now,
                        text: LocalizedText(chinese: "电动车", english: "e-bike"))))
        }
        board()
        bench.act(.accept, by: "grid")
        #expect(bench.told == ["opened grid", "accepted grid"])
        bench.wait(.minutes(2))
        board()
        #expect(bench.told == ["opened grid", "accepted grid", "escalated committee"])
    }

    @Test func `after two minutes property hears of an e-bike again, with the count of this week, also after a restart`() throws {
        let property = ContactCard(id: "property", role: .property, channels: ["f"])
        var bench = BookBench(contacts: [property])
        // A Wednesday noon.
        bench.now = Instant(recorded: WallTime(unixSeconds: 1_700_049_600))
        func board(_ bench: inout BookBench) {
            let text = LocalizedText(chinese: "检测到电瓶车。", english: "E-bike.")
            bench.take(.finding(Finding(subject: Subject(.elevator, "lift"), kind: .ebike, rule: "confirmed", severity: .alarm, at: bench.now, text: text)))
        }
        func end(_ bench: inout BookBench) { bench.take(.act(CaseID("c-\(bench.book.cases.count)"), .init(.outcome(.removed, until: nil), by: "property"))) }
        board(&bench)
        #expect(bench.notices.last?.text.chinese.contains("本周") == false)
        end(&bench)
        bench.wait(.days(1))
        // A neighbour's lift is not this one's.
        let other = Finding(
            subject: Subject(.elevator, "other"), kind: .ebike, rule: "confirmed", severity: .alarm, at: bench.now,
            text: LocalizedText(chinese: "", english: ""))
        bench.take(.finding(other))
        end(&bench)
        board(&bench)
        let told = bench.notices.count
        bench.wait(.minutes(2))
        let second = try #require(bench.notices.last)
        #expect(bench.notices.count == told + 1 && second.kind == .escalated && second.contact == "property")
        #expect(second.text.chinese.contains("本周第2次") && second.text.english.contains("Number 2 in this lift this week"))
        // A new book over the same record goes on counting; the next Monday begins anew.
        let all = bench.book.cases.values.sorted { $0.openedAt.elapsed < $1.openedAt.elapsed }
        end(&bench)
        var restored = BookBench(contacts: [property])
        restored.now = bench.now.advanced(by: .hours(1))
        restored.book.recallBoardings(all)
        board(&restored)
        restored.wait(.minutes(2))
        #expect(restored.notices.last?.text.chinese.contains("本周第3次") == true)
        restored.take(.act("c-1", .init(.outcome(.removed, until: nil), by: "property")))
        restored.wait(.days(4))
        restored.take(
            .finding(
                Finding(
                    subject: Subject(.elevator, "lift"), kind: .ebike, rule: "confirmed", severity: .alarm, at: restored.now,
                    text: LocalizedText(chinese: "", english: ""))))
        restored.wait(.minutes(2))
        #expect(restored.notices.last?.text.chinese.contains("本周第1次") == true)
    }

    @Test(arguments: 0..<30)
    func `killed and restored at any point, nothing is skipped and nothing is told twice`(seed: UInt64) throws {
        var random = SystemSeed(seed)
        var whole = BookBench()
        var broken = BookBench()
        var next = 1
        for _ in 0..<40 {
            let step = Interval.seconds(Int64.random(in: 1...600, using: &random))
            let choice = Int.random(in: 0..<14, using: &random)
            for index in 0..<2 {
                func drive(_ bench: inout BookBench) {
                    bench.wait(step)
                    switch choice {
                    case 0: bench.silence()
                    case 1: bench.silence(.attention)
                    case 2: bench.take(.signOfLife("h"))
                    case 3: bench.actOnOpen(.accept, by: "grid")
                    case 4: bench.actOnOpen(.accept, by: "daughter")
                    case 5: bench.actOnOpen(.arrived, by: "grid")
                    case 6: bench.actOnOpen(.handBack, by: "grid")
                    case 7: bench.actOnOpen(.outcome(.noAccess, until: nil), by: "grid")
                    case 8: bench.actOnOpen(.outcome(.safe, until: nil), by: "grid")
                    case 9: bench.actOnOpen(.outcome(.away, until: nil), by: "daughter")
                    default: break
                    }
                }
                if index == 0 { drive(&whole) } else { drive(&broken) }
            }
            let open = try broken.book.cases.values.filter(\.isOpen).map { try JSONDecoder().decode(Case.self, from: try JSONEncoder().encode($0)) }
            // The store remembers the number of the newest case, open or not.
            next = max(next, (broken.book.cases.keys.compactMap { Int($0.rawValue.dropFirst(2)) }.max() ?? 0) + 1)
            broken.book = CaseBook(
                ladders: broken.book.ladders, directory: broken.book.directory, language: .english, civil: CivilClock(zone: .gmt), open: open,
                nextNumber: next)
            #expect(whole.notices.map(\.id) == broken.notices.map(\.id), "seed \(seed)")
            let isSame = whole.notices == broken.notices
            #expect(isSame, "seed \(seed)")
        }
        #expect(Set(whole.notices.map(\.id)).count == whole.notices.count)
    }
}

extension BookBench {
    /// An act that may be impossible in a random history.
    mutating func actOnOpen(_ deed: CaseBook.Act.Deed, by who: String) {
        guard let open = book.openCase(Subject(.household, "h")),
            let effects = try? book.handle(.act(open.id, .init(deed, by: who)), at: now)
        else { return }
        for effect in effects { if case .notify(let notice) = effect { notices.append(notice) } }
    }
}

/// A repeatable generator (SplitMix64).
struct SystemSeed: RandomNumberGenerator {
    var state: UInt64
    init(_ seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
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
