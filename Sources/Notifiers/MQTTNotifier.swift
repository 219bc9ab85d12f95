import Casework
import Messaging

/// Publishes each letter as a CloudEvent to a topic.
public struct MQTTNotifier: Notifier {
    private let client: MQTTClient
    private let topic: String

    /// A topic on the gateway's broker.
    public init(client: MQTTClient, topic: String) {
        self.client = client
        self.topic = topic
    }

    /// Hands the letter to the client. Delivery here means that the library has taken it.
    public func deliver(_ letter: Letter) async -> DeliverySchedule.Attempt {
        do {
            try client.publish(Array(try letter.cloudEvent()), to: topic)
            return .delivered
        } catch {
            return .failed("\(error)", retryAfter: nil)
        }
    }
}
