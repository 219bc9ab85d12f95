import Foundation
import Messaging
import TestSupport
import Testing

/// Who sees and does what, as a matrix of roles, paths, methods and grids through the built program.
@Suite(.serialized) struct AccessMatrixTests {
    private static let everybody = Set(GuardedSite.roles)
    private static let named: Set = ["admin", "committee", "station", "worker-g", "worker-other"]

    /// A site with a case of each kind: silent meters of a home and of none, a home out of sight, a silent home, a message of another device.
    private func site() throws -> GuardedSite {
        try GuardedSite { text in
            text.replacingOccurrences(
                of: "households:\n",
                with: """
                      - {id: wm-8, bus: net, unit: 8, profile: tuf-2000m, poll: 1s}
                      - {id: wm-9, bus: net, unit: 9, profile: tuf-2000m, poll: 1s}
                    households:
                      - {id: h-9, name: 赵奶奶, address: 9号楼, meter: wm-9, consent: {given: 2026-05-01, by: 本人}, policy: soon, contacts: [fam-b], grid: other}

                    """
            )
            .replacingOccurrences(of: "  calm: {no_data: 60s}", with: "  calm: {no_data: 60s}\n  soon: {no_data: 5s, longest_silence: 1h}")
                + """

                events:
                  - {id: bin, topic: bins/+/state, subject: /bin, text: /note, title: {zh-Hans: 垃圾桶满了, en: The bin is full}}

                """
        }
    }

