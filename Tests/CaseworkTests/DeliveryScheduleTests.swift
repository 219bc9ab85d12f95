import Phrasebook
import Telemetry
import Testing

@testable import Casework

@Suite struct DeliveryScheduleTests {
    func notice(
        _ id: String, _ item: String = "c-1", channel: String = "a", notBefore: Interval = .zero, severity: Severity = .alarm, to contact: String = "x",
        at now: Interval = .zero
    ) -> Notice {
        let now = Instant(elapsed: now, wall: WallTime(unixSeconds: 0))
        return Notice(
            id: NoticeID(id), caseID: CaseID(item), kind: .opened, contact: ContactID(contact), channel: ChannelID(channel), role: .family, language: .english,
            severity: severity, caseKind: .inactivity, stage: .dispatched, subject: Subject(.household, "h"), roles: [.family],
            text: LocalizedText(chinese: "", english: ""), reasons: [], createdAt: now, openedAt: now, notBefore: notBefore)
    }

    func at(_ seconds: Int64) -> Instant { Instant(elapsed: .seconds(seconds), wall: WallTime(unixSeconds: seconds)) }

    func ids(_ parcels: [DeliverySchedule.Parcel]) -> [String] { parcels.flatMap { $0.items.map(\.notice.id.rawValue) } }

    @Test func `a dead channel delays no other`() {
        var schedule = DeliverySchedule(seed: 1)
        schedule.enqueue(notice("1", channel: "dead"))
        schedule.enqueue(notice("2", channel: "well"))
        let first = schedule.due(at: .zero)
        #expect(ids(first) == ["1", "2"])
        _ = schedule.finish(first[0], .failed("no", retryAfter: nil), at: at(0))
        _ = schedule.finish(first[1], .delivered, at: at(0))
        schedule.enqueue(notice("3", channel: "well"))
        #expect(ids(schedule.due(at: .milliseconds(1))) == ["3"])
    }

    @Test func `in a storm what was never tried goes before what failed once`() {
        var schedule = DeliverySchedule(seed: 1)
        let lanes = DeliverySchedule.lanes
        for number in 1...lanes + 1 { schedule.enqueue(notice("\(number)", "c-\(number)", to: "reader-\(number)")) }
        for parcel in schedule.due(at: .zero) { _ = schedule.finish(parcel, .failed("no", retryAfter: nil), at: at(0)) }
        #expect(ids(schedule.due(at: .seconds(2))) == ["\(lanes + 1)"] + (1..<lanes).map { "\($0)" })
    }

    @Test func `a slow answer about one case holds up that case only`() {
        var schedule = DeliverySchedule(seed: 1)
        for (id, item) in [("1", "c-1"), ("2", "c-1"), ("3", "c-2"), ("4", "c-3")] { schedule.enqueue(notice(id, item)) }
        #expect(ids(schedule.due(at: .zero)) == ["1", "3", "4"])
        #expect(schedule.due(at: .zero).isEmpty && schedule.nextDue == nil, "the second notice of the first case waits for the first")
    }

    @Test func `notices of one case keep their order on a channel; other cases pass by`() {
        var schedule = DeliverySchedule(seed: 1)
        schedule.enqueue(notice("1"))
        schedule.enqueue(notice("2"))
        schedule.enqueue(notice("3", "c-2"))
        let first = schedule.due(at: .zero)
        #expect(ids(first) == ["1", "3"])
        for parcel in first { _ = schedule.finish(parcel, .failed("no", retryAfter: nil), at: at(0)) }
        schedule.enqueue(notice("4", "c-3"))
        #expect(ids(schedule.due(at: .zero)) == ["4"])
    }

