import Phrasebook
import Simulation
import Telemetry
import Testing

@testable import Casework

/// What failing deliveries are told as, and that they never feed on themselves.
@Suite struct DeliveryHealthTests {
    func item(_ contact: String = "x", about: Subject = Subject(.household, "h"), dead: Bool = false) -> DeliverySchedule.Item {
        let now = Instant(elapsed: .zero, wall: WallTime(unixSeconds: 0))
        var item = DeliverySchedule.Item(
            Notice(
                id: "n", caseID: "c-1", kind: .opened, contact: ContactID(contact), channel: "mail", role: .technician, language: .english,
                severity: .attention, caseKind: about.type == .site ? .equipment : .inactivity, stage: .dispatched, subject: about, roles: [.technician],
                text: LocalizedText(chinese: "", english: ""), reasons: [], createdAt: now, openedAt: now, notBefore: .zero))
        if dead { item.state = .dead }
        return item
    }

    @Test func `a channel through which nothing goes for ten minutes is told once, and is well with the first success`() {
        var health = DeliveryHealth()
        #expect(health.note("mail", .failed("no", retryAfter: nil), [item()], at: .zero).isEmpty)
        #expect(health.note("mail", .failed("no", retryAfter: nil), [item()], at: .minutes(9)).isEmpty)
        #expect(health.note("mail", .failed("no route", retryAfter: nil), [item()], at: .minutes(10)) == [.fails(.channel("mail"), why: "no route")])
        #expect(health.note("mail", .failed("no", retryAfter: nil), [item()], at: .minutes(11)).isEmpty)
        #expect(health.lastFault["mail"] == "no" && health.failingSince("mail") == .zero)
        #expect(health.note("mail", .delivered, [item()], at: .minutes(12)).contains(.works(.channel("mail"))))
        #expect(health.lastFault["mail"] == nil && health.failingSince("mail") == nil)
    }

    @Test func `a refused mailbox is its reader's matter, which another reader's success does not end`() {
        var health = DeliveryHealth()
        let gone = DeliveryHealth.Matter.reader("mail", "gone")
        #expect(health.note("mail", .refused("550 5.1.1"), [item("gone", dead: true)], at: .zero) == [.fails(gone, why: "550 5.1.1")])
        #expect(!health.note("mail", .delivered, [item("well")], at: .seconds(1)).contains(.works(gone)))
        #expect(health.note("mail", .refused("550 5.1.1"), [item("gone", dead: true)], at: .seconds(2)).isEmpty)
        #expect(health.unreached("mail") == ["gone"])
        #expect(health.note("mail", .delivered, [item("gone")], at: .hours(1)).contains(.works(gone)))
    }

    @Test func `a channel of which every reader is refused is the channel's matter`() {
        var health = DeliveryHealth()
        health.readers = ["mail": ["one"]]
        #expect(health.note("mail", .refused("no address"), [item("one", dead: true)], at: .zero) == [.fails(.channel("mail"), why: "no address")])
        var both = DeliveryHealth()
        both.readers = ["mail": ["one", "two"]]
        #expect(both.note("mail", .refused("550"), [item("one", dead: true)], at: .zero) == [.fails(.reader("mail", "one"), why: "550")])
        #expect(both.note("mail", .refused("550"), [item("two", dead: true)], at: .zero) == [.fails(.channel("mail"), why: "550")])
    }

    @Test func `a reader who is put off for an hour while others are reached is told`() {
        var health = DeliveryHealth()
        var told: [DeliveryHealth.News] = []
        for minute in 0..<90 as Range<Int64> {
            told += health.note("mail", .deferred("450"), [item("late")], at: .minutes(minute))
            _ = health.note("mail", .delivered, [item("well")], at: .minutes(minute))
        }
        #expect(told == [.fails(.reader("mail", "late"), why: "450")])
    }

    @Test func `a notice about delivery begins nothing by failing`() {
        var health = DeliveryHealth()
        for subject in [Subject(.site, "channel-other"), Subject(.site, "reader-mail-x")] {
            #expect(health.note("mail", .refused("550"), [item(about: subject, dead: true)], at: .zero).isEmpty)
            #expect(health.note("mail", .failed("no", retryAfter: nil), [item(about: subject)], at: .hours(1)).isEmpty)
        }
    }

