import Casework
import Messaging
import ScriptedPeers
import TestSupport
import Testing

@testable import Notifiers

/// The test of an `mqtt` channel: over MQTT 3.1.1 an acknowledgement says nothing about the access list.
@Suite(.serialized) struct MQTTNotifierTests {
    private let topic = "wellward/v1/notices/committee"

    private func publisher(_ broker: ScriptedBroker) async throws -> AcknowledgedPublisher {
        let publisher = try AcknowledgedPublisher(MQTTSettings(host: "127.0.0.1", port: broker.port, clientID: "n"))
        try await eventually { publisher.isConnected && publisher.dialect != nil }
        return publisher
    }

    @Test func `a test over 3_1_1 is delivered when its own message came back, and then listens no more`() async throws {
        let broker = try ScriptedBroker()
        defer { broker.stop() }
        broker.change { $0.passesOn = true }
        let publisher = try await publisher(broker)
        defer { publisher.close() }
        let notifier = MQTTNotifier(client: publisher, topic: topic)
        #expect(await notifier.test(NotifierTests.letter("test-1", text: String(repeating: "x", count: 300))) == .delivered)
        try await eventually { broker.asked.unsubscribed == [topic] }
        #expect(broker.asked.topics == [topic] && broker.asked.published.map(\.topic) == [topic])
    }

    @Test func `a broker of 3_1_1 that acknowledges and drops fails the test in plain words, and no notice is held up by it`()
        async throws
    {
        let broker = try ScriptedBroker()
        defer { broker.stop() }
        let publisher = try await publisher(broker)
        defer { publisher.close() }
        let notifier = MQTTNotifier(client: publisher, topic: topic)
        let why = (await notifier.test(NotifierTests.letter("test-1")).bounded).why ?? ""
        #expect(why.contains("took the message but did not pass it on") && why.contains("write \(topic)"), "\(why)")
        #expect(why.hasSuffix("for this test also read it"), "\(why)")
        try await eventually { broker.asked.unsubscribed == [topic] }
        // A notice is no test: it is delivered when the broker has it.
        #expect(await notifier.deliver(NotifierTests.letter("n-1")) == .delivered)
        #expect(broker.asked.topics == [topic] && publisher.health.isGood)
    }

    @Test func `a broker that refuses the test's subscription is named, with what cannot be judged`() async throws {
        let broker = try ScriptedBroker(.init { _ in 0x80 })
        defer { broker.stop() }
        let publisher = try await publisher(broker)
        defer { publisher.close() }
        let why = (await MQTTNotifier(client: publisher, topic: topic).test(NotifierTests.letter("test-1")).bounded).why ?? ""
        #expect(why.contains("took the message, but whether it passes it on cannot be judged"), "\(why)")
        #expect(why.contains("refuses the subscription to \(topic)") && why.hasSuffix("read the topic for this test"), "\(why)")
        #expect(broker.asked.published.count == 1 && publisher.health.isGood)
    }

    @Test func `a connection that is lost during the test ends it at once`() async throws {
        let broker = try ScriptedBroker(.init { _ in nil })
        let publisher = try await publisher(broker)
        defer { publisher.close() }
        async let attempt = MQTTNotifier(client: publisher, topic: topic).test(NotifierTests.letter("test-1"))
        try await eventually { broker.asked.topics == [topic] }
        broker.stop()
        let why = (await attempt).why ?? ""
        #expect(why.contains("lost during the test"), "\(why)")
    }

    @Test func `over MQTT 5 a test subscribes to nothing, and a refusal says its reason`() async throws {
        let broker = try ScriptedBroker(.init(level: 5))
        defer { broker.stop() }
        let publisher = try await publisher(broker)
        defer { publisher.close() }
        let notifier = MQTTNotifier(client: publisher, topic: topic)
        #expect(await notifier.test(NotifierTests.letter("test-1")) == .delivered)
        broker.change { $0.publication = 0x87 }
        let why = (await notifier.test(NotifierTests.letter("test-2"))).why ?? ""
        #expect(why.contains("refuses the publication to \(topic)") && why.lowercased().contains("not authorized"), "\(why)")
        #expect(broker.asked.topics == [])
    }
}