    @Test func `a retry backs off with jitter, honours Retry-After where nobody lies on the floor, and ends as dead`() throws {
        var schedule = DeliverySchedule(seed: 1)
        schedule.enqueue(notice("1", severity: .attention))
        var now: Int64 = 0
        var attempts = 0
        var last: DeliverySchedule.Item?
        while let parcel = schedule.due(at: .seconds(now)).first {
            attempts += 1
            last = schedule.finish(parcel, .failed("no", retryAfter: attempts == 1 ? .seconds(120) : nil), at: at(now)).first
            if attempts == 1 { #expect(last.map { $0.nextAt >= .seconds(now + 120) } == true) }
            now += 4000
        }
        #expect(last?.state == .dead)
        #expect(now >= 86_400 && now < 86_400 + 8000, "given up after a day, not before")
    }

    @Test(arguments: [61, 600, 3600, 86_400]) func `no server puts an alarm off beyond an alarm's own interval`(seconds: Int64) throws {
        var asked = DeliverySchedule(seed: 7)
        var usual = DeliverySchedule(seed: 7)
        asked.enqueue(notice("1"))
        usual.enqueue(notice("1"))
        var now = Interval.zero
        for _ in 0..<30 {
            let wall = Instant(elapsed: now, wall: WallTime(unixSeconds: 0))
            for parcel in asked.due(at: now) { _ = asked.finish(parcel, .failed("429", retryAfter: .seconds(seconds)), at: wall) }
            for parcel in usual.due(at: now) { _ = usual.finish(parcel, .failed("429", retryAfter: nil), at: wall) }
            #expect(asked.nextDue == usual.nextDue)
            now = try #require(asked.nextDue)
        }
        var soft = DeliverySchedule(seed: 7)
        soft.enqueue(notice("2", severity: .attention))
        for parcel in soft.due(at: .zero) { _ = soft.finish(parcel, .failed("429", retryAfter: .days(9)), at: at(0)) }
        #expect(soft.nextDue.map { $0 <= .hours(1) } == true, "bounded for everybody")
    }

    @Test func `a reader who is put off for ever costs no other reader of the same case a minute`() throws {
        var schedule = DeliverySchedule(seed: 1)
        var now = Interval.zero
        var delivered: [(id: String, after: Interval)] = []
        var number = 0
        for round in 0..<60 {
            for reader in ["bad", "one", "two", "three"] {
                number += 1
                schedule.enqueue(notice("\(reader)-\(number)", to: reader, at: now))
            }
            let told = now
            while let due = schedule.nextDue, due < .minutes(Int64(15 * (round + 1))) {
                now = max(now, due)
                for parcel in schedule.due(at: now) {
                    let isBad = parcel.items[0].notice.contact == "bad"
                    let took: Interval = isBad ? .seconds(30) : .seconds(1)
                    let wall = Instant(elapsed: now + took, wall: WallTime(unixSeconds: 0))
                    for item in schedule.finish(parcel, isBad ? .deferred("450") : .delivered, at: wall) where item.state == .sent {
                        delivered.append((item.notice.id.rawValue, now + took - told))
                    }
                }
            }
            now = .minutes(Int64(15 * (round + 1)))
        }
        #expect(delivered.count == 180 && delivered.allSatisfy { $0.after < .minutes(1) })
    }

    @Test func `readers whose relay hangs leave lanes for the others, however many cases they have`() {
        var schedule = DeliverySchedule(seed: 1)
        for number in 1...40 { for reader in ["slow-1", "slow-2", "well"] { schedule.enqueue(notice("\(reader)/\(number)", "c-\(number)", to: reader)) } }
        // Each try of a slow reader takes half a minute; another's half a second.
        var running: [(end: Interval, parcel: DeliverySchedule.Parcel)] = []
        var now = Interval.zero
        var reached: [String] = []
        while now < .minutes(4) {
            for parcel in schedule.due(at: now) {
                let slow = parcel.items[0].notice.contact != "well"
                running.append((now + (slow ? .seconds(30) : .milliseconds(500)), parcel))
            }
            for (_, parcel) in running.filter({ $0.end <= now }) {
                let slow = parcel.items[0].notice.contact != "well"
                let wall = Instant(elapsed: now, wall: WallTime(unixSeconds: 0))
                for item in schedule.finish(parcel, slow ? .failed("timeout", retryAfter: nil) : .delivered, at: wall) where item.state == .sent {
                    reached.append(item.notice.id.rawValue)
                }
            }
            running.removeAll { $0.end <= now }
            now = now + .milliseconds(500)
        }
        #expect(reached.count == 40)
        schedule.enqueue(notice("later", "c-99", to: "well", at: now))
        #expect(ids(schedule.due(at: now)).contains("later"))
    }

    @Test func `an alarm behind an attention that failed waits no longer than alarms wait`() throws {
        var schedule = DeliverySchedule(seed: 1)
        schedule.enqueue(notice("soft", severity: .attention))
        var now = Interval.zero
        for _ in 0..<14 {
            for parcel in schedule.due(at: now) {
                _ = schedule.finish(parcel, .failed("no", retryAfter: nil), at: Instant(elapsed: now, wall: WallTime(unixSeconds: 0)))
            }
            now = try #require(schedule.nextDue)
        }
        let asked = now - .minutes(30)
        schedule.enqueue(notice("hard", at: asked))
        #expect(schedule.nextDue.map { $0 <= asked + .minutes(1) } == true)
    }

    @Test func `a channel that is asked too often gets one message at a time, then ever fewer, and its pace back when it takes again`() throws {
        var schedule = DeliverySchedule(seed: 1)
        for number in 1...40 { schedule.enqueue(notice("\(number)", "c-\(number)", severity: number == 40 ? .alarm : .attention, to: "reader-\(number)")) }
        // The relay bears one message in five seconds.
        var now = Interval.zero
        var last = Interval.seconds(-60)
        var tries = 0
        var sent: [String] = []
        while sent.count < 40, now < .hours(2) {
            for parcel in schedule.due(at: now) {
                tries += 1
                let bears = now - last >= .seconds(5)
                if bears { last = now }
                let wall = Instant(elapsed: now, wall: WallTime(unixSeconds: 0))
                let attempt: DeliverySchedule.Attempt = bears ? .delivered : .limited("550 frequency limited", retryAfter: nil)
                for item in schedule.finish(parcel, attempt, at: wall) where item.state == .sent { sent.append(item.notice.id.rawValue) }
            }
            now = max(now + .milliseconds(10), schedule.nextDue ?? now)
        }
        #expect(sent.count == 40 && sent.first == "40", "nothing is lost, and the alarm goes first")
        #expect(tries < 140, "\(tries) tries for forty messages")
        schedule.enqueue(notice("41", "c-41", at: now))
        #expect(schedule.nextDue.map { $0 <= now + DeliveryQueue.longestGap } == true)
    }

    @Test func `what a try costs does not grow with what waits`() {
        func seconds(_ waiting: Int) -> Double {
            var schedule = DeliverySchedule(seed: 1)
            schedule.paces = ["a": .init(count: 19, per: .minutes(1), merge: 4)]
            for number in 0..<waiting { schedule.enqueue(notice("\(number)", "c-\(number)", severity: .attention, to: "reader-\(number % 7)")) }
            let clock = ContinuousClock()
            var now = Interval.zero
            let took = clock.measure {
                for _ in 0..<200 {
                    now = max(now, schedule.nextDue ?? now)
                    for parcel in schedule.due(at: now) {
                        _ = schedule.finish(parcel, .failed("no", retryAfter: nil), at: Instant(elapsed: now, wall: WallTime(unixSeconds: 0)))
                    }
                }
            }
            return Double(took.components.attoseconds) / 1e18 + Double(took.components.seconds)
        }
        var (few, many) = (Double.infinity, Double.infinity)
        for _ in 0..<4 { (few, many) = (min(few, seconds(500)), min(many, seconds(32_000))) }
        #expect(many < 24 * few, "64 times as many wait, and a try takes \(many / few) times as long")
    }

    @Test func `an alarm is tried every minute as long as it takes, attention ever more rarely`() {
        for (severity, most) in [(Severity.alarm, Interval.minutes(1)), (.attention, .hours(1))] {
            var schedule = DeliverySchedule(seed: 3)
            schedule.enqueue(notice("1", severity: severity))
            var waits: [Interval] = []
            var now = Interval.zero
            for _ in 0..<16 {
                for parcel in schedule.due(at: now) {
                    _ = schedule.finish(parcel, .failed("no", retryAfter: nil), at: Instant(elapsed: now, wall: WallTime(unixSeconds: 0)))
                }
                let next = schedule.nextDue ?? now
                waits.append(next - now)
                now = next
            }
            #expect(waits.allSatisfy { $0 <= most } && waits.last.map { $0 >= .milliseconds(most.milliseconds * 3 / 4) } == true, "\(waits)")
        }
    }

    @Test func `quiet hours hold a notice back`() {
        var schedule = DeliverySchedule(seed: 1)
        schedule.enqueue(notice("1", notBefore: .hours(2)))
        #expect(schedule.due(at: .hours(1)).isEmpty)
        #expect(schedule.nextDue == .hours(2))
        #expect(schedule.due(at: .hours(2)).count == 1)
    }

    @Test func `attention that waits for the morning holds back no alarm of its case`() {
        var schedule = DeliverySchedule(seed: 1)
        schedule.enqueue(notice("soft", notBefore: .hours(7)))
        schedule.enqueue(notice("hard"))
        #expect(ids(schedule.due(at: .zero)) == ["hard"])
    }

    @Test func `what waits for the same morning goes out in its case's order, one after the other`() {
        var schedule = DeliverySchedule(seed: 1)
        schedule.enqueue(notice("opened", notBefore: .hours(7), severity: .attention))
        schedule.enqueue(notice("closed", notBefore: .hours(7), severity: .attention))
        let first = schedule.due(at: .hours(7))
        #expect(ids(first) == ["opened"] && schedule.due(at: .hours(7)).isEmpty)
        for parcel in first { _ = schedule.finish(parcel, .delivered, at: at(7 * 3600)) }
        #expect(ids(schedule.due(at: .hours(7))) == ["closed"])
    }

    @Test func `a blocked notice does not make the desk wake for nothing`() {
        var schedule = DeliverySchedule(seed: 1)
        schedule.enqueue(notice("1"))
        schedule.enqueue(notice("2"))
        let first = schedule.due(at: .zero)
        _ = schedule.finish(first[0], .failed("no", retryAfter: .seconds(50)), at: at(0))
        #expect(schedule.nextDue.map { $0 >= .seconds(50) } == true)
    }

    @Test func `a robot's pace is kept, alarms go first, and nothing is dropped`() {
        var schedule = DeliverySchedule(seed: 1)
        schedule.paces = ["a": .init(count: 3, per: .minutes(1))]
        for number in 1...8 { schedule.enqueue(notice("\(number)", "c-\(number)", severity: number == 8 ? .alarm : .attention)) }
        var sent: [(second: Int64, id: String)] = []
        for second in 0..<200 as Range<Int64> {
            while let parcel = schedule.due(at: .seconds(second)).first {
                for item in schedule.finish(parcel, .delivered, at: at(second)) { sent.append((second, item.notice.id.rawValue)) }
            }
        }
        #expect(sent.first?.id == "8")
        #expect(Set(sent.map(\.id)).count == 8)
        for start in 0..<140 as Range<Int64> { #expect(sent.count { $0.second >= start && $0.second < start + 60 } <= 3) }
        #expect(schedule.nextDue == nil)
    }

    @Test func `when more wait than a robot's pace has room for, notices share a message, each once, alarms first, a case in its order`() {
        var schedule = DeliverySchedule(seed: 1)
        schedule.paces = ["a": .init(count: 3, per: .minutes(1), merge: 4)]
        for number in 1...10 { schedule.enqueue(notice("\(number)", "c-\(number)", severity: number == 9 ? .alarm : .attention)) }
        schedule.enqueue(notice("11", "c-1", severity: .attention))
        var messages: [[String]] = []
        for second in 0..<120 as Range<Int64> {
            while let parcel = schedule.due(at: .seconds(second)).first {
                messages.append(schedule.finish(parcel, .delivered, at: at(second)).map(\.notice.id.rawValue))
            }
        }
        #expect(messages.first == ["9", "1", "2", "3"])
        let order = messages.flatMap(\.self)
        #expect(order.count == 11 && Set(order).count == 11)
        #expect(messages.allSatisfy { !($0.contains("1") && $0.contains("11")) }, "one case, one message after the other")
    }
}
