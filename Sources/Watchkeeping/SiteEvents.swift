import BoardingControl
import Casework
import Foundation
import Logging
import Messaging
import Neighbourhood
import Phrasebook
import SiteConfiguration
import Synchronization
import Telemetry

/// What a message of another device says to the site. A pure reading of one payload.
public enum SiteEvent: Sendable, Hashable {
    /// An incident, with words of the device's own.
    case raised(subject: String, detail: String)
    /// The incident is over.
    case cleared(subject: String)
    /// Nothing that concerns us.
    case nothing

    /// The longest words of a device that are kept, in characters.
    static let longestDetail = 200

    /// Reads a payload as its source's configuration says.
    /// - Throws: a decoding error when the payload is no JSON
    public init(_ payload: [UInt8], of source: SiteConfiguration.EventSource) throws {
        let body = try JSONDecoder().decode(JSONValue.self, from: Data(payload))
        func text(_ pointer: String?) -> String? { pointer.flatMap { body.value(at: $0) }?.spoken }
        // A subject becomes part of an identifier: only what one may hold.
        let named = (text(source.subject) ?? "").lowercased().filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }.prefix(40)
        let subject = named.isEmpty ? source.id : "\(source.id)-\(named)"
        guard let pointer = source.match else {
            self = .raised(subject: subject, detail: String((text(source.text) ?? "").prefix(Self.longestDetail)))
            return
        }
        let value = text(pointer) ?? ""
        if source.clears.contains(value) {
            self = .cleared(subject: subject)
        } else if source.when.isEmpty ? !value.isEmpty : source.when.contains(value) {
            self = .raised(subject: subject, detail: String((text(source.text) ?? "").prefix(Self.longestDetail)))
        } else {
            self = .nothing
        }
    }
}

extension JSONValue {
    /// A plain value in words; nil for lists, objects and null.
    var spoken: String? {
        switch self {
        case .text(let text): text
        case .number(let number): number == number.rounded() && abs(number) < 1e15 ? String(Int64(number)) : String(number)
        case .flag(let flag): flag ? "true" : "false"
        case .object, .list, .null: nil
        }
    }
}

extension String {
    /// Whether an MQTT topic filter (MQTT 3.1.1, 4.7) fits a topic.
    func fits(topic: String) -> Bool {
        let (filter, parts) = (split(separator: "/", omittingEmptySubsequences: false), topic.split(separator: "/", omittingEmptySubsequences: false))
        for (index, part) in filter.enumerated() {
            if part == "#" { return true }
            guard index < parts.count, part == "+" || part == parts[index] else { return false }
        }
        return filter.count == parts.count
    }
}

/// Hears other devices on the site's broker and hands what concerns the site to its desk.
public final class SiteEventListener: Sendable {
    private let sources: [SiteConfiguration.EventSource]
    private let desk: SiteDesk
    private let log: Logger
    private let client: Mutex<MQTTClient?> = Mutex(nil)
    private let heard = Mutex<[String: Int64]>([:])
    /// A source is heard once a second; a device that stutters must not fill the journal.
    private static let pause: Int64 = 1000

    /// A listener; it connects when started.
    public init(_ sources: [SiteConfiguration.EventSource], desk: SiteDesk, log: Logger) {
        self.sources = sources
        self.desk = desk
        self.log = log
    }

    /// Connects.
    /// - Throws: `MQTTFault` when the settings cannot be
    public func start(_ settings: MQTTSettings) throws(MQTTFault) {
        let made = try MQTTClient(settings, subscribe: Array(Set(sources.map(\.topic))).map { ($0, 1) }) { [weak self] event in
            if case .message(let message) = event { self?.take(message) }
        }
        client.withLock { $0 = made }
    }

    /// Called on the library's thread: reads and hands over, nothing else.
    func take(_ message: MQTTMessage) {
        // A retained copy is old news.
        guard !message.retained else { return }
        for source in sources where source.topic.fits(topic: message.topic) {
            let event: SiteEvent
            do { event = try SiteEvent(message.payload, of: source) } catch {
                if mayPass("garbage/\(source.id)") { log.warning("a device's message is no JSON", metadata: ["event": "\(source.id)"]) }
                continue
            }
            switch event {
            case .raised(let subject, let detail):
                guard mayPass(subject) else { continue }
                let words = LocalizedText(
                    chinese: source.title.chinese + (detail.isEmpty ? "。" : "：\(detail)"),
                    english: source.title.english + (detail.isEmpty ? "." : ": \(detail)"))
                desk.tell(
                    .finding(
                        Finding(
                            subject: Subject(.site, subject), kind: .incident, rule: "event/\(source.id)", severity: source.severity, at: desk.now, text: words)
                    ))
            case .cleared(let subject): desk.tell(.cleared(Subject(.site, subject), .incident))
            case .nothing: break
            }
        }
    }

    private func mayPass(_ key: String) -> Bool {
        let now = GatewayClock.bootMilliseconds()
        return heard.withLock { heard in
            if let last = heard[key], now - last < Self.pause { return false }
            if heard.count > 1000 { heard = heard.filter { now - $0.value < Self.pause } }
            heard[key] = now
            return true
        }
    }

    /// Ends the connection. Blocks; call it from no cooperative thread.
    public func close() {
        let old = client.withLock { client in
            defer { client = nil }
            return client
        }
        old?.close()
    }
}
