import Foundation
import TestSupport
import Testing

/// What keeps the whole working: who may do what, channels that fail, readings that are disputed, figures for a committee.
@Suite(.serialized) struct CareTests {
    /// A site with accounts: tokens by role.
    private func guarded() throws -> (site: LittleSite, token: (String) throws -> String) {
        let site = try LittleSite { text in
            text.replacingOccurrences(of: "public_url", with: "users_file: users.yaml, public_url")
                .replacingOccurrences(of: "  - {id: out,", with: "  - {id: broken, kind: smtp, host: 127.0.0.1, port: 1, tls: none}\n  - {id: out,")
                .replacingOccurrences(of: "channels: [out]}\n  - {id: property", with: "channels: [out, broken]}\n  - {id: property")
        }
        let file = "\(site.gateway.folder)/users.yaml"
        func token(_ role: String) throws -> String {
            let made = try TechnicianCommandTests.run(["token", "add", role, "--role", role, "--users-file", file])
            return "Authorization: Bearer \(made.out.split(whereSeparator: \.isWhitespace).last { $0.hasPrefix("ww_") } ?? "")"
        }
        return (site, token)
    }

    @Test func `a technician tests a channel, sees what was lost, and sends it again; others may not`() async throws {
        let (site, token) = try guarded()
        defer { site.end() }
        let gateway = site.gateway
        let (technician, integrator) = (try token("technician"), try token("integrator"))
        try gateway.start()
        try await eventually { gateway.http("GET", "/healthz").status == 200 }
        let good = gateway.http("POST", "/api/v1/channels/out/test", "{}", headers: [technician])
        #expect(good.status == 200 && good.json["result"] as? String == "delivered")
        let sent = try String(contentsOfFile: "\(gateway.folder)/out.jsonl", encoding: .utf8).split(separator: "\n")
        #expect(sent.contains { $0.contains("org.wellward.case.drill") && $0.contains("This is a test") })
        let bad = gateway.http("POST", "/api/v1/channels/broken/test", "{}", headers: [technician])
        #expect(bad.status == 200 && bad.json["result"] as? String == "refused" && (bad.json["why"] as? String)?.contains("no mail address") == true)
        #expect(gateway.http("POST", "/api/v1/channels/out/test", "{}", headers: [integrator]).status == 403)
        #expect(gateway.http("POST", "/api/v1/channels/none/test", "{}", headers: [technician]).status == 404)
        #expect(gateway.http("GET", "/api/v1/channels").status == 401)
        let listed = gateway.http("GET", "/api/v1/channels", headers: [technician]).json["items"] as? [[String: Any]] ?? []
        #expect(Set(listed.compactMap { $0["id"] as? String }) == ["out", "broken"])
        // The ladder reaches the grid worker, who has no mail address: given up at once, shown, and a case for technicians.
        @Sendable func lost() -> [[String: Any]] { gateway.http("GET", "/api/v1/notices", headers: [technician]).json["items"] as? [[String: Any]] ?? [] }
        try await eventually { !lost().isEmpty }
        let notice = try #require(lost().first?["id"] as? String)
        try await eventually {
            let open = gateway.http("GET", "/api/v1/cases?state=open", headers: [technician]).json["items"] as? [[String: Any]] ?? []
            return open.contains { ($0["subject"] as? [String: Any])?["id"] as? String == "channel-broken" }
        }
        #expect(gateway.http("POST", "/api/v1/notices/\(notice)/retry", "{}", headers: [technician]).status == 200)
        try await eventually { lost().contains { $0["id"] as? String == notice && $0["attempts"] as? Int == 1 } }
        #expect(gateway.http("POST", "/api/v1/notices/n-none/retry", "{}", headers: [technician]).status == 404)
        #expect(gateway.http("POST", "/api/v1/notices/\(notice)/retry", "{}", headers: [integrator]).status == 403)
    }

