import Console
import Foundation
import NIOCore
import NIOEmbedded
import NIOHTTP1
import NIOHTTPTypesHTTP1
import Simulation
import TestSupport

/// Garbage for the console of a gateway at work: requests through its router, and bytes for the reader of HTTP before it.
public struct ConsoleGarbage: Sendable {
    private let door: ConsoleDoor

    /// - Parameter site: a gateway in this process; two of its homes fall silent, so that there are cases to act on
    public init(_ site: StormSite) throws {
        door = try ConsoleDoor(site.service.premises)
        site.silence(1...2)
    }

    /// What is fed to it.
    public var parsers: [Garbage] {
        // One for all requests: it is asked for its address only, and millions of them would fill the memory.
        let (door, channel) = (door, NIOAsyncTestingChannel())
        return [
            Garbage("http-requests", few: 2) { random in
                // Whole pages and lists are dear to make and say little of the reader: most inputs want something done.
                let page = random.below(6) == 0 ? random.one(of: Self.sights) : random.one(of: Self.deeds)
                var path = Array((page.path + random.one(of: Self.queries)).utf8)
                if random.below(page.body.isEmpty ? 10 : 2) != 1 { path = random.broken(path) }
                var body = page.body.isEmpty ? [] : random.broken(page.body.utf8)
                if !page.body.isEmpty, random.below(3) == 0 { body = Self.typed(&random, asForm: page.path.hasPrefix("/api/") == false) }
                var headers: [(String, String)] = [("content-length", "\(body.count)")]
                for (name, value) in Self.headers where random.below(4) == 0 {
                    headers.append((name, String(decoding: random.broken(value.utf8), as: UTF8.self).filter { $0.isASCII && !$0.isNewline }))
                }
                let method = random.below(10) == 0 ? random.one(of: Self.methods) : page.method
                let answer = await door.answer(
                    method: method, path: String(decoding: path, as: UTF8.self), headers: headers, body: body, on: channel)
                return answer.status == 500 ? "the console failed over \(method) \(String(decoding: path, as: UTF8.self))" : nil
            },
            Garbage("http-bytes", few: 2) { random in
                let channel = EmbeddedChannel()
                defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
                guard
                    (try? channel.pipeline.syncOperations.addHandlers(ByteToMessageHandler(HTTPRequestDecoder()), HTTP1ToHTTPServerCodec(secure: false))) != nil
                else { return "no pipeline" }
                let bytes = random.below(4) == 0 ? random.bytes(below: 200) : random.broken(random.one(of: Self.requests))
                // In two pieces, as the network likes it.
                let cut = random.below(bytes.count + 1)
                _ = try? channel.writeInbound(ByteBuffer(bytes: bytes[..<cut]))
                _ = try? channel.writeInbound(ByteBuffer(bytes: bytes[cut...]))
                return nil
            },
        ]
    }

    /// Fields as people fill them in who mean no good: texts of every kind, well formed otherwise.
    private static func typed(_ random: inout SeededRandom, asForm: Bool) -> [UInt8] {
        let words = ["by", "note", "name", "substitute", "on_duty", "meter"].map { ($0, random.foreign()) }
        let choices = [
            ("act", "accept"), ("code", "safe"), ("kind", "away"), ("until", "2026-01-01T10:00"), ("state", "accepted"), ("from", "2026-01-01T10:00:00Z"),
        ]
        guard asForm else {
            let object = Dictionary(words + choices, uniquingKeysWith: { first, _ in first })
            return Array((try? JSONSerialization.data(withJSONObject: object)) ?? Data())
        }
        let fields = (words + choices).map { "\($0.0)=\($0.1.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")" }
        return Array(fields.joined(separator: "&").utf8)
    }

