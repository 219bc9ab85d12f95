import CMosquitto
import Glibc
import Synchronization
import Telemetry

/// One attempt at a connection and what comes of it: one handle of libmosquitto, made with everything read anew and freed at its end. It belongs to
/// the thread of its `MQTTClient`; only `mosquitto_publish` is called from others (libmosquitto is thread safe after `mosquitto_threaded_set`).
final class MQTTSession {
    /// What the library's callbacks said.
    enum Happening {
        case answered(code: Int32)
        case granted(packet: Int32, code: Int32)
        case acknowledged(packet: Int32, code: Int32)
        case disconnected(code: Int32)
    }

    let pointer: OpaquePointer
    let dialect: ConnectionSupervision.Dialect
    private let onMessage: (MQTTMessage) -> Void
    private var happenings: [Happening] = []
    /// Subscriptions under way, by packet.
    var subscriptions: [Int32: Int] = [:]
    /// Whether the broker has let us in.
    var isAccepted = false
    private var isEstablished = false
    private let usesTLS: Bool
    /// What the library said about TLS, newest last.
    private let complaints = Mutex<[String]>([])

    private static let library: Void = { _ = mosquitto_lib_init() }()
    private static let success = Int32(MOSQ_ERR_SUCCESS.rawValue)

    /// Begins an attempt. Blocks while the name is looked up.
    /// - Throws: what is wrong when nothing can come of it
    init(
        _ settings: MQTTSettings, name: String, dialect: ConnectionSupervision.Dialect, onMessage: @escaping (MQTTMessage) -> Void
    ) throws(ConnectionTrouble) {
        _ = Self.library
        self.dialect = dialect
        self.onMessage = onMessage
        usesTLS = settings.tls != nil
        guard let made = mosquitto_new(name, true, nil) else { throw ConnectionTrouble(.unreachable, "no memory for a client") }
        pointer = made
        do throws(ConnectionTrouble) { try open(settings) } catch {
            mosquitto_destroy(made)
            throw error
        }
    }

    /// Frees the handle; call it outside of callbacks, when nobody publishes any more.
    func destroy() { mosquitto_destroy(pointer) }

    private func open(_ settings: MQTTSettings) throws(ConnectionTrouble) {
        mosquitto_user_data_set(pointer, Unmanaged.passUnretained(self).toOpaque())
        mosquitto_threaded_set(pointer, true)
        mosquitto_int_option(pointer, MOSQ_OPT_PROTOCOL_VERSION, dialect == .five ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311)
        // A door waits for no full segment.
        mosquitto_int_option(pointer, MOSQ_OPT_TCP_NODELAY, 1)
        mosquitto_max_inflight_messages_set(pointer, 100)
        if let username = settings.username {
            let password = try settings.passwordFile.map { path throws(ConnectionTrouble) in try SmallFile.text(path) } ?? settings.password
            mosquitto_username_pw_set(pointer, username, password)
        }
        if let tls = settings.tls { try secure(tls) }
        if let will = settings.will {
            let bytes = Array(will.payload.utf8)
            mosquitto_will_set(pointer, will.topic, Int32(bytes.count), bytes, 1, true)
        }
        setCallbacks()
        let keepAlive = Int32(clamping: max(5, settings.keepAlive.milliseconds / 1000))
        errno = 0
        let code = mosquitto_connect_async(pointer, settings.host, Int32(settings.port), keepAlive)
        guard code == Self.success else { throw trouble(code) }
    }

    private func secure(_ tls: MQTTSettings.TLS) throws(ConnectionTrouble) {
        for path in [tls.authority, tls.certificate, tls.key].compactMap({ $0 }) { try SmallFile.check(path) }
        let code = mosquitto_tls_set(pointer, tls.authority, nil, tls.certificate, tls.key, nil)
        guard code == Self.success else { throw ConnectionTrouble(.file, "TLS: \(String(cString: mosquitto_strerror(code)))") }
        // Verified, and nothing older than TLS 1.2: libmosquitto takes one version or the library's default, which is 1.2 and newer here.
        mosquitto_tls_opts_set(pointer, 1, nil, nil)
    }

