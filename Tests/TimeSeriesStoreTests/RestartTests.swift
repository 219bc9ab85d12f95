import Casework
import Foundation
import Phrasebook
import Simulation
import Telemetry
import Testing
import TimeSeriesStore

/// Cases, their store and their deliveries together: killed at every place where a power cut can fall, against a run that was never killed.
@Suite struct RestartTests {
    /// Where the power is cut.
    private enum Cut: CaseIterable { case beforeCommit, afterCommit, afterReceipt, afterRecord, nowhere }

    /// A small gateway: what it decides it makes durable, what is durable it sends, what was sent it records.
    private struct World {
        let store: Store
        var book: CaseBook
        var schedule: DeliverySchedule
        var now = Instant(recorded: WallTime(unixSeconds: 1_700_000_000))
        /// What arrived, in order, with repetitions.
        var received: [Notice] = []
        var tries: [NoticeID: Int] = [:]
        private let seed: UInt64

        init(seed: UInt64) throws {
            self.seed = seed
            store = try Store(path: FileManager.default.temporaryDirectory.appendingPathComponent("wellward-restart-\(UUID().uuidString)/w.sqlite").path)
            book = Self.book()
            schedule = DeliverySchedule(seed: seed)
        }

        static func book(open: [Case] = [], next: Int = 1) -> CaseBook {
            let contacts: [ContactCard] = [
                ContactCard(id: "daughter", role: .family, channels: ["f", "g"]), ContactCard(id: "grid", role: .gridWorker, channels: ["f"]),
                ContactCard(id: "committee", role: .committee, channels: ["g"]), ContactCard(id: "station", role: .station, channels: ["f"]),
                ContactCard(id: "town", role: .town, channels: ["f"]),
            ]
            let ties: [Subject: Directory.Tie] = [
                Subject(.household, "h-0"): .init(contacts: ["daughter"], grid: "g"), Subject(.household, "h-1"): .init(contacts: ["daughter"], grid: "g"),
            ]
            return CaseBook(
                ladders: Ladders(), directory: Directory(contacts: contacts, ties: ties), language: .english, civil: CivilClock(zone: .gmt), open: open,
                nextNumber: next)
        }

        /// All that was in memory is gone; what is on the disk is taken up.
        mutating func restart() throws {
            let (open, next, pending) = try store.readNow { (try $0.cases(open: true, limit: 1000), try $0.nextCaseNumber(), try $0.undelivered()) }
            book = Self.book(open: open, next: next)
            schedule = DeliverySchedule(pending: pending, seed: seed)
        }

        /// One event from its arrival to what follows, with a cut on the way. An event that was not durable comes again, as a person who got no
        /// answer presses again and a watch that was not saved finds the same.
        mutating func take(_ event: CaseBook.Event, cut: Cut) throws {
            if cut == .beforeCommit {
                _ = try? book.handle(event, at: now)
                try restart()
            }
            let effects = (try? book.handle(event, at: now)) ?? []
            var notices: [Notice] = []
            try store.writeNow { writer in
                for effect in effects {
                    if case .save(let item) = effect { try writer.save(item) }
                    if case .notify(let notice) = effect {
                        try writer.save(DeliverySchedule.Item(notice))
                        notices.append(notice)
                    }
                }
            }
            if cut == .afterCommit { try restart() } else { for notice in notices { schedule.enqueue(notice) } }
            try deliver(cut)
        }

        mutating func deliver(_ cut: Cut = .nowhere) throws {
            var cut = cut
            var parcels = schedule.due(at: now.elapsed)
            while !parcels.isEmpty {
                for parcel in parcels {
                    let attempt = receive(parcel)
                    if cut == .afterReceipt {
                        cut = .nowhere
                        try restart()
                        break
                    }
                    let items = schedule.finish(parcel, attempt, at: now)
                    try store.writeNow { for item in items { try $0.save(item) } }
                    if cut == .afterRecord {
                        cut = .nowhere
                        try restart()
                        break
                    }
                }
                parcels = schedule.due(at: now.elapsed)
            }
        }