    private static let methods = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "BREW"]

    private struct Place: Sendable {
        var method: String
        var path: String
        var body = ""
    }

    private static let act = #"{"by":"grid","note":"n","code":"safe","until":"2026-01-01T00:00:00+08:00"}"#

    private static let sights: [Place] =
        [
            "/", "/healthz", "/readyz", "/metrics", "/homes/h-1", "/cases", "/cases/c-1", "/elevators", "/devices", "/audit", "/login", "/language?to=en",
            "/statistics", "/statistics.csv", "/people", "/quality", "/l/abc.def", "/static/style.css", "/api/v1/openapi.json", "/api/v1/meters",
            "/api/v1/meters/wm-1/readings", "/api/v1/households", "/api/v1/households/h-1", "/api/v1/elevators", "/api/v1/cases", "/api/v1/cases/c-1",
            "/api/v1/quality", "/api/v1/channels", "/api/v1/notices", "/api/v1/corrections", "/api/v1/statistics", "/api/v1/audit", "/api/v1/events",
        ].map { Place(method: "GET", path: $0) }

    private static let deeds: [Place] =
        ["accept", "arrived", "outcome", "hand_back", "links/revoke"].map { Place(method: "POST", path: "/api/v1/cases/c-2/\($0)", body: act) }
        + [
            Place(
                method: "PUT", path: "/api/v1/households/h-3/presence",
                body: #"{"kind":"away","until":"2026-01-01T00:00:00Z","by":"x","note":"n"}"#),
            Place(method: "POST", path: "/api/v1/elevators/lift-1/release", body: act),
            Place(method: "POST", path: "/api/v1/channels/screen/test", body: #"{"contact":"grid"}"#),
            Place(method: "POST", path: "/api/v1/notices/n-1/retry", body: "{}"),
            Place(
                method: "POST", path: "/api/v1/meters/wm-1/corrections", body: #"{"from":"2026-01-01T00:00:00Z","to":null,"by":"x","value":3.5,"reason":"r"}"#),
            Place(method: "POST", path: "/api/v1/corrections/1", body: #"{"decision":"accepted","by":"x","note":"n"}"#),
            Place(
                method: "PUT", path: "/api/v1/contacts/grid/duty", body: #"{"on_duty":["mon-fri 08:00-18:00"],"quiet_hours":"22:00-06:00","substitute":"grid"}"#
            ),
            Place(method: "POST", path: "/login", body: "name=a&password=b%20c&csrf=d"), Place(method: "POST", path: "/logout", body: "csrf=1"),
            Place(method: "POST", path: "/cases/c-1", body: "act=outcome&code=safe&note=%E5%A5%BD&csrf=1"),
            Place(method: "POST", path: "/l/abc.def", body: "act=accept"),
            Place(method: "POST", path: "/homes/h-1/presence", body: "kind=away&until=2026-01-01T10%3A00&csrf=1"),
            Place(method: "POST", path: "/people/contacts/grid", body: "on_duty=mon-fri+08%3A00-18%3A00&quiet_hours=&csrf=1"),
            Place(method: "POST", path: "/quality/corrections", body: "meter=wm-1&from=2026-01-01T10%3A00&value=3&csrf=1"),
        ]

    private static let queries = [
        "", "", "", "?limit=10&cursor=c-5", "?from=2026-01-01T00:00:00Z&to=2026-02-01", "?state=open", "?every=15m&point=volume_total&limit=-1",
        "?cursor=%00%ff",
        "?from=9999999-99-99", "?lang=en&%", "?limit=99999999999999999999",
    ]

    private static let headers = [
        ("cookie", "wellward_session=0123456789abcdef; wellward_language=en"), ("authorization", "Bearer abcdef0123456789"),
        ("accept-language", "zh-CN,zh;q=0.9,en;q=0.8"), ("accept", "text/html,application/json;q=0.9"), ("origin", "http://127.0.0.1:8080"),
        ("content-type", "application/x-www-form-urlencoded"), ("x-forwarded-for", "10.0.0.1, 2.2.2.2"), ("last-event-id", "17"), ("if-none-match", "\"x\""),
    ]

    private static let requests: [[UInt8]] = [
        "GET /api/v1/cases?state=open HTTP/1.1\r\nHost: x\r\nAccept: */*\r\nCookie: a=b\r\n\r\n",
        "POST /api/v1/cases/c-1/accept HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{\"by\":\"grid\"}",
        "POST /login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nname=\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nExpect: 100-continue\r\n\r\n",
    ].map { Array($0.utf8) }
}
