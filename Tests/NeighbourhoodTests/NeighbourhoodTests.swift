import Casework
import Neighbourhood
import Phrasebook
import Safeguarding
import Telemetry
import Testing

/// Three homes on one bus, on a driven clock.
struct Village {
    var core: Neighbourhood
    var now: Instant
    var saved: [Case] = []
    var notices: [Notice] = []

    init(homes: Int = 3) {
        let civil = CivilClock(zone: .gmt)
        let watches = (1...homes).map { index in
            HouseholdWatch(household: HouseholdID("h-\(index)"), policy: SafeguardingPolicy(), limits: .init(resolution: .litres(1)), clock: civil)
        }
        self.init(watches: watches, at: Street.beginning)
    }

    /// Homes that have been watched before.
    init(watches: [HouseholdWatch], at beginning: Instant) {
        now = beginning
        let civil = CivilClock(zone: .gmt)
        for (index, watch) in watches.enumerated() { totals[index + 1] = watch.register ?? .litres(100) }
        let list = watches.enumerated().map { index, watch in
            Neighbourhood.Home(id: HouseholdID("h-\(index + 1)"), meter: MeterID("wm-\(index + 1)"), bus: "lane", watch: watch)
        }
        let contacts = [
            ContactCard(id: "tech", role: .technician, channels: ["f"]), ContactCard(id: "committee", role: .committee, channels: ["f"]),
            ContactCard(id: "grid", role: .gridWorker, channels: ["f"]),
        ]
        let book = CaseBook(ladders: Ladders(), directory: Directory(contacts: contacts), language: .english, civil: civil)
        core = Neighbourhood(homes: list, meters: list.enumerated().map { (MeterID("wm-\($0.offset + 1)"), BusID("lane"), $0.offset + 1) }, book: book)
    }

    mutating func take(_ event: Neighbourhood.Event) {
        guard let effects = try? core.handle(event, at: now) else { return }
        for effect in effects {
            if case .save(let item) = effect { saved.append(item) }
            if case .notify(let notice) = effect { notices.append(notice) }
        }
    }

    /// One round of polls; a home is silent on the bus when it is not in `answering`.
    mutating func round(answering: Set<Int>, use: Volume = .litres(2), silent: Set<Int> = [], count: Int = 1) {
        for _ in 0..<count {
            now = now.advanced(by: .minutes(5))
            for index in 1...core.homes.count {
                if !silent.contains(index) { totals[index, default: .litres(100)] += use }
                let answers = answering.contains(index)
                let register = answers ? totals[index, default: .litres(100)] : nil
                take(.poll(.init(meter: MeterID("wm-\(index)"), answered: answers, register: register, reason: "no reply")))
            }
            take(.tick)
        }
    }

    /// The same village with a core made anew from what a restart finds: open cases and saved watches.
    func restored() -> Village {
        var copy = self
        let homes = core.homes.values.sorted { $0.id < $1.id }
        copy.core = Neighbourhood(
            homes: homes, meters: homes.enumerated().map { (MeterID("wm-\($0.offset + 1)"), BusID("lane"), $0.offset + 1) }, book: core.book)
        return copy
    }

    private var totals: [Int: Volume] = [:]
    var open: [Case] { core.book.cases.values.filter(\.isOpen) }
}

@Suite struct NeighbourhoodTests {
    @Test func `twelve meters a gateway reports silent are one incident of their bus, with the gateway's advice`() throws {
        var village = Village(homes: 12)
        village.round(answering: Set(1...12), count: 2)
        for _ in 0..<4 {
            village.now = village.now.advanced(by: .minutes(5))
            for index in 1...12 {
                village.take(
                    .poll(.init(meter: MeterID("wm-\(index)"), answered: false, register: nil, reason: "exception 11", gatewayAnswers: true)))
            }
            village.take(.tick)
        }
        let tickets = village.open.filter { $0.kind == .equipment }
        #expect(tickets.map(\.subject) == [Subject(.bus, "lane")])
        #expect(tickets.first?.findings.first?.rule == "bus_down")
        #expect(tickets.first?.findings.first?.text.english.contains("though the gateway does") == true)
    }

    @Test func `a meter silent for two polls opens a ticket for technicians, and its home turns blind`() throws {
        var village = Village()
        village.round(answering: [1, 2, 3], count: 2)
        village.round(answering: [1, 2], count: 3)
        let ticket = try #require(village.open.first { $0.kind == .equipment })
        #expect(ticket.subject == Subject(.meter, "wm-3"))
        #expect(village.notices.allSatisfy { $0.contact == "tech" })
        village.round(answering: [1, 2], count: 9)
        #expect(village.open.contains { $0.kind == .blind && $0.subject.id == "h-3" })
        #expect(village.core.homes["h-3"]?.watch.state(at: village.now) == .blind)
        #expect(!village.open.contains { $0.kind == .inactivity })
        village.round(answering: [1, 2, 3], count: 2)
        #expect(!village.open.contains { $0.subject.id == "h-3" || $0.subject.id == "wm-3" })
    }

