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

    /// Strings of a payload are cut before it is decoded, in bytes: neither what is compared nor what is kept needs more.
    private static let longestString = 4096

    /// Reads a payload as its source's configuration says.
    /// - Throws: a decoding error when the payload is no JSON
    public init(_ payload: [UInt8], of source: SiteConfiguration.EventSource) throws {
        let body = try JSONDecoder().decode(JSONValue.self, from: Data(QuotedJSON.cut(payload, strings: Self.longestString).bytes))
        func text(_ pointer: String?) -> String? { pointer.flatMap { body.value(at: $0) }?.spoken }
        // A subject becomes part of an identifier: only what one may hold.
        let named = String((text(source.subject) ?? "").unicodeScalars.prefix(400).compactMap(Self.idLetter).prefix(40))
        let subject = named.isEmpty ? source.id : "\(source.id)-\(named)"
        guard let pointer = source.match else {
            self = .raised(subject: subject, detail: (text(source.text) ?? "").bounded(.device))
            return
        }
        let value = text(pointer) ?? ""
        if source.clears.contains(value) {
            self = .cleared(subject: subject)
        } else if source.when.isEmpty ? !value.isEmpty : source.when.contains(value) {
            self = .raised(subject: subject, detail: (text(source.text) ?? "").bounded(.device))
        } else {
            self = .nothing
        }
    }

    private static func idLetter(_ scalar: Unicode.Scalar) -> Character? {
        switch scalar {
        case "a"..."z", "0"..."9", "-": Character(scalar)
        case "A"..."Z": Character(Unicode.Scalar(UInt8(scalar.value | 0x20)))
        default: nil
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
    private let allowances = Mutex<[String: SourceAllowance]>([:])
    /// So long after a complaint in the log comes the next one.
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
        let journal = ConnectionLog("events", log)
        let topics = Set(sources.map(\.topic)).sorted().map { ($0, Int32(1)) }
        let made = try MQTTClient(settings, subscribe: topics, onHealth: journal.take) { [weak self] event in
            if case .message(let message) = event { self?.take(message) }
        }
        client.withLock { $0 = made }
    }

    /// How the connection to the broker stands.
    public var health: ConnectionHealth { client.withLock { $0?.health } ?? ConnectionHealth() }

    /// Called on the connection's thread: reads and hands over, nothing else.
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
            case .raised(let subject, let detail): raise(subject, detail, of: source)
            case .cleared(let subject):
                guard allow(source, { $0.clear(subject, at: $1) }) == .pass else { continue }
                hand(.cleared(Subject(.site, subject), .incident), of: source, bytes: 0)
            case .nothing: break
            }
        }
    }

    private func raise(_ subject: String, _ detail: String, of source: SiteConfiguration.EventSource) {
        switch allow(source, { $0.raise(subject, at: $1) }) {
        case .pass:
            // The words of the device travel beside the sentence: not every reader may see them.
            let text = LocalizedText(chinese: source.title.chinese + "。", english: source.title.english + ".")
            hand(.finding(finding(subject, source, text, quote: detail)), of: source, bytes: detail.utf8.count)
        case .fold:
            // Nothing is lost without a word: what there is no room for is told together, under the source's own name.
            hand(.finding(finding(source.id, source, Phrase(.devicesMore, ["title": .text(source.title)]).text, quote: nil)), of: source, bytes: 0)
        case .drop: break
        }
    }

    private func finding(_ subject: String, _ source: SiteConfiguration.EventSource, _ text: LocalizedText, quote: String?) -> Finding {
        Finding(
            subject: Subject(.site, subject), kind: .incident, rule: "\(Finding.deviceRule)\(source.id)", severity: source.severity, at: desk.now, text: text,
            quote: quote)
    }

    private func hand(_ event: Neighbourhood.Event, of source: SiteConfiguration.EventSource, bytes: Int) {
        if !desk.tell(event, from: source.id, bytes: bytes) { drop(source) }
    }

    /// Asks a source's allowance, and says once in a while what was left out.
    private func allow(
        _ source: SiteConfiguration.EventSource, _ ask: (inout SourceAllowance, Interval) -> SourceAllowance.Verdict
    ) -> SourceAllowance.Verdict {
        let now = Interval.milliseconds(GatewayClock.bootMilliseconds())
        let verdict = allowances.withLock { ask(&$0[source.id, default: SourceAllowance()], now) }
        if verdict == .drop || verdict == .fold { drop(source) }
        return verdict
    }

    private func drop(_ source: SiteConfiguration.EventSource) {
        let now = Interval.milliseconds(GatewayClock.bootMilliseconds())
        let told = allowances.withLock { $0[source.id, default: SourceAllowance()].noteDropped(at: now) }
        guard let told else { return }
        log.warning("a device sends more messages than are read", metadata: ["event": "\(source.id)", "left_out": "\(told)"])
        let phrase = Phrase(.deviceFlood, ["source": .same(source.id), "count": .same("\(told)")])
        desk.tell(
            .finding(
                Finding(
                    subject: Subject(.site, "events-\(source.id)"), kind: .equipment, rule: "device_flood", severity: .attention, at: desk.now,
                    text: phrase.text, numbers: ["left_out": Double(told)])))
    }

    /// How many messages of each source were left out since the start.
    public var dropped: [String: Int] { allowances.withLock { $0.mapValues(\.dropped) } }

    private func mayPass(_ key: String) -> Bool {
        let now = GatewayClock.bootMilliseconds()
        return heard.withLock { heard in
            if let last = heard[key], now - last < Self.pause { return false }
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
