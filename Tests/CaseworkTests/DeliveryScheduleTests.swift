import Casework
import Phrasebook
import Telemetry
import Testing

@Suite struct DeliveryScheduleTests {
    func notice(_ id: String, _ item: String = "c-1", channel: String = "a", notBefore: Interval = .zero, severity: Severity = .alarm) -> Notice {
        let now = Instant(elapsed: .zero, wall: WallTime(unixSeconds: 0))
        return Notice(
            id: NoticeID(id), caseID: CaseID(item), kind: .opened, contact: "x", channel: ChannelID(channel), role: .family, language: .english,
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
        for number in 1...lanes + 1 { schedule.enqueue(notice("\(number)", "c-\(number)")) }
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

    @Test func `a retry backs off with jitter, honours Retry-After, and ends as dead`() throws {
        var schedule = DeliverySchedule(seed: 1)
        schedule.enqueue(notice("1"))
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

    @Test func `a channel through which nothing goes for ten minutes is in trouble until something does`() {
        var schedule = DeliverySchedule(seed: 1)
        schedule.enqueue(notice("1"))
        var now = Interval.zero
        while now < .minutes(9) {
            for parcel in schedule.due(at: now) {
                _ = schedule.finish(parcel, .failed("no", retryAfter: nil), at: Instant(elapsed: now, wall: WallTime(unixSeconds: 0)))
            }
            now = schedule.nextDue ?? now
        }
        #expect(!schedule.isTroubled("a", at: .minutes(9)) && schedule.isTroubled("a", at: .minutes(10)))
        for parcel in schedule.due(at: .minutes(11)) { _ = schedule.finish(parcel, .delivered, at: at(660)) }
        #expect(!schedule.isTroubled("a", at: .minutes(30)))
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
        _ = schedule.finish(first[0], .failed("no", retryAfter: .minutes(5)), at: at(0))
        #expect(schedule.nextDue.map { $0 >= .minutes(5) } == true)
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
