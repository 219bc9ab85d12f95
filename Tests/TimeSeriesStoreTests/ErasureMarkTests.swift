import Casework
import Foundation
import GRDB
import Phrasebook
import Telemetry
import Testing

@testable import TimeSeriesStore

/// What was erased does not come back, whoever still has it in memory; and what the store deletes, counts and packs.
@Suite struct ErasureMarkTests {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("wellward-test-\(UUID().uuidString)/w.sqlite").path
    let at = WallTime(unixSeconds: 1_700_006_400)

    private func reading(_ meter: MeterID, _ moment: WallTime) -> Reading {
        Reading(meter: meter, point: "volume_total", at: moment, receivedAt: moment, value: 1, unit: "L", quality: .good, raw: [1])
    }

    private func someCase(_ id: CaseID, _ subject: Subject) -> Case {
        var book = CaseBook(
            ladders: Ladders(), directory: Directory(), language: .english, civil: CivilClock(zone: .gmt), nextNumber: Int(id.rawValue.dropFirst(2)) ?? 1)
        let finding = Finding(
            subject: subject, kind: .inactivity, rule: "volume", severity: .alarm, at: Instant(recorded: at), text: Phrase(.askOutcome).text)
        let effects = (try? book.handle(.finding(finding), at: Instant(recorded: at))) ?? []
        for case .save(let item) in effects { return item }
        preconditionFailure("a finding opens a case")
    }

    @Test func `cases, journal lines, habits, readings and entries of an erased home are written no more, until it is watched again`() async throws {
        let store = try Store(path: path)
        let (one, other) = (someCase("c-7", Subject(.household, "h-1")), someCase("c-8", Subject(.household, "h-2")))
        let at = at
        let writeAll: @Sendable (StoreWriter) throws -> Void = { writer in
            try writer.save(one)
            try writer.save(other)
            for home in ["h-1", "h-2"] {
                try writer.saveWatch(HouseholdID(home), at: at, body: Data("x".utf8))
                try writer.journal("finding", subject: "household/\(home)", body: "{}", boot: "b", at: Instant(recorded: at))
                try writer.spool(SpoolEntry(kind: .finding, subject: "household/\(home)", at: at, body: "{\"of\":\"\(home)\"}"))
            }
        }
        try await store.write(writeAll)
        try store.erase("h-1", meter: "wm-1", by: "committee", at: at)
        // A gateway beside the command still has all of it.
        try await store.write(writeAll)
        let telemetry = TelemetryWriter(store: store, spools: true)
        await telemetry.add([reading("wm-1", at), reading("wm-2", at)])
        #expect(await telemetry.flush().fault == nil)
        func journal(_ home: String) throws -> Int {
            try store.readNow { try $0.journal(subject: "household/\(home)", kind: "finding", from: at, to: at + .days(1), limit: 10) }.count
        }
        func count(_ meter: MeterID) throws -> Int {
            try store.readNow { try $0.readings(of: meter, from: at, to: at + .days(1), limit: 10) }.count
        }
        #expect(try await store.read { try $0.cases(open: nil, limit: 10) }.map(\.id) == ["c-8"])
        #expect(try journal("h-1") == 0 && journal("h-2") == 2)
        #expect(try store.readNow { try $0.watch("h-1") } == nil && store.readNow { try $0.watch("h-2") } != nil)
        #expect(try count("wm-1") == 0 && count("wm-2") == 1)
        #expect(try store.readNow { try $0.spooled(limit: 99) }.allSatisfy { !$0.body.contains("h-1") && !$0.body.contains("wm-1") })
        #expect(try store.readNow { try $0.erasureMarks() } == ["household/h-1", "meter/wm-1", "case/c-7"])

        try await store.write { try $0.unmarkErased(["household/h-1", "meter/wm-1"]) }
        await telemetry.add([reading("wm-1", at + .seconds(5))])
        await telemetry.flush()
        try await store.write(writeAll)
        #expect(try count("wm-1") == 1 && journal("h-1") == 1, "with a new consent the home is written down again")
        #expect(try await store.read { try $0.cases(open: nil, limit: 10) }.map(\.id) == ["c-8"], "the erased case stays erased")
        try store.close()
    }

    @Test func `a damaged packed day stops neither sealing nor thinning, and does not cost the record`() async throws {
        let store = try Store(path: path)
        let at = at
        try store.writeNow { writer in
            for day in 0..<6 { for hour in 0..<24 { try writer.append([reading("wm-1", at + .days(Int64(day)) + .hours(Int64(hour)))]) } }
            _ = try writer.seal(before: at + .days(4), most: 100)
        }
        try store.tamperForTesting("UPDATE blocks SET body = x'0909' WHERE day = (SELECT min(day) + 1 FROM blocks)")
        // Something comes late for the damaged day.
        try store.writeNow { try $0.append([reading("wm-1", at + .days(1) + .minutes(7))]) }
        let policy = StoragePolicy(retainReadings: .days(400), sealAfter: .days(1), thin: .init(after: .days(2), every: .hours(6)))
        let report = try await StoreUpkeep(store, policy).round(at: at + .days(10))
        #expect(report.sealedReadings > 24 && report.thinnedBlocks >= 5)
        #expect(try store.readNow { try $0.readings(of: "wm-1", from: at + .days(1), to: at + .days(2), limit: 99) }.map(\.at) == [at + .days(1) + .minutes(7)])
        // One that gets no late reading stays as it is, once.
        try store.tamperForTesting("UPDATE blocks SET body = x'0909', thinned = 0 WHERE day = (SELECT min(day) + 2 FROM blocks)")
        _ = try await StoreUpkeep(store, policy).round(at: at + .days(10))
        #expect(try store.integrityFaults().count == 1)
        try store.writeNow { try $0.setFact("running", "1") }
        try store.close(inOrder: false)
        let opening = try StoreOpening(path: path)
        #expect(opening.wasUnclean && opening.quarantined == nil, "one packed day is missing, the record is not set aside")
        #expect(try StoreCheck(path: path).run().map { $0.file.isEmpty && $0.days.count == 1 } == true)
        try opening.store.close()
    }

