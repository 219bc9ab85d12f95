import Casework
import Foundation
import Phrasebook
import Telemetry
import TimeSeriesStore

extension SpoolEntry {
    /// What is sent on of a case: how it stands, and its outcome when it has one. No name, no note, nobody who acted.
    static func entries(of item: Case, at now: WallTime) -> [SpoolEntry] {
        struct Body: Encodable {
            var id: CaseID
            var kind: FindingKind
            var severity: Severity
            var subject: Subject
            var stage: CaseStage
            var opened_at: String
            var accepted_at: String?
            var arrived_at: String?
            var sign_of_life_at: String?
            var closed_at: String?
            var outcome: Outcome?
            var by_person: Bool
        }
        var civil = CivilClock(zone: .gmt)
        let body = Body(
            id: item.id, kind: item.kind, severity: item.severity, subject: item.subject, stage: item.stage, opened_at: civil.rfc3339(item.openedAt.wall),
            accepted_at: item.acceptedAt.map { civil.rfc3339($0.wall) }, arrived_at: item.arrivedAt.map { civil.rfc3339($0.wall) },
            sign_of_life_at: item.signOfLifeAt.map { civil.rfc3339($0.wall) }, closed_at: item.closedAt.map { civil.rfc3339($0.wall) }, outcome: item.outcome,
            by_person: item.closedBy != nil)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        guard let data = try? encoder.encode(body) else { return [] }
        let text = String(decoding: data, as: UTF8.self)
        let subject = item.subject.description
        let whole = SpoolEntry(kind: .caseFile, subject: subject, at: now, body: text)
        return item.isOpen ? [whole] : [whole, SpoolEntry(kind: .outcome, subject: subject, at: now, body: text)]
    }

    /// What is sent on of a finding: all but another device's own words, which may hold a name.
    static func finding(_ subject: Subject, body: String, at now: WallTime) -> SpoolEntry? {
        finding(body: body).map { SpoolEntry(kind: .finding, subject: subject.description, at: now, body: $0) }
    }

    /// A finding's body without another device's own words.
    static func finding(body: String) -> String? {
        let bytes = QuotedJSON.cut(body.utf8, strings: 8000).bytes
        guard var finding = try? JSONDecoder().decode(Finding.self, from: Data(bytes)) else { return nil }
        finding.quote = nil
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return (try? encoder.encode(finding)).map { String(decoding: $0, as: UTF8.self) }
    }
}