    @Test func `a disputed reading stays as it was read, and shows as disputed until somebody decides`() async throws {
        let site = try LittleSite()
        defer { site.end() }
        let gateway = site.gateway
        try gateway.start()
        try await eventually { !gateway.items("/api/v1/meters/wm-1/readings?point=volume_total").isEmpty }
        let reading = try #require(gateway.items("/api/v1/meters/wm-1/readings?point=volume_total").first)
        let at = try #require(reading["at"] as? String)
        let body = "{\"from\":\"\(at)\",\"by\":\"wang\",\"note\":\"the display shows 4300\",\"value\":4300}"
        #expect(gateway.http("POST", "/api/v1/meters/wm-1/corrections", body).status == 200)
        #expect(gateway.http("POST", "/api/v1/meters/wm-1/corrections", "{\"from\":\"\(at)\",\"note\":\" \"}").status == 400)
        #expect(gateway.http("POST", "/api/v1/meters/none/corrections", body).status == 404)
        let path = "/api/v1/quality"
        func disputed() -> Int? { ((gateway.http("GET", path).json["meters"] as? [String: Any])?["wm-1"] as? [String: Any])?["disputed"] as? Int }
        #expect(disputed() == 1)
        let again = try #require(gateway.items("/api/v1/meters/wm-1/readings?point=volume_total").first { $0["at"] as? String == at })
        #expect(again as NSDictionary == reading as NSDictionary, "the raw reading is untouched")
        #expect(gateway.http("POST", "/api/v1/corrections/1", #"{"state":"maybe"}"#).status == 400)
        #expect(gateway.http("POST", "/api/v1/corrections/1", #"{"state":"rejected","by":"chen","note":"misread"}"#).status == 200)
        #expect(gateway.http("POST", "/api/v1/corrections/1", #"{"state":"accepted"}"#).status == 404, "decided once")
        #expect(disputed() == 0)
        let days = gateway.http("GET", path).json["days"] as? [String: [String: Any]] ?? [:]
        #expect((1...2).contains(days.count) && days.values.allSatisfy { $0["completeness"] is Double || $0["completeness"] is Int })
    }

    @Test func `pages of readings end, however few a page is to hold`() async throws {
        let site = try LittleSite()
        defer { site.end() }
        let gateway = site.gateway
        try gateway.start()
        try await eventually { gateway.items("/api/v1/meters/wm-1/readings?point=volume_total").count >= 3 }
        gateway.signal(SIGTERM)
        try await eventually { !gateway.isRunning }
        site.tcp.stop()
        try gateway.start()
        try await eventually { gateway.http("GET", "/healthz").status == 200 }
        let to = ISO8601DateFormatter().string(from: Date().addingTimeInterval(-1))
        let all = gateway.items("/api/v1/meters/wm-1/readings?limit=5000&to=\(to)").count
        var (seen, cursor, pages) = (0, "", 0)
        repeat {
            let page = gateway.http("GET", "/api/v1/meters/wm-1/readings?limit=1&to=\(to)\(cursor)").json
            seen += (page["items"] as? [Any])?.count ?? 0
            pages += 1
            cursor = (page["next"] as? String).map { "&cursor=" + ($0.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "") } ?? ""
        } while !cursor.isEmpty && pages < 200
        #expect(seen == all && all > 3 && pages < 200, "\(seen) of \(all) in \(pages) pages")
    }

    @Test func `the month's figures say what was found and how soon somebody went, and a closed case answers the same after a restart`() async throws {
        let site = try LittleSite()
        defer { site.end() }
        let gateway = site.gateway
        try gateway.start()
        try await eventually { gateway.items("/api/v1/cases?state=open").contains { $0["kind"] as? String == "inactivity" } }
        let id = try #require(gateway.items("/api/v1/cases?state=open").first { $0["kind"] as? String == "inactivity" }?["id"] as? String)
        for act in ["accept", "arrived"] { #expect(gateway.http("POST", "/api/v1/cases/\(id)/\(act)", #"{"by":"grid"}"#).status == 200) }
        #expect(gateway.http("POST", "/api/v1/cases/\(id)/outcome", #"{"by":"grid","code":"safe"}"#).status == 200)
        let links = gateway.http("GET", "/api/v1/cases/\(id)").json["links"] as? [[String: Any]] ?? []
        #expect(links.compactMap { $0["stage"] as? String } == ["reported", "filed", "dispatched", "handling", "supervised", "verified", "closed"])
        for stage in ["reported", "filed", "dispatched", "handling", "verified", "closed"] {
            #expect(links.first { $0["stage"] as? String == stage }?["at"] is String, "\(stage)")
        }
        let rows = gateway.items("/api/v1/statistics")
        let row = try #require(rows.first { $0["kind"] as? String == "inactivity" })
        #expect(row["false_alarms"] as? Int == 1 && row["accepted"] as? Int == 1 && row["arrived"] as? Int == 1 && row["arrive_p95_s"] is Int)
        let csv = gateway.http("GET", "/statistics.csv").text.split(separator: "\r\n")
        #expect(
            csv.count == rows.count + 1 && csv[0].hasPrefix("month,kind,opened")
                && Set(csv.map { $0.split(separator: ",", omittingEmptySubsequences: false).count }).count == 1)

        gateway.signal(SIGTERM)
        try await eventually { !gateway.isRunning }
        try gateway.start()
        try await eventually { gateway.http("GET", "/healthz").status == 200 }
        #expect(gateway.http("POST", "/api/v1/cases/\(id)/outcome", #"{"by":"grid","code":"safe"}"#).status == 200, "the same word again is harmless")
        #expect(gateway.http("POST", "/api/v1/cases/\(id)/outcome", #"{"by":"grid","code":"helped"}"#).status == 409)
    }

