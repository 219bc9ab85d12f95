import Foundation
import Telemetry
import Testing
import TimeSeriesStore

@testable import Watchkeeping

@Suite struct UpstreamPaceTests {
    @Test func `pauses grow while the hub is away, never past five minutes, and end with the first arrival`() {
        var pace = UpstreamPace(seed: 3)
        var longest = Interval.zero
        for step in 0..<30 {
            let pause = pace.next(arrived: false)
            #expect(pause <= UpstreamPace.longest && pause >= .milliseconds(min(150_000, 500 << Int64(min(step, 9)))), "\(step): \(pause)")
            longest = max(longest, pause)
        }
        #expect(longest > .minutes(2))
        #expect(pace.next(arrived: true) == .zero)
        #expect(pace.next(arrived: false) <= .seconds(1))
        var (one, other) = (UpstreamPace(seed: 1), UpstreamPace(seed: 2))
        #expect((0..<5).map { _ in one.next(arrived: false) } != (0..<5).map { _ in other.next(arrived: false) }, "many gateways do not come back together")
    }

    @Test func `a message bears the same id whenever it is sent again, and says where it belongs`() throws {
        let entry = SpoolEntry(kind: .caseFile, subject: "household/h-1", at: WallTime(unixSeconds: 1_700_000_000), body: "{\"id\":\"c-1\"}", number: 7)
        let message = UpstreamMessage(entry, prefix: "p", site: "s", tag: "abc", deflates: false)
        #expect(message == UpstreamMessage(entry, prefix: "p", site: "s", tag: "abc", deflates: false))
        #expect(message.topic == "p/sites/s/case")
        let json = try #require(try JSONSerialization.jsonObject(with: Data(message.payload)) as? [String: Any])
        #expect(json["id"] as? String == "s.abc.7" && json["seq"] as? Int == 7 && json["at"] as? String == "2023-11-14T22:13:20.000+00:00")
        #expect((json["body"] as? [String: Any])?["id"] as? String == "c-1")
    }

    @Test(arguments: [
        ("a/b", "a/b", true), ("a/+", "a/b", true), ("a/+", "a/b/c", false), ("a/#", "a/b/c", true), ("#", "x", true), ("a/b", "a", false),
        ("+/b", "a/b", true),
    ])
    func `topic filters fit as MQTT has it`(filter: String, topic: String, fits: Bool) { #expect(filter.fits(topic: topic) == fits) }

    @Test func `what waits too long or too much is given up, readings before findings before cases`() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("wellward-test-\(UUID().uuidString)/w.sqlite").path
        let store = try Store(path: path)
        let now = WallTime(unixSeconds: 1_700_000_000)
        func fill(_ kind: SpoolEntry.Kind, _ count: Int, age: Interval = .zero) throws {
            try store.writeNow { writer in
                for number in 0..<count {
                    try writer.spool(
                        SpoolEntry(kind: kind, subject: "s", at: now - age, body: "{\"n\":\(number),\"pad\":\"\(String(repeating: "x", count: 980))\"}"))
                }
            }
        }
        try fill(.caseFile, 50)
        try fill(.readings, 1200)
        try fill(.finding, 300)
        try fill(.outcome, 5, age: .days(40))
        func kinds() throws -> [SpoolEntry.Kind: Int] {
            Dictionary(try store.readNow { try $0.spooled(limit: 10_000) }.map { ($0.kind, 1) }, uniquingKeysWith: +)
        }
        let first = try store.writeNow { try $0.trimSpool(SpoolLimits(bytes: 800_000), at: now) }.forRoom
        #expect(first > 5)
        var left = try kinds()
        #expect(left[.caseFile] == 50 && left[.finding] == 300 && left[.outcome] == nil && (400...460).contains(left[.readings] ?? 0), "\(left)")
        _ = try store.writeNow { try $0.trimSpool(SpoolLimits(bytes: 200_000), at: now) }
        left = try kinds()
        #expect(left[.readings] == nil && left[.caseFile] == 50 && (left[.finding] ?? 0) > 100, "\(left)")
        _ = try store.writeNow { try $0.trimSpool(SpoolLimits(bytes: 20_000), at: now) }
        left = try kinds()
        #expect(left[.finding] == nil && (15...20).contains(left[.caseFile] ?? 0), "\(left)")
        try store.close()
    }

    @Test func `a start at 1970 makes nothing too old: neither what was written then, nor anything while the clock is not believed`() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("wellward-test-\(UUID().uuidString)/w.sqlite").path
        let store = try Store(path: path)
        let now = WallTime(unixSeconds: 1_700_000_000)
        func count() throws -> Int { try store.readNow { try $0.spoolTally().count } }
        try store.writeNow { writer in
            for at in [WallTime(unixSeconds: 60), now - .days(40), now] { try writer.spool(SpoolEntry(kind: .caseFile, subject: "s", at: at, body: "{}")) }
        }
        let unbelieved = try store.writeNow { try $0.trimSpool(SpoolLimits(), at: now, mayForget: false) }
        #expect(unbelieved == (0, 0))
        #expect(try count() == 3)
        let believed = try store.writeNow { try $0.trimSpool(SpoolLimits(), at: now) }
        #expect(believed == (1, 0))
        #expect(try store.readNow { try $0.spooled(limit: 9).map(\.at) } == [WallTime(unixSeconds: 60), now])
        try store.close()
    }

    @Test func `a record that was set back sends under new names what is new, and under its own what it had`() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("wellward-test-\(UUID().uuidString)/w.sqlite").path
        let store = try Store(path: path)
        func spool(_ count: Int) throws {
            try store.writeNow { writer in
                for _ in 0..<count { try writer.spool(SpoolEntry(kind: .finding, subject: "s", at: WallTime(unixSeconds: 1), body: "{}")) }
            }
        }
        func tags() throws -> [String] {
            let tags = try #require(try store.readNow { try $0.upstreamTags() })
            return (1...9).map { tags.tag(of: $0) }
        }
        #expect(try store.readNow { try $0.upstreamTags() } == nil)
        try store.writeNow { try $0.setFact("tag", "first") }
        try spool(3)
        try store.writeNow { try $0.beginUpstreamTag() }
        let second = try tags()
        #expect(second[0..<3] == ["first", "first", "first"] && Set(second[3...]).count == 1 && second[3] != "first")
        // Damage: everything was sent already, the facts are carried over, and numbers begin at one again.
        let facts = try store.readNow { reader in try ["tag", "upstream_tags"].map { ($0, try reader.fact($0) ?? "") } }
        let fresh = try Store(path: path + "-2")
        try fresh.writeNow { writer in
            for (name, value) in facts { try writer.setFact(name, value) }
            try writer.beginUpstreamTag()
        }
        let tags = try #require(try fresh.readNow { try $0.upstreamTags() })
        let third = Set((1...9).map { tags.tag(of: $0) })
        #expect(third.count == 1 && third.isDisjoint(with: second))
        try store.close()
        try fresh.close()
    }
}
