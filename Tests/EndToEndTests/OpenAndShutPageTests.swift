import Foundation
import TestSupport
import Testing

/// What a page says when the console is open without accounts, and what a link says while the console is shut.
@Suite(.serialized) struct OpenAndShutPageTests {
    @Test func `a console that is open without accounts says so on every page, in both languages; one with accounts does not`() async throws {
        let site = try LittleSite()
        defer { site.end() }
        let gateway = site.gateway
        try gateway.start()
        try await eventually(within: 30) { gateway.items("/api/v1/cases?state=open").contains { $0["kind"] as? String == "inactivity" } }
        let id = try #require(gateway.items("/api/v1/cases?state=open").first?["id"] as? String)
        let pages = [
            "/", "/cases", "/cases/\(id)", "/homes/h-1", "/elevators", "/devices", "/quality", "/people", "/statistics", "/audit", "/login", "/nothing",
            "/l/abc.def",
        ]
        for (language, words) in [("en", "The console is open without accounts"), ("zh-Hans", "控制台没有账号保护")] {
            for page in pages {
                let text = gateway.http("GET", page, headers: ["Accept: text/html", "Cookie: wellward_language=\(language)"]).text
                #expect(text.contains(words), "\(page): \(text.prefix(1500))")
            }
        }
        let guarded = try GuardedSite()
        defer { guarded.site.end() }
        try guarded.gateway.start()
        try await eventually(within: 30) { guarded.get("admin", "/").status == 200 }
        for page in ["/", "/cases", "/login"] { #expect(!guarded.get("admin", page).text.contains("open without accounts"), "\(page)") }
    }

    @Test func `while the console is shut a relative's link says in the relative's language what to do, and names nobody`() async throws {
        let site = try GuardedSite { text in
            text.replacingOccurrences(
                of: "role: family, channels: [out]}\n  - {id: grid", with: "role: family, channels: [out], language: zh-Hans}\n  - {id: grid")
        }
        defer { site.site.end() }
        let gateway = site.gateway
        try gateway.start()
        try await eventually(within: 40) { gateway.link("family") != nil && gateway.link("grid") != nil }
        let (family, worker) = (try #require(gateway.link("family")), try #require(gateway.link("grid")))
        try FileManager.default.moveItem(atPath: "\(gateway.folder)/users.yaml", toPath: "\(gateway.folder)/away.yaml")
        try await eventually { gateway.http("GET", family, headers: ["Accept: text/html"]).status == 503 }
        let page = gateway.http("GET", family, headers: ["Accept: text/html"]).text
        #expect(page.contains("lang=\"zh-Hans\"") && page.contains("请直接打电话或者上门看看") && page.contains("居委会"), "\(page)")
        let english = gateway.http("GET", worker, headers: ["Accept: text/html"]).text
        #expect(english.contains("Phone or go there, and tell the committee by phone"), "\(english)")
        let pressed = gateway.press(family, "act=accept")
        #expect(pressed.status == 503 && pressed.text.contains("没有送到"), "\(pressed.text)")
        for text in [page, english, pressed.text] {
            for secret in ["张", "3号楼", "h-1", "users file", "wellward user add", "href=\"/\""] { #expect(!text.contains(secret), "\(secret): \(text)") }
        }
        try FileManager.default.moveItem(atPath: "\(gateway.folder)/away.yaml", toPath: "\(gateway.folder)/users.yaml")
        try await eventually { gateway.http("GET", family).text.contains("张阿婆") }
        let item = site.cases().first { $0["kind"] as? String == "inactivity" }
        #expect(item?["accepted_at"] is NSNull)
    }
}
