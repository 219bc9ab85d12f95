import Casework
import Foundation
import Phrasebook
import Telemetry
import Watchkeeping

/// `/cases/ID` and the signed link's page: the ladder, the reasons, the three buttons.
struct CasePage {
    var frame: PageFrame
    let item: Case
    let notices: [DeliverySchedule.Item]
    /// Where the buttons post to.
    let action: String
    let mayAct: Bool
    /// Whether names and litres may be shown to this reader.
    let named: Bool
    let litres: Bool
    /// Whether other devices' own words may be shown.
    let quoted: Bool
    /// Whether this reader may take back the links that were sent.
    var mayRevoke = false

    mutating func context() -> [String: Any] {
        let language = frame.language
        let outcomes = Outcome.allowed(for: item.kind)
        let now = frame.shapes.now
        let words = item.latest?.told(plain: !litres, quoted: quoted, at: now, clock: &frame.shapes.civil)[language] ?? ""
        var parts: [String: Any] = [
            "subject": frame.subject(of: item, named: named), "kind": item.kind.title[language], "stage": item.stage.name[language],
            "tone": item.isOpen ? item.severity.rawValue : "calm",
            "text": words,
            "mayAct": mayAct && item.isOpen, "action": action, "canAccept": item.acceptedAt == nil || item.acceptedByRelative && item.arrivedAt == nil,
            "mayRevoke": mayRevoke && item.isOpen, "revokeAction": "\(action)/links",
            "canArrive": item.arrivedAt == nil,
            "arriveClass": item.acceptedAt == nil || item.acceptedByRelative ? "secondary" : "primary",
            "canHandBack": item.acceptedAt != nil,
            "outcomeClass": item.arrivedAt != nil ? "primary" : "secondary",
            "outcomes": outcomes.map { ["code": $0.rawValue, "label": $0.sentence[language]] as [String: Any] },
            "course": item.passage.filter { $0.stage != .supervised || $0.at != nil }.map { stage, at in
                ["stage": stage.name[language], "at": at.map { frame.spoken($0.wall) } ?? "–", "tone": at == nil ? "later" : "done"] as [String: Any]
            },
            "asksUntil": outcomes.contains(.away), "ladder": ladder(),
            "findings": item.findings.suffix(10).map { finding in
                ["at": frame.spoken(finding.at.wall), "text": finding.words(plain: !litres, quoted: quoted)[language]] as [String: Any]
            },
            "hasNotices": !notices.isEmpty,
            "notices": notices.suffix(40).map { record in
                let state = record.sentAt.map { frame.spoken($0) } ?? "\(record.state.rawValue) (\(record.attempts))"
                return ["whom": record.notice.role.name[language], "how": record.notice.channel.rawValue, "state": state] as [String: Any]
            },
        ]
        if let who = item.acceptedBy, item.isOpen {
            parts["who"] = Phrase(item.arrivedAt == nil ? .acceptedBy : .arrivedBy, ["who": .text(spoken(who))]).text[language]
        }
        if named, !item.note.isEmpty, item.note != "auto" { parts["words"] = item.note }
        if let outcome = item.outcome, !item.isOpen { parts["who"] = Phrase(.closedWith, ["outcome": .text(outcome.name)]).text[language] }
        return frame.context(frame.subject(of: item, named: named), parts)
    }

    private func spoken(_ who: String) -> LocalizedText {
        if let contact = frame.premises.configuration.contacts.first(where: { $0.card.id.rawValue == who }) {
            let name = named && !contact.name.isEmpty ? contact.name : contact.card.role.name[frame.language]
            return LocalizedText(chinese: name, english: name)
        }
        // What somebody typed may be a name.
        return named ? LocalizedText(chinese: who, english: who) : LocalizedText(chinese: "有人", english: "Somebody")
    }

    private mutating func ladder() -> [[String: Any]] {
        let next = item.isOpen ? item.rungs.firstIndex { $0.doneAt == nil } : nil
        return item.rungs.enumerated().suffix(12).map { index, rung in
            let roles = rung.step.notify.map { $0.name[frame.language] }.joined(separator: frame.language == .chinese ? "、" : ", ")
            let when: String
            if let done = rung.doneAt {
                when = "✓ \(frame.spoken(done.wall))"
            } else {
                let left = rung.dueAt.elapsed - frame.shapes.now.elapsed
                when = left > .zero && !item.isTaken ? (frame.language == .chinese ? "还有\(frame.span(left))" : "in \(frame.span(left))") : "–"
            }
            return ["roles": roles, "when": when, "tone": rung.doneAt != nil ? "done" : index == next && !item.isTaken ? "next" : "later"]
        }
    }
}

extension Outcome {
    /// The choice as a sentence.
    var sentence: LocalizedText {
        let (chinese, english) =
            switch self {
            case .safe: ("人在家，平安", "At home and well")
            case .away: ("不在家，去别处了", "Away, staying elsewhere")
            case .helped: ("需要帮助，已经帮了", "Needed help, and got it")
            case .hospital: ("已送医院", "Taken to hospital")
            case .deceased: ("人已去世", "Has died")
            case .leak: ("是漏水", "It was a leak")
            case .meterFault: ("是水表或设备坏了", "The meter or device is at fault")
            case .noAccess: ("没人开门，进不去", "Nobody opened, no access")
            case .falseAlarm: ("误报", "False alarm")
            case .removed: ("已推出电梯", "Taken out of the lift")
            case .repaired: ("已修好", "Repaired")
            }
        return LocalizedText(chinese: chinese, english: english)
    }
}
