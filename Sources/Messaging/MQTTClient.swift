import CMosquitto
import Glibc
import Synchronization
import Telemetry
import Threads

/// One supervised connection to a broker, with a clean session: what was missed while away is old news and does not come.
///
/// A thread of its own drives libmosquitto and carries out what `ConnectionSupervision` decides, so there is no thread of the library
/// that could end unheard. Each attempt is made with a new handle and files read anew. The handler is called on that thread and must only
/// copy and hand over. `publish` may be called from any thread.
public final class MQTTClient: Sendable {
    /// Payloads above this size are dropped in the callback.
    public static let greatestPayload = 256 << 10

    private let line: MQTTLine
    private let ended = BlockingQueue<Void>(capacity: 1)

    /// Begins a connection that subscribes to some topics each time it is up.
    /// - Parameters:
    ///   - acknowledged: told of each publication of ours, and of each subscription for a while, what the broker said:
    ///     nil when it has the message or grants the subscription, else why not
    ///   - onHealth: told each time something else is known to be wrong, or nothing any more
    /// - Throws: `MQTTFault` when the settings cannot be
    public init(
        _ settings: MQTTSettings, subscribe topics: [(String, Int32)] = [],
        acknowledged: (@Sendable (PublicationNumber, String?) -> Void)? = nil, onHealth: (@Sendable (ConnectionHealth) -> Void)? = nil,
        handler: @escaping @Sendable (MQTTEvent) -> Void
    ) throws(MQTTFault) {
        guard !settings.host.isEmpty, (1...65_535).contains(settings.port) else {
            throw MQTTFault(action: "preparing a connection", reason: "there is no broker \(settings.host):\(settings.port)")
        }
        line = MQTTLine(settings, topics, acknowledged: acknowledged, onHealth: onHealth, handler: handler)
        let (line, ended) = (line, ended)
        OwnThread.start {
            line.run()
            ended.push(())
        }
    }

    /// How the connection stands.
    public var health: ConnectionHealth { line.state.withLock { $0.health } }

    /// The version of MQTT spoken on the connection that is up; nil while there is none.
    public var dialect: ConnectionSupervision.Dialect? { line.state.withLock { $0.handle == nil ? nil : $0.dialect } }

    /// Hands a message over, to be sent at once. While the broker is away it is refused: nothing of ours is worth sending late.
    public func publish(_ payload: [UInt8], to topic: String, quality: Int32 = 1, retain: Bool = false) throws(MQTTFault) {
        _ = try publishNumbered(payload, to: topic, quality: quality, retain: retain)
    }

    /// The same, for whoever waits for the broker's word.
    /// - Returns: the message's number, which `acknowledged` is called with
    public func publishNumbered(
        _ payload: [UInt8], to topic: String, quality: Int32 = 1, retain: Bool = false
    ) throws(MQTTFault) -> PublicationNumber {
        let result = line.state.withLock { state -> Result<PublicationNumber, MQTTFault> in
            guard let handle = state.handle else { return .failure(MQTTFault(action: "publishing", reason: "the broker is not reached")) }
            var packet: Int32 = 0
            let code = mosquitto_publish(handle.pointer, &packet, topic, Int32(payload.count), payload, quality, retain)
            guard code == MOSQ_ERR_SUCCESS.rawValue else {
                return .failure(MQTTFault(action: "publishing", reason: String(cString: mosquitto_strerror(code))))
            }
            if quality > 0, state.underWay.count < 4096 { state.underWay[packet] = topic }
            return .success(PublicationNumber(connection: state.connection, packet: packet))
        }
        line.wakeUp()
        return try result.get()
    }

    /// Subscribes to a topic on the connection that is up, until `stopListening` or the connection's end.
    /// - Returns: the subscription's number, which `acknowledged` is called with
    func listen(to topic: String) throws(MQTTFault) -> PublicationNumber {
        let result = line.state.withLock { state -> Result<PublicationNumber, MQTTFault> in
            guard let handle = state.handle else {
                return .failure(MQTTFault(action: "subscribing to \(topic)", reason: "the broker is not reached"))
            }
            var packet: Int32 = 0
            // Such a topic as one can publish to: never a pattern.
            var code = mosquitto_pub_topic_check(topic)
            if code == MOSQ_ERR_SUCCESS.rawValue { code = mosquitto_subscribe(handle.pointer, &packet, topic, 1) }
            guard code == MOSQ_ERR_SUCCESS.rawValue else {
                let reason = String(cString: mosquitto_strerror(code))
                return .failure(MQTTFault(action: "subscribing to \(topic)", reason: reason))
            }
            state.listeners[topic, default: 0] += 1
            return .success(PublicationNumber(connection: state.connection, packet: packet))
        }
        line.wakeUp()
        return try result.get()
    }

    /// Ends a subscription of `listen`; the last one of its topic unsubscribes, unless the topic is subscribed to for
    /// good.
    func stopListening(to topic: String, since number: PublicationNumber) {
        line.state.withLock { state in
            guard let handle = state.handle, state.connection == number.connection else { return }
            guard let count = state.listeners[topic] else { return }
            state.listeners[topic] = count > 1 ? count - 1 : nil
            if count == 1, !line.isSubscribed(topic) { mosquitto_unsubscribe(handle.pointer, nil, topic) }
        }
        line.wakeUp()
    }

    /// Says goodbye and ends the thread. Blocks until it is gone, a second at most: a name that does not resolve can take longer, and then the thread
    /// ends by itself later. Call it from no cooperative thread.
    public func close() {
        line.close()
        _ = ended.pop(until: OwnThread.monotonicMilliseconds() + 1000)
    }

    deinit { line.close() }
}
