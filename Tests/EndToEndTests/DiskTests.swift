import Foundation
import TestSupport
import Testing
import TimeSeriesStore

/// Disks that are full and disks that fail, under the built program.
@Suite(.serialized) struct DiskTests {
    private static func has(_ program: String) -> Bool { FileManager.default.isExecutableFile(atPath: program) }

    @Test(.enabled(if: getuid() == 0, "a small file system of its own needs root"))
    func `on a full disk alarms go out all the same, marked undurable, acts are answered as such, and everything is written when there is room again`()
        async throws
    {
        let site = try LittleSite { $0.replacingOccurrences(of: "path: w.sqlite", with: "path: small/w.sqlite") }
        defer { site.end() }
        let gateway = site.gateway
        let small = "\(gateway.folder)/small"
        try FileManager.default.createDirectory(atPath: small, withIntermediateDirectories: true)
        guard try TechnicianCommandTests.shell(["/usr/bin/mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", small]).code == 0 else {
            return print("no file system could be mounted here; not tested")
        }
        defer { _ = try? TechnicianCommandTests.shell(["/usr/bin/umount", "-l", small]) }
        let filler = "\(small)/filler"
        try gateway.start()
        try await eventually { !gateway.items("/api/v1/meters/wm-1/readings").isEmpty }
        // Not a byte is left.
        _ = try TechnicianCommandTests.shell(["/bin/sh", "-c", "cat /dev/zero > \(filler) 2>/dev/null; true"])
        @Sendable func sent() -> [[String: Any]] {
            ((try? String(contentsOfFile: "\(gateway.folder)/out.jsonl", encoding: .utf8)) ?? "").split(separator: "\n").compactMap {
                (try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])?["data"] as? [String: Any]
            }
        }
        try await eventually(within: 30) { sent().contains { $0["undurable"] as? Bool == true && ($0["text"] as? String)?.contains("make a note") == true } }
        #expect(gateway.isRunning)
        let metrics = gateway.http("GET", "/readyz")
        #expect(metrics.status == 503 && metrics.text.contains("store"))
        try FileManager.default.removeItem(atPath: filler)
        try await eventually(within: 30) { gateway.http("GET", "/readyz").status == 200 }
        try await eventually(within: 30) { gateway.items("/api/v1/cases").contains { $0["kind"] as? String == "inactivity" } }
        gateway.signal(SIGTERM)
        try await eventually { !gateway.isRunning }
        let store = try Store(path: "\(small)/w.sqlite")
        #expect(try store.integrityFaults().isEmpty)
        #expect(try store.readNow { try $0.cases(open: nil, limit: 10) }.contains { $0.kind == .inactivity })
        try store.close()
        // What was told while there was no room is not told again.
        func ids() -> [String] {
            ((try? String(contentsOfFile: "\(gateway.folder)/out.jsonl", encoding: .utf8)) ?? "").split(separator: "\n").compactMap {
                (try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])?["id"] as? String
            }
        }
        try gateway.start()
        try await eventually(within: 30) { gateway.http("GET", "/readyz").status == 200 }
        gateway.signal(SIGTERM)
        try await eventually { !gateway.isRunning }
        #expect(Set(ids()).count == ids().count, "\(ids())")
    }

    @Test func `a reserve is set aside where there is room, and given back once`() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("wellward-test-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let reserve = DiskReserve(besides: "\(folder)/w.sqlite")
        #expect(!reserve.isKept && reserve.keep() && reserve.isKept)
        let size = try FileManager.default.attributesOfItem(atPath: "\(folder)/w.sqlite.reserve")[.size] as? NSNumber
        #expect(size?.intValue == 16 << 20)
        #expect(reserve.release() && !reserve.release() && !reserve.isKept)
    }

    @Test func `the highest case number is noted in a block of its own, also when nothing else can be written`() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("wellward-test-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let mark = CaseNumberMark(besides: "\(folder)/w.sqlite")
        #expect(mark.highest == 0)
        mark.keep()
        #expect(mark.highest == 0 && mark.note(41) && mark.note(107) && mark.highest == 107)
        mark.keep()
        #expect(mark.highest == 107, "a start does not wipe it")
        try Data("nonsense".utf8).write(to: URL(fileURLWithPath: "\(folder)/w.sqlite.number"))
        #expect(mark.highest == 0 && mark.note(3) && mark.highest == 3)
    }

    @Test(.enabled(if: has("/usr/bin/fiu-run"), "libfiu makes reads and writes fail"))
    func `with reads and writes that fail now and then the gateway goes on, and what it answered is there`() async throws {
        let site = try LittleSite()
        defer { site.end() }
        let gateway = site.gateway
        let control = "\(gateway.folder)/fiu"
        try gateway.start(through: ["/usr/bin/fiu-run", "-x", "-f", control])
        try await eventually(within: 30) { gateway.http("GET", "/healthz").status == 200 }
        // From now on one write in fifty and one sync in fifty fail.
        for point in ["posix/io/rw/pwrite", "posix/io/rw/pwrite64", "posix/io/sync/fsync", "posix/io/sync/fdatasync"] {
            _ = try TechnicianCommandTests.shell(
                ["/usr/bin/fiu-ctrl", "-f", control, "-c", "enable_random name=\(point),probability=0.02", "\(gateway.processID)"])
        }
        try await eventually(within: 60) { gateway.items("/api/v1/cases").contains { $0["kind"] as? String == "inactivity" } }
        let id = try #require(gateway.items("/api/v1/cases").first { $0["kind"] as? String == "inactivity" }?["id"] as? String)
        var answered = false
        for _ in 0..<20 where !answered {
            answered = gateway.http("POST", "/api/v1/cases/\(id)/outcome", #"{"by":"grid","code":"safe"}"#).status == 200
            try await Task.sleep(for: .milliseconds(50))
        }
        #expect(answered && gateway.isRunning)
        gateway.signal(SIGKILL)
        try await eventually { !gateway.isRunning }
        let store = try Store(path: "\(gateway.folder)/w.sqlite")
        #expect(try store.integrityFaults().isEmpty)
        #expect(try store.readNow { try $0.caseFile(.init(id)) }?.outcome == .safe)
        try store.close()
    }
}