    private func setCallbacks() {
        mosquitto_connect_v5_callback_set(pointer) { _, context, code, _, _ in MQTTSession.at(context)?.happenings.append(.answered(code: code)) }
        mosquitto_disconnect_v5_callback_set(pointer) { _, context, code, _ in MQTTSession.at(context)?.happenings.append(.disconnected(code: code)) }
        mosquitto_publish_v5_callback_set(pointer) { _, context, packet, code, _ in
            MQTTSession.at(context)?.happenings.append(.acknowledged(packet: packet, code: code))
        }
        mosquitto_subscribe_callback_set(pointer) { _, context, packet, count, codes in
            guard count > 0, let code = codes?.pointee else { return }
            MQTTSession.at(context)?.happenings.append(.granted(packet: packet, code: code))
        }
        mosquitto_message_callback_set(pointer) { _, context, message in
            guard let message = message?.pointee, let topic = message.topic, message.payloadlen <= MQTTClient.greatestPayload else { return }
            let bytes = UnsafeRawBufferPointer(start: message.payload, count: Int(message.payloadlen))
            MQTTSession.at(context)?.onMessage(MQTTMessage(topic: String(cString: topic), payload: Array(bytes), retained: message.retain))
        }
        mosquitto_log_callback_set(pointer) { client, context, level, text in
            guard level == MOSQ_LOG_ERR, let client, let text else { return }
            MQTTSession.at(context)?.complain(String(cString: text), client)
        }
    }

    private static func at(_ context: UnsafeMutableRawPointer?) -> MQTTSession? {
        context.map { Unmanaged<MQTTSession>.fromOpaque($0).takeUnretainedValue() }
    }

    private func complain(_ text: String, _ client: OpaquePointer) {
        let verdict = CertificateVerdict.words(client)
        complaints.withLock { complaints in
            if complaints.count < 8 { complaints.append(verdict ?? String(text.prefix(200))) }
        }
    }

    // MARK: At work

    /// Waits for the network or for `wake`, at most so long, and does what is due.
    /// - Returns: what the callbacks said, and what ended the connection
    func attend(wake: Int32, milliseconds: Int32) -> (happenings: [Happening], end: ConnectionTrouble?) {
        let end = work(wake: wake, milliseconds: milliseconds)
        defer { happenings.removeAll(keepingCapacity: true) }
        return (happenings, end)
    }

    private func work(wake: Int32, milliseconds: Int32) -> ConnectionTrouble? {
        let socket = mosquitto_socket(pointer)
        guard socket >= 0 else { return trouble(Int32(MOSQ_ERR_CONN_LOST.rawValue)) }
        // While TLS shakes hands the library asks for room to write that it does not use: then only what comes in counts.
        let shakes = usesTLS && !isAccepted && isEstablished
        let writes = !isEstablished || !shakes && mosquitto_want_write(pointer)
        var waiting = [
            pollfd(fd: socket, events: Int16(POLLIN) | (writes ? Int16(POLLOUT) : 0), revents: 0), pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
        ]
        let ready = poll(&waiting, 2, shakes ? min(50, milliseconds) : milliseconds)
        if ready > 0, waiting[1].revents != 0 {
            var count: UInt64 = 0
            _ = read(wake, &count, 8)
        }
        var isNew = false
        if !isEstablished {
            guard ready > 0, waiting[0].revents != 0 else { return nil }
            var fault: Int32 = 0
            var size = socklen_t(MemoryLayout<Int32>.size)
            if getsockopt(socket, SOL_SOCKET, SO_ERROR, &fault, &size) == 0, fault != 0 {
                return ConnectionTrouble(.unreachable, String(cString: strerror(fault)))
            }
            isEstablished = true
            isNew = true
        }
        errno = 0
        if isNew || shakes || ready > 0 && waiting[0].revents & ~Int16(POLLOUT) != 0 {
            let code = mosquitto_loop_read(pointer, 1)
            if code != Self.success { return trouble(code) }
        }
        if mosquitto_want_write(pointer) {
            let code = mosquitto_loop_write(pointer, 1)
            if code != Self.success { return trouble(code) }
        }
        let code = mosquitto_loop_misc(pointer)
        return code == Self.success ? nil : trouble(code)
    }

