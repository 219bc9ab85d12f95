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
    ///   - acknowledged: told of each publication of ours what the broker said: nil when it has the message, else why not
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

    /// Says goodbye and ends the thread. Blocks until it is gone, a second at most: a name that does not resolve can take longer, and then the thread
    /// ends by itself later. Call it from no cooperative thread.
    public func close() {
        line.close()
        _ = ended.pop(until: OwnThread.monotonicMilliseconds() + 1000)
    }

    deinit { line.close() }
}
