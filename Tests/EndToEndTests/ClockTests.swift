import Foundation
import TestSupport
import Testing

/// Wall clocks that are wrong and that step, under the built program.
@Suite(.serialized) struct ClockTests {
    /// A wall clock of one program's own.
    private final class WallClock: Sendable {
        let file: String
        let words: [String]

        /// - Parameter seconds: how far from the true time it starts
        init(_ seconds: Int64, in folder: String) throws {
            file = "\(folder)/wall-clock"
            let library = "\(folder)/wallclock.so"
            let source = ShippedProfiles.root.appendingPathComponent("Tests/Receivers/wallclock.c").path
            let built = try TechnicianCommandTests.shell(["/usr/bin/env", "cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"])
            try #require(built.code == 0, "a C compiler is part of every machine that builds Swift")
            words = ["/usr/bin/env", "LD_PRELOAD=\(library)", "WALL_CLOCK=\(file)"]
            _ = FileManager.default.createFile(atPath: file, contents: Data(count: 8))
            try step(to: seconds)
        }

        /// Moves the clock of the running program.
        func step(to seconds: Int64) throws {
            let handle = try #require(FileHandle(forWritingAtPath: file))
            handle.write(withUnsafeBytes(of: seconds * 1000) { Data($0) })
            try handle.close()
        }
    }

    private static let year1970 = 10 - Int64(Date().timeIntervalSince1970)

    @Test(arguments: [year1970, 8 * 3600, -8 * 3600] as [Int64])
    func `whatever the wall clock says at the start, silence is counted by the seconds that passed`(distance: Int64) async throws {
        let site = try LittleSite()
        defer { site.end() }
        let gateway = site.gateway
        let clock = try WallClock(distance, in: gateway.folder)
        try gateway.start(through: clock.words)
        try await eventually(within: 30) { gateway.http("GET", "/healthz").status == 200 }
        try await eventually(within: 30) { gateway.items("/api/v1/cases?state=open").contains { $0["kind"] as? String == "inactivity" } }
        let open = gateway.items("/api/v1/cases?state=open").filter { $0["kind"] as? String == "inactivity" }
        #expect(open.count == 1 && (open.first?["subject"] as? [String: Any])?["id"] as? String == "h-1", "one case, no storm")
        let opened = try #require(open.first?["opened_at"] as? String)
        #expect(opened.hasPrefix("1970") == (distance == Self.year1970), "the record says what the clock on the wall said")
    }

    @Test(arguments: [8 * 3600, -8 * 3600, year1970] as [Int64])
    func `a step of the wall clock while at work raises nothing and freezes nothing`(distance: Int64) async throws {
        let site = try LittleSite()
        defer { site.end() }
        let gateway = site.gateway
        let clock = try WallClock(0, in: gateway.folder)
        try gateway.start(through: clock.words)
        try await eventually(within: 30) { gateway.http("GET", "/healthz").status == 200 }
        try await eventually(within: 30) { !gateway.items("/api/v1/meters/wm-2/readings").isEmpty }
        try clock.step(to: distance)
        // The rehearsed rule of the first home goes on to its alarm; the second home, under hours-long rules, is not touched by hours that never passed.
        try await eventually(within: 30) { gateway.items("/api/v1/cases?state=open").contains { $0["kind"] as? String == "inactivity" } }
        // The ladder climbs by seconds that passed: two of them to the next step.
        @Sendable func told() -> String { (try? String(contentsOfFile: "\(gateway.folder)/out.jsonl", encoding: .utf8)) ?? "" }
        try await eventually(within: 30) { told().contains("org.wellward.case.escalated") }
        let cases = gateway.items("/api/v1/cases").map { "\($0["kind"] ?? "") \(($0["subject"] as? [String: Any])?["id"] ?? "")" }
        #expect(cases.filter { $0.contains("h-2") || $0.hasPrefix("blind") } == [], "\(cases)")
    }

    @Test func `a start at 1970 after a run in the present is no storm, and the case that stood still stands`() async throws {
        let site = try LittleSite()
        defer { site.end() }
        let gateway = site.gateway
        let clock = try WallClock(0, in: gateway.folder)
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
