import Casework
import Foundation
import Neighbourhood
import Safeguarding
import Telemetry
import Testing

/// Homes that fall silent together, and what must not be taken for it.
@Suite struct SharedSilenceTests {
    @Test func `water cut off for a whole riser is one incident, and whoever is silent after it came back is told then`() throws {
        var village = Village(homes: 8)
        village.round(answering: Set(1...8), count: 3)
        village.round(answering: Set(1...8), use: .zero, count: 12 * 13)
        #expect(village.open.filter { $0.kind == .incident }.count == 1)
        let before = village.open.filter { $0.kind == .inactivity }.count
        #expect(before < 5, "a cut-off main must not become a case for each home: \(before)")
        // Seven homes draw water again; the eighth does not.
        village.round(answering: Set(1...8), use: .litres(3), silent: [8], count: 2)
        #expect(!village.open.contains { $0.kind == .incident })
        #expect(village.open.contains { $0.kind == .inactivity && $0.subject.id == "h-8" })
    }

    @Test func `a person who closes the incident gives back every home it held`() throws {
        var village = Village(homes: 8)
        village.round(answering: Set(1...8), count: 3)
        village.round(answering: Set(1...8), use: .zero, count: 12 * 13)
        let incident = try #require(village.open.first { $0.kind == .incident })
        #expect(village.open.filter { $0.kind == .inactivity }.count < 5)
        village.take(.act(incident.id, .init(.outcome(.falseAlarm, until: nil), by: "guard")))
        #expect(Set(village.open.filter { $0.kind == .inactivity }.map(\.subject.id)).count == 8)
    }

    @Test func `two people who fall at the same time are two cases`() {
        var village = Village(homes: 8)
        village.round(answering: Set(1...8), count: 3)
        village.round(answering: Set(1...8), use: .litres(1), silent: [2, 5], count: 12 * 13)
        #expect(Set(village.open.filter { $0.kind == .inactivity }.map(\.subject.id)) == ["h-2", "h-5"])
        #expect(!village.open.contains { $0.kind == .incident })
    }

    @Test func `a village whose people left one by one hides nobody who stays and falls`() throws {
        var village = Village(homes: 8)
        village.round(answering: Set(1...8), count: 3)
        for gone in 1...7 { village.round(answering: Set(1...8), silent: Set(1...gone), count: 12 * 9) }
        #expect(!village.open.contains { $0.kind == .incident }, "no water was cut")
        village.round(answering: Set(1...8), use: .zero, count: 12 * 13)
        #expect(village.open.contains { $0.kind == .inactivity && $0.subject.id == "h-8" })
    }

    @Test func `water that stays away for eight hours hides nobody any longer`() {
        var village = Village(homes: 8)
        village.round(answering: Set(1...8), count: 3)
        village.round(answering: Set(1...8), use: .zero, count: 12 * 13)
        #expect(village.open.contains { $0.kind == .incident })
        village.round(answering: Set(1...8), use: .zero, count: 12 * 8)
        #expect(Set(village.open.filter { $0.kind == .inactivity }.map(\.subject.id)).count == 8)
    }

    @Test func `a home told of before the water was cut still climbs to an alarm`() throws {
        let settled = Street.settled
        let saved = String(decoding: try JSONEncoder().encode(settled.watch), as: UTF8.self)
        let watches = try (1...6).map { index in
            try JSONDecoder().decode(HouseholdWatch.self, from: Data(saved.replacingOccurrences(of: "\"h\"", with: "\"h-\(index)\"").utf8))
        }
        var village = Village(watches: watches, at: settled.now)
        // Everybody draws water until noon, then the first falls; an hour later the water is cut for all.
        func slot() -> Int64 { (village.now.wall.unixSeconds / 300) % 288 }
        while slot() != 12 * 12 { village.round(answering: Set(1...6), use: slot() % 9 == 0 ? .litres(7) : .zero) }
        func first() -> Case? { village.open.first { $0.kind == .inactivity && $0.subject.id == "h-1" } }
        for _ in 0..<12 { village.round(answering: Set(1...6), use: slot() % 9 == 0 ? .litres(7) : .zero, silent: [1]) }
        var severityAtIncident: Severity?
        for _ in 0..<(12 * 20) {
            village.round(answering: Set(1...6), use: .zero)
            guard severityAtIncident == nil, village.open.contains(where: { $0.kind == .incident }) else { continue }
            severityAtIncident = try #require(first()).severity
            #expect(village.open.filter { $0.kind == .inactivity }.count < 4)
        }
        #expect(severityAtIncident == .attention)
        let alarmed = try #require(first()?.findings.first { $0.severity == .alarm })
        let incident = try #require(village.open.first { $0.kind == .incident })
        #expect(alarmed.at.since(incident.openedAt) < .hours(8), "it did not wait for the incident to be over")
    }
}
