import Foundation
import Telemetry
import TestSupport
import Testing

/// What relatives, technicians and careless accounts can make the built program do, tried from outside.
@Suite(.serialized) struct OutsideLimitTests {
    /// A site whose ladder climbs late, with a committee to ask.
    private func site() throws -> GuardedSite {
        try GuardedSite { text in
            text.replacingOccurrences(of: "accept_within: 2s}", with: "accept_within: 89m}")
                .replacingOccurrences(of: "{after: 2s, notify: [grid_worker], accept_within: 60s}", with: "{after: 90m, notify: [grid_worker, town]}")
                .replacingOccurrences(
                    of: "  - {id: property,",
                    with: "  - {id: com, role: committee, channels: [out]}\n  - {id: town, role: town, channels: [out]}\n  - {id: property,")
        }
    }

    @Test func `a relative's link that takes a case on and hands it back sixty times is stopped, tells nobody early, and the case stays open`() async throws {
        let site = try site()
        defer { site.site.end() }
        let gateway = site.gateway
        try gateway.start()
        try await eventually(within: 40) { gateway.link("family") != nil }
        let link = try #require(gateway.link("family"))
        let id = try #require(site.open("inactivity", "h-1"))
        var taken = 0
        for _ in 0..<60 {
            _ = gateway.press(link, "act=accept")
            if gateway.press(link, "act=hand_back").status == 303 { taken += 1 }
        }
        #expect(taken == 3, "three are heard")
        let refused = gateway.press(link, "act=hand_back")
        #expect(refused.status == 409 && refused.text.contains("<h1>"), "\(refused.text)")
        let told = gateway.letters.filter { $0["kind"] as? String == "inactivity" }
        #expect(told.count < 40, "\(told.count) notices")
        #expect(Set(told.compactMap { $0["contact"] as? String }) == ["family"], "whoever is due after ninety minutes is not told")
        let item = site.get("admin", "/api/v1/cases/\(id)").json
        #expect(item["closed_at"] is NSNull && (item["accepted_by"] is NSNull || item["accepted_by"] == nil), "\(item)")
        #expect(site.ask("committee", "POST", "/api/v1/cases/\(id)/accept", "{}").status == 200, "another takes it on")
    }

    @Test func `a relative's word that somebody has died explains a day, and the committee is asked`() async throws {
        let site = try site()
        defer { site.site.end() }
        let gateway = site.gateway
        try gateway.start()
        try await eventually(within: 40) { gateway.link("family") != nil }
        let link = try #require(gateway.link("family"))
        #expect(gateway.press(link, "act=outcome&code=deceased").status == 303)
        try await eventually { site.open("incident", "h-1") != nil }
        let home = site.get("admin", "/api/v1/households/h-1").json
        let presence = try #require(home["presence"] as? [String: Any], "\(home)")
        let until = try #require((presence["until"] as? String).flatMap { CivilClock.parse(rfc3339: $0) }, "\(presence)")
        #expect(until < WallTime(unixSeconds: Int64(Date().timeIntervalSince1970)) + .days(2), "\(presence)")
        try await eventually { gateway.letters.contains { $0["contact"] as? String == "com" && $0["kind"] as? String == "incident" } }
        // The same link opens nothing of the question: it is the committee's.
        let question = try #require(site.open("incident", "h-1"))
        #expect(gateway.press(link, "act=outcome&code=safe").status == 409)
        #expect(site.open("incident", "h-1") == question)
        // The committee's word is enough.
        let later = ISO8601DateFormatter().string(from: Date().addingTimeInterval(20 * 86400))
        #expect(site.ask("committee", "PUT", "/api/v1/households/h-1/presence", #"{"kind":"hospital","until":"\#(later)"}"#).status == 200)
        try await eventually { site.open("incident", "h-1") == nil }
    }

    @Test func `a relative's link does not hand back a case when the committee is there`() async throws {
        let site = try site()
        defer { site.site.end() }
        let gateway = site.gateway
        try gateway.start()
        try await eventually(within: 40) { gateway.link("family") != nil }
        let link = try #require(gateway.link("family"))
        let id = try #require(site.open("inactivity", "h-1"))
        #expect(gateway.press(link, "act=accept").status == 303)
        #expect(site.ask("committee", "POST", "/api/v1/cases/\(id)/arrived", "{}").status == 200)
        func state() -> NSDictionary {
            var item = site.get("admin", "/api/v1/cases/\(id)").json
            for key in ["notices", "findings"] { item[key] = nil }
            return item as NSDictionary
        }
        let before = state()
        #expect(before["stage"] as? String == "handling")
        #expect(gateway.press(link, "act=hand_back").status == 409)
        #expect(state() == before)
    }