    @Test func `years of readings go in pieces, and the log stays bounded`() async throws {
        let store = try Store(path: path)
        let at = at
        try await store.write { [self] writer in
            for meter in 0..<3 { try writer.append((0..<6000).map { reading(MeterID("wm-\(meter)"), at + .minutes(Int64($0))) }) }
        }
        var pieces = 0
        while try await store.write({ try $0.dropReadings(before: at + .days(99), most: 2000) }) > 0 { pieces += 1 }
        #expect(pieces == 9, "no piece is larger than asked for")
        #expect(try await store.pool.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM readings") } == 0)
        #expect(try await store.pool.writeWithoutTransaction { try Int64.fetchOne($0, sql: "PRAGMA journal_size_limit") } == Store.mostLogBytes)
        try store.close()
    }

    @Test func `the spool's tally goes with every entry that comes and goes, in bytes`() throws {
        let store = try Store(path: path)
        let at = at
        func tally() throws -> (count: Int, bytes: Int64, oldest: WallTime?) { try store.readNow { try $0.spoolTally() } }
        #expect(try tally().count == 0 && tally().bytes == 0 && tally().oldest == nil)
        try store.writeNow { writer in
            for index in 0..<10 {
                try writer.spool(SpoolEntry(kind: index < 5 ? .readings : .finding, subject: "s", at: at + .seconds(Int64(index)), body: "水"))
            }
        }
        #expect(try tally().count == 10 && tally().bytes == 30 && tally().oldest == at)
        _ = try store.writeNow { try $0.trimSpool(SpoolLimits(bytes: 21), at: at) }
        #expect(try tally().count == 7 && tally().bytes == 21)
        let rest = try store.readNow { try $0.spooled(limit: 99) }.map(\.number)
        try store.writeNow { try $0.unspool(rest) }
        #expect(try tally().count == 0 && tally().bytes == 0)
        try store.close()
    }

    @Test func `no query walks through a table that grows`() throws {
        let store = try Store(path: path)
        let at = at
        var asked: Set<String> = []
        try store.pool.write { database in
            database.trace { event in if case .statement(let statement) = event { asked.insert(statement.expandedSQL) } }
            let (reader, writer) = (StoreReader(database: database), StoreWriter(database: database))
            try writer.append([reading("wm-1", at)])
            _ = try reader.unreadableLines()
            _ = try (reader.cases(open: true, limit: 5), reader.cases(open: nil, limit: 5, before: 9), reader.cases(from: at, to: at + .days(1)))
            _ = try (reader.caseFile("c-1"), reader.undelivered(), reader.notices(of: "c-1"), reader.deadNotices(limit: 5), reader.notice("n"))
            _ = try (reader.noticeCount(state: .dead), reader.watch("h-1"), reader.fact("x"), reader.audit(limit: 5, before: 7), reader.auditChain())
            _ = try reader.journal(subject: "household/h-1", kind: "finding", from: at, to: at + .days(1), limit: 5)
            _ = try (reader.readings(of: "wm-1", from: at, to: at + .days(1), limit: 5), reader.newest(of: "wm-1", point: "volume_total"))
            _ = try (reader.spooled(limit: 5), reader.spoolTally(), reader.erasureMarks(), writer.trimSpool(SpoolLimits(bytes: 0), at: at + .days(99)))
            _ = try (writer.dropReadings(before: at, most: 5), writer.dropClosedCases(before: at, most: 5), writer.dropJournal(before: at, most: 5))
            _ = try (writer.seal(before: at, most: 5), writer.thin(before: at, every: .hours(1), most: 5), writer.dropOldest(most: 5))
            database.trace(options: [])
        }
        let grown = ["readings", "cases", "notices", "journal", "spool", "blocks", "audit"]
        for sql in asked.sorted() where ["SELECT", "DELETE", "UPDATE"].contains(where: sql.contains) && !sql.contains("facts") {
            let plan = try store.pool.read { try Row.fetchAll($0, sql: "EXPLAIN QUERY PLAN \(sql)").map { $0["detail"] as String } }
            let walks = plan.filter { line in grown.contains { line == "SCAN \($0)" || line.hasPrefix("SCAN \($0) ") } }
            let isShort = sql.contains("LIMIT") && (walks.allSatisfy { $0.contains("INDEX") } || sql.contains("ORDER BY id"))
            #expect(walks.isEmpty || isShort || sql.contains("min(day)") || sql.contains("max(number)"), "\(sql)\n\(plan)")
        }
        #expect(asked.count > 20)
        try store.close()
    }
}
