import CCurl
import Casework
import Foundation
import Telemetry
import Threads

/// Sends each letter as mail through a relay, with libcurl: STARTTLS or TLS, never older than TLS 1.2.
public struct MailNotifier: Notifier {
    /// How the relay is spoken to.
    public enum Security: String, Sendable, CaseIterable {
        /// TLS from the first byte, on port 465.
        case tls
        /// TLS before anything is said, on port 587; a relay that offers none is refused.
        case starttls
        /// In the clear: for a relay on this machine only.
        case none
    }

    /// The relay and who writes.
    public struct Relay: Sendable, Hashable {
        public var host: String
        public var port: Int
        public var security: Security
        public var username: String?
        public var password: String?
        /// The writer's address.
        public var from: String
        /// Who vouches for the relay's certificate; the system's authorities when nil.
        public var authorityFile: String?

        /// A relay.
        public init(
            host: String, port: Int, security: Security, username: String? = nil, password: String? = nil, from: String, authorityFile: String? = nil
        ) {
            self.host = host
            self.port = port
            self.security = security
            self.username = username
            self.password = password
            self.from = from
            self.authorityFile = authorityFile
        }
    }

    /// The longest a relay may take to say yes.
    static let patience = Interval.seconds(30)

    private let relay: Relay
    private let now: @Sendable () -> WallTime

    /// Mail through a relay.
    public init(relay: Relay, now: @escaping @Sendable () -> WallTime) {
        self.relay = relay
        self.now = now
        _ = Self.library
    }

    /// Sends once. libcurl blocks, so it works on a thread of its own.
    public func deliver(_ letter: Letter) async -> DeliverySchedule.Attempt {
        guard let to = letter.address, MailMessage.isAddress(to) else { return .refused("the contact has no mail address") }
        guard MailMessage.isAddress(relay.from) else { return .failed("`from` is no mail address", retryAfter: nil) }
        let link = letter.link.isEmpty ? "" : "\n\n\(letter.link)"
        let message = MailMessage(
            from: relay.from, to: to, title: letter.title, text: letter.text + link + "\n", id: letter.notice.id.rawValue,
            isUrgent: letter.notice.severity == .alarm, at: now())
        let relay = relay
        return await OwnThread.value { Self.send(message, through: relay) }
    }

    /// libcurl's own set-up, once for the process.
    private static let library: Void = { _ = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) }()

    /// The bytes that libcurl has not taken yet.
    private final class Remainder {
        var bytes: ArraySlice<UInt8>
        init(_ bytes: [UInt8]) { self.bytes = bytes[...] }
    }

    /// What libcurl reports of the conversation while it works.
    private final class Listener {
        var conversation = MailConversation()
    }

    private static func send(_ message: MailMessage, through relay: Relay) -> DeliverySchedule.Attempt {
        guard let handle = curl_easy_init() else { return .failed("no memory for a connection", retryAfter: nil) }
        defer { curl_easy_cleanup(handle) }
        let scheme = relay.security == .tls ? "smtps" : "smtp"
        let host = relay.host.contains(":") ? "[\(relay.host)]" : relay.host
        _ = wellward_curl_text(handle, CURLOPT_URL, "\(scheme)://\(host):\(relay.port)")
        _ = wellward_curl_text(handle, CURLOPT_PROTOCOLS_STR, scheme)
        _ = wellward_curl_number(handle, CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        if relay.security != .none { _ = wellward_curl_number(handle, CURLOPT_USE_SSL, Int(CURLUSESSL_ALL.rawValue)) }
        if let file = relay.authorityFile { _ = wellward_curl_text(handle, CURLOPT_CAINFO, file) }
        if let name = relay.username { _ = wellward_curl_text(handle, CURLOPT_USERNAME, name) }
        if let password = relay.password { _ = wellward_curl_text(handle, CURLOPT_PASSWORD, password) }
        _ = wellward_curl_number(handle, CURLOPT_NOSIGNAL, 1)
        _ = wellward_curl_number(handle, CURLOPT_CONNECTTIMEOUT_MS, 10_000)
        _ = wellward_curl_number(handle, CURLOPT_TIMEOUT_MS, Int(patience.milliseconds))
        _ = wellward_curl_text(handle, CURLOPT_MAIL_FROM, "<\(MailMessage.address(message.from))>")
        let readers = curl_slist_append(nil, "<\(MailMessage.address(message.to))>")
        defer { curl_slist_free_all(readers) }
        _ = wellward_curl_list(handle, CURLOPT_MAIL_RCPT, readers)
        _ = wellward_curl_number(handle, CURLOPT_UPLOAD, 1)
        let remainder = Remainder(message.bytes)
        _ = wellward_curl_reader(
            handle,
            { target, size, count, data in
                guard let target, let data else { return 0 }
                let remainder = Unmanaged<Remainder>.fromOpaque(data).takeUnretainedValue()
                let part = remainder.bytes.prefix(size * count)
                part.withUnsafeBytes { UnsafeMutableRawPointer(target).copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(target), byteCount: $0.count) }
                remainder.bytes = remainder.bytes.dropFirst(part.count)
                return part.count
            }, Unmanaged.passUnretained(remainder).toOpaque())
        let listener = Listener()
        _ = wellward_curl_listener(
            handle,
            { _, kind, bytes, count, data in
                guard let bytes, let data, kind == CURLINFO_HEADER_IN || kind == CURLINFO_HEADER_OUT else { return 0 }
                let listener = Unmanaged<Listener>.fromOpaque(data).takeUnretainedValue()
                let text = String(decoding: UnsafeRawBufferPointer(start: bytes, count: min(count, MailNotifier.longestLine)), as: UTF8.self)
                for line in text.split(whereSeparator: \.isNewline).map(String.init) {
                    if kind == CURLINFO_HEADER_IN { listener.conversation.heard(line) } else { listener.conversation.sent(line) }
                }
                return 0
            }, Unmanaged.passUnretained(listener).toOpaque())
        let code = withExtendedLifetime((remainder, listener)) { curl_easy_perform(handle) }
        if code == CURLE_OK { return .delivered }
        return listener.conversation.verdict(String(cString: curl_easy_strerror(code)), told: message.title + message.text)
    }

    /// So much of a line of the conversation is looked at, in bytes.
    private static let longestLine = 4096
}
