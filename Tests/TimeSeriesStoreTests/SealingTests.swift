import Foundation
import GRDB
import Telemetry
import Testing

@testable import TimeSeriesStore

@Suite struct SealingTests {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("wellward-test-\(UUID().uuidString)/w.sqlite").path
    let begin = WallTime(unixSeconds: 1_700_006_400)

    func days(_ count: Int, meter: MeterID = "wm-1", points: [String] = ["flow", "volume_total"]) -> [Reading] {
        (0..<(96 * count)).flatMap { step in
            let at = begin + .minutes(Int64(step) * 15)
            return points.map { point in
                Reading(
                    meter: meter, point: point, at: at, receivedAt: at + .milliseconds(40), deviceAt: at - .seconds(3),
                    value: point == "flow" ? nil : Double(1000 + step / 5), unit: "L", quality: point == "flow" ? .bad : .good,
                    raw: [0, UInt16(1000 + step / 5)])
            }
        }
    }

    func all(_ store: Store, limit: Int = 100_000) throws -> [Reading] {
        try store.readNow { try $0.readings(of: "wm-1", from: WallTime(unixSeconds: 0), to: WallTime(unixSeconds: 2_000_000_000), limit: limit) }
    }

    @Test func `sealing changes the form and nothing that a query answers`() throws {
        let store = try Store(path: path)
        let written = days(5)
        try store.writeNow { try $0.append(written) }
        func answers() throws -> [AnyHashable] {
            try store.readNow { reader in
                let (from, to) = (begin + .hours(5), begin + .hours(90))
                return [
                    try reader.readings(of: "wm-1", from: from, to: to, limit: 1000),
                    try reader.readings(of: "wm-1", point: "volume_total", from: from, to: to, limit: 7),
                    try reader.newest(of: "wm-1", point: "volume_total"), try reader.newest(of: "wm-1", point: "flow"),
                    try reader.counts(of: "wm-1", point: "flow", from: from, to: to, offset: 8 * 3600).map { "\($0)" },
                    try reader.falls(of: "wm-1", point: "volume_total", jitter: 1, from: from, to: to),
                ] as [AnyHashable]
            }
        }
        let before = try answers()
        let sealed = try store.writeNow { try $0.seal(before: begin + .days(3), most: 1000) }
        #expect(sealed.blocks == 6 && sealed.readings > 400)
        let tally = try store.readNow { try $0.sealedTally() }
        #expect(tally.blocks == sealed.blocks && tally.rows == written.count - sealed.readings)
        #expect(try answers() == before)
        #expect(try all(store) == written)
        // And all of it, so that no row is left.
        _ = try store.writeNow { try $0.seal(before: begin + .days(30), most: 1000) }
        #expect(try store.readNow { try $0.sealedTally() }.rows == 0)
        #expect(try answers() == before)
        #expect(try store.integrityFaults().isEmpty)
    }

    @Test func `a reading that comes late for a sealed day is found in its place, and sealed with its day`() throws {
        let store = try Store(path: path)
        let written = days(2).filter { $0.at != begin + .hours(6) }
        try store.writeNow { try $0.append(written) }
        _ = try store.writeNow { try $0.seal(before: begin + .days(9), most: 1000) }
        let late = days(2).filter { $0.at == begin + .hours(6) }
        // The same moment as a sealed one, with another value: what was there first stands.
        var again = written[4]
        again.value = 1
        try store.writeNow { try $0.append(late + [again]) }
        let expected = (written + late).sorted { ($0.at, $0.point) < ($1.at, $1.point) }
        #expect(try all(store) == expected)
        _ = try store.writeNow { try $0.seal(before: begin + .days(9), most: 1000) }
        #expect(try store.readNow { try $0.sealedTally() }.rows == 0)
        #expect(try all(store) == expected)
    }

    @Test func `thinning keeps the last total of each hour; retention and the cap take the oldest days and nothing else`() async throws {
        let store = try Store(path: path)
        try store.writeNow { writer in
            for meter in 0..<20 { try writer.append(days(20, meter: MeterID("wm-\(meter)"))) }
            try writer.audit(who: "a", what: "b", subject: "c", note: "", at: begin)
        }
        var policy = StoragePolicy(retainReadings: .days(15), sealAfter: .days(2), thin: .init(after: .days(10), every: .hours(1)))
        let now = begin + .days(20)
        let first = try await StoreUpkeep(store, policy).round(at: now)
        #expect(first.thinnedBlocks > 0 && first.droppedForSpace == 0)
        let kept = try all(store).filter { $0.point == "volume_total" }
        #expect(kept.allSatisfy { $0.at >= begin + .days(5) - .hours(24) })
        let hourly = kept.filter { $0.at < begin + .days(9) }
        #expect(zip(hourly, hourly.dropFirst()).allSatisfy { $1.at - $0.at == .hours(1) } && hourly.count > 48)
        #expect(kept.filter { $0.at >= begin + .days(18) }.count == 192, "recent days are whole")
        policy.sizeCapBytes = first.bytes - 1
        let second = try await StoreUpkeep(store, policy).round(at: now)
        #expect(second.droppedForSpace >= 1 && second.bytes <= policy.sizeCapBytes)
        #expect(try all(store).last?.at == begin + .days(20) - .minutes(15), "the newest day stays")
        try store.writeLogBack()
        let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? NSNumber
        #expect((size?.int64Value ?? .max) <= policy.sizeCapBytes, "the file itself is no larger than the cap")
        #expect(try store.readNow { try $0.audit(limit: 5) }.count == 1)
    }

