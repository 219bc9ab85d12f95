import Casework
import Foundation
import Phrasebook
import Telemetry
import TestSupport
import Testing
import TimeSeriesStore

/// In which order cases are listed, in the built program.
@Suite(.serialized) struct CaseOrderTests {
    @Test func `an open alarm stands first on the page and in the list, whatever came after it, and every case is on some page`() async throws {
        let site = try LittleSite()
        defer { site.end() }
        let gateway = site.gateway
        let now = Instant(recorded: WallTime(unixSeconds: Int64(Date().timeIntervalSince1970) - 3600))
        func finding(_ subject: Subject, _ kind: FindingKind, _ severity: Severity) -> Finding {
            Finding(subject: subject, kind: kind, rule: "made", severity: severity, at: now, text: LocalizedText(chinese: "甲", english: "made"))
        }
        var book = CaseBook(ladders: Ladders(), directory: Directory(), language: .english, civil: CivilClock(zone: .gmt))
        var saved: [CaseID: Case] = [:]
        func take(_ event: CaseBook.Event) throws {
            for effect in try book.handle(event, at: now) { if case .save(let item) = effect { saved[item.id] = item } }
        }
        try take(.finding(finding(Subject(.household, "h-2"), .inactivity, .alarm)))
        for number in 0..<150 {
            try take(.finding(finding(Subject(.site, "bin-\(number)"), .incident, .attention)))
            if number % 2 == 0 { try take(.cleared(Subject(.site, "bin-\(number)"), .incident)) }
        }
        let store = try Store(path: "\(gateway.folder)/w.sqlite")
        try store.writeNow { [saved] writer in for item in saved.values { try writer.save(item) } }
        try store.close()
        try gateway.start()
        try await eventually(within: 20) { gateway.http("GET", "/healthz").status == 200 }
        let page = gateway.http("GET", "/cases").text
        let first = try #require(page.firstRange(of: "/cases/c-"))
        let next = page[first.upperBound...].prefix { $0.isNumber }
        #expect(next == "1" || gateway.http("GET", "/api/v1/cases/c-\(next)").json["severity"] as? String == "alarm", "\(next)")
        #expect(page.contains("href=\"/cases?cursor="))
        // Every case once, on pages of any length; and on the pages for people too.
        var seen: [String] = []
        var ranks: [Int] = []
        var cursor: String? = ""
        while let here = cursor {
            let answer = gateway.http("GET", "/api/v1/cases?limit=37\(here.isEmpty ? "" : "&cursor=\(here)")").json
            let items = answer["items"] as? [[String: Any]] ?? []
            seen += items.compactMap { $0["id"] as? String }
            ranks += items.map { $0["closed_at"] is String ? 2 : $0["severity"] as? String == "alarm" ? 0 : 1 }
            cursor = answer["next"] as? String
        }
        #expect(Set(seen).count == seen.count && Set(saved.keys.map(\.rawValue)).isSubset(of: seen), "\(seen.count)")
        #expect(ranks == ranks.sorted())
        #expect(
            gateway.items("/api/v1/cases?state=open&severity=alarm&limit=200").allSatisfy { $0["severity"] as? String == "alarm" && $0["closed_at"] is NSNull })
        #expect(
            gateway.items("/api/v1/cases?state=closed&limit=200").count >= 75
                && gateway.items("/api/v1/cases?state=closed&limit=200").allSatisfy { $0["closed_at"] is String })
        #expect(gateway.http("GET", "/api/v1/cases?severity=worst").status == 400)
    }
}
