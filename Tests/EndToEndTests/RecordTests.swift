import Foundation
import Safeguarding
import Telemetry
import TestSupport
import Testing
import TimeSeriesStore

/// Records that are damaged, set aside, backed up and restored, under the built program.
@Suite struct RecordTests {
    /// Runs a few lines of Python over a record, whose `db` is open and whose `path` is known.
    private static func edit(_ record: String, _ lines: String) throws {
        let program = "import sqlite3\npath = '\(record)'\ndb = sqlite3.connect(path)\n\(lines)\ndb.commit()\ndb.close()\n"
        let done = try TechnicianCommandTests.shell(["/usr/bin/env", "python3", "-c", program])
        try #require(done.code == 0, "\(done)")
    }

    private static func isInactivity(_ item: [String: Any]) -> Bool { item["kind"] as? String == "inactivity" }

    /// Runs a site until there is a case, and ends it in order.
    private static func siteWithACase(_ change: (String) -> String = { $0 }) async throws -> LittleSite {
        let site = try LittleSite(change: change)
        let gateway = site.gateway
        try gateway.start()
        try await eventually(within: 30) { gateway.items("/api/v1/cases?state=open").contains(where: Self.isInactivity) }
        gateway.signal(SIGTERM)
        try await eventually { !gateway.isRunning }
        return site
    }

    @Test func `damage where the cases are, met only while starting, sets the file aside once, and people are told`() async throws {
        let site = try await Self.siteWithACase()
        defer { site.end() }
        let gateway = site.gateway
        try Self.edit(
            "\(gateway.folder)/w.sqlite",
            """
            page = db.execute("select rootpage from sqlite_master where name = 'cases'").fetchone()[0]
            with open(path, 'r+b') as f: f.seek((page - 1) * 4096); f.write(bytes([0xAA]) * 4096)
            """)
        try gateway.start()
        try await eventually(within: 30) { gateway.http("GET", "/healthz").status == 200 }
        try await eventually(within: 30) { gateway.items("/api/v1/cases?state=open").contains { $0["kind"] as? String == "incident" } }
        let aside = try FileManager.default.contentsOfDirectory(atPath: gateway.folder).filter { $0.hasPrefix("w.sqlite.damaged-") }
        #expect(!aside.isEmpty)
        gateway.signal(SIGTERM)
        try await eventually { !gateway.isRunning }
        try gateway.start()
        try await eventually(within: 30) { gateway.http("GET", "/readyz").status == 200 }
        #expect(try FileManager.default.contentsOfDirectory(atPath: gateway.folder).filter { $0.hasPrefix("w.sqlite.damaged-") } == aside, "no loop")
    }

    @Test func `a case that cannot be read costs the others nothing, and people are told`() async throws {
        let site = try await Self.siteWithACase()
        defer { site.end() }
        let gateway = site.gateway
        try Self.edit("\(gateway.folder)/w.sqlite", "db.execute(\"update cases set body = cast('{}' as blob) where is_open = 1\")")
        try gateway.start()
        try await eventually(within: 30) { gateway.http("GET", "/readyz").status == 200 }
        try await eventually(within: 30) {
            gateway.items("/api/v1/cases?state=open").contains { $0["kind"] as? String == "incident" && "\($0)".contains("no longer be read") }
        }
    }

    @Test(arguments: ["0.1.0"]) func `a record of every release opens under this one, with its cases, its habits and its audit`(release: String) async throws {
        let site = try LittleSite()
        defer { site.end() }
        let gateway = site.gateway
        let record = "\(gateway.folder)/w.sqlite"
        let dump = ShippedProfiles.root.appendingPathComponent("Tests/EndToEndTests/Records/\(release).sql").path
        try Self.edit(record, "db.executescript(open('\(dump)', encoding='utf-8').read())")
        let store = try Store(path: record)
        for home in ["h-1", "h-2"] as [HouseholdID] {
            let saved = try #require(try store.readNow { try $0.watch(home) })
            _ = try JSONDecoder().decode(HouseholdWatch.self, from: saved.body)
        }
        #expect(try store.readNow { (try $0.unreadableLines(), try $0.auditChain().broken) } == (0, nil))
        try store.close()
        try gateway.start()
        try await eventually(within: 30) { gateway.http("GET", "/readyz").status == 200 }
        let item = gateway.http("GET", "/api/v1/cases/c-1").json
        #expect(item["accepted_by"] as? String == "grid" && item["closed_at"] is NSNull && (item["subject"] as? [String: String])?["id"] == "h-1", "\(item)")
        #expect(!gateway.items("/api/v1/corrections").isEmpty && !gateway.items("/api/v1/audit").isEmpty)
        let readings = gateway.items("/api/v1/meters/wm-1/readings?from=2026-11-01T00:00:00Z&to=2026-11-24T16:14:55Z&limit=5000")
        #expect(readings.count > 3)
        #expect(try FileManager.default.contentsOfDirectory(atPath: gateway.folder).allSatisfy { !$0.contains(".damaged") }, "nothing was set aside")
    }

