import Foundation
import TestSupport
import Testing

/// Who sees and does what, through the built program.
@Suite(.serialized) struct AccessTests {
    private static let roles = ["admin", "committee", "station", "grid_worker", "auditor", "integrator", "technician", "property"]

    /// A site with an account of every role; the grid worker looks after another grid than the homes' own.
    private func guarded() throws -> (site: LittleSite, header: [String: String]) {
        let site = try LittleSite { text in
            text.replacingOccurrences(of: "public_url", with: "users_file: users.yaml, public_url")
                .replacingOccurrences(of: "policy: calm, contacts: [family], grid: g}", with: "policy: calm, contacts: [family], grid: other}")
        }
        let file = "\(site.gateway.folder)/users.yaml"
        var header: [String: String] = [:]
        for role in Self.roles {
            let grid = role == "grid_worker" ? ["--grid", "other"] : []
            let made = try TechnicianCommandTests.run(["token", "add", role, "--role", role, "--users-file", file] + grid)
            header[role] = "Authorization: Bearer \(made.out.split(whereSeparator: \.isWhitespace).last { $0.hasPrefix("ww_") } ?? "")"
        }
        try "correct horse battery".write(toFile: "\(site.gateway.folder)/pw", atomically: true, encoding: .utf8)
        _ = try TechnicianCommandTests.run(
            ["user", "add", "wang", "--role", "committee", "--users-file", file, "--password-file", "\(site.gateway.folder)/pw"])
        try site.gateway.start()
        return (site, header)
    }

    /// Of how many moments an answer holds readings.
    private func moments(_ text: String) -> Int {
        let answer = (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any]
        return Set((answer?["items"] as? [[String: Any]] ?? []).compactMap { $0["at"] as? String }).count
    }