    @Test func `what comes and goes is believed to be well ever later, and told a few times a day`() {
        var health = DeliveryHealth()
        var told = 0
        var ended = 0
        var now = Interval.zero
        _ = health.note("mail", .delivered, [item()], at: now)
        // Eleven minutes dead, one minute well, for three days.
        while now < .days(3) {
            let attempt: DeliverySchedule.Attempt = now.milliseconds / 60_000 % 12 < 11 ? .failed("no", retryAfter: nil) : .delivered
            for news in health.note("mail", attempt, [item()], at: now) + health.due(at: now) { if case .fails = news { told += 1 } else { ended += 1 } }
            now = now + .minutes(1)
        }
        #expect(told <= 3 && told - ended <= 1, "\(told) told, \(ended) ended")
        // Well for good: a day later at the latest it is believed, without another try.
        _ = health.note("mail", .delivered, [item()], at: now)
        if told > ended { #expect(health.nextDue.map { $0 <= now + .days(1) } == true && health.due(at: now + .days(1)) == [.works(.channel("mail"))]) }
    }

    @Test func `a channel that is taken out of the configuration ends its matters`() {
        var health = DeliveryHealth()
        _ = health.note("mail", .refused("550"), [item("gone", dead: true)], at: .zero)
        #expect(health.keep(channels: [], contacts: ["gone"]) == [.works(.reader("mail", "gone"))])
        #expect(health.unreached("mail").isEmpty && health.lastFault.isEmpty)
    }

    /// A site whose delivery fails in its own way, with a book, a schedule and a health that feed each other as in the gateway.
    private struct Site {
        enum Fate: CaseIterable { case well, refused, deferred, fails, limited, comesAndGoes, diesLater, wellLater }

        var bench: BookBench
        var schedule: DeliverySchedule
        var health = DeliveryHealth()
        var fates: [String: Fate] = [:]
        var tries = 0
        var told = 0

        init(seed: UInt64) {
            var random = SeededRandom(seed: seed)
            func pick(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }
            let channels = (0...pick(4)).map { ChannelID("ch-\($0)") }
            let roles: [Role] = [.technician, .technician, .committee, .property, .gridWorker, .family]
            let contacts = (0...pick(6)).map { number in
                ContactCard(
                    id: ContactID("p-\(number)"), role: number == 0 ? .technician : roles[pick(roles.count)],
                    channels: (0...pick(2)).map { _ in channels[pick(channels.count)] }.reduce(into: []) { if !$0.contains($1) { $0.append($1) } })
            }
            let ladders = Ladders([
                "equipment": Ladder(
                    steps: [
                        LadderStep(after: .zero, notify: [.technician]), LadderStep(after: .minutes(Int64(1 + pick(30))), notify: [.committee, .property]),
                    ], repeat: [.zero, .hours(6), .hours(24)][pick(3)])
            ])
            bench = BookBench(contacts: contacts, ladders: ladders)
            schedule = DeliverySchedule(seed: seed)
            if pick(2) == 0 {
                for contact in contacts { for channel in contact.channels { health.readers[channel, default: []].insert(contact.id) } }
            }
            for channel in channels where pick(3) == 0 { schedule.paces[channel] = .init(count: 19, per: .minutes(1), merge: 4) }
            for contact in contacts { for channel in channels { fates["\(contact.id) \(channel)"] = Fate.allCases[pick(Fate.allCases.count)] } }
        }

        func attempt(_ notice: Notice, at now: Interval) -> DeliverySchedule.Attempt {
            switch fates["\(notice.contact) \(notice.channel)"] ?? .well {
            case .well: .delivered
            case .refused: .refused("550 5.1.1")
            case .deferred: .deferred("450 4.2.1")
            case .fails: .failed("timeout", retryAfter: nil)
            case .limited: .limited("550 too often", retryAfter: .seconds(30))
            case .comesAndGoes: now.milliseconds / 900_000 % 2 == 0 ? .delivered : .failed("503", retryAfter: nil)
            case .diesLater: now < .hours(30) ? .delivered : .refused("550 5.1.1")
            case .wellLater: now < .hours(30) ? .refused("550 5.1.1") : .delivered
            }
        }

        mutating func follow(_ news: [DeliveryHealth.News]) {
            for item in news {
                switch item {
                case .works(let matter): take(.cleared(matter.subject, .equipment))
                case .fails(let matter, let why): take(.finding(matter.finding(why, waiting: 1, at: bench.now)))
                }
            }
        }

        mutating func take(_ event: CaseBook.Event) {
            let before = bench.notices.count
            bench.take(event)
            for notice in bench.notices[before...] { schedule.enqueue(notice) }
        }

        mutating func live(days: Int64, most: Int) {
            let start = bench.now.elapsed
            var now = Interval.zero
            var nextTrouble = Interval.zero
            var nextTick = Interval.zero
            while now < .days(days), tries < most {
                if nextTrouble <= now {
                    // A meter's trouble in the morning and an alarm at noon, as in any village.
                    let subject = Subject(.meter, "wm-\(now.milliseconds / 43_200_000)")
                    take(
                        .finding(
                            Finding(
                                subject: subject, kind: .equipment, rule: "silent", severity: .attention, at: bench.now,
                                text: LocalizedText(chinese: "无", english: "silent"))))
                    nextTrouble = nextTrouble + .hours(12)
                }
                if nextTick <= now {
                    take(.tick)
                    nextTick = nextTick + .minutes(10)
                }
                follow(health.due(at: bench.now.elapsed))
                for parcel in schedule.due(at: bench.now.elapsed) {
                    tries += 1
                    let attempt = attempt(parcel.items[0].notice, at: now)
                    let finished = schedule.finish(parcel, attempt, at: bench.now)
                    follow(health.note(parcel.channel, attempt, finished, at: bench.now.elapsed))
                }
                let next = [schedule.nextDue.map { $0 - start }, nextTrouble, nextTick].compactMap { $0 }.min() ?? nextTick
                let step = max(.milliseconds(1), next - now)
                now = now + step
                bench.now = bench.now.advanced(by: step)
            }
        }
    }

    @Test(arguments: 1...150 as ClosedRange<UInt64>)
    func `no constellation of ladders, channels, readers and refusals feeds on its own failures`(seed: UInt64) {
        var site = Site(seed: seed)
        site.live(days: 5, most: 300_000)
        let matters = site.bench.book.cases.values.filter { $0.subject.id.hasPrefix("channel-") || $0.subject.id.hasPrefix("reader-") }
        let bySubject = Dictionary(grouping: matters, by: \.subject)
        for (subject, cases) in bySubject { #expect(cases.count <= 8, "\(subject): \(cases.count) cases in five days, seed \(seed)") }
        let readers = site.bench.book.directory.contacts.map(\.channels.count).reduce(0, +)
        // Each case tells each way to a reader at its opening, at each repetition and at its end.
        let most = site.bench.book.cases.count * readers * (2 + 5 * 4 + 2)
        #expect(site.bench.notices.count <= most, "\(site.bench.notices.count) notices, seed \(seed)")
        #expect(site.tries < 300_000, "seed \(seed)")
    }
}
