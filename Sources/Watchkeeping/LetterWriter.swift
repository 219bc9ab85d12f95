import Casework
import Foundation
import Notifiers
import Phrasebook
import SiteConfiguration
import Telemetry

/// Puts names and addresses to a notice at the last moment, where its reader and its channel may have them.
public struct LetterWriter: Sendable {
    private let configuration: SiteConfiguration
    private let signer: LinkSigner
    private var civil: CivilClock

    /// A writer for a site.
    public init(configuration: SiteConfiguration, signer: LinkSigner) {
        self.configuration = configuration
        self.signer = signer
        civil = configuration.clock
    }

    /// The channels of the configuration.
    var channels: Set<ChannelID> { Set(configuration.channels.map(\.id)) }
    /// Who is to be reached by each channel.
    var readers: [ChannelID: Set<ContactID>] {
        configuration.contacts.reduce(into: [:]) { readers, contact in
            for channel in contact.card.channels { readers[channel, default: []].insert(contact.card.id) }
        }
    }
    /// The people of the configuration.
    var contacts: Set<ContactID> { Set(configuration.contacts.map(\.card.id)) }

    /// The letter of a notice.
    public mutating func letter(_ notice: Notice, now: WallTime) -> Letter {
        let channel = configuration.channels.first { $0.id == notice.channel }
        let named = (channel?.names ?? false) && notice.role.maySeeNames
        var subject = subject(notice.subject, named: named, language: notice.language)
        // Where another device stands, by the name it goes by here: its own words are not for every channel.
        if notice.subject.type == .site, notice.reasons.last?.rule.hasPrefix(Finding.deviceRule) == true { subject += " \(notice.subject.id)" }
        let separator = notice.language == .chinese ? "：" : ": "
        var text = "\(subject)\(separator)\(words(of: notice, quoted: channel?.names ?? false)[notice.language])"
        if notice.isUndurable == true { text += Phrase(.undurable).text[notice.language] }
        return Letter(
            notice: notice, site: configuration.siteID, text: text,
            title: "\(subject) – \(notice.caseKind.title[notice.language])", link: link(notice, named: channel?.names ?? false, now: now),
            time: civil.rfc3339(notice.createdAt.wall), openedAt: civil.rfc3339(notice.openedAt.wall),
            address: configuration.contacts.first { $0.card.id == notice.contact }?.email)
    }

    /// The sentence, with another device's own words where the channel may carry names: they may hold one.
    private func words(of notice: Notice, quoted: Bool) -> LocalizedText {
        guard quoted, let quote = notice.quote, let said = notice.reasons.last?.text else { return notice.text }
        let whole = Finding.quoting(said, quote)
        func with(_ text: String, _ said: String, _ quoting: String) -> String {
            text.hasPrefix(said) ? quoting + text.dropFirst(said.count) : text
        }
        return LocalizedText(
            chinese: with(notice.text.chinese, said.chinese, whole.chinese + "。"), english: with(notice.text.english, said.english, whole.english + "."))
    }

    private func subject(_ subject: Subject, named: Bool, language: Language) -> String {
        let id = Phrase.Filling.same(subject.id)
        switch subject.type {
        case .household:
            if named, let home = configuration.households.first(where: { $0.id.rawValue == subject.id }), !home.address.isEmpty || !home.name.isEmpty {
                return [home.address, home.name].filter { !$0.isEmpty }.joined(separator: language == .chinese ? " " : ", ")
            }
            return Phrase(.subjectHome, ["id": id]).text[language]
        case .elevator: return Phrase(.subjectLift, ["id": id]).text[language]
        case .meter: return Phrase(.subjectMeter, ["id": id]).text[language]
        case .bus: return Phrase(.subjectBus, ["id": id]).text[language]
        case .site: return Phrase(.subjectSite).text[language]
        }
    }

    private func link(_ notice: Notice, named: Bool, now: WallTime) -> String {
        guard let base = configuration.console.publicURL else { return "" }
        let trimmed = base.hasSuffix("/") ? String(base.dropLast()) : base
        let token = signer.token(
            LinkSigner.Grant(
                caseID: notice.caseID, contact: notice.contact, until: now + configuration.links.validFor, issuedAt: now, named: named))
        return "\(trimmed)/l/\(token)"
    }
}

extension FindingKind {
    /// The kind in a word or two.
    public var title: LocalizedText {
        let (chinese, english) =
            switch self {
            case .inactivity: ("没有动静", "no sign of life")
            case .continuousFlow: ("水一直在流", "water keeps running")
            case .excessUse: ("用水过多", "too much water")
            case .useWhileAway: ("外出期间用水", "use while away")
            case .blind: ("看不到", "out of sight")
            case .degraded: ("看不清", "cannot tell")
            case .ebike: ("电瓶车进电梯", "e-bike in the lift")
            case .ebikeBattery: ("电瓶车电池进电梯", "e-bike battery in the lift")
            case .gasCylinder: ("液化气瓶进电梯", "gas cylinder in the lift")
            case .equipment: ("设备故障", "equipment trouble")
            case .incident: ("事件", "incident")
            case .meterEvent: ("水表变化", "meter event")
            }
        return LocalizedText(chinese: chinese, english: english)
    }
}
