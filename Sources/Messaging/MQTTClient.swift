import CMosquitto
import Glibc
import Synchronization
import Telemetry
import Threads

/// A message as it arrived.
public struct MQTTMessage: Sendable, Hashable {
    public var topic: String
    public var payload: [UInt8]
    /// A copy the broker had kept: old news.
    public var retained: Bool

    /// A message.
    public init(topic: String, payload: [UInt8], retained: Bool) {
        self.topic = topic
        self.payload = payload
        self.retained = retained
    }
}

/// How to reach a broker.
public struct MQTTSettings: Sendable, Hashable {
    public var host: String
    public var port: Int
    public var clientID: String
    public var username: String?
    public var password: String?
    /// Certificate authority, certificate, key; nil speaks in the clear.
    public var tls: TLS?
    /// Published by the broker when the connection breaks.
    public var will: (topic: String, payload: String)?
    public var keepAlive: Interval

    /// Files of a TLS connection.
    public struct TLS: Sendable, Hashable {
        public var authority: String
        public var certificate: String?
        public var key: String?

        /// TLS with an authority, and with a client certificate if both its files are given.
        public init(authority: String, certificate: String? = nil, key: String? = nil) {
            self.authority = authority
            self.certificate = certificate
            self.key = key
        }
    }

    /// Settings with defaults.
    public init(
        host: String, port: Int, clientID: String, username: String? = nil, password: String? = nil, tls: TLS? = nil,
        will: (topic: String, payload: String)? = nil, keepAlive: Interval = .seconds(15)
    ) {
        self.host = host
        self.port = port
        self.clientID = clientID
        self.username = username
        self.password = password
        self.tls = tls
        self.will = will
        self.keepAlive = keepAlive
    }

    /// Two settings are the same when they reach the same broker as the same client.
    public static func == (left: MQTTSettings, right: MQTTSettings) -> Bool {
        left.host == right.host && left.port == right.port && left.clientID == right.clientID
            && left.username == right.username && left.password == right.password && left.tls == right.tls
    }

    /// See `==`.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(host)
        hasher.combine(port)
        hasher.combine(clientID)
    }
}

/// What happens on a connection.
public enum MQTTEvent: Sendable {
    case connected
    case disconnected(reason: String)
    case message(MQTTMessage)
}

/// Why a call to the library failed.
public struct MQTTFault: Error, Sendable, CustomStringConvertible {
    /// The library's code.
    public var code: Int32
    /// What was tried.
    public var action: String

    /// What was tried and what the library says.
    public var description: String { "\(action): \(String(cString: mosquitto_strerror(code)))" }
}

/// One connection to a broker, kept up by libmosquitto's own thread, with a clean session: what was missed while away is
/// old news and does not come.
///
/// The handler is called on the library's thread and must only copy and hand over. `publish` may be called from any
/// thread (libmosquitto is thread safe once its loop thread runs: mosquitto_loop_start(3)).
public final class MQTTClient: Sendable {
    private final class Box: Sendable {
        let handler: @Sendable (MQTTEvent) -> Void
        let topics: [(String, Int32)]
        let acknowledged: (@Sendable (Int32) -> Void)?
        init(_ handler: @escaping @Sendable (MQTTEvent) -> Void, _ topics: [(String, Int32)], _ acknowledged: (@Sendable (Int32) -> Void)?) {
            self.handler = handler
            self.topics = topics
            self.acknowledged = acknowledged
        }
    }

    /// Payloads above this size are dropped in the callback.
    public static let greatestPayload = 256 << 10

    // Safe: the pointer is set once in init and freed in `close`, under the lock; libmosquitto locks its own state.
    private struct Handle: @unchecked Sendable {
        var pointer: OpaquePointer?
        var isClosing = false
    }

    /// The first connection, which libmosquitto gives up on when it is refused at once: only one that was made is kept up by its thread.
    private struct FirstConnection: Sendable {
        // Safe: libmosquitto locks its own state; the pointer is freed only after `done` has been said.
        struct Client: @unchecked Sendable { var pointer: OpaquePointer }
        let client: Client
        let host: String
        let port: Int32
        let keepAlive: Int32
        let done = BlockingQueue<Void>(capacity: 1)

