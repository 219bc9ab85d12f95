import Casework
import Foundation
import Phrasebook
import Telemetry
import Testing

@Suite struct BoardingCaseTests {
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

    @Test(arguments: ["longest_hold", "too_often"]) func `whoever was told of an e-bike hears that the door is given up`(rule: String) {
        var bench = BookBench(ladders: Ladders(["ebike": Ladder(steps: [.init(after: .zero, notify: [.gridWorker])])]))
        for rule in ["confirmed", rule] {
            let text = LocalizedText(chinese: rule, english: rule)
            bench.take(.finding(Finding(subject: Subject(.elevator, "lift"), kind: .ebike, rule: rule, severity: .alarm, at: bench.now, text: text)))
        }
        #expect(bench.told == ["opened grid", "escalated grid"])
        #expect(bench.notices.last?.text.english == rule)
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
}
