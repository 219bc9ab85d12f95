import Casework
import Foundation
import GRDB
import Phrasebook
import Telemetry
import Testing

@testable import TimeSeriesStore

/// A record that an earlier release filled with texts of any length.
@Suite struct LongTextTests {
    private let path = FileManager.default.temporaryDirectory.appendingPathComponent("wellward-test-\(UUID().uuidString)/w.sqlite").path
    private let now = Instant(elapsed: .zero, wall: WallTime(unixSeconds: 1_700_000_000))

    private func fat(_ count: Int) -> String { "x" + String(repeating: "\u{301}", count: count) }

    @Test func `cases and notices with texts of any length are read, cut, and written down once as they are kept now`() throws {
        let store = try Store(path: path)
        defer { try? store.close() }
        let words = LocalizedText(chinese: "满：\(fat(120_000))", english: "full: \(fat(120_000))")
        var book = CaseBook(
            ladders: Ladders(), directory: Directory(contacts: [.init(id: "t", role: .technician, channels: ["out"])]), language: .english,
            civil: CivilClock(zone: .gmt))
        var effects: [CaseBook.Effect] = []
        for number in 0..<20 {
            var finding = Finding(subject: Subject(.site, "bin-\(number)"), kind: .incident, rule: "event/bin", severity: .attention, at: now, text: words)
            (finding.text, finding.plainText) = (words, words)
            effects += try book.handle(.finding(finding), at: now)
        }
        try store.writeNow { writer in
            for effect in effects {
                if case .save(var item) = effect {
                    (item.acceptedBy, item.note) = (fat(60_000), fat(60_000))
                    try writer.save(item)
                }
                if case .notify(let notice) = effect { try writer.save(DeliverySchedule.Item(notice)) }
            }
        }
        let open = try store.readNow { try $0.cases(open: true, limit: 100) }
        #expect(open.count == 20)
        for item in open {
            #expect(item.findings.allSatisfy { $0.text.chinese.utf8.count < 1000 && ($0.quote ?? "").utf8.count < 1000 })
            #expect((item.acceptedBy ?? "").utf8.count <= 320 && item.note.utf8.count <= Case.longestNote)
        }
        let waiting = try store.readNow { try $0.undelivered() }
        #expect(waiting.count == 20 && waiting.allSatisfy { $0.notice.text.english.utf8.count < 5000 })
        func bytes() throws -> Int {
            try store.readNow { reader in
                try ["cases", "notices"].map { try Int.fetchOne(reader.database, sql: "SELECT sum(length(body)) FROM \($0)") ?? 0 }.reduce(0, +)
            }
        }
        let before = try bytes()
        var walk = StoreWriter.LongTextWalk()
        for _ in 0..<100 where !walk.isDone {
            walk = try store.writeNow { [walk] in
                var next = walk; try $0.cutLongTexts(&next); return next
            }
        }
        #expect(walk.isDone && walk.cut == 40)
        let after = try bytes()
        #expect(before > 20_000_000 && after < 1_000_000, "\(before) \(after)")
        #expect(try store.readNow { try $0.cases(open: true, limit: 100) }.map(\.id) == open.map(\.id))
    }
}
