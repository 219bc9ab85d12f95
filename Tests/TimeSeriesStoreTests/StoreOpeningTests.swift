import Foundation
import GRDB
import Telemetry
import Testing

@testable import TimeSeriesStore

@Suite struct StoreOpeningTests {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("wellward-test-\(UUID().uuidString)").path
    var path: String { folder + "/w.sqlite" }

    func filled() throws {
        let opening = try StoreOpening(path: path)
        try opening.store.writeNow { writer in
            let note = String(repeating: "x", count: 100)
            for line in 0..<300 { try writer.audit(who: "w", what: "looked", subject: "h-\(line)", note: note, at: .init(unixSeconds: 1)) }
            try writer.setFact("link_secret", "s")
            for second in 0..<2000 {
                let at = WallTime(unixSeconds: Int64(second))
                try writer.append([Reading(meter: "wm-1", point: "volume_total", at: at, receivedAt: at, value: 1, unit: "L", quality: .good, raw: [1])])
            }
        }
        try opening.store.writeLogBack()
        try opening.store.close(inOrder: false)
    }

    /// Overwrites a stretch of the file.
    func scribble(from: UInt64, count: Int) throws {
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.seek(toOffset: from)
        handle.write(Data((0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }))
        try handle.close()
    }

    @Test func `a clean end is known from an unclean one`() throws {
        let first = try StoreOpening(path: path)
        #expect(!first.wasUnclean)
        try first.store.close(inOrder: false)
        let second = try StoreOpening(path: path)
        #expect(second.wasUnclean && second.quarantined == nil)
        try second.store.close()
        let third = try StoreOpening(path: path)
        #expect(!third.wasUnclean)
        try third.store.close()
    }

    @Test func `a file that is no data base is set aside, and the gateway starts`() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(repeating: 7, count: 9000).write(to: URL(fileURLWithPath: path))
        let opening = try StoreOpening(path: path)
        let aside = try #require(opening.quarantined)
        #expect(FileManager.default.contents(atPath: aside.path) == Data(repeating: 7, count: 9000), "the damaged file is kept as it was")
        #expect(try opening.store.readNow { try $0.fact("running") } == "1")
        try opening.store.close()
        // And no loop: the next start is an ordinary one.
        let next = try StoreOpening(path: path)
        #expect(next.quarantined == nil && !next.wasUnclean)
        try next.store.close()
    }

    @Test func `damage inside is found after an unclean end, and what can still be read is carried over`() throws {
        try filled()
        let size = try #require(try FileManager.default.attributesOfItem(atPath: path)[.size] as? NSNumber).uint64Value
        // A few pages in the middle.
        try scribble(from: size / 2 / 4096 * 4096, count: 5 * 4096)
        let opening = try StoreOpening(path: path)
        let aside = try #require(opening.quarantined)
        #expect(aside.carriedOver > 0)
        #expect(try opening.store.readNow { try $0.fact("link_secret") } == "s")
        #expect(try opening.store.integrityFaults().isEmpty)
        try opening.store.close()
    }

    @Test func `damage found while at work makes the next start set the file aside, once`() throws {
        try filled()
        StoreOpening.markDamaged(path)
        let opening = try StoreOpening(path: path)
        #expect(opening.quarantined?.carriedOver == 303, "300 audit lines, their end, the secret and the mark of the run: nothing was really damaged")
        #expect(try opening.store.readNow { try $0.auditChain() }.broken == nil)
        try opening.store.close(inOrder: false)
        #expect(try StoreOpening(path: path).quarantined == nil)
    }

    @Test func `a log cut off anywhere, as a disk that lies about its writes may leave it, opens as some whole number of commits`() throws {
        let original = try StoreOpening(path: path)
        for commit in 1...30 {
            try original.store.writeNow {
                try $0.setFact("n", "\(commit)"); try $0.setFact("m", "\(commit)")
            }
        }
        let (file, log) = (try Data(contentsOf: URL(fileURLWithPath: path)), try Data(contentsOf: URL(fileURLWithPath: path + "-wal")))
        try original.store.close(inOrder: false)
        var seen: Set<String> = []
        for cut in Array(stride(from: 0, to: log.count, by: max(1, log.count / 60))) + [log.count] {
            let copy = "\(folder)/cut-\(cut).sqlite"
            try file.write(to: URL(fileURLWithPath: copy))
            try log.prefix(cut).write(to: URL(fileURLWithPath: copy + "-wal"))
            let opening = try StoreOpening(path: copy)
            #expect(opening.quarantined == nil, "cut at \(cut)")
            let (n, m) = try opening.store.readNow { (try $0.fact("n"), try $0.fact("m")) }
            #expect(n == m, "half a commit at \(cut)")
            seen.insert(n ?? "-")
            try opening.store.close()
        }
        #expect(seen.count > 5 && seen.contains("30"))
    }

    @Test func `a second gateway on the same file is refused, and the first one's end lets go`() throws {
        var lock: StoreLock? = try StoreLock(path: path)
        #expect(throws: StoreFault.self) { _ = try StoreLock(path: path) }
        withExtendedLifetime(lock) {}
        lock = nil
        _ = try StoreLock(path: path)
    }

    @Test func `a backup made while the store is written to is whole`() throws {
        try filled()
        let store = try Store(path: path)
        try store.writeNow { try $0.setFact("later", "1") }
        try store.backup(to: folder + "/copy.sqlite")
        let copy = try StoreOpening(path: folder + "/copy.sqlite")
        #expect(!copy.wasUnclean)
        #expect(try copy.store.readNow { try $0.auditChain() }.lines == 300)
        #expect(try copy.store.readNow { try $0.fact("later") } == "1")
        try store.close()
    }
}
