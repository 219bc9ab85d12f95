import Foundation
import TestSupport
import Testing
import TimeSeriesStore

/// A descriptor closed a second time may by then be the record's own file: `Tests/Receivers/closedtwice.c` notes it.
@Suite struct DescriptorTests {
    /// Words before the program's own, under which it notes what it closes twice.
    private static func watched(in folder: String) throws -> [String] {
        let library = "\(folder)/closedtwice.so"
        let source = ShippedProfiles.root.appendingPathComponent("Tests/Receivers/closedtwice.c").path
        let built = try TechnicianCommandTests.shell(["/usr/bin/env", "cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"])
        try #require(built.code == 0, "a C compiler is part of every machine that builds Swift")
        return ["/usr/bin/env", "LD_PRELOAD=\(library)", "CLOSED_TWICE_NOTES=\(folder)/closed-twice"]
    }

    private static func notes(in folder: String) -> String { (try? String(contentsOfFile: "\(folder)/closed-twice", encoding: .utf8)) ?? "" }

    @Test func `the watch for descriptors closed twice sees one`() throws {
        let gateway = try RunningGateway()
        defer { gateway.end() }
        let words = try Self.watched(in: gateway.folder)
        _ = try TechnicianCommandTests.shell(words + ["/usr/bin/env", "python3", "-c", "import ctypes; ctypes.CDLL(None).close(97)"])
        #expect(Self.notes(in: gateway.folder).contains("closed descriptor 97"))
    }

    @Test func `a second gateway on a record in use is refused with what to do, and closes no descriptor twice`() async throws {
        let site = try LittleSite()
        defer { site.end() }
        let gateway = site.gateway
        let lock = try StoreLock(path: "\(gateway.folder)/w.sqlite")
        try gateway.start(through: Self.watched(in: gateway.folder))
        try await eventually(within: 30) { !gateway.isRunning }
        withExtendedLifetime(lock) {}
        #expect(gateway.exitCode == 1 && gateway.log.contains("another gateway is at work on this file; stop it first"), "\(gateway.log)")
        #expect(Self.notes(in: gateway.folder) == "")
    }

    @Test func `a gateway's life from start to an end in order, a lost bus included, closes no descriptor twice`() async throws {
        let site = try LittleSite()
        defer { site.end() }
        let gateway = site.gateway
        try gateway.start(through: Self.watched(in: gateway.folder))
        try await eventually(within: 30) { gateway.http("GET", "/readyz").status == 200 }
        site.tcp.stop()
        let asked = site.serial.requestCount
        try await eventually(within: 30) { gateway.items("/api/v1/meters").contains { $0["id"] as? String == "wm-1" && $0["state"] as? String != "ok" } }
        #expect(site.serial.requestCount > asked)
        gateway.signal(SIGTERM)
        try await eventually(within: 30) { !gateway.isRunning }
        #expect(Self.notes(in: gateway.folder) == "")
    }
}
