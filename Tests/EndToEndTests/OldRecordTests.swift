import Casework
import Foundation
import Phrasebook
import Telemetry
import TestSupport
import Testing
import TimeSeriesStore

/// A record that an earlier release filled with long texts, under the built program with its unit's memory.
@Suite(.serialized) struct OldRecordTests {
    private static let cases = 30
    /// So many were sent long ago, and so many wait.
    private static let (sent, waiting) = (200, 100)

    /// Writes the record as the earlier release left it: a case's texts and each notice's are one letter and as many accents as fitted.
    private static func fill(_ path: String) throws {
        let now = Instant(recorded: WallTime(unixSeconds: Int64(Date().timeIntervalSince1970) - 3600))
        var book = CaseBook(
            ladders: Ladders(), directory: Directory(contacts: [.init(id: "t", role: .technician, channels: ["out"])]), language: .english,
            civil: CivilClock(zone: .gmt))
        let short = "LONG"
        let words = LocalizedText(chinese: short, english: short)
        var saved: [CaseID: Case] = [:]
        var made: [Notice] = []
        for number in 0..<cases {
            let finding = Finding(
                subject: Subject(.site, "bin-\(number)"), kind: .incident, rule: "event/b\(number)", severity: .attention, at: now, text: words)
            for effect in try book.handle(.finding(finding), at: now) {
                if case .save(let item) = effect { saved[item.id] = item }
                if case .notify(let notice) = effect { made.append(notice) }
            }
        }
        let store = try Store(path: path)
        try store.writeNow { [saved, made] writer in
            for item in saved.values { try writer.save(item) }
            for number in 0..<(sent + waiting) {
                var notice = made[number % made.count]
                notice.id = NoticeID("n-old-\(number)")
                var item = DeliverySchedule.Item(notice)
                if number < sent { (item.state, item.sentAt) = (.sent, now.wall) }
                try writer.save(item)
            }
        }
        try store.close()
        let program = """
            import sqlite3, sys
            db = sqlite3.connect(sys.argv[1])
            for table in ['cases', 'notices']:
                db.execute(f"update {table} set body = cast(replace(cast(body as text), '\(short)', ?) as blob)", ('x' + '\\u0301' * 30000,))
            db.commit()
            db.close()
            """
        let done = try TechnicianCommandTests.shell(["/usr/bin/env", "python3", "-c", program, path])
        try #require(done.code == 0, "\(done)")
    }

    @Test(.timeLimit(.minutes(5)))
    func `a record filled with a thousand long texts opens within the unit's memory, answers at once, and people are told what was cut`() async throws {
        let unit = try String(contentsOf: ShippedProfiles.root.appendingPathComponent("Deploy/wellward.service"), encoding: .utf8)
        let limit = MemoryLimit(unit: unit)
        let site = try LittleSite()
        defer {
            site.end()
            limit.remove()
        }
        let gateway = site.gateway
        let record = "\(gateway.folder)/w.sqlite"
        try Self.fill(record)
        let size = try FileManager.default.attributesOfItem(atPath: record)[.size] as? Int ?? 0
        #expect(size > 20 << 20, "\(size >> 20) MB")
        try gateway.start(through: limit.words)
        try await eventually(within: 120) { gateway.http("GET", "/healthz").status == 200 }
        let life = gateway.processID
        @Sendable func told() -> String? {
            gateway.items("/api/v1/cases?state=open&limit=200").first { "\($0)".contains("unreasonable length") }.map { "\($0)" }
        }
        try await eventually(within: 120) { told() != nil }
        let words = try #require(told())
        // What went out meanwhile was written down anew as it is kept now, and counts or not.
        let count = words.firstMatch(of: #/(\d+) lines of the record/#).flatMap { Int($0.1) } ?? 0
        #expect(count >= Self.sent && count <= Self.cases + Self.sent + Self.waiting, "\(words)")
        let item = try #require(gateway.items("/api/v1/cases?state=open&limit=200").first { ($0["subject"] as? [String: Any])?["id"] as? String == "bin-7" })
        #expect("\(item)".utf8.count < 10_000)
        #expect(gateway.processID == life && gateway.isRunning && FloodTests.peak(life) < 250 << 20, "\(FloodTests.peak(life) >> 20) MB")
        // The homes are watched meanwhile.
        try await eventually(within: 40) { gateway.link("family") != nil }
    }
}
