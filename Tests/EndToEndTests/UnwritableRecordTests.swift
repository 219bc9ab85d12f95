import Foundation
import TestSupport
import Testing
import TimeSeriesStore

/// A disk that takes nothing from the start, under the built program.
@Suite(.serialized) struct UnwritableRecordTests {
    private static func mount(_ options: String, _ folder: String) throws -> Bool {
        try TechnicianCommandTests.shell(["/usr/bin/mount", "-t", "tmpfs", "-o", options, "tmpfs", folder]).code == 0
    }

    private static func remount(_ options: String, _ folder: String) throws {
        #expect(try TechnicianCommandTests.shell(["/usr/bin/mount", "-o", "remount,\(options)", folder]).code == 0)
    }

    /// The notices that were told, by identifier.
    @Sendable private static func told(_ gateway: RunningGateway) -> [[String: Any]] {
        ((try? String(contentsOfFile: "\(gateway.folder)/out.jsonl", encoding: .utf8)) ?? "").split(separator: "\n").compactMap {
            (try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
    }

    @Sendable private static func data(_ line: [String: Any]) -> [String: Any] { line["data"] as? [String: Any] ?? [:] }

    @Test(.enabled(if: getuid() == 0, "a file system of its own needs root"))
    func `on a disk that is read-only at the start homes are watched and people told, and all of it is in the record when the disk is well`()
        async throws
    {
        let site = try LittleSite {
            $0.replacingOccurrences(of: "path: w.sqlite", with: "path: disk/w.sqlite").replacingOccurrences(
                of: "contacts:\n", with: "contacts:\n  - {id: tech, name: 小陈, role: technician, channels: [out]}\n")
        }
        defer { site.end() }
        let gateway = site.gateway
        let disk = "\(gateway.folder)/disk"
        try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
        guard try Self.mount("size=64m", disk) else { return print("no file system could be mounted here; not tested") }
        defer { _ = try? TechnicianCommandTests.shell(["/usr/bin/umount", "-l", disk]) }
        // A life before, with a case, ended by a power cut that left the disk read-only.
        try gateway.start()
        try await eventually(within: 30) { gateway.items("/api/v1/cases").contains { $0["kind"] as? String == "inactivity" } }
        let first = try #require(gateway.items("/api/v1/cases").first { $0["kind"] as? String == "inactivity" }?["id"] as? String)
        try await eventually(within: 30) { Self.told(gateway).count >= 2 }
        gateway.signal(SIGKILL)
        try await eventually { !gateway.isRunning }
        let before = Self.told(gateway).count
        try Self.remount("ro", disk)

        try gateway.start()
        try await eventually(within: 30) { gateway.http("GET", "/healthz").status == 200 }
        let ready = gateway.http("GET", "/readyz")
        #expect(ready.status == 503 && ready.text.contains("store"), "\(ready)")
        try await eventually(within: 30) {
            gateway.items("/api/v1/cases").contains { $0["rule"] as? String == "storage_unwritable" || "\($0)".contains("storage") }
        }
        #expect(gateway.items("/api/v1/cases").contains { $0["id"] as? String == first }, "the case that was open is open")
        try await eventually(within: 30) { !gateway.items("/api/v1/meters/wm-1/readings").isEmpty }
        try await eventually(within: 30) { Self.told(gateway).dropFirst(before).contains { Self.data($0)["undurable"] as? Bool == true } }
        // An act is taken, and said to be undurable.
        #expect(gateway.http("POST", "/api/v1/cases/\(first)/outcome", #"{"by":"grid","code":"safe"}"#).status == 507)
        // A crash meanwhile loses nothing either, since the memory file is there.
        gateway.signal(SIGKILL)
        try await eventually { !gateway.isRunning }
        try gateway.start()
        try await eventually(within: 30) { gateway.http("GET", "/readyz").text.contains("memory") }
        #expect(!gateway.items("/api/v1/cases?state=open").contains { $0["id"] as? String == first }, "the outcome is remembered")

        try Self.remount("rw", disk)
        try await eventually(within: 60) { gateway.http("GET", "/readyz").status == 200 }
        #expect(gateway.isRunning && gateway.log.contains("in the record again"))
        try await eventually(within: 30) { !gateway.items("/api/v1/cases?state=open").contains { "\($0["subject"] ?? "")".contains("storage") } }
        gateway.signal(SIGTERM)
        try await eventually { !gateway.isRunning }
        #expect(gateway.exitCode == 0)
        let store = try Store(path: "\(disk)/w.sqlite")
        #expect(try store.integrityFaults().isEmpty)
        #expect(try store.readNow { try $0.caseFile(.init(first)) }?.outcome == .safe)
        #expect(try store.readNow { try $0.cases(open: nil, limit: 50) }.contains { $0.subject.id == "storage" && !$0.isOpen })
        try store.close()
        let ids = Self.told(gateway).compactMap { $0["id"] as? String }
        #expect(Set(ids).count == ids.count, "nothing is told twice: \(ids)")
        #expect(SubstituteRecord(for: "\(disk)/w.sqlite").existing == nil, "nothing about anybody is left in memory")
    }

    @Test(arguments: ["file", "device"]) func `a record whose folder cannot be is no reason not to watch`(kind: String) async throws {
        let site = try LittleSite { $0.replacingOccurrences(of: "path: w.sqlite", with: "path: \(kind == "file" ? "disk" : "/dev/full")/w.sqlite") }
        defer { site.end() }
        let gateway = site.gateway
        try gateway.write("disk", "a file where a folder should be")
        try gateway.start()
        try await eventually(within: 30) { gateway.http("GET", "/readyz").text.contains("store") }
        try await eventually(within: 30) { Self.told(gateway).contains { Self.data($0)["kind"] as? String == "inactivity" || "\($0)".contains("inactivity") } }
        if kind == "file" {
            try FileManager.default.removeItem(atPath: "\(gateway.folder)/disk")
            try FileManager.default.createDirectory(atPath: "\(gateway.folder)/disk", withIntermediateDirectories: true)
            try await eventually(within: 60) { gateway.http("GET", "/readyz").status == 200 }
        }
        gateway.signal(SIGTERM)
        try await eventually { !gateway.isRunning }
        #expect(gateway.exitCode == 0)
        if let left = SubstituteRecord(for: "/dev/full/w.sqlite").existing {
            try? FileManager.default.removeItem(at: URL(fileURLWithPath: left).deletingLastPathComponent())
        }
    }
}