    @Test func `a whole bus that falls silent is one ticket and one incident, not a case for each home`() {
        var village = Village(homes: 8)
        village.round(answering: Set(1...8), count: 2)
        village.round(answering: [], count: 14)
        #expect(village.open.count == 2)
        #expect(village.open.contains { $0.kind == .equipment && $0.subject.type == .bus })
        #expect(village.open.contains { $0.kind == .incident && $0.subject.type == .bus })
        village.round(answering: Set(1...8), count: 2)
        #expect(village.open.isEmpty)
    }

    @Test func `when a bus comes back, meters that answer a moment later get no tickets`() {
        var village = Village(homes: 5)
        village.round(answering: Set(1...5), count: 2)
        village.round(answering: [], count: 14)
        let told = village.notices.count
        village.round(answering: Set(1...5), count: 1)
        #expect(village.open.isEmpty && village.notices[told...].allSatisfy { $0.kind == .closed }, "\(village.notices[told...].map(\.kind))")
    }

    @Test func `a ticket of another meter stays open when the meter answers after a restart: somebody must look at it`() {
        var village = Village(homes: 2)
        village.round(answering: [1, 2], count: 4)
        village.take(.poll(.init(meter: "wm-1", answered: true, register: .litres(900_000))))
        for _ in 0..<3 {
            village.now = village.now.advanced(by: .minutes(5))
            village.take(.poll(.init(meter: "wm-1", answered: true, register: .litres(900_000))))
        }
        #expect(village.open.map(\.kind) == [.equipment])
        var restarted = village.restored()
        restarted.now = restarted.now.advanced(by: .minutes(5))
        restarted.take(.poll(.init(meter: "wm-1", answered: true, register: .litres(900_000))))
        #expect(restarted.open.map(\.kind) == [.equipment])
    }

    @Test func `when a bus comes back, a meter that stays dead gets its ticket and its home its case`() {
        var village = Village(homes: 5)
        village.round(answering: Set(1...5), count: 2)
        village.round(answering: [], count: 14)
        #expect(village.open.count == 2)
        village.round(answering: [1, 2, 3, 4], count: 4)
        #expect(village.open.map(\.subject.id).sorted() == ["h-5", "wm-5"], "\(village.open.map(\.subject))")
        #expect(village.open.contains { $0.kind == .blind } && village.open.contains { $0.kind == .equipment })
        // Told once: a person who closes it is not told again while nothing changes.
        let blind = village.open.first { $0.kind == .blind }
        if let blind { village.take(.act(blind.id, .init(.outcome(.meterFault, until: nil), by: "tech"))) }
        village.round(answering: [1, 2, 3, 4], count: 20)
        #expect(!village.open.contains { $0.kind == .blind })
    }

    @Test func `most homes of a bus that go out of sight are one incident even while one of them answers, also across a restart`() throws {
        var village = Village(homes: 9)
        village.round(answering: Set(1...9), count: 2)
        village.round(answering: [9], count: 14)
        let blind = village.open.filter { $0.kind == .blind }
        #expect(blind.isEmpty)
        let incident = try #require(village.open.first { $0.kind == .incident })
        #expect(incident.subject == Subject(.bus, "lane"))
        let homes = (1...9).compactMap { village.core.homes[HouseholdID("h-\($0)")]?.watch }
        var restarted = Village(watches: homes, at: village.now)
        restarted.core.book = village.core.book
        restarted = restarted.restored()
        restarted.round(answering: Set(2...9), count: 4)
        #expect(restarted.open.filter { $0.kind == .blind }.map(\.subject.id) == ["h-1"])
        #expect(!restarted.open.contains { $0.kind == .incident })
    }

    @Test func `a restart just after a shared blindness has ended does not forget who is still out of sight`() {
        var village = Village(homes: 9)
        village.round(answering: Set(1...9), count: 2)
        village.round(answering: [], count: 14)
        // Eight are back and the incident ends; before the ninth is asked again, the power goes.
        for number in 2...9 { village.take(.poll(.init(meter: MeterID("wm-\(number)"), answered: true, register: .litres(150)))) }
        #expect(!village.open.contains { $0.kind == .incident })
        var restarted = village.restored()
        restarted.round(answering: Set(2...9), count: 2)
        #expect(restarted.open.filter { $0.kind == .blind }.map(\.subject.id) == ["h-1"])
    }

