import Casework
import Foundation
import Hummingbird
import Phrasebook
import Safeguarding
import Telemetry
import Watchkeeping

/// What every page is made with: who reads it, in which language, at what moment.
struct PageFrame {
    let premises: Premises
    let account: Account?
    private(set) var language: Language
    private let hasChosen: Bool
    let csrf: String
    let isGuarded: Bool
    let path: String
    var shapes: Shapes

    init(_ premises: Premises, _ access: AccessControl, _ request: Request, _ context: ConsoleContext) {
        self.premises = premises
        account = context.account
        csrf = context.session ?? access.localToken
        isGuarded = access.isGuarded
        path = request.uri.path
        let cookies = request.headers[.cookie] ?? ""
        let chosen = cookies.contains("wellward_language=en") ? Language.english : cookies.contains("wellward_language=zh-Hans") ? .chinese : nil
        hasChosen = chosen != nil
        language = chosen ?? premises.configuration.language
        shapes = Shapes(premises, context.account ?? Account(name: "", role: .integrator))
    }

    /// Speaks the reader's own language, unless the reader has chosen one on the page.
    mutating func speak(_ own: Language?) { if !hasChosen, let own { language = own } }

    func label(_ label: Label) -> String { label.text[language] }

    /// A moment as a person says it.
    mutating func spoken(_ time: WallTime?) -> String {
        guard let time else { return "–" }
        return shapes.civil.spoken(time, at: shapes.now.wall)[language]
    }

    func span(_ interval: Interval) -> String { Phrase.span(milliseconds: interval.milliseconds)[language] }

    /// `2 小时前` / `2 h ago`.
    func ago(_ time: WallTime) -> String {
        let text = span(shapes.now.wall - time)
        return language == .chinese ? "\(text)前" : "\(text) ago"
    }

    /// The parts that all pages share.
    mutating func context(_ title: String, _ parts: [String: Any] = [:]) -> [String: Any] {
        var all = parts
        all["title"] = title
        all["site"] = premises.configuration.siteName.isEmpty ? premises.configuration.siteID.rawValue : premises.configuration.siteName
        all["now"] = shapes.civil.clockFace(shapes.now.wall)
        all["csrf"] = csrf
        all["toggle"] = LanguageChoice.toggle(to: language == .chinese ? .english : .chinese, on: path)
        all["localOnly"] = !isGuarded
        if let account {
            all["user"] = ["name": account.name] as [String: Any]
            all["canSignOut"] = isGuarded
            let items: [(String, Label, Bool)] = [
                ("/", .overview, account.role.may(.homes)), ("/cases", .cases, true), ("/elevators", .elevators, true), ("/devices", .devices, true),
                ("/quality", .navQuality, true), ("/people", .navPeople, account.role.may(.people)),
                ("/statistics", .statistics, account.role.may(.homes)), ("/audit", .audit, account.role.may(.audit)),
            ]
            all["nav"] = ["items": items.filter(\.2).map { ["href": $0.0, "label": label($0.1), "current": $0.0 == path] as [String: Any] }] as [String: Any]
        }
        return all
    }

    /// What a case is about in words; another device goes by its own name, since its words are not for everybody.
    func subject(of item: Case, named: Bool? = nil) -> String {
        let words = subject(item.subject, named: named)
        guard item.subject.type == .site, item.latest?.rule.hasPrefix(Finding.deviceRule) == true else { return words }
        return "\(words) \(item.subject.id)"
    }

    /// A subject in words, with names where this reader may see them.
    func subject(_ subject: Subject, named: Bool? = nil) -> String {
        let id = Phrase.Filling.same(subject.id)
        switch subject.type {
        case .household:
            if named ?? account?.role.may(.names) ?? false, let home = premises.configuration.households.first(where: { $0.id.rawValue == subject.id }) {
                return [home.address, home.name].filter { !$0.isEmpty }.joined(separator: " ")
            }
            return Phrase(.subjectHome, ["id": id]).text[language]
        case .elevator: return Phrase(.subjectLift, ["id": id]).text[language]
        case .meter: return Phrase(.subjectMeter, ["id": id]).text[language]
        case .bus: return Phrase(.subjectBus, ["id": id]).text[language]
        case .site: return Phrase(.subjectSite).text[language]
        }
    }
}

extension HomeState {
    var label: Label {
        switch self {
        case .safe: .stateSafe
        case .attention: .stateAttention
        case .alarm: .stateAlarm
        case .away: .stateAway
        case .blind: .stateBlind
        case .degraded: .stateDegraded
        case .learning: .stateLearning
        }
    }

    var tone: String { rawValue.lowercased() }

    /// Where the state stands in a list: the worst first.
    var rank: Int { [.alarm, .attention, .degraded, .blind, .away, .learning, .safe].firstIndex(of: self) ?? 9 }

    /// A shape for each state, so that colour is never alone; drawn in a field of 48 by 48.
    var shape: String {
        switch self {
        case .safe: "M24 12a12 12 0 1 0 .01 0z"
        case .attention: "M24 11 37 35H11z"
        case .alarm: "M18 10h12l8 8v12l-8 8H18l-8-8V18z"
        case .away: "M24 10 10 22h4v14h20V22h4zM20 36V26h8v10z"
        case .blind: "M24 12a12 12 0 1 0 .01 0zM24 17a7 7 0 1 1-.01 0z"
        case .degraded: "M24 12a12 12 0 0 0 0 24z"
        case .learning: "M14 21h6v6h-6zM21 21h6v6h-6zM28 21h6v6h-6z"
        }
    }
}

extension CaseStage {
    /// The link of grid management in words.
    var name: LocalizedText {
        let (chinese, english) =
            switch self {
            case .reported: ("受理", "reported")
            case .filed: ("立案", "filed")
            case .dispatched: ("派遣", "dispatched")
            case .handling: ("处置", "being handled")
            case .supervised: ("督办", "supervised")
            case .verified: ("核查", "verified")
            case .closed: ("结案", "closed")
            }
        return LocalizedText(chinese: chinese, english: english)
    }
}