    @Test(.timeLimit(.minutes(3))) func `every role sees and does in every place what the table says, and no more`() async throws {
        let site = try site()
        defer { site.site.end() }
        try site.gateway.start()
        try await eventually(within: 30) { site.get("admin", "/readyz").status != 0 }
        let device = try MQTTClient(.init(host: "127.0.0.1", port: site.site.broker.port, clientID: "bin")) { _ in }
        defer { Thread.detachNewThread { device.close() } }
        try await eventually(within: 30) {
            try? device.publish(Array(#"{"bin":"B-7","note":"张阿婆 at gate 2"}"#.utf8), to: "bins/7/state")
            return site.open("incident", "bin-b-7") != nil
        }
        try await eventually(within: 60) {
            site.open("inactivity", "h-1") != nil && site.open("equipment", "wm-9") != nil && site.open("equipment", "wm-8") != nil
                && site.open("blind", "h-9") != nil
        }
        let cases = [
            "home": try #require(site.open("inactivity", "h-1")), "of other": try #require(site.open("equipment", "wm-9")),
            "of none": try #require(site.open("equipment", "wm-8")), "blind": try #require(site.open("blind", "h-9")),
            "device": try #require(site.open("incident", "bin-b-7")),
        ]
        // Somebody typed names into each.
        for id in cases.values {
            #expect(site.ask("committee", "POST", "/api/v1/cases/\(id)/accept", #"{"by":"fam-b","note":"李四 knows the key"}"#).status == 200)
        }
        let pseudonymous = Self.everybody.subtracting(["technician", "property"])
        let seen: [String: Set<String>] = [
            "home": pseudonymous.subtracting(["worker-other"]), "of other": Self.everybody.subtracting(["worker-g", "property"]), "of none": Self.everybody,
            "blind": Self.everybody.subtracting(["worker-g", "property"]), "device": Self.everybody,
        ]
        for (what, id) in cases.sorted(by: { $0.key < $1.key }) {
            for role in GuardedSite.roles {
                let may = seen[what]?.contains(role) ?? false
                let (answer, page) = (site.get(role, "/api/v1/cases/\(id)"), site.get(role, "/cases/\(id)"))
                #expect(answer.status == (may ? 200 : 404) && page.status == (may ? 200 : 404), "\(what) \(role): \(answer.status) \(page.status)")
                #expect(site.cases(role).contains { $0["id"] as? String == id } == may, "\(what) in the list of \(role)")
                #expect(site.get(role, "/cases").text.contains("/cases/\(id)\"") == may, "\(what) on the page of \(role)")
                let typed = Self.named.contains(role)
                for text in [answer.text, page.text] where may {
                    #expect(text.contains("李四") == typed, "\(what) \(role) reads a note")
                    if what == "device" { #expect(text.contains("张阿婆") == typed, "\(role) reads a device's words") }
                }
                if may {
                    #expect((answer.json["accepted_by"] as? String) == (typed ? "committee" : nil), "\(what) \(role)")
                    let contacts = (answer.json["notices"] as? [[String: Any]] ?? []).compactMap { $0["contact"] as? String }
                    #expect(contacts.isEmpty || typed, "\(what) \(role) \(contacts)")
                }
                // Nobody hears of an act on what they do not see, and nothing is changed by who may not.
                let status = site.ask(role, "POST", "/api/v1/cases/\(id)/arrived", "{}").status
                let acts: Set<String> =
                    what == "home" || what == "device"
                    ? Self.named : what == "blind" ? Self.named.union(["technician"]) : Self.named.union(["technician", "property"])
                #expect(status == (!may ? 404 : acts.contains(role) ? 200 : 403), "\(what) \(role) acts: \(status)")
                #expect([404, 405].contains(site.ask(role, "DELETE", "/api/v1/cases/\(id)").status), "\(what) \(role)")
            }
            #expect(site.get("", "/api/v1/cases/\(id)").status == 401 && site.ask("", "POST", "/api/v1/cases/\(id)/accept", "{}").status == 401)
        }
        // Meters and the numbers of cases that are not one's own.
        for role in GuardedSite.roles {
            #expect((site.get(role, "/api/v1/meters/wm-9/readings").status == 200) == (role != "property" && role != "worker-g"), "\(role)")
            #expect(site.get(role, "/api/v1/meters/wm-8/readings").status == 200, "\(role)")
        }
        let only = site.get("property", "/api/v1/cases?limit=1&cursor=\(Int(cases["home"]?.dropFirst(2) ?? "0").map { $0 + 1 } ?? 0)")
        #expect((only.json["items"] as? [Any])?.isEmpty == true && only.json["next"] is NSNull, "\(only.text)")
        // People.
        for role in GuardedSite.roles {
            let page = site.get(role, "/people")
            #expect(page.status == (role == "integrator" ? 403 : 200), "\(role)")
            #expect(page.text.contains("fam-b") == ["admin", "committee", "station", "worker-other"].contains(role), "\(role)")
            #expect(page.text.contains("张女士") == ["admin", "committee", "station", "worker-g"].contains(role), "\(role)")
            if ["technician", "property", "auditor"].contains(role) { #expect(!page.text.contains("family") && !page.text.contains(">grid<"), "\(role)") }
        }
        // The act is the account's own, and so is its trace; the family is told of the committee, and of nobody else.
        let item = site.get("admin", "/api/v1/cases/\(cases["home"] ?? "")").json
        #expect(item["accepted_by"] as? String == "committee" && (item["note"] as? String ?? "").contains("Typed by: fam-b"), "\(item)")
        let sent = try String(contentsOfFile: "\(site.gateway.folder)/out.jsonl", encoding: .utf8)
        #expect(sent.contains("the committee is going") && !sent.contains("family is going"), "whoever typed a relative's id is no relative")
    }

    @Test(.timeLimit(.minutes(3))) func `an incident that stands for homes is closed by who may know them, and gives back whom it held`() async throws {
        let site = try GuardedSite(load: 3) { text in
            let homes = (0..<3).map {
                "  - {id: h-1\($0), name: n, address: a, meter: wm-load-\($0), consent: {given: 2026-05-01, by: x}, policy: quick, contacts: [family], grid: g}\n"
            }
            return text.replacingOccurrences(of: "households:\n", with: "households:\n" + homes.joined())
        }
        defer { site.site.end() }
        try site.gateway.start()
        try await eventually(within: 60) { site.open("incident", "net") != nil }
        let id = try #require(site.open("incident", "net"))
        let act = #"{"code":"false_alarm"}"#
        for (role, status) in [("property", 404), ("worker-other", 404), ("technician", 403), ("auditor", 403), ("integrator", 403)] {
            #expect(site.ask(role, "POST", "/api/v1/cases/\(id)/outcome", act).status == status, "\(role)")
        }
        #expect(site.open("incident", "net") == id)
        #expect(site.ask("worker-g", "POST", "/api/v1/cases/\(id)/outcome", act).status == 200)
        let homes = Set(["h-1", "h-10", "h-11", "h-12"])
        try await eventually(within: 20) { homes.allSatisfy { site.open("inactivity", $0) != nil } }
    }

    @Test func `a link ends with the tie of its contact to the home`() async throws {
        let site = try GuardedSite()
        defer { site.site.end() }
        let gateway = site.gateway
        try gateway.start()
        @Sendable func link(_ contact: String) -> String? {
            ((try? String(contentsOfFile: "\(gateway.folder)/out.jsonl", encoding: .utf8)) ?? "").split(separator: "\n").compactMap { line -> String? in
                let event = (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any]
                let data = event?["data"] as? [String: Any]
                guard data?["contact"] as? String == contact, data?["kind"] as? String == "inactivity" else { return nil }
                return (data?["link"] as? String)?.replacingOccurrences(of: "http://127.0.0.1:\(gateway.port)", with: "")
            }.first
        }
        try await eventually(within: 30) { link("family") != nil && link("grid") != nil }
        let (family, worker) = (try #require(link("family")), try #require(link("grid")))
        #expect(gateway.http("GET", family).text.contains("张阿婆") && gateway.http("GET", worker).text.contains("张阿婆"))
        // The relative's home is another one now, and so is the worker's grid.
        let moved = site.site.text.replacingOccurrences(of: "policy: quick, contacts: [family]", with: "policy: quick, contacts: [fam-b]")
            .replacingOccurrences(of: "role: grid_worker, channels: [out]}", with: "role: grid_worker, channels: [out], grids: [other]}")
        #expect(moved != site.site.text)
        try gateway.write("wellward.yaml", moved)
        gateway.signal(SIGHUP)
        try await eventually(within: 20) { !gateway.http("GET", family).text.contains("张阿婆") && !gateway.http("GET", worker).text.contains("张阿婆") }
        let before = site.cases().first { $0["kind"] as? String == "inactivity" }
        _ = gateway.http("POST", family, "act=accept", headers: ["Content-Type: application/x-www-form-urlencoded"])
        let after = site.cases().first { $0["kind"] as? String == "inactivity" }
        #expect(after?["accepted_at"] as? String == before?["accepted_at"] as? String)
    }

    @Test func `the language is switched where one stands, and goes nowhere else`() async throws {
        let site = try GuardedSite()
        defer { site.site.end() }
        let gateway = site.gateway
        try gateway.start()
        try await eventually(within: 20) { gateway.http("GET", "/healthz").status == 200 }
        func headers(_ path: String, _ role: String = "admin") throws -> String {
            try TechnicianCommandTests.shell(
                [
                    "/usr/bin/curl", "-s", "-m", "10", "-o", "/dev/null", "-D", "-", "-H", "Authorization: Bearer \(site.token(role))",
                    "http://127.0.0.1:\(gateway.port)\(path)",
                ]
            ).out.lowercased()
        }
        for back in [
            "/%09/evil", "//evil.example", "/%5Cevil", "/%5c/evil", "%2F%2Fevil", "/%0a/evil", "https://evil", "/%2509/evil", "/a//b", "/l/abc.def",
            "/%E2%80%AEx",
        ] {
            let answer = try headers("/language?to=en&back=\(back)")
            #expect(answer.contains("303") && answer.contains("location: /\r\n"), "\(back): \(answer)")
        }
        #expect(try headers("/language?to=en&back=/cases/c-1").contains("location: /cases/c-1\r\n"))
        for page in ["/login", "/l/abc.def"] {
            let text = gateway.http("GET", page).text
            #expect(text.contains("href=\"?language=") && !text.contains("/language?"), "\(page): \(text.prefix(2000))")
            let answer = try headers("\(page)?language=zh-Hans", "")
            #expect(answer.contains("303") && answer.contains("location: \(page)\r\n") && answer.contains("wellward_language=zh-hans"), "\(answer)")
        }
    }
}