    /// Says goodbye: what was handed over goes out first, so far as the network takes it at once.
    func leave() {
        guard isAccepted else { return }
        for step in 0..<2 {
            if step == 1 { mosquitto_disconnect(pointer) }
            for _ in 0..<50 where mosquitto_want_write(pointer) {
                var waiting = pollfd(fd: mosquitto_socket(pointer), events: Int16(POLLOUT), revents: 0)
                guard poll(&waiting, 1, 10) > 0, mosquitto_loop_write(pointer, 1) == Self.success else { continue }
            }
        }
    }

    // MARK: What went wrong

    /// The library's code in our terms.
    private func trouble(_ code: Int32) -> ConnectionTrouble {
        let said = complaints.withLock { $0 }
        if usesTLS, !isAccepted, code == MOSQ_ERR_TLS.rawValue || !said.isEmpty {
            return ConnectionTrouble(.certificate, Self.plain(said))
        }
        let words = code == MOSQ_ERR_ERRNO.rawValue ? String(cString: strerror(errno)) : String(cString: mosquitto_strerror(code))
        switch code {
        case MOSQ_ERR_EAI.rawValue: return ConnectionTrouble(.unreachable, "the name is not known")
        case MOSQ_ERR_KEEPALIVE.rawValue: return ConnectionTrouble(.silent, "no answer to a ping")
        case MOSQ_ERR_PROTOCOL.rawValue, MOSQ_ERR_MALFORMED_PACKET.rawValue: return ConnectionTrouble(isAccepted ? .lost : .noMQTT, words)
        case MOSQ_ERR_CONN_LOST.rawValue where !isEstablished: return ConnectionTrouble(.unreachable, words)
        case MOSQ_ERR_ERRNO.rawValue where !isEstablished: return ConnectionTrouble(.unreachable, words)
        default: return ConnectionTrouble(.lost, isAccepted ? words : "it hung up before it said anything")
        }
    }

    /// The library's words on TLS without its codes: what stands behind the last colon of OpenSSL's line.
    private static func plain(_ said: [String]) -> String {
        guard let last = said.last else { return "the handshake failed" }
        guard last.hasPrefix("OpenSSL Error"), let colon = last.lastIndex(of: ":") else { return last }
        return String(last[last.index(after: colon)...])
    }

    /// What a refused login means (MQTT 3.1.1 table 3.1, MQTT 5 table 3-1); nil when the version is refused.
    func refusal(_ code: Int32) -> ConnectionTrouble? {
        let words = dialect == .five ? String(cString: mosquitto_reason_string(code)) : String(cString: mosquitto_connack_string(code))
        if dialect == .threeOneOne {
            switch code {
            case 1: return nil
            case 2: return ConnectionTrouble(.identifierRefused, words)
            case 3: return ConnectionTrouble(.unavailable, words)
            default: return ConnectionTrouble(.loginRefused, words)
            }
        }
        switch UInt32(bitPattern: code) {
        case MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION.rawValue: return nil
        case MQTT_RC_CLIENTID_NOT_VALID.rawValue: return ConnectionTrouble(.identifierRefused, words)
        case MQTT_RC_BAD_USERNAME_OR_PASSWORD.rawValue, MQTT_RC_NOT_AUTHORIZED.rawValue, MQTT_RC_BANNED.rawValue,
            MQTT_RC_BAD_AUTHENTICATION_METHOD.rawValue:
            return ConnectionTrouble(.loginRefused, words)
        default: return ConnectionTrouble(.unavailable, words)
        }
    }

    /// Why the broker hung up, where MQTT 5 lets it say so.
    static func goodbye(_ code: Int32) -> ConnectionTrouble? {
        guard code >= 0x80 else { return nil }
        let words = String(cString: mosquitto_reason_string(code))
        switch UInt32(bitPattern: code) {
        case MQTT_RC_SESSION_TAKEN_OVER.rawValue: return ConnectionTrouble(.takenOver)
        default: return ConnectionTrouble(.lost, "the broker hung up: \(words)")
        }
    }
}