        /// A receiver that fails now and then, and takes each in the end.
        private mutating func receive(_ parcel: DeliverySchedule.Parcel) -> DeliverySchedule.Attempt {
            for item in parcel.items {
                let count = tries[item.notice.id, default: 0]
                tries[item.notice.id] = count + 1
                if count < 3, (seed &+ UInt64(count) &+ UInt64(item.notice.id.rawValue.utf8.reduce(0) { $0 + Int($1) })) % 3 == 0 {
                    return .failed("HTTP 503", retryAfter: nil)
                }
            }
            received += parcel.items.map(\.notice)
            return .delivered
        }

        mutating func drain() throws {
            for _ in 0..<500 where !schedule.waiting.isEmpty {
                now = now.advanced(by: .minutes(2))
                try deliver()
            }
        }
    }

    @Test(arguments: 0..<12 as Range<UInt64>)
    func `killed before, between and after each write and each try, every notice arrives under its one name and no case differs`(seed: UInt64) throws {
        var whole = try World(seed: seed)
        var broken = try World(seed: seed)
        var random = SeededRandom(seed: seed)
        for _ in 0..<35 {
            let step = Interval.seconds(Int64.random(in: 1...900, using: &random))
            let home = Subject(.household, "h-\(Int.random(in: 0...1, using: &random))")
            let choice = Int.random(in: 0..<12, using: &random)
            let cut = Cut.allCases.randomElement(using: &random) ?? .nowhere
            whole.now = whole.now.advanced(by: step)
            broken.now = whole.now
            for event in events(choice, home, whole.book, whole.now) { try whole.take(event, cut: .nowhere) }
            for event in events(choice, home, broken.book, broken.now) { try broken.take(event, cut: cut) }
        }
        try whole.drain()
        try broken.drain()
        func byName(_ world: World) -> [NoticeID: Notice] { Dictionary(world.received.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first }) }
        let (expected, found) = (byName(whole), byName(broken))
        #expect(Set(whole.received.map(\.id)).count == whole.received.count, "never killed: none twice")
        #expect(expected == found, "seed \(seed): the same notices, with the same words, under the same names")
        // A repetition is the very same notice, and for each reader of a case each arrives first in the order in which they were made.
        for notice in broken.received { #expect(notice == found[notice.id], "seed \(seed)") }
        var seen: Set<NoticeID> = []
        let firsts = broken.received.filter { seen.insert($0.id).inserted }
        for (key, notices) in Dictionary(grouping: firsts, by: { "\($0.caseID) \($0.channel) \($0.contact)" }) {
            let numbers = notices.compactMap { Int($0.id.rawValue.split(separator: "n").last ?? "") }
            #expect(numbers == numbers.sorted(), "seed \(seed): \(key)")
        }
        let (wholeCases, brokenCases) = (
            try whole.store.readNow { try $0.cases(open: nil, limit: 1000) }, try broken.store.readNow { try $0.cases(open: nil, limit: 1000) }
        )
        #expect(wholeCases == brokenCases, "seed \(seed)")
        let left = try broken.store.readNow { try $0.undelivered() }
        #expect(!wholeCases.isEmpty && left.isEmpty, "seed \(seed)")
        try whole.store.close()
        try broken.store.close()
    }

    /// A tick, and perhaps something else.
    private func events(_ choice: Int, _ home: Subject, _ book: CaseBook, _ now: Instant) -> [CaseBook.Event] {
        func silence(_ severity: Severity) -> CaseBook.Event {
            .finding(
                Finding(
                    subject: home, kind: .inactivity, rule: "volume", severity: severity, at: now, text: LocalizedText(chinese: "只用了3升", english: "only 3 L")))
        }
        func act(_ deed: CaseBook.Act.Deed, _ who: String) -> [CaseBook.Event] {
            book.openCase(home, .inactivity).map { [.act($0.id, .init(deed, by: who))] } ?? []
        }
        switch choice {
        case 0, 1: return [.tick, silence(.alarm)]
        case 2: return [.tick, silence(.attention)]
        case 3: return [.tick, .signOfLife(HouseholdID(home.id))]
        case 4: return [.tick] + act(.accept, "grid")
        case 5: return [.tick] + act(.accept, "daughter")
        case 6: return [.tick] + act(.arrived, "grid")
        case 7: return [.tick] + act(.handBack, "grid")
        case 8: return [.tick] + act(.outcome(.noAccess, until: nil), "grid")
        case 9: return [.tick] + act(.outcome(.safe, until: nil), "grid")
        default: return [.tick]
        }
    }
}
