import AsyncHTTPClient
import Casework
import Foundation
import ScriptedPeers
import Telemetry
import Testing

@testable import Notifiers

/// Answers of robots and webhooks as the field has them.
@Suite struct ReceiverAnswerTests {
    private let secretPath = "/robot/send?access_token=7f3A9c0d1e2b4f5a6978"

    private func robot(_ server: ScriptedWebServer, _ maker: RobotNotifier.Maker = .dingtalk, keyword: String? = nil) -> RobotNotifier {
        RobotNotifier(client: .shared, maker: maker, url: server.url + secretPath, secret: "SECofthisrobot1", keyword: keyword, now: NotifierTests.wall)
    }

    private func hook(_ server: ScriptedWebServer) -> WebhookNotifier {
        WebhookNotifier(client: .shared, url: server.url, secret: nil, now: NotifierTests.wall)
    }

    @Test func `a webhook that answers 200 with 200 KB has the notice, and so has one whose body never ends or breaks off`() async throws {
        for (body, neverEnds) in [(String(repeating: "x", count: 200_000), false), ("begun", true), (String(repeating: "y", count: 3_000_000), true)] {
            let server = try ScriptedWebServer { _ in .init(body: body, neverEnds: neverEnds) }
            #expect(await hook(server).deliver(NotifierTests.letter()) == .delivered, "\(body.count)")
            #expect(server.requests.count == 1)
            server.stop()
        }
    }

    @Test func `a robot's own words are shown, and never what is secret about it`() async throws {
        let answers = [
            #"{"errcode":310000,"errmsg":"keywords not in content"}"#,
            #"{"code":19024,"msg":"Key Words Not Found","data":{}}"#,
            #"{"errcode":300001,"errmsg":"invalid access_token 7f3A9c0d1e2b4f5a6978 \u001b[2J\u0007 secret SECofthisrobot1"}"#,
            #"{"errcode":1,"errmsg":"cannot send: 3号楼101：12小时只用了3升水"}"#,
        ]
        var whys: [String] = []
        for answer in answers {
            let server = try ScriptedWebServer { _ in .init(body: answer) }
            let attempt = await robot(server).deliver(NotifierTests.letter())
            guard case .failed(let why, _) = attempt else {
                Issue.record("\(attempt)")
                continue
            }
            whys.append(why)
            server.stop()
        }
        #expect(whys[0] == "the robot answered 310000 keywords not in content")
        #expect(whys[1] == "the robot answered 19024 Key Words Not Found")
        #expect(whys[2].hasPrefix("the robot answered 300001 invalid access_token") && !whys[2].contains("7f3A") && !whys[2].contains("SECof"))
        #expect(whys[2].unicodeScalars.allSatisfy { $0.value >= 0x20 })
        #expect(!whys[3].contains("号楼") && whys[3].hasPrefix("the robot answered 1"))
    }

    @Test(arguments: RobotNotifier.Maker.allCases) func `a robot that is asked too often is asked more slowly`(maker: RobotNotifier.Maker) async throws {
        let answers = [
            RobotNotifier.Maker.wecom: #"{"errcode":45009}"#, .dingtalk: #"{"errcode":130101}"#, .feishu: #"{"code":11232,"msg":"frequency limited"}"#,
        ]
        let answer = answers[maker] ?? ""
        let server = try ScriptedWebServer { _ in .init(body: answer) }
        defer { server.stop() }
        guard case .limited = await robot(server, maker).deliver(NotifierTests.letter()) else {
            Issue.record("not slower")
            return
        }
    }

    @Test(arguments: RobotNotifier.Maker.allCases) func `a keyword stands in each message once`(maker: RobotNotifier.Maker) async throws {
        let server = try ScriptedWebServer { _ in .init(body: #"{"errcode":0,"code":0}"#) }
        defer { server.stop() }
        let told = robot(server, maker, keyword: "守护")
        #expect(await told.deliver(NotifierTests.letter()) == .delivered)
        #expect(await told.deliver(NotifierTests.letter(text: "守护：已经有人去了")) == .delivered)
        let long = String(repeating: "没有动静", count: 900)
        #expect(await told.deliver(NotifierTests.letter(text: long)) == .delivered)
        let bodies = server.requests.map(\.body)
        for body in bodies { #expect(body.components(separatedBy: "守护").count == 2) }
        if maker == .wecom {
            let sent = (try? JSONSerialization.jsonObject(with: Data(bodies[2].utf8)) as? [String: Any]).flatMap {
                ($0["text"] as? [String: Any])?["content"] as? String
            }
            #expect(sent.map { $0.utf8.count <= RobotNotifier.wecomLimit && $0.hasSuffix("https://gateway.example/l/abc") } == true)
        }
    }

    @Test func `a fault's words hold no address`() async throws {
        let server = try ScriptedWebServer { _ in .init() }
        let told = robot(server)
        server.stop()
        let why = (await told.deliver(NotifierTests.letter())).why ?? ""
        #expect(why.hasPrefix("posting: ") && !why.contains("127.0.0.1") && !why.contains("7f3A"))
    }
}