    @Test func `a backup made at work is restored over a damaged record, for the user whose folder it is`() async throws {
        let site = try await Self.siteWithACase()
        defer { site.end() }
        let gateway = site.gateway
        let record = "\(gateway.folder)/w.sqlite"
        func command(_ words: [String]) throws -> (code: Int32, output: String) {
            let done = try TechnicianCommandTests.shell([RunningGateway.program.path] + words)
            return (done.code, "\(done)")
        }
        try gateway.start()
        try await eventually(within: 30) { gateway.http("GET", "/readyz").status == 200 }
        let backup = "\(gateway.folder)/copy.sqlite"
        let made = try command(["backup", "--config", "\(gateway.folder)/wellward.yaml", "--to", backup])
        #expect(made.code == 0, "\(made.output)")
        let refused = try command(["restore", "--config", "\(gateway.folder)/wellward.yaml", "--from", backup])
        #expect(refused.code != 0, "not under a gateway at work")
        gateway.signal(SIGTERM)
        try await eventually { !gateway.isRunning }
        try Data("nonsense".utf8).write(to: URL(fileURLWithPath: record))
        StoreOpening.markDamaged(record)
        let isRoot = getuid() == 0
        if isRoot { try FileManager.default.setAttributes([.ownerAccountID: 65534], ofItemAtPath: gateway.folder) }
        let restored = try command(["restore", "--config", "\(gateway.folder)/wellward.yaml", "--from", backup])
        #expect(restored.code == 0, "\(restored.output)")
        if isRoot {
            for file in [record, record + ".lock"] {
                #expect(try FileManager.default.attributesOfItem(atPath: file)[.ownerAccountID] as? NSNumber == 65534, "\(file)")
            }
        }
        let files = try FileManager.default.contentsOfDirectory(atPath: gateway.folder)
        #expect(!files.contains { $0.contains(".restoring") } && !files.contains("w.sqlite.damaged") && files.contains { $0.contains(".before-restore-") })
        try gateway.start()
        try await eventually(within: 30) { gateway.http("GET", "/readyz").status == 200 }
        #expect(gateway.items("/api/v1/cases").contains(where: Self.isInactivity))
        #expect(try FileManager.default.contentsOfDirectory(atPath: gateway.folder).allSatisfy { !$0.hasPrefix("w.sqlite.damaged") })
    }

    @Test func `a backup holds no key to links, and a link that was taken back stays so over a restore`() async throws {
        let site = try LittleSite()
        defer { site.end() }
        let gateway = site.gateway
        try gateway.start()
        try await eventually(within: 30) { gateway.items("/api/v1/cases?state=open").contains(where: Self.isInactivity) }
        let id = try #require(gateway.items("/api/v1/cases?state=open").first(where: Self.isInactivity)?["id"] as? String)
        @Sendable func links() -> [String] {
            ((try? String(contentsOfFile: "\(gateway.folder)/out.jsonl", encoding: .utf8)) ?? "").split(separator: "\n").compactMap { line in
                let event = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                guard let data = event?["data"] as? [String: Any], data["case"] as? String == id, let link = data["link"] as? String else { return nil }
                return link.replacingOccurrences(of: "http://127.0.0.1:\(gateway.port)", with: "")
            }
        }
        try await eventually { !links().isEmpty }
        let link = try #require(links().first)
        #expect(gateway.http("GET", link).status == 200)
        let config = "\(gateway.folder)/wellward.yaml"
        #expect(try TechnicianCommandTests.run(["backup", "--config", config, "--to", "\(gateway.folder)/copy.sqlite"]).code == 0)
        let key = try #require(FileManager.default.contents(atPath: "\(gateway.folder)/w.sqlite.link-key"))
        let secret = try #require(try (JSONSerialization.jsonObject(with: key) as? [String: Any])?["key"] as? String)
        let copy = try #require(FileManager.default.contents(atPath: "\(gateway.folder)/copy.sqlite"))
        #expect(copy.range(of: Data(secret.utf8)) == nil && copy.range(of: Data("link_secret".utf8)) == nil)
        var status = stat()
        #expect(stat("\(gateway.folder)/w.sqlite.link-key", &status) == 0 && status.st_mode & 0o777 == 0o600)
        #expect(gateway.http("POST", "/api/v1/cases/\(id)/links/revoke", "{}").status == 200)
        #expect(gateway.http("GET", link).status == 410)
        gateway.signal(SIGTERM)
        try await eventually { !gateway.isRunning }
        // Where a backup must not be written through a link that leads nowhere.
        try FileManager.default.createSymbolicLink(atPath: "\(gateway.folder)/dangling", withDestinationPath: "elsewhere")
        #expect(try TechnicianCommandTests.run(["backup", "--config", config, "--to", "\(gateway.folder)/dangling"]).code == 1)
        let restore = ["restore", "--config", config, "--from", "\(gateway.folder)/copy.sqlite"]
        #expect(try TechnicianCommandTests.run(restore).code == 0)
        try gateway.start()
        try await eventually(within: 30) { gateway.http("GET", "/healthz").status == 200 }
        #expect(gateway.http("GET", link).status == 410)
        gateway.signal(SIGTERM)
        try await eventually { !gateway.isRunning }
        // Where the present record cannot say what was taken back, all links end.
        try Data("no record".utf8).write(to: URL(fileURLWithPath: "\(gateway.folder)/w.sqlite"))
        #expect(try TechnicianCommandTests.run(restore).code == 0)
        try gateway.start()
        try await eventually(within: 30) { gateway.http("GET", "/healthz").status == 200 }
        #expect(gateway.http("GET", link).status == 404)
    }
}