    @Test func `each role sees what the contract says and no more`() async throws {
        let (site, header) = try guarded()
        defer { site.end() }
        let gateway = site.gateway
        try await eventually { gateway.http("GET", "/healthz").status == 200 }
        @Sendable func get(_ role: String, _ path: String) -> (status: Int, text: String) {
            let answer = gateway.http("GET", path, headers: [header[role] ?? ""])
            return (answer.status, answer.text)
        }
        try await eventually { get("admin", "/api/v1/cases").text.contains("inactivity") }
        // Names: who may see them, and whose.
        for role in Self.roles {
            let homes = get(role, "/api/v1/households")
            let names = [role == "admin" || role == "committee" || role == "station", role != "grid_worker"].first ?? false
            #expect(homes.text.contains("张阿婆") == names, "\(role)")
            #expect(homes.status == (role == "technician" || role == "property" ? 403 : 200), "\(role)")
        }
        #expect(get("grid_worker", "/api/v1/households").text.contains("王大爷"), "their own grid's home")
        #expect(!get("grid_worker", "/api/v1/households").text.contains("h-1"), "and no other")
        // Water: a home's readings are its person's day.
        for role in Self.roles {
            let readings = get(role, "/api/v1/meters/wm-1/readings")
            #expect(readings.status == (role == "property" || role == "grid_worker" ? 404 : 200), "\(role)")
            #expect(get(role, "/api/v1/meters").text.contains("wm-1") == (role != "property" && role != "grid_worker"), "\(role)")
            for place in ["/api/v1/quality", "/quality"] {
                let answer = get(role, place)
                #expect(answer.status == 200 && answer.text.contains("wm-1") == (role != "property" && role != "grid_worker"), "\(role) \(place)")
            }
            #expect(moments(get(role, "/api/v1/meters/wm-1/readings?limit=-2").text) <= 1, "\(role)")
        }
        // Disputes: on meters one sees, and whoever sees no home reads no word about one.
        let dispute = #"{"from":"2026-01-01T00:00:00Z","note":"张阿婆 says otherwise","value":1}"#
        func ask(_ role: String) -> Int { gateway.http("POST", "/api/v1/meters/wm-1/corrections", dispute, headers: [header[role] ?? ""]).status }
        #expect(ask("property") == 404 && ask("grid_worker") == 404 && ask("committee") == 200)
        #expect(get("committee", "/api/v1/corrections").text.contains("张阿婆"))
        for role in ["property", "grid_worker", "integrator"] { #expect(!get(role, "/api/v1/corrections").text.contains("张阿婆"), "\(role)") }
        // What is not there is said as a problem, with its headers.
        let missing = gateway.http("GET", "/api/v1/nothing", headers: [header["admin"] ?? ""])
        #expect(missing.status == 404 && missing.json["title"] is String && missing.json["instance"] as? String == "/api/v1/nothing")
        for role in Self.roles {
            #expect(get(role, "/api/v1/audit").status == (["admin", "committee", "auditor"].contains(role) ? 200 : 403), "\(role)")
        }
        // Another grid's home cannot be declared away, and nothing changes when somebody tries.
        let until = ISO8601DateFormatter().string(from: Date().addingTimeInterval(86_400))
        let body = "{\"kind\":\"away\",\"until\":\"\(until)\"}"
        for (role, status) in [("grid_worker", 404), ("auditor", 403), ("integrator", 403), ("technician", 403), ("property", 403)] {
            #expect(gateway.http("PUT", "/api/v1/households/h-1/presence", body, headers: [header[role] ?? ""]).status == status, "\(role)")
        }
        #expect(gateway.http("GET", "/api/v1/households/h-1", headers: [header["admin"] ?? ""]).json["presence"] is NSNull)
        #expect(gateway.http("PUT", "/api/v1/households/h-2/presence", #"{"kind":"away"}"#, headers: [header["committee"] ?? ""]).status == 400)
        #expect(gateway.http("PUT", "/api/v1/households/h-2/presence", body, headers: [header["grid_worker"] ?? ""]).status == 200)
        // Looks are written down, once.
        let audit = get("auditor", "/api/v1/audit").text
        #expect(audit.contains("meter/wm-1") && audit.contains("households"))
        #expect(audit.components(separatedBy: "\"who\":\"committee\",\"what\":\"viewed\",\"subject\":\"households\"").count == 2)
        // Those of pseudonymous roles too, and a slash at the end hides nothing.
        _ = get("integrator", "/homes/h-2")
        _ = get("technician", "/api/v1/meters/wm-2/readings/")
        let later = get("auditor", "/api/v1/audit").text
        for (who, what) in [("integrator", "household/h-2"), ("technician", "meter/wm-2"), ("integrator", "corrections"), ("technician", "meters")] {
            #expect(later.contains("\"who\":\"\(who)\",\"what\":\"viewed\",\"subject\":\"\(what)\""), "\(who) \(what)")
        }
    }

    @Test func `a browser signs in with its password, acts with its form's token, and is out when its account is gone`() async throws {
        let (site, _) = try guarded()
        defer { site.end() }
        let gateway = site.gateway
        try await eventually { gateway.http("GET", "/healthz").status == 200 }
        let jar = "\(gateway.folder)/cookies"
        func browse(_ arguments: [String]) throws -> String {
            try TechnicianCommandTests.shell(["/usr/bin/curl", "-s", "-m", "10", "-i", "-b", jar, "-c", jar] + arguments).out
        }
        let base = "http://127.0.0.1:\(gateway.port)"
        let refused = try browse(["-d", "name=wang&password=wrong", "\(base)/login"])
        #expect(refused.contains("200 OK") && !refused.lowercased().contains("set-cookie: wellward_session"))
        let entered = try browse(["-d", "name=wang&password=correct%20horse%20battery", "\(base)/login"])
        #expect(entered.contains("303") && entered.contains("HttpOnly") && entered.contains("SameSite=Strict"))
        let page = try browse(["\(base)/"])
        #expect(page.contains("3号楼101 张阿婆"))
        let token = try #require(page.firstMatch(of: #/name="csrf" value="([0-9a-f]+)"/#)?.1)
        // A stolen session without the form's token, or another site's form, acts on nothing.
        let release = "\(base)/elevators/lift-1/release"
        #expect(try browse(["-d", "csrf=wrong", release]).contains("403"))
        #expect(try browse(["-H", "Origin: https://evil.example", "-d", "csrf=\(token)", release]).contains("403"))
        #expect(try browse(["-H", "Origin: null", "-d", "csrf=\(token)", release]).contains("403"))
        #expect(try browse(["-H", "Origin: \(base)", "-d", "csrf=\(token)", release]).contains("303"))
        // Taken out of the file: out at the next request.
        try "users: []\ntokens: []\n".write(toFile: "\(gateway.folder)/users.yaml", atomically: true, encoding: .utf8)
        #expect(try browse(["\(base)/"]).contains("/login"))
    }

    @Test func `answers that go wrong carry the same protection, and a person gets a page`() async throws {
        let (site, header) = try guarded()
        defer { site.end() }
        let gateway = site.gateway
        try await eventually { gateway.http("GET", "/healthz").status == 200 }
        let base = "http://127.0.0.1:\(gateway.port)"
        for path in ["/", "/nothing", "/api/v1/cases", "/l/abc.def", "/static/style.css"] {
            let head = try TechnicianCommandTests.shell(["/usr/bin/curl", "-s", "-m", "10", "-D", "-", "-o", "/dev/null", "\(base)\(path)"]).out.lowercased()
            #expect(head.contains("content-security-policy: default-src 'none'") && head.contains("x-content-type-options: nosniff"), "\(path): \(head)")
        }
        // Also where the gateway itself fails: somebody holds its record.
        let holder = Process()
        holder.executableURL = URL(fileURLWithPath: IndependentReceiver.python)
        let script = "import sqlite3,sys,time; c=sqlite3.connect(sys.argv[1]); c.execute('BEGIN IMMEDIATE'); print('held', flush=True); time.sleep(60)"
        holder.arguments = ["-c", script, "\(gateway.folder)/w.sqlite"]
        let pipe = Pipe()
        holder.standardOutput = pipe
        try holder.run()
        _ = pipe.fileHandleForReading.availableData
        let failed = try TechnicianCommandTests.shell(
            ["/usr/bin/curl", "-s", "-m", "30", "-i", "-X", "POST", "-d", "{}", "-H", header["admin"] ?? "", "\(base)/api/v1/channels/out/test"]
        ).out.lowercased()
        kill(holder.processIdentifier, SIGKILL)
        #expect(failed.contains(" 500 ") && failed.contains("content-security-policy") && failed.contains("application/problem+json"), "\(failed)")
        let page = try TechnicianCommandTests.shell(
            ["/usr/bin/curl", "-s", "-m", "10", "-H", "Accept: text/html", "-H", header["admin"] ?? "", "\(base)/cases/c-999"]
        ).out
        #expect(page.contains("<h1>There is no such page, or it is not yours to see.</h1>"))
        #expect(gateway.http("GET", "/api/v1/cases/c-999", headers: [header["admin"] ?? ""]).json["title"] as? String == "Not found")
    }

    @Test func `without accounts only this machine's own names are answered, and no other page acts through a browser`() async throws {
        let site = try LittleSite()
        defer { site.end() }
        try site.gateway.start()
        let gateway = site.gateway
        try await eventually { gateway.http("GET", "/healthz").status == 200 }
        for host in ["127.evil.example", "evil.example", "127.0.0.1.evil.example"] {
            #expect(gateway.http("GET", "/api/v1/households", headers: ["Host: \(host)"]).status == 403, "\(host)")
        }
        #expect(gateway.http("GET", "/api/v1/households", headers: ["Host: localhost:\(gateway.port)"]).status == 200)
        #expect(gateway.http("POST", "/api/v1/elevators/lift-1/release", "{}", headers: ["Origin: null"]).status == 403)
        #expect(gateway.http("POST", "/api/v1/elevators/lift-1/release", "{}", headers: ["Origin: http://evil.example"]).status == 403)
        #expect(gateway.http("POST", "/api/v1/elevators/lift-1/release", "{}").status == 200)
    }

    @Test func `opening a link changes nothing, in the reader's language; a revoked link is no link, and one from a nameless channel shows no name`()
        async throws
    {
        let site = try LittleSite { text in
            text.replacingOccurrences(of: "names: true}", with: "names: true}\n  - {id: group, kind: file, path: group.jsonl, names: false}")
                .replacingOccurrences(
                    of: "name: 小李, role: grid_worker, channels: [out]", with: "name: 小李, role: grid_worker, channels: [out, group], language: zh-Hans")
        }
        defer { site.end() }
        let gateway = site.gateway
        try gateway.start()
        @Sendable func links(_ file: String, _ contact: String) -> [String] {
            ((try? String(contentsOfFile: "\(gateway.folder)/\(file)", encoding: .utf8)) ?? "").split(separator: "\n").compactMap { line in
                guard let event = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], let data = event["data"] as? [String: Any],
                    data["contact"] as? String == contact, data["kind"] as? String == "inactivity", let link = data["link"] as? String
                else { return nil }
                return link.replacingOccurrences(of: "http://127.0.0.1:\(gateway.port)", with: "")
            }
        }
        try await eventually { !links("group.jsonl", "grid").isEmpty && !links("out.jsonl", "family").isEmpty }
        let (named, group, family) = (
            try #require(links("out.jsonl", "grid").first), try #require(links("group.jsonl", "grid").first), try #require(links("out.jsonl", "family").first)
        )
        let id = try #require(gateway.items("/api/v1/cases?state=open").first { $0["kind"] as? String == "inactivity" }?["id"] as? String)
        func state() -> NSDictionary {
            var item = gateway.http("GET", "/api/v1/cases/\(id)").json
            for key in ["notices", "ladder", "stage", "links", "findings"] { item[key] = nil }
            return item as NSDictionary
        }
        let before = state()
        let (page, second) = (gateway.http("GET", named), gateway.http("GET", named))
        #expect(page.status == 200 && second.status == 200 && state() == before)
        #expect(page.text.contains("我去") && page.text.contains("张阿婆") && page.text.utf8.count < 50_000)
        #expect(!page.text.contains("http://") && !page.text.contains("https://"), "nothing from elsewhere")
        #expect(gateway.http("GET", family).text.contains("I&#39;m going"), "the site's language where the contact has none")
        let nameless = gateway.http("GET", group).text
        #expect(nameless.contains("我去") && !nameless.contains("张阿婆") && !nameless.contains("3号楼"))
        // A relative goes; somebody who can go may still say so.
        let form = ["Content-Type: application/x-www-form-urlencoded"]
        #expect(gateway.http("POST", family, "act=accept", headers: form).status == 303)
        #expect(gateway.http("GET", named).text.contains("value=\"accept\""))
        #expect(gateway.http("POST", named, "act=accept", headers: form).status == 303)
        #expect(!gateway.http("GET", named).text.contains("value=\"accept\""))
        #expect(gateway.http("POST", "/api/v1/cases/\(id)/links/revoke", "{}").status == 200)
        for link in [named, group, family] { #expect(!gateway.http("GET", link).text.contains("value=\"outcome\"")) }
        for method in ["GET", "POST"] { #expect(gateway.http(method, named, method == "POST" ? "act=outcome&code=safe" : nil, headers: form).status == 410) }
        #expect(gateway.http("GET", "/api/v1/cases/\(id)").json["closed_at"] is NSNull)
        #expect(gateway.http("GET", "/api/v1/audit").text.contains("link:grid"))
    }
}