    @Test func `readings that a wrong wall clock left among later ones are no sign of life after a restart`() throws {
        let limits = ConsumptionLedger.Limits(resolution: .litres(1))
        let watch = HouseholdWatch(household: "h", policy: SafeguardingPolicy(), limits: limits, clock: CivilClock(zone: .gmt))
        var home = Neighbourhood.Home(id: "h", meter: "wm", bus: "b", watch: watch)
        let start = Instant(recorded: WallTime(unixSeconds: 1_800_000_000))
        _ = home.watch.handle(.register(.litres(100)), at: start)
        _ = home.watch.handle(.register(.litres(105)), at: start.advanced(by: .minutes(15)))
        let lastUse = try #require(home.watch.lastUse)
        // Silent since; between the readings lie two of the morning, stamped eight hours late.
        let readings = (2...8).flatMap { step -> [(at: WallTime, register: Volume?)] in
            let at = start.wall + .minutes(Int64(15 * step))
            return [(at, .litres(105)), (at + .minutes(2), .litres(98))]
        }
        let found = home.replay(readings, at: start.advanced(by: .minutes(125)))
        #expect(home.watch.lastUse == lastUse && found.isEmpty)
        // The next poll goes on from there; a real use is one.
        _ = home.watch.handle(.register(.litres(105)), at: start.advanced(by: .minutes(135)))
        #expect(home.watch.lastUse == lastUse)
        _ = home.watch.handle(.register(.litres(112)), at: start.advanced(by: .minutes(150)))
        #expect(home.watch.lastUse != lastUse)
    }

    @Test func `a meter that was changed within the history is gone through to its end`() throws {
        let watch = HouseholdWatch(
            household: "h", policy: SafeguardingPolicy(), limits: ConsumptionLedger.Limits(resolution: .litres(1)), clock: CivilClock(zone: .gmt))
        var home = Neighbourhood.Home(id: "h", meter: "wm", bus: "b", watch: watch)
        let start = WallTime(unixSeconds: 1_800_000_000)
        // Ten days, by a new meter from the third day on.
        let readings: [(at: WallTime, register: Volume?)] = (0..<240 as Range<Int64>).map { hour in
            // Fifteen litres at every third hour, so that no leak is seen.
            let used = 15 * ((hour < 72 ? hour : hour - 72) / 3)
            let litres = hour < 72 ? 250_000 + used : used
            return (start + .hours(hour), .litres(litres))
        }
        let found = home.replay(readings, at: Instant(recorded: start + .hours(240)))
        #expect(home.watch.lastReading?.wall == readings.last?.at && home.watch.lastUse?.wall == start + .hours(237))
        #expect(found.isEmpty, "\(found.map(\.rule))")
    }

    @Test func `an absence entered for a home whose silence is an open case is that case's outcome`() throws {
        var village = Village(homes: 1)
        village.round(answering: [1], use: .zero, count: 12 * 12 + 3)
        let found = try #require(village.open.first)
        let until = village.now.wall + .days(3)
        village.take(.presence("h-1", PresenceEntry(kind: .away, until: until, by: "committee")))
        let closed = try #require(village.core.book.cases[found.id])
        #expect(closed.outcome == .away && closed.closedBy == "committee")
        #expect(village.core.homes["h-1"]?.watch.presence?.until == until)
    }

    @Test func `a collapse becomes a case, and an outcome by a person ends it and its silence`() throws {
        var village = Village()
        village.round(answering: [1, 2, 3], use: .zero, count: 12 * 12 + 3)
        let found = try #require(village.open.first { $0.kind == .inactivity && $0.subject.id == "h-1" })
        #expect(village.notices.contains { $0.caseID == found.id })
        village.take(.act(found.id, .init(.outcome(.safe, until: nil), by: "grid")))
        #expect(village.core.book.cases[found.id]?.isOpen == false)
        #expect(village.core.homes["h-1"]?.watch.standing.isEmpty == true)
    }

    @Test func `the outcome away enters the presence ledger and nothing is raised until it ends`() throws {
        var village = Village(homes: 1)
        village.round(answering: [1], use: .zero, count: 12 * 12 + 3)
        let found = try #require(village.open.first)
        village.take(.act(found.id, .init(.outcome(.away, until: village.now.wall + .days(3)), by: "grid")))
        #expect(village.core.homes["h-1"]?.watch.presence?.kind == .away)
        village.round(answering: [1], use: .zero, count: 12 * 40)
        #expect(village.open.isEmpty)
    }

    @Test func `no notice text leaves with an unfilled blank, in either language`() {
        var village = Village(homes: 4)
        village.round(answering: [1, 2, 3, 4], count: 2)
        village.round(answering: [2, 3], use: .zero, count: 12 * 26)
        #expect(!village.notices.isEmpty)
        for notice in village.notices {
            #expect(!notice.text.chinese.contains("{") && !notice.text.english.contains("{"), "\(notice.text)")
        }
    }
}
