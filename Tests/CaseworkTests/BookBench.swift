import Casework
import Foundation
import Phrasebook
import Telemetry
import Testing

/// Drives a case book on a driven clock.
struct BookBench {
    var book: CaseBook
    var now = Instant(recorded: WallTime(unixSeconds: 1_700_000_000))
    var notices: [Notice] = []
    var others: [CaseBook.Effect] = []

    init(contacts: [ContactCard]? = nil, ladders: Ladders = Ladders()) {
        let all: [ContactCard] =
            contacts ?? [
                ContactCard(id: "daughter", role: .family, channels: ["f"]), ContactCard(id: "grid", role: .gridWorker, channels: ["f"]),
                ContactCard(id: "committee", role: .committee, channels: ["f"]), ContactCard(id: "station", role: .station, channels: ["f"]),
                ContactCard(id: "town", role: .town, channels: ["f"]),
            ]
        let directory = Directory(contacts: all, ties: [Subject(.household, "h"): .init(contacts: ["daughter"], grid: "g")])
        book = CaseBook(ladders: ladders, directory: directory, language: .english, civil: CivilClock(zone: .gmt))
    }

    mutating func take(_ event: CaseBook.Event) {
        do {
            for effect in try book.handle(event, at: now) {
                if case .notify(let notice) = effect { notices.append(notice) } else { others.append(effect) }
            }
        } catch { Issue.record("refused: \(error)") }
    }

    mutating func wait(_ interval: Interval) {
        now = now.advanced(by: interval)
        take(.tick)
    }

    mutating func silence(_ severity: Severity = .alarm) {
        take(
            .finding(
                Finding(
                    subject: Subject(.household, "h"), kind: .inactivity, rule: "volume", severity: severity, at: now,
                    text: LocalizedText(chinese: "只用了3升", english: "only 3 L"), plainText: LocalizedText(chinese: "没有动静", english: "no sign"),
                    numbers: ["used_litres": 3, "hours": 12])))
    }

    mutating func act(_ deed: CaseBook.Act.Deed, by who: String) { take(.act("c-1", .init(deed, by: who))) }
    // A test that asks for a case that is not there is broken itself.
    // swift-format-ignore: NeverForceUnwrap
    var item: Case { book.cases["c-1"]! }
    var told: [String] { notices.map { "\($0.kind.rawValue) \($0.contact)" } }
}

extension BookBench {
    /// An act that may be impossible in a random history.
    mutating func actOnOpen(_ deed: CaseBook.Act.Deed, by who: String) {
        guard let open = book.openCase(Subject(.household, "h")),
            let effects = try? book.handle(.act(open.id, .init(deed, by: who)), at: now)
        else { return }
        for effect in effects { if case .notify(let notice) = effect { notices.append(notice) } }
    }
}
