import Telemetry

/// Decides about a test of a topic on a broker that speaks MQTT 3.1.1: it acknowledges a publication that its access
/// list forbids and drops it, so whoever wants to know subscribes to the topic, publishes, and listens for the message.
/// A pure value: what happened goes in, what to do comes out; `AcknowledgedPublisher.test` carries it out.
public struct LoopbackTest: Sendable {
    /// What happens.
    public enum Event: Sendable, Hashable {
        case begins
        case subscribed
        case subscriptionRefused(String)
        /// The broker has acknowledged the publication.
        case taken
        case publicationRefused(String)
        /// The message that was published has arrived.
        case cameBack
        /// Something could not be handed over to the connection.
        case failed(String)
        /// The connection has ended.
        case lost
        /// `patience` has passed since it began.
        case timeIsUp
        /// Nobody waits for the verdict any more.
        case cancelled
    }

    /// What to do.
    public enum Effect: Sendable, Hashable {
        case subscribe
        case publish
        case unsubscribe
        case end(Verdict)
    }

    /// What came of it.
    public enum Verdict: Sendable, Hashable {
        /// The broker passes on what we publish to the topic.
        case passedOn
        case notPassedOn(topic: String)
        /// The broker took the message; whether it passes it on cannot be seen, since it refuses the subscription.
        case unseen(topic: String, why: String)
        case refused(topic: String, why: String)
        case failed(String)
        case lost(topic: String)
        case subscriptionUnanswered(topic: String)
        case publicationUnanswered
        case cancelled

        /// Why the test did not succeed and what to do; nil when it did.
        public var why: String? {
            let patience = "\(Int(LoopbackTest.patience.seconds)) s"
            return switch self {
            case .passedOn: nil
            case .notPassedOn(let topic):
                "the broker took the message but did not pass it on within \(patience); its access list must let the "
                    + "gateway write \(topic), and for this test also read it"
            case .unseen(let topic, let why):
                "the broker took the message, but whether it passes it on cannot be judged: it refuses the "
                    + "subscription to \(topic) (\(why)); its access list must let the gateway read the topic for this test"
            case .refused(let topic, let why): "the broker refuses the publication to \(topic): \(why)"
            case .failed(let why): why
            case .lost(let topic):
                "the connection to the broker was lost during the test; if that happens at each test, its access list "
                    + "must let the gateway write \(topic), and for this test also read it"
            case .subscriptionUnanswered(let topic):
                "the broker did not answer the subscription to \(topic) in \(patience); the message was not sent"
            case .publicationUnanswered: "the broker did not answer in \(patience)"
            case .cancelled: "the test was cancelled before it had a result"
            }
        }
    }

    private enum Subscription: Hashable {
        case none, asked, granted
        case refused(String)
    }

    /// The time from the beginning to the verdict, at most: subscription, publication and passing on together.
    public static let patience = Interval.seconds(10)

    /// Where the message goes, and comes from.
    public let topic: String
    private let payload: [UInt8]
    private var subscription = Subscription.none
    private var isTaken = false
    private var hasEnded = false

    /// A test with a message that nobody else sends: it must bear an id of its own.
    public init(topic: String, payload: [UInt8]) {
        self.topic = topic
        self.payload = payload
    }

    /// Whether a message is the one that was published. A copy the broker had kept is older than the test.
    public func isOwn(_ message: MQTTMessage) -> Bool {
        !message.retained && message.topic == topic && message.payload == payload
    }

    /// Takes one event.
    public mutating func handle(_ event: Event) -> [Effect] {
        guard !hasEnded else { return [] }
        switch (event, subscription) {
        case (.begins, .none):
            subscription = .asked
            return [.subscribe]
        case (.subscribed, .asked):
            subscription = .granted
            return [.publish]
        case (.subscriptionRefused(let why), .asked):
            subscription = .refused(why)
            return [.publish]
        case (.taken, .refused(let why)): return end(.unseen(topic: topic, why: why))
        case (.taken, .granted):
            isTaken = true
            return []
        case (.cameBack, .granted): return end(.passedOn)
        case (.publicationRefused(let why), _): return end(.refused(topic: topic, why: why))
        case (.failed(let why), _): return end(.failed(why))
        case (.lost, _): return end(.lost(topic: topic))
        case (.timeIsUp, .none), (.timeIsUp, .asked): return end(.subscriptionUnanswered(topic: topic))
        case (.timeIsUp, _): return end(isTaken ? .notPassedOn(topic: topic) : .publicationUnanswered)
        case (.cancelled, _): return end(.cancelled)
        default: return []
        }
    }

    /// A subscription that was refused or not answered is given back as well: the answer may be on its way.
    private mutating func end(_ verdict: Verdict) -> [Effect] {
        hasEnded = true
        return (subscription == .none ? [] : [.unsubscribe]) + [.end(verdict)]
    }
}