    @Test func `a file of every earlier layout opens, with what was in it`() throws {
        for (index, release) in ["1 readings, cases, journal", "2 corrections", "3 sealed days"].enumerated() {
            let old = path + "-\(index)"
            try FileManager.default.createDirectory(at: URL(fileURLWithPath: old).deletingLastPathComponent(), withIntermediateDirectories: true)
            let queue = try DatabaseQueue(path: old)
            try StoreSchema.migrator.migrate(queue, upTo: release)
            try queue.write { database in
                try database.execute(sql: "INSERT INTO series VALUES (1, 'wm-1', 'volume_total', 'L')")
                try database.execute(sql: "INSERT INTO readings VALUES (1, 1700000000000, 1700000000040, NULL, 12.5, 0, x'4C390001')")
                try database.execute(sql: "INSERT INTO facts VALUES ('axis', 'x')")
            }
            try queue.close()
            let store = try Store(path: old)
            #expect(try all(store).map(\.value) == [12.5], "\(release)")
            #expect(try store.readNow { try $0.fact("axis") } == "x")
            _ = try store.writeNow { try $0.seal(before: begin + .days(1), most: 10) }
            #expect(try all(store).map(\.raw) == [[0x4C39, 1]])
            try store.close()
        }
    }

    @Test func `a file of a newer release is refused with a word on what to do, not touched`() throws {
        try Store(path: path).close()
        let queue = try DatabaseQueue(path: path)
        try queue.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('99 of the future')") }
        try queue.close()
        #expect {
            _ = try Store(path: path)
        } throws: {
            "\($0)".contains("newer release")
        }
    }
}

@Suite struct ErasureTests {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("wellward-test-\(UUID().uuidString)/w.sqlite").path

    @Test func `an erased home leaves nothing behind but the line that says so, and its neighbour loses nothing`() throws {
        let store = try Store(path: path)
        let at = WallTime(unixSeconds: 1_700_006_400)
        try store.writeNow { writer in
            for (index, meter) in ["wm-1", "wm-2"].enumerated() {
                for day in 0..<4 {
                    let moment = at + .days(Int64(day))
                    try writer.append([
                        Reading(
                            meter: MeterID(meter), point: "volume_total", at: moment, receivedAt: moment, value: 1, unit: "L", quality: .good,
                            raw: [0xBEEF, UInt16(index)])
                    ])
                }
                try writer.saveWatch(HouseholdID("h-\(index + 1)"), at: at, body: Data("habits-of-\(meter)".utf8))
                try writer.journal(
                    "finding", subject: "household/h-\(index + 1)", body: "{\"text\":\"journal-of-\(meter)\"}", boot: "b", at: Instant(recorded: at))
                try writer.spool(
                    SpoolEntry(kind: .readings, subject: "readings", at: at, body: "{\"readings\":[[\"\(meter)\",\"volume_total\",1,1,\"good\"]]}"))
            }
            _ = try writer.seal(before: at + .days(2), most: 100)
        }
        try store.erase("h-1", meter: "wm-1", by: "committee", at: at)
        try store.writeLogBack()
        func readings(_ meter: MeterID) throws -> Int {
            try store.readNow { try $0.readings(of: meter, from: WallTime(unixSeconds: 0), to: at + .days(9), limit: 100) }.count
        }
        #expect(try readings("wm-1") == 0 && readings("wm-2") == 4)
        #expect(try store.readNow { try $0.watch("h-1") } == nil)
        #expect(try store.readNow { try $0.watch("h-2") } != nil)
        #expect(try store.readNow { try $0.spooled(limit: 10) }.map(\.body).filter { $0.contains("wm-1") } == [])
        let lines = try store.readNow { try $0.audit(limit: 10) }
        #expect(lines.map(\.what) == ["erased"] && lines.first?.subject == "household/h-1")
        try store.close()
        // Not even the bytes are left in the file.
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        for word in ["habits-of-wm-1", "journal-of-wm-1"] { #expect(bytes.range(of: Data(word.utf8)) == nil, "\(word)") }
        #expect(bytes.range(of: Data("habits-of-wm-2".utf8)) != nil)
    }
}
