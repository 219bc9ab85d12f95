import Demonstration
import Foundation
import Messaging
import ScriptedPeers
import TestSupport
import Testing

/// The test of a topic on brokers that acknowledge what they drop.
@Suite(.serialized) struct LoopbackTestTests {
    private let topic = "wellward/v1/notices/committee"

    private func end(_ test: inout LoopbackTest, after events: [LoopbackTest.Event]) -> [LoopbackTest.Effect] {
        events.map { test.handle($0) }.last ?? []
    }

    @Test func `a message that comes back is passed on, whether or not its acknowledgement came first`() {
        for before in [[LoopbackTest.Event.taken], []] {
            var test = LoopbackTest(topic: topic, payload: [1])
            #expect(test.handle(.begins) == [.subscribe])
            #expect(test.handle(.subscribed) == [.publish])
            for event in before { #expect(test.handle(event) == []) }
            #expect(test.handle(.cameBack) == [.unsubscribe, .end(.passedOn)])
            #expect(test.handle(.timeIsUp) == [] && test.handle(.lost) == [])
        }
    }

    @Test func `each way to fail has its own words, and each ends the subscription`() {
        let asked: [LoopbackTest.Event] = [.begins]
        let open: [LoopbackTest.Event] = [.begins, .subscribed]
        let cases: [(events: [LoopbackTest.Event], verdict: LoopbackTest.Verdict)] = [
            (open + [.taken, .timeIsUp], .notPassedOn(topic: topic)),
            (open + [.timeIsUp], .publicationUnanswered),
            (asked + [.timeIsUp], .subscriptionUnanswered(topic: topic)),
            (asked + [.subscriptionRefused("refused"), .taken], .unseen(topic: topic, why: "refused")),
            (asked + [.subscriptionRefused("refused"), .timeIsUp], .publicationUnanswered),
            (open + [.publicationRefused("no")], .refused(topic: topic, why: "no")),
            (open + [.taken, .lost], .lost(topic: topic)),
            (asked + [.failed("no memory")], .failed("no memory")),
            (open + [.cancelled], .cancelled),
        ]
        for (events, verdict) in cases {
            var test = LoopbackTest(topic: topic, payload: [1])
            #expect(end(&test, after: events) == [.unsubscribe, .end(verdict)], "\(events)")
        }
        let words = cases.compactMap(\.verdict.why)
        #expect(words.count == cases.count && Set(words).count == cases.count - 1, "\(words)")
    }

    @Test func `only the very message counts, and no copy that the broker had kept`() {
        let test = LoopbackTest(topic: "t", payload: [1, 2])
        #expect(test.isOwn(MQTTMessage(topic: "t", payload: [1, 2], retained: false)))
        #expect(!test.isOwn(MQTTMessage(topic: "t", payload: [1, 2], retained: true)))
        #expect(!test.isOwn(MQTTMessage(topic: "t", payload: [1], retained: false)))
        #expect(!test.isOwn(MQTTMessage(topic: "u", payload: [1, 2], retained: false)))
    }

    @Test func `a mosquitto that speaks 3_1_1 only passes on with the shipped access list, and without the right it is told`()
        async throws
    {
        let folder = try BrokerAccessTests.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let made = try BrokerAccessTests.run(
            "/usr/bin/mosquitto_passwd", ["-c", "-b", "passwd", "wellward", "secret"], in: folder)
        #expect(made == 0)
        let shipped = ShippedProfiles.root.appendingPathComponent("Deploy/mosquitto.acl").path
        try FileManager.default.copyItem(atPath: shipped, toPath: "\(folder)/acl")
        for name in ["passwd", "acl"] {
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: "\(folder)/\(name)")
        }
        let access = "allow_anonymous false\npassword_file \(folder)/passwd\nacl_file \(folder)/acl"
        let broker = try PrivateBroker(folder: folder, access: access)
        defer { broker.stop() }
        let proxy = try OldBrokerProxy(brokerPort: broker.port)
        defer { proxy.stop() }
        let publisher = try AcknowledgedPublisher(
            MQTTSettings(host: "127.0.0.1", port: proxy.port, clientID: "c", username: "wellward", password: "secret"))
        defer { publisher.close() }
        try await eventually { publisher.dialect == .threeOneOne }
        #expect(await publisher.test([1], on: topic) == .passedOn)
        // Such a broker acknowledges what its list forbids.
        #expect(await publisher.publish([2], to: "elsewhere", within: .seconds(10)).isTaken)
        #expect(await publisher.test([3], on: "elsewhere") == .notPassedOn(topic: "elsewhere"))
        #expect(publisher.health.isGood)
    }

    @Test func `two tests of one topic at once do not end each other's subscription`() async throws {
        let broker = try PrivateBroker(folder: try BrokerAccessTests.folder())
        defer { broker.stop() }
        let proxy = try OldBrokerProxy(brokerPort: broker.port)
        defer { proxy.stop() }
        let publisher = try AcknowledgedPublisher(MQTTSettings(host: "127.0.0.1", port: proxy.port, clientID: "c"))
        defer { publisher.close() }
        try await eventually { publisher.dialect == .threeOneOne }
        let (publisherOfAll, topic) = (publisher, topic)
        let verdicts = await withTaskGroup(of: LoopbackTest.Verdict.self) { group in
            for number in 0..<40 { group.addTask { await publisherOfAll.test([UInt8(number)], on: topic) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(verdicts == Array(repeating: .passedOn, count: 40))
    }
}

extension Result where Success == Bool {
    fileprivate var isTaken: Bool { if case .success(true) = self { true } else { false } }
}