    @Test func `a channel is tested on nobody of another grid, and two hundred tests at once are three`() async throws {
        let site = try site()
        defer { site.site.end() }
        let gateway = site.gateway
        try gateway.start()
        try await eventually(within: 40) { gateway.http("GET", "/healthz").status == 200 }
        let test = "/api/v1/channels/out/test"
        for (role, contact) in [("worker-g", "fam-b"), ("worker-other", "family"), ("property", "fam-b"), ("property", "family"), ("technician", "family")] {
            #expect(site.ask(role, "POST", test, #"{"contact":"\#(contact)"}"#).status == 409, "\(role) to \(contact)")
        }
        let path = "\(gateway.folder)/out.jsonl"
        func lines() -> Int {
            ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").split(separator: "\n").count { $0.contains("org.wellward.case.drill") }
        }
        #expect(lines() == 0)
        #expect(site.ask("worker-g", "POST", test, #"{"contact":"family"}"#).status == 200, "a relative of the own grid")
        let answers = try TechnicianCommandTests.shell(
            [
                "/usr/bin/curl", "-s", "-o", "/dev/null", "-w", "%{http_code}\n", "-X", "POST", "-H", "Content-Type: application/json", "-d",
                #"{"contact":"property"}"#, "-H", "Authorization: Bearer \(site.token("property"))", "http://127.0.0.1:\(gateway.port)\(test)?n=[1-200]",
            ]
        ).out.split(separator: "\n")
        #expect(answers.count { $0 == "200" } == 3 && answers.count { $0 == "429" } == 197, "\(Set(answers))")
        #expect(lines() == 4)
        let head = try TechnicianCommandTests.shell(
            [
                "/usr/bin/curl", "-s", "-i", "-X", "POST", "-d", #"{"contact":"property"}"#, "-H", "Authorization: Bearer \(site.token("property"))",
                "http://127.0.0.1:\(gateway.port)\(test)",
            ]
        ).out.lowercased()
        #expect(head.contains(" 429 ") && head.contains("retry-after:"), "\(head)")
    }

    @Test(.timeLimit(.minutes(3))) func `the links of those who mend things take on an incident of homes, and do not close it`() async throws {
        let site = try GuardedSite(load: 3) { text in
            let homes = (0..<3).map {
                "  - {id: h-1\($0), name: n, address: a, meter: wm-load-\($0), consent: {given: 2026-05-01, by: x}, policy: quick, contacts: [family], grid: g}\n"
            }
            return text.replacingOccurrences(of: "households:\n", with: "households:\n" + homes.joined())
                .replacingOccurrences(of: "  - {id: property,", with: "  - {id: tech, role: technician, channels: [out]}\n  - {id: property,")
                .replacingOccurrences(
                    of: "ladders:\n", with: "ladders:\n  incident:\n    - {after: 0s, notify: [technician, property, grid_worker]}\n")
        }
        defer { site.site.end() }
        let gateway = site.gateway
        try gateway.start()
        try await eventually(within: 60) {
            site.open("incident", "net") != nil && ["tech", "property", "grid"].allSatisfy { gateway.link($0, "incident") != nil }
        }
        let id = try #require(site.open("incident", "net"))
        for contact in ["tech", "property"] {
            let link = try #require(gateway.link(contact, "incident"))
            #expect(gateway.press(link, "act=outcome&code=false_alarm").status == 403, "\(contact)")
            #expect(gateway.press(link, "act=accept").status == 303, "\(contact)")
            #expect(site.open("incident", "net") == id)
        }
        let worker = try #require(gateway.link("grid", "incident"))
        #expect(gateway.press(worker, "act=outcome&code=false_alarm").status == 303)
        let homes = Set(["h-1", "h-10", "h-11", "h-12"])
        try await eventually(within: 30) { homes.allSatisfy { site.open("inactivity", $0) != nil } }
    }
}