        /// Tries until a connection is under way or nobody wants it any more, with longer and longer pauses; then the library's thread takes over.
        func make(isWanted: @escaping @Sendable () -> Bool) {
            var pause: Int64 = 1000
            while isWanted() {
                if mosquitto_connect_async(client.pointer, host, port, keepAlive) == MOSQ_ERR_SUCCESS.rawValue {
                    _ = mosquitto_loop_start(client.pointer)
                    break
                }
                var left = pause
                while left > 0, isWanted() {
                    poll(nil, 0, 100)
                    left -= 100
                }
                pause = min(30_000, pause * 2)
            }
            done.push(())
        }
    }

    private let handle: Mutex<Handle>
    private let first: FirstConnection
    private let box: Unmanaged<Box>

    private static let library: Void = { _ = mosquitto_lib_init() }()

    /// Prepares a connection that subscribes to some topics each time it is up.
    /// - Parameter acknowledged: told the number of each message of ours that the broker has
    /// - Throws: `MQTTFault` when the settings cannot be: a certificate that cannot be read.
    public init(
        _ settings: MQTTSettings, subscribe topics: [(String, Int32)] = [], acknowledged: (@Sendable (Int32) -> Void)? = nil,
        handler: @escaping @Sendable (MQTTEvent) -> Void
    ) throws(MQTTFault) {
        _ = Self.library
        box = Unmanaged.passRetained(Box(handler, topics, acknowledged))
        let pointer = mosquitto_new(settings.clientID, true, box.toOpaque())
        handle = Mutex(Handle(pointer: pointer))
        guard let pointer else { throw MQTTFault(code: errno, action: "creating an MQTT client") }
        try Self.check("MQTT version", mosquitto_int_option(pointer, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V311))
        // A door waits for no full segment.
        try Self.check("MQTT without delay", mosquitto_int_option(pointer, MOSQ_OPT_TCP_NODELAY, 1))
        if let username = settings.username {
            try Self.check("MQTT user", mosquitto_username_pw_set(pointer, username, settings.password))
        }
        if let tls = settings.tls {
            try Self.check("MQTT TLS files", mosquitto_tls_set(pointer, tls.authority, nil, tls.certificate, tls.key, nil))
            // Verified, and nothing older than TLS 1.2: libmosquitto takes one version or the library's default, which is 1.2 and newer here.
            try Self.check("MQTT TLS options", mosquitto_tls_opts_set(pointer, 1, nil, nil))
        }
        if let will = settings.will {
            let bytes = Array(will.payload.utf8)
            try Self.check("MQTT will", mosquitto_will_set(pointer, will.topic, Int32(bytes.count), bytes, 1, true))
        }
        mosquitto_reconnect_delay_set(pointer, 1, 30, true)
        mosquitto_max_inflight_messages_set(pointer, 100)
        Self.setCallbacks(pointer)
        if acknowledged != nil {
            mosquitto_publish_callback_set(pointer) { _, context, number in
                guard let context else { return }
                Unmanaged<Box>.fromOpaque(context).takeUnretainedValue().acknowledged?(number)
            }
        }
        let keepAlive = Int32(clamping: max(5, settings.keepAlive.milliseconds / 1000))
        // An unreachable broker is no fault here, and neither is one that comes up after us.
        first = FirstConnection(client: .init(pointer: pointer), host: settings.host, port: Int32(settings.port), keepAlive: keepAlive)
        let (attempt, isOpen) = (first, WeakClient())
        isOpen.client = self
        OwnThread.start { attempt.make { isOpen.client.map { !$0.isClosing } ?? false } }
    }

    /// Lets the first connection's thread ask whether it is still wanted, without keeping the client alive.
    private final class WeakClient: @unchecked Sendable {
        // Safe: written once in init before the thread starts, only read afterwards; weak references are read atomically.
        weak var client: MQTTClient?
    }

