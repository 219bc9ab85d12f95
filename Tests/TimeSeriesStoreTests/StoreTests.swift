import Casework
import Foundation
import GRDB
import Phrasebook
import Telemetry
import Testing

@testable import TimeSeriesStore

@Suite struct StoreTests {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("wellward-test-\(UUID().uuidString)/w.sqlite").path

    func reading(_ second: Int64, _ value: Double?, _ quality: Quality = .good, raw: [UInt16] = [0x4C39, 1]) -> Reading {
        let at = WallTime(unixSeconds: second)
        return Reading(meter: "wm-1", point: "volume_total", at: at, receivedAt: at + .seconds(1), value: value, unit: "L", quality: quality, raw: raw)
    }

    @Test func `readings come back with quality and raw words; missing is null, not zero`() throws {
        let store = try Store(path: path)
        let written = [reading(10, 12.5), reading(20, nil, .missing, raw: []), reading(30, 0, .suspect)]
        try store.writeNow { try $0.append(written) }
        let read = try store.readNow { try $0.readings(of: "wm-1", from: WallTime(unixSeconds: 0), to: WallTime(unixSeconds: 100), limit: 10) }
        #expect(read == written)
        try store.close()
    }

    @Test func `every commit waits for the disk, also after the file was opened again`() throws {
        for _ in 0..<2 {
            let store = try Store(path: path)
            // 2 is FULL; with NORMAL (1) a write-ahead log is synced at checkpoints only.
            #expect(try store.pool.writeWithoutTransaction { try Int.fetchOne($0, sql: "PRAGMA synchronous") } == 2)
            #expect(try store.pool.writeWithoutTransaction { try String.fetchOne($0, sql: "PRAGMA journal_mode") } == "wal")
            try store.close()
        }
    }

    @Test func `the same reading twice is kept once, and a back-fill never overwrites what was read live`() throws {
        let store = try Store(path: path)
        try store.writeNow { try $0.append([reading(10, 1)]) }
        try store.writeNow { try $0.append([reading(10, 2, .backfilled), reading(20, 3, .backfilled)]) }
        let read = try store.readNow { try $0.readings(of: "wm-1", from: WallTime(unixSeconds: 0), to: WallTime(unixSeconds: 100), limit: 10) }
        #expect(read.map(\.value) == [1, 3])
        #expect(read.map(\.quality) == [.good, .backfilled])
    }

    @Test func `the newest days of a meter polled each second are in its chart`() throws {
        let store = try Store(path: path)
        let days = 3
        try store.writeNow { writer in
            for hour in 0..<(days * 24) { try writer.append((0..<360).map { reading(Int64(hour * 3600 + $0 * 10), Double(hour * 360 + $0)) }) }
            try writer.append([reading(Int64(days) * 86_400 - 1, 0, .bad)])
        }
        let end = WallTime(unixSeconds: Int64(days) * 86_400)
        let shown = try store.readNow { try $0.readings(of: "wm-1", point: "volume_total", from: end - .days(2), to: end, lastOfEach: .minutes(5)) }
        #expect(shown.count == 2 * 288)
        #expect(shown.last?.at == end - .seconds(10) && zip(shown, shown.dropFirst()).allSatisfy { $0.at < $1.at })
        try store.close()
    }

    @Test func `the file is for the gateway's user alone, and opens again with what was in it`() throws {
        do {
            let store = try Store(path: path)
            try store.writeNow {
                try $0.append([reading(10, 1)]); try $0.setFact("a", "b")
            }
            try store.close()
        }
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber
        #expect(mode?.intValue == 0o600)
        let store = try Store(path: path)
        #expect(try store.readNow { try $0.fact("a") } == "b")
        #expect(try store.integrityFaults().isEmpty)
    }

    @Test func `a request to correct is found by its number, however many came after it`() throws {
        let store = try Store(path: path)
        let moment = WallTime(unixSeconds: 10)
        func ask(_ note: String) -> CorrectionRequest {
            CorrectionRequest(at: moment, meter: "wm-1", first: moment, last: moment, who: "w", note: note, value: nil)
        }
        let first = try store.writeNow { try $0.add(ask("the first")) }
        for number in 0..<250 { _ = try store.writeNow { try $0.add(ask("\(number)")) } }
        #expect(try store.readNow { try $0.correction(first)?.note } == "the first")
        #expect(try store.readNow { try $0.correction(9999) } == nil)
    }

    @Test func `a transaction that fails leaves nothing behind`() throws {
        struct Trouble: Error {}
        let store = try Store(path: path)
        #expect(throws: StoreFault.self) {
            try store.writeNow { writer in
                try writer.append([reading(10, 1)])
                throw Trouble()
            }
        }
        #expect(try store.readNow { try $0.newest(of: "wm-1", point: "volume_total") } == nil)
    }

    @Test func `each audit line covers the one before it`() throws {
        let store = try Store(path: path)
        for index in 0..<3 {
            try store.writeNow { try $0.audit(who: "w", what: "viewed", subject: "household/h-\(index)", note: "", at: WallTime(unixSeconds: Int64(index))) }
        }
        let lines = try store.readNow { try $0.audit(limit: 10) }.reversed()
        var previous = Data()
        for line in lines {
            #expect(line.hash == StoreWriter.auditHash(previous: previous, at: line.at, who: line.who, what: line.what, subject: line.subject, note: line.note))
            previous = line.hash
        }
    }

    @Test func `when the disk takes no more, readings are dropped oldest first and counted, and nothing else waits`() async throws {
        let store = try Store(path: path)
        let writer = TelemetryWriter(store: store, capacity: 100)
        // A page limit stands for the full disk: SQLite answers SQLITE_FULL just as it does on one.
        try store.limitSizeForTesting(pages: 45)
        for second in 0..<40 {
            await writer.add((0..<50).map { reading(Int64(second * 50 + $0), 1, raw: Array(repeating: 7, count: 60)) })
            await writer.flush()
        }
        let counts = await writer.counts
        #expect(counts.fault != nil && counts.dropped > 0 && counts.committed > 0)
        try store.limitSizeForTesting(pages: 100_000)
        #expect(await writer.flush().fault == nil)
        let newest = try store.readNow { try $0.newest(of: "wm-1", point: "volume_total") }
        #expect(newest?.at == WallTime(unixSeconds: 1999))
    }
}
