import Casework
import Foundation
import Phrasebook
import Telemetry

/// A notice ready to leave the house: with the subject in words, names where this channel may carry them, and a link.
public struct Letter: Sendable, Hashable {
    /// The notice.
    public var notice: Notice
    /// The site.
    public var site: SiteID
    /// The whole text in the reader's language.
    public var text: String
    /// One line for a title.
    public var title: String
    /// Opens the case without a login; empty when no address is configured.
    public var link: String
    /// When the event happened, RFC 3339.
    public var time: String
    /// When the case was opened, RFC 3339.
    public var openedAt: String
    /// The reader's mail address, for a channel that needs one.
    public var address: String?
    /// Letters that travel in the same message, where a group robot's pace has no room for one each.
    public var others: [Letter] = []

    /// Several letters in one message; nil of none.
    public init?(together letters: [Letter]) {
        guard var first = letters.first else { return nil }
        first.others = Array(letters.dropFirst())
        self = first
    }

    /// A letter with all its parts.
    public init(
        notice: Notice, site: SiteID, text: String, title: String, link: String, time: String, openedAt: String, address: String? = nil
    ) {
        self.notice = notice
        self.site = site
        self.text = text
        self.title = title
        self.link = link
        self.time = time
        self.openedAt = openedAt
        self.address = address
    }

    /// The letter as a CloudEvents 1.0 event in structured JSON, on one line.
    public func cloudEvent() throws -> Data {
        struct Event: Encodable {
            struct Payload: Encodable {
                var `case`: CaseID
                var kind: FindingKind
                var severity: Severity
                var stage: CaseStage
                var subject: Subject
                var text: String
                var language: Language
                var roles: [Role]
                var contact: ContactID
                var link: String
                var opened_at: String
                var reasons: [Notice.Reason]
                var undurable: Bool?
            }
            var specversion = "1.0"
            var id: NoticeID
            var source: String
            var type: String
            var subject: CaseID
            var time: String
            var datacontenttype = "application/json"
            var data: Payload
        }
        let event = Event(
            id: notice.id, source: "/sites/\(site)", type: "org.wellward.case.\(notice.kind.rawValue)", subject: notice.caseID,
            time: time,
            data: .init(
                case: notice.caseID, kind: notice.caseKind, severity: notice.severity, stage: notice.stage,
                subject: notice.subject, text: text, language: notice.language, roles: notice.roles, contact: notice.contact,
                link: link, opened_at: openedAt, reasons: notice.reasons, undurable: notice.isUndurable))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(event)
    }
}

/// One way of telling.
public protocol Notifier: Sendable {
    /// Tries to deliver a letter once.
    func deliver(_ letter: Letter) async -> DeliverySchedule.Attempt
    /// Tries to deliver a letter that says it is a test, while somebody waits for the answer: so it may look closer than
    /// `deliver` does.
    func test(_ letter: Letter) async -> DeliverySchedule.Attempt
}

extension Notifier {
    /// Delivers it like any other.
    public func test(_ letter: Letter) async -> DeliverySchedule.Attempt { await deliver(letter) }
}