    @Test func `guessing passwords or links ends after a few tries, while a good link still opens and a page without its form's token acts on nothing`()
        async throws
    {
        let (site, token) = try guarded()
        defer { site.end() }
        let gateway = site.gateway
        let committee = try token("committee")
        try gateway.start()
        try await eventually { gateway.http("GET", "/healthz").status == 200 }
        let logins = (0..<12).map { _ in
            gateway.http("POST", "/login", "name=wang&password=wrong", headers: ["Content-Type: application/x-www-form-urlencoded"]).status
        }
        #expect(logins.prefix(10).allSatisfy { $0 == 200 } && logins.suffix(2).allSatisfy { $0 == 429 })
        let guesses = (0..<25).map { gateway.http("GET", "/l/bm90aGluZw.\($0)").status }
        #expect(guesses.prefix(20).allSatisfy { $0 == 404 } && guesses.suffix(5).allSatisfy { $0 == 429 })
        @Sendable func letters() -> [[String: Any]] {
            ((try? String(contentsOfFile: "\(gateway.folder)/out.jsonl", encoding: .utf8)) ?? "").split(separator: "\n").compactMap {
                (try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])?["data"] as? [String: Any]
            }
        }
        try await eventually { letters().contains { ($0["link"] as? String)?.contains("/l/") == true } }
        let link = try #require(letters().compactMap { $0["link"] as? String }.first).replacingOccurrences(of: "http://127.0.0.1:\(gateway.port)", with: "")
        let page = gateway.http("GET", link)
        #expect(page.status == 200 && page.text.utf8.count < 50_000 && page.text.contains("I&#39;m going"))
        #expect(!page.text.contains("http://") && !page.text.contains("https://"), "nothing from elsewhere")
        #expect(gateway.http("POST", "/people/channels/out", "csrf=wrong", headers: [committee]).status == 403)
    }

    @Test func `hours of duty set on the console hold at once, after a restart, and are refused where they make no sense`() async throws {
        let (site, token) = try guarded()
        defer { site.end() }
        let gateway = site.gateway
        let (committee, technician) = (try token("committee"), try token("technician"))
        try gateway.start()
        try await eventually { gateway.http("GET", "/healthz").status == 200 }
        let body = #"{"on_duty":["mon-fri 08:00-20:00","sat 09:00-12:00"],"quiet_hours":"22:00-06:00","substitute":"family"}"#
        #expect(gateway.http("PUT", "/api/v1/contacts/grid/duty", body, headers: [technician]).status == 403)
        #expect(gateway.http("PUT", "/api/v1/contacts/none/duty", body, headers: [committee]).status == 404)
        #expect(gateway.http("PUT", "/api/v1/contacts/grid/duty", #"{"on_duty":["sometimes"]}"#, headers: [committee]).status == 400)
        #expect(gateway.http("PUT", "/api/v1/contacts/grid/duty", #"{"substitute":"nobody"}"#, headers: [committee]).status == 400)
        #expect(gateway.http("PUT", "/api/v1/contacts/grid/duty", body, headers: [committee]).status == 200)
        @Sendable func shown() -> Bool {
            let page = gateway.http("GET", "/people", headers: [committee]).text
            return page.contains("mon-fri 08:00-20:00, sat 09:00-12:00") && page.contains("22:00-06:00")
        }
        #expect(shown())
        gateway.signal(SIGKILL)
        try await eventually { !gateway.isRunning }
        try gateway.start()
        try await eventually { shown() }
        gateway.signal(SIGHUP)
        try await eventually { gateway.log.contains("was reloaded") }
        #expect(shown(), "a reload of the file does not undo it")
    }

    @Test func `the API's own description is valid OpenAPI 3.1`() async throws {
        let site = try LittleSite()
        defer { site.end() }
        try site.gateway.start()
        try await eventually { site.gateway.http("GET", "/healthz").status == 200 }
        try site.gateway.write("openapi.json", site.gateway.http("GET", "/api/v1/openapi.json").text)
        let validator = try IndependentReceiver("openapi", folder: site.gateway.folder, after: ["\(site.gateway.folder)/openapi.json"])
        defer { validator.stop() }
        #expect(validator.notes.compactMap { $0["fault"] as? String } == [])
    }
}