    private var isClosing: Bool { handle.withLock { $0.isClosing } }

    private static func check(_ action: String, _ code: Int32) throws(MQTTFault) {
        guard code == MOSQ_ERR_SUCCESS.rawValue else { throw MQTTFault(code: code, action: action) }
    }

    private static func setCallbacks(_ pointer: OpaquePointer) {
        mosquitto_connect_callback_set(pointer) { client, context, code in
            guard let context, code == 0 else { return }
            let box = Unmanaged<Box>.fromOpaque(context).takeUnretainedValue()
            for (topic, quality) in box.topics { mosquitto_subscribe(client, nil, topic, quality) }
            box.handler(.connected)
        }
        mosquitto_disconnect_callback_set(pointer) { _, context, code in
            guard let context else { return }
            let box = Unmanaged<Box>.fromOpaque(context).takeUnretainedValue()
            box.handler(.disconnected(reason: String(cString: mosquitto_strerror(code))))
        }
        mosquitto_message_callback_set(pointer) { _, context, message in
            guard let context, let message = message?.pointee, let topic = message.topic else { return }
            guard message.payloadlen <= MQTTClient.greatestPayload else { return }
            let bytes = UnsafeRawBufferPointer(start: message.payload, count: Int(message.payloadlen))
            let box = Unmanaged<Box>.fromOpaque(context).takeUnretainedValue()
            box.handler(.message(MQTTMessage(topic: String(cString: topic), payload: Array(bytes), retained: message.retain)))
        }
    }

    /// Hands a message to the library's thread. While the broker is away the library keeps it, in memory.
    public func publish(_ payload: [UInt8], to topic: String, quality: Int32 = 1, retain: Bool = false) throws(MQTTFault) {
        _ = try publishNumbered(payload, to: topic, quality: quality, retain: retain)
    }

    /// The same, for whoever waits for the broker's word.
    /// - Returns: the message's number, which `acknowledged` is called with
    public func publishNumbered(_ payload: [UInt8], to topic: String, quality: Int32 = 1, retain: Bool = false) throws(MQTTFault) -> Int32 {
        var number: Int32 = 0
        let code = handle.withLock { handle -> Int32 in
            guard let pointer = handle.pointer else { return MOSQ_ERR_NO_CONN.rawValue }
            return mosquitto_publish(pointer, &number, topic, Int32(payload.count), payload, quality, retain)
        }
        try Self.check("publishing", code)
        return number
    }

    /// Says goodbye and ends the thread. Blocks until the thread is gone, seven seconds at most; call it from no cooperative thread.
    public func close() {
        let pointer = handle.withLock { handle -> OpaquePointer? in
            defer { handle.pointer = nil }
            handle.isClosing = true
            return handle.pointer
        }
        guard let pointer else { return }
        // A name that does not resolve can take long; then a few kilobytes are left behind rather than freed under a thread at work.
        guard case .element = first.done.pop(until: OwnThread.monotonicMilliseconds() + 3000) else { return }
        guard end(pointer) else { return }
        mosquitto_destroy(pointer)
        box.release()
    }

    /// Asks the library's thread to end and waits for it. The thread is never cancelled: it may be in a callback of ours, and what it holds
    /// there would stay held.
    /// - Returns: false when it hangs in the network; then client and box are left behind rather than freed under it
    private func end(_ pointer: OpaquePointer) -> Bool {
        let ended = BlockingQueue<Void>(capacity: 1)
        let client = first.client
        OwnThread.start {
            mosquitto_disconnect(client.pointer)
            mosquitto_loop_stop(client.pointer, false)
            ended.push(())
        }
        if case .element = ended.pop(until: OwnThread.monotonicMilliseconds() + 2000) { return true }
        // It was connecting when it was asked, and may have come through since.
        mosquitto_disconnect(pointer)
        if case .element = ended.pop(until: OwnThread.monotonicMilliseconds() + 2000) { return true }
        return false
    }

    deinit { close() }
}
