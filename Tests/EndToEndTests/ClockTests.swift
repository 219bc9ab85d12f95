import Foundation
import TestSupport
import Testing

/// Wall clocks that are wrong and that step, under the built program.
@Suite(.serialized) struct ClockTests {
    /// A wall clock of one program's own, by libfaketime. A small library before it keeps timers and all other clocks true.
    private final class WallClock: Sendable {
        let file: String
        let words: [String]

        /// - Parameter says: what libfaketime is told, "+8h" or "@1970-01-01 00:00:10"
        init(_ says: String, in folder: String) throws {
            file = "\(folder)/wall-clock"
            let library = "\(folder)/truetimers.so"
            let source = ShippedProfiles.root.appendingPathComponent("Tests/Receivers/truetimers.c").path
            let built = try TechnicianCommandTests.shell(["/usr/bin/env", "cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"])
            try #require(built.code == 0, "a C compiler is part of every machine that builds Swift")
            // Twice through env: libfaketime tells its children of itself by a variable that must be there before the program starts, for Swift
            // finds its arguments beside the environment.
            words = [
                "/usr/bin/env", "LD_PRELOAD=\(library) /usr/$LIB/faketime/libfaketime.so.1", "FAKETIME_TIMESTAMP_FILE=\(file)", "FAKETIME_NO_CACHE=1",
                "FAKETIME_DONT_FAKE_MONOTONIC=1", "/usr/bin/env",
            ]
            try step(to: says)
        }

        /// Moves the clock of the running program.
        func step(to says: String) throws { try says.write(toFile: file, atomically: true, encoding: .utf8) }

        /// A program that was killed leaves libfaketime's shared memory behind.
        deinit {
            for name in (try? FileManager.default.contentsOfDirectory(atPath: "/dev/shm")) ?? [] where name.contains("faketime_s") {
                guard let process = name.split(separator: "_").last.flatMap({ Int32($0) }), kill(process, 0) != 0 else { continue }
                try? FileManager.default.removeItem(atPath: "/dev/shm/\(name)")
            }
        }
    }

    private static let year1970 = "@1970-01-01 00:00:10"

    @Test(arguments: [year1970, "+8h", "-8h"])
    func `whatever the wall clock says at the start, silence is counted by the seconds that passed`(says: String) async throws {
        let site = try LittleSite()
        defer { site.end() }
        let gateway = site.gateway
        let clock = try WallClock(says, in: gateway.folder)
        try gateway.start(through: clock.words)
        try await eventually(within: 30) { gateway.http("GET", "/healthz").status == 200 }
        try await eventually(within: 30) { gateway.items("/api/v1/cases?state=open").contains { $0["kind"] as? String == "inactivity" } }
        let open = gateway.items("/api/v1/cases?state=open").filter { $0["kind"] as? String == "inactivity" }
        #expect(open.count == 1 && (open.first?["subject"] as? [String: Any])?["id"] as? String == "h-1", "one case, no storm")
        let opened = try #require(open.first?["opened_at"] as? String)
        #expect(opened.hasPrefix("1970") == (says == Self.year1970), "the record says what the clock on the wall said")
    }

    @Test(arguments: ["+8h", "-8h", year1970, "+0 x1.2", "+0 x0.8"])
    func `a wall clock that steps or begins to drift while at work raises nothing and freezes nothing`(says: String) async throws {
        let site = try LittleSite()
        defer { site.end() }
        let gateway = site.gateway
        let clock = try WallClock("+0", in: gateway.folder)
        try gateway.start(through: clock.words)
        try await eventually(within: 30) { gateway.http("GET", "/healthz").status == 200 }
        try await eventually(within: 30) { !gateway.items("/api/v1/meters/wm-2/readings").isEmpty }
        try clock.step(to: says)
        // The rehearsed rule of the first home goes on to its alarm; the second home, under hours-long rules, is not touched by hours that never passed.
        try await eventually(within: 30) { gateway.items("/api/v1/cases?state=open").contains { $0["kind"] as? String == "inactivity" } }
        // The ladder climbs by seconds that passed: two of them to the next step.
        @Sendable func told() -> String { (try? String(contentsOfFile: "\(gateway.folder)/out.jsonl", encoding: .utf8)) ?? "" }
        try await eventually(within: 30) { told().contains("org.wellward.case.escalated") }
        let cases = gateway.items("/api/v1/cases").map { "\($0["kind"] ?? "") \(($0["subject"] as? [String: Any])?["id"] ?? "")" }
        #expect(cases.filter { $0.contains("h-2") || $0.hasPrefix("blind") } == [], "\(cases)")
        // All this under a clock that really was wrong: newer readings bear its hours.
        try await eventually(within: 30) {
            let stamps = gateway.items("/api/v1/meters/wm-2/readings?from=1970-01-01T00:00:00Z&to=2100-01-01T00:00:00Z&limit=5000").compactMap {
                ($0["at"] as? String).flatMap { ISO8601DateFormatter().date(from: $0) ?? Self.withFraction($0) }
            }
            let ahead = stamps.map { $0.timeIntervalSinceNow }
            return switch says {
            case "+8h": ahead.contains { $0 > 7 * 3600 }
            case "-8h": ahead.contains { $0 < -7 * 3600 }
            case "+0 x1.2": ahead.contains { $0 > 2 }
            case "+0 x0.8": !ahead.isEmpty && ahead.allSatisfy { $0 < -4 }
            default: stamps.contains { $0.timeIntervalSince1970 < 86_400 }
            }
        }
    }

    private static func withFraction(_ text: String) -> Date? {
        let reader = ISO8601DateFormatter()
        reader.formatOptions.insert(.withFractionalSeconds)
        return reader.date(from: text)
    }

    @Test func `a start at 1970 after a run in the present is no storm, and the case that stood still stands`() async throws {
        let site = try LittleSite()
        defer { site.end() }
        let gateway = site.gateway
        let clock = try WallClock("+0", in: gateway.folder)
        try gateway.start(through: clock.words)
        try await eventually(within: 30) { gateway.items("/api/v1/cases?state=open").contains { $0["kind"] as? String == "inactivity" } }
        let before = gateway.items("/api/v1/cases").count
        gateway.signal(SIGKILL)
        try await eventually { !gateway.isRunning }
        try clock.step(to: Self.year1970)
        try gateway.start(through: clock.words)
        try await eventually(within: 30) { gateway.http("GET", "/readyz").status == 200 }
        #expect(gateway.items("/api/v1/cases").count == before)
        #expect(gateway.items("/api/v1/cases?state=open").contains { $0["kind"] as? String == "inactivity" })
    }
}
