import Foundation
import TestSupport
import Testing

/// More of the matrix of roles: streams of events, HEAD, and forms by session, through the built program.
@Suite(.serialized) struct RoleStreamTests {
    @Test(.timeLimit(.minutes(3))) func `a stream of events carries identifiers only, and none that its reader may not see`() async throws {
        let site = try GuardedSite { $0.replacingOccurrences(of: "policy: calm, contacts", with: "policy: quick, contacts") }
        let gateway = site.gateway
        var streams: [Process] = []
        defer {
            for stream in streams where stream.isRunning { stream.terminate() }
            site.site.end()
        }
        try gateway.start()
        try await eventually(within: 30) { gateway.http("GET", "/healthz").status == 200 }
        for role in GuardedSite.roles {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/curl")
            process.arguments = [
                "-s", "-N", "-H", "Authorization: Bearer \(site.token(role))", "-o", "\(gateway.folder)/stream-\(role)",
                "http://127.0.0.1:\(gateway.port)/api/v1/events",
            ]
            try process.run()
            streams.append(process)
        }
        @Sendable func stream(_ role: String) -> String { (try? String(contentsOfFile: "\(gateway.folder)/stream-\(role)", encoding: .utf8)) ?? "" }
        let all = GuardedSite.roles
        try await eventually(within: 30) { all.allSatisfy { stream($0).contains("welcome") } }
        // Both homes have a case, somebody acts on both with words, a door is released.
        try await eventually(within: 40) { site.open("inactivity", "h-1") != nil && site.open("inactivity", "h-2") != nil }
        let cases = [try #require(site.open("inactivity", "h-1")), try #require(site.open("inactivity", "h-2"))]
        for id in cases { #expect(site.ask("committee", "POST", "/api/v1/cases/\(id)/accept", #"{"note":"李四 knows the key"}"#).status == 200) }
        #expect(site.ask("property", "POST", "/api/v1/elevators/lift-1/release", "{}").status == 200)
        // Whoever may hear all has heard of both cases and of readings of both meters.
        try await eventually(within: 30) {
            ["admin", "integrator"].allSatisfy { role in
                (cases + ["wm-1", "wm-2"]).allSatisfy { stream(role).contains("\"\($0)\"") }
            }
        }
        try await eventually(within: 30) {
            stream("worker-g").contains("\"\(cases[0])\"") && stream("worker-other").contains("\"\(cases[1])\"")
                && stream("technician").contains("wm-1")
        }
        let hidden: [String: [String]] = [
            "worker-g": ["h-2", "wm-2", cases[1]], "worker-other": ["h-1", "wm-1", cases[0]], "property": ["h-1", "h-2", "wm-1", "wm-2"] + cases,
            "technician": ["h-1", "h-2"] + cases,
        ]
        for role in GuardedSite.roles {
            let text = stream(role)
            for id in hidden[role] ?? [] { #expect(!text.contains("\"\(id)\""), "\(role) hears of \(id)") }
            for name in ["张", "王", "李四", "3号楼", "litre", "fam"] { #expect(!text.contains(name), "\(role): \(name)") }
            for line in text.split(separator: "\n") where line.hasPrefix("data: ") {
                let data = (try? JSONSerialization.jsonObject(with: Data(line.dropFirst(6).utf8))) as? [String: Any]
                let isPlain = data.map { Set($0.keys).isSubset(of: ["id", "meter", "subject"]) } ?? false
                let subject = data?["subject"] as? [String: Any]
                #expect(isPlain && (subject.map { Set($0.keys) == ["type", "id"] } ?? true), "\(role): \(line)")
            }
        }
        #expect(gateway.http("GET", "/api/v1/events").status == 401)
    }

    @Test(.timeLimit(.minutes(3))) func `HEAD answers as GET does, for every role and for none, and carries no body`() async throws {
        let site = try GuardedSite()
        defer { site.site.end() }
        let gateway = site.gateway
        try gateway.start()
        try await eventually(within: 40) { site.open("inactivity", "h-1") != nil }
        let id = try #require(site.open("inactivity", "h-1"))
        let paths = [
            "/healthz", "/", "/cases", "/cases/\(id)", "/homes/h-1", "/people", "/audit", "/api/v1/cases/\(id)", "/api/v1/households/h-1", "/api/v1/audit",
            "/api/v1/meters/wm-2/readings", "/metrics", "/nothing",
        ]
        for role in GuardedSite.roles + [""] {
            for path in paths {
                let text = try TechnicianCommandTests.shell(
                    [
                        "/usr/bin/curl", "-s", "-m", "10", "-I", "-H", role.isEmpty ? "X: y" : "Authorization: Bearer \(site.token(role))",
                        "http://127.0.0.1:\(gateway.port)\(path)",
                    ]
                ).out
                let parts = text.components(separatedBy: "\r\n\r\n")
                let status = parts.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
                let expected = site.get(role, path).status
                #expect(status == expected, "\(role) \(path): \(status ?? 0), GET \(expected)")
                let body = parts.dropFirst().joined()
                #expect(body.isEmpty, "\(role) \(path)")
            }
        }
    }

    @Test(.timeLimit(.minutes(3))) func `forms by session do what the table says, and nothing without the session's own token`() async throws {
        let site = try GuardedSite { $0.replacingOccurrences(of: "policy: calm, contacts", with: "policy: quick, contacts") }
        defer { site.site.end() }
        let gateway = site.gateway
        try "correct horse battery".write(toFile: "\(gateway.folder)/pw", atomically: true, encoding: .utf8)
        let users = ["--users-file", "\(gateway.folder)/users.yaml", "--password-file", "\(gateway.folder)/pw"]
        _ = try TechnicianCommandTests.run(["user", "add", "porter", "--role", "property"] + users)
        _ = try TechnicianCommandTests.run(["user", "add", "li", "--role", "grid_worker", "--grid", "g"] + users)
        try gateway.start()
        try await eventually(within: 40) { site.open("inactivity", "h-1") != nil && site.open("inactivity", "h-2") != nil }
        let (own, other) = (try #require(site.open("inactivity", "h-1")), try #require(site.open("inactivity", "h-2")))
        let base = "http://127.0.0.1:\(gateway.port)"
        func browse(_ jar: String, _ arguments: [String]) throws -> String {
            try TechnicianCommandTests.shell(["/usr/bin/curl", "-s", "-m", "20", "-b", jar, "-c", jar] + arguments).out
        }
        func post(_ jar: String, _ path: String, _ fields: String) throws -> Int {
            Int(try browse(jar, ["-o", "/dev/null", "-w", "%{http_code}", "-d", fields, "\(base)\(path)"])) ?? 0
        }
        func signIn(_ name: String) throws -> (jar: String, csrf: String) {
            let jar = "\(gateway.folder)/cookies-\(name)"
            _ = try browse(jar, ["-d", "name=\(name)&password=correct%20horse%20battery", "\(base)/login"])
            let page = try browse(jar, ["\(base)/devices"])
            return (jar, String(try #require(page.firstMatch(of: #/name="csrf" value="([0-9a-f]+)"/#)?.1)))
        }
        let (porter, worker) = (try signIn("porter"), try signIn("li"))
        let dispute = "from=2026-05-01T08:00&note=wrong"
        // The form, and what becomes of it for property and for the worker of g.
        let forms: [(path: String, fields: String, porter: Int, worker: Int)] = [
            ("/cases/\(own)", "act=accept", 404, 303), ("/cases/\(other)", "act=accept", 404, 404), ("/cases/\(own)/links", "", 403, 403),
            ("/homes/h-1/presence", "kind=visitors", 403, 303), ("/homes/h-2/presence", "kind=visitors", 403, 404),
            ("/homes/h-1/presence", "kind=none", 403, 303), ("/elevators/lift-1/release", "", 303, 303), ("/people/contacts/grid", "on_duty=", 403, 403),
            ("/people/channels/out", "", 200, 200), ("/people/channels/none", "", 404, 404), ("/people/notices/n-none", "", 404, 404),
            ("/quality/corrections", "meter=wm-1&\(dispute)", 404, 303), ("/quality/corrections", "meter=wm-2&\(dispute)", 404, 404),
            ("/quality/corrections/99", "state=accepted", 404, 404), ("/quality/corrections/1", "state=rejected", 404, 303),
        ]
        let nobody = "\(gateway.folder)/cookies-nobody"
        for form in forms {
            for (who, another) in [(porter, worker), (worker, porter)] {
                #expect(try post(who.jar, form.path, form.fields) == 403, "without a token: \(form)")
                #expect(try post(who.jar, form.path, "csrf=\(another.csrf)&\(form.fields)") == 403, "another's token: \(form)")
            }
            #expect(try post(nobody, form.path, "csrf=\(worker.csrf)&\(form.fields)") == 401, "without a session: \(form)")
            #expect(try post(porter.jar, form.path, "csrf=\(porter.csrf)&\(form.fields)") == form.porter, "property: \(form)")
            #expect(try post(worker.jar, form.path, "csrf=\(worker.csrf)&\(form.fields)") == form.worker, "worker: \(form)")
        }
        #expect(site.get("admin", "/api/v1/cases/\(own)").json["accepted_by"] as? String == "li")
        #expect(site.get("admin", "/api/v1/cases/\(other)").json["accepted_by"] as? String == nil)
    }
}
