import Casework
import Messaging

/// Publishes each letter as a CloudEvent to a topic.
public struct MQTTNotifier: Notifier {
    private let client: AcknowledgedPublisher
    private let topic: String

    /// A topic on the gateway's broker.
    public init(client: AcknowledgedPublisher, topic: String) {
        self.client = client
        self.topic = topic
    }

    /// Publishes at QoS 1. Delivered means that the broker has said so.
    public func deliver(_ letter: Letter) async -> DeliverySchedule.Attempt {
        let event: [UInt8]
        do { event = Array(try letter.cloudEvent()) } catch { return .failed("\(error)", retryAfter: nil) }
        switch await client.publish(event, to: topic, within: .seconds(10)) {
        case .success(true): return .delivered
        case .success(false): return .failed(client.isConnected ? "the broker did not answer in 10 s" : "the broker is away", retryAfter: nil)
        case .failure(let fault): return .failed("\(fault)", retryAfter: nil)
        }
    }

    /// The same over MQTT 5, where a broker says that it refuses a publication. With 3.1.1 delivered means that the
    /// message has come back: such a broker acknowledges what its access list forbids.
    public func test(_ letter: Letter) async -> DeliverySchedule.Attempt {
        if client.dialect == .five { return await deliver(letter) }
        let event: [UInt8]
        do { event = Array(try letter.cloudEvent()) } catch { return .failed("\(error)", retryAfter: nil) }
        let verdict = await client.test(event, on: topic)
        return verdict.why.map { .failed($0, retryAfter: nil) } ?? .delivered
    }
}
