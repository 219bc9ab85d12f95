import AsyncHTTPClient
import Casework
import Foundation
import Phrasebook
import Telemetry
import TestSupport
import Testing

@testable import Notifiers

/// Each notifier against a receiver written with the makers' documents and other people's libraries.
@Suite struct NotifierTests {
    static func letter(_ id: String = "n-1", text: String = "3号楼101：12小时只用了3升水", severity: Severity = .alarm, address: String? = nil) -> Letter {
        let now = Instant(recorded: WallTime(unixSeconds: 1_790_000_000))
        let notice = Notice(
            id: NoticeID(id), caseID: "c-1", kind: .opened, contact: "daughter", channel: "x", role: .family, language: .chinese, severity: severity,
            caseKind: .inactivity, stage: .dispatched, subject: Subject(.household, "h-0101"), roles: [.family],
            text: LocalizedText(chinese: text, english: text), reasons: [], createdAt: now, openedAt: now, notBefore: .zero)
        return Letter(
            notice: notice, site: "lane", text: text, title: "3号楼101 – 没有动静", link: "https://gateway.example/l/abc", time: "2026-09-21T14:13:20Z",
            openedAt: "2026-09-21T14:13:20Z", address: address)
    }

    static func folder() throws -> String {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("wellward-notifiers-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    static func wall() -> WallTime { WallTime(unixMilliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }

    @Test func `a webhook is a CloudEvent signed as Standard Webhooks does, and a retry keeps its id`() async throws {
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let receiver = try IndependentReceiver("web", folder: folder)
        defer { receiver.stop() }
        let url = "http://127.0.0.1:\(receiver.ports[0])/webhook"
        let signed = WebhookNotifier(client: .shared, url: url, secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", now: Self.wall)
        for _ in 0..<2 { #expect(await signed.deliver(Self.letter()) == .delivered) }
        let strange = WebhookNotifier(client: .shared, url: url, secret: "whsec_c29tZXRoaW5nIGVsc2UgZW50aXJlbHk=", now: Self.wall)
        #expect(await strange.deliver(Self.letter("n-2")) == .failed("HTTP 400", retryAfter: nil))
        let notes = receiver.notes
        #expect(notes.map { $0["id"] as? String } == ["n-1", "n-1", nil])
        #expect(notes[0]["type"] as? String == "org.wellward.case.opened" && notes[0]["case"] as? String == "c-1")
        #expect((notes[2]["refused"] as? String)?.contains("WebhookVerificationError") == true)
    }

    @Test func `the robots' signatures, payloads and limits are kept, and an error in a 200 is a failure`() async throws {
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let receiver = try IndependentReceiver("web", folder: folder)
        defer { receiver.stop() }
        let base = "http://127.0.0.1:\(receiver.ports[0])"
        func robot(_ maker: RobotNotifier.Maker, secret: String? = "SECtestonly") -> RobotNotifier {
            RobotNotifier(client: .shared, maker: maker, url: "\(base)/\(maker)?access_token=t", secret: secret, now: Self.wall)
        }
        for maker in [RobotNotifier.Maker.wecom, .dingtalk, .feishu] { #expect(await robot(maker).deliver(Self.letter()) == .delivered) }
        #expect(await robot(.dingtalk, secret: "wrong").deliver(Self.letter()).why?.hasPrefix("HTTP 400") == true)
        #expect(await robot(.feishu, secret: "wrong").deliver(Self.letter()).why?.hasPrefix("the robot answered 19021") == true)

        // Four long letters in one message of WeCom's: each cut, each link whole.
        let long = String(repeating: "没有动静", count: 200)
        let four = try #require(Letter(together: (1...4).map { Self.letter("m-\($0)", text: long) }))
        #expect(await robot(.wecom).deliver(four) == .delivered)
        let text = try #require(receiver.notes.last?["text"] as? String)
        #expect(text.components(separatedBy: "https://gateway.example/l/abc").count == 5)
    }

    @Test(arguments: RobotNotifier.Maker.allCases)
    func `forty cases in one breath reach a robot each once, alarms first, and never above the pace its maker allows`(maker: RobotNotifier.Maker) async throws {
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let receiver = try IndependentReceiver("web", folder: folder)
        defer { receiver.stop() }
        var schedule = DeliverySchedule(seed: 1)
        schedule.paces = ["x": maker.pace]
        for number in 1...40 {
            var notice = Self.letter("n-\(number)", severity: number > 35 ? .alarm : .attention).notice
            notice.caseID = CaseID("c-\(number)")
            notice.notBefore = .zero
            schedule.enqueue(notice)
        }
        // The schedule's clock is driven, and the receiver counts by the same one.
        var now = Interval.zero
        var messages = 0
        while let due = schedule.nextDue, due < .minutes(30) {
            now = max(now, due)
            for parcel in schedule.due(at: now) {
                let url = "http://127.0.0.1:\(receiver.ports[0])/\(maker)?now=\(Double(now.milliseconds) / 1000)"
                let robot = RobotNotifier(client: .shared, maker: maker, url: url, secret: "SECtestonly", now: Self.wall)
                let letters = parcel.items.map { Self.letter($0.notice.id.rawValue, text: "第\($0.notice.id.rawValue)号。", severity: $0.notice.severity) }
                let attempt = await robot.deliver(try #require(Letter(together: letters)))
                #expect(attempt == .delivered)
                _ = schedule.finish(parcel, attempt, at: Instant(elapsed: now, wall: WallTime(unixSeconds: 0)))
                messages += 1
            }
        }
        let notes = receiver.notes
        #expect(notes.count == messages && notes.allSatisfy { $0["refused"] == nil })
        let text = notes.compactMap { $0["text"] as? String }.joined(separator: "\n")
        for number in 1...40 { #expect(text.components(separatedBy: "第n-\(number)号").count == 2, "\(number) once") }
        #expect((notes.first?["text"] as? String)?.contains("第n-36号") == true)
        #expect(schedule.waiting.isEmpty && messages < 40 && now < .minutes(2), "\(messages) messages, the last after \(now)")
    }

    @Test func `an answer that leads elsewhere is no delivery`() async throws {
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let receiver = try IndependentReceiver("web", folder: folder)
        defer { receiver.stop() }
        // As the gateway makes its client.
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: .init(redirectConfiguration: .disallow))
        let hook = WebhookNotifier(
            client: client, url: "http://127.0.0.1:\(receiver.ports[0])/moved", secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", now: Self.wall)
        #expect(await hook.deliver(Self.letter()) == .failed("HTTP 302", retryAfter: nil))
        #expect(receiver.notes.compactMap { $0["path"] as? String } == ["/moved"], "nobody follows with somebody's letter in the hand")
        try await client.shutdown()
    }

    @Test func `ntfy gets a priority and a button that only opens`() async throws {
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let receiver = try IndependentReceiver("web", folder: folder)
        defer { receiver.stop() }
        let ntfy = NtfyNotifier(client: .shared, server: "http://127.0.0.1:\(receiver.ports[0])/ntfy", topic: "lane", token: nil)
        #expect(await ntfy.deliver(Self.letter()) == .delivered)
        #expect(await ntfy.deliver(Self.letter(severity: .attention)) == .delivered)
        #expect(receiver.notes.map { ($0["message"] as? [String: Any])?["priority"] as? Int } == [5, 3])
    }

    @Test func `mail goes out over STARTTLS and TLS with its words whole, and never without encryption`() async throws {
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try certificate(in: folder)
        let receiver = try IndependentReceiver("mail", folder: folder, before: ["\(folder)/cert.pem", "\(folder)/key.pem"])
        defer { receiver.stop() }
        func mail(_ port: Int, _ security: MailNotifier.Security, password: String? = "right", trusted: Bool = true) -> MailNotifier {
            MailNotifier(
                relay: .init(
                    host: "127.0.0.1", port: port, security: security, username: password == nil ? nil : "gateway", password: password,
                    from: "Wellward <gateway@lane.example>", authorityFile: trusted ? "\(folder)/cert.pem" : nil), now: Self.wall)
        }
        let reader = Self.letter(text: String(repeating: "3号楼101：12小时只用了3升水。", count: 20), address: "daughter@family.example")
        #expect(await mail(receiver.ports[0], .starttls).deliver(reader) == .delivered)
        #expect(await mail(receiver.ports[1], .tls).deliver(reader) == .delivered)
        #expect(await mail(receiver.ports[2], .none, password: nil).deliver(reader) == .delivered)
        let notes = receiver.notes
        #expect(notes.map { $0["tls"] as? Bool } == [true, true, false])
        for note in notes {
            #expect(note["to"] as? [String] == ["daughter@family.example"] && note["from"] as? String == "gateway@lane.example")
            #expect(note["subject"] as? String == "3号楼101 – 没有动静" && note["id"] as? String == "<n-1@wellward.invalid>")
            let text = note["text"] as? String ?? ""
            #expect(text.hasPrefix(reader.text) && text.contains("https://gateway.example/l/abc") && note["importance"] as? String == "high")
            #expect((note["defects"] as? [String])?.isEmpty == true)
        }

        // What must not go out, and what will never arrive.
        let refused = [
            mail(receiver.ports[2], .starttls, password: nil), mail(receiver.ports[0], .starttls, trusted: false),
            mail(receiver.ports[0], .starttls, password: "wrong"),
        ]
        for (index, mail) in refused.enumerated() {
            let attempt = await mail.deliver(reader)
            guard case .failed = attempt else {
                Issue.record("\(index): \(attempt)")
                continue
            }
        }
        let gone = Self.letter(address: "nobody@family.example")
        #expect(await mail(receiver.ports[0], .starttls).deliver(gone) == .refused("the relay answered 550 no such mailbox (recipient)"))
        for address in [nil, "no address", "a@b\r\nBcc: c@d", "<a@b"] {
            guard case .refused = await mail(receiver.ports[0], .starttls).deliver(Self.letter(address: address)) else {
                Issue.record("sent to \(address ?? "nobody")")
                continue
            }
        }
        #expect(receiver.notes.count == 3)
    }

    @Test(arguments: ["", "plain", "没有动静，已经十二个小时了，请去看看老人家是否平安，谢谢您的帮助", "👩‍🦳👵🏼 家里 – a\nBcc: x@y"])
    func `a title survives its header, in one line of no more than 75 characters a word`(title: String) {
        let words = MailMessage.encoded(title).components(separatedBy: "\r\n ")
        #expect(words.allSatisfy { $0.count <= 75 && $0.hasPrefix("=?UTF-8?B?") && $0.hasSuffix("?=") })
        let text = words.map { String(decoding: Data(base64Encoded: String($0.dropFirst(10).dropLast(2))) ?? Data(), as: UTF8.self) }.joined()
        #expect(text == title.filter { !$0.isNewline })
    }

    @Test(arguments: [
        (1_795_523_696, "Tue, 24 Nov 2026 12:34:56 +0000"), (0, "Thu, 01 Jan 1970 00:00:00 +0000"), (1_709_164_800, "Thu, 29 Feb 2024 00:00:00 +0000"),
    ])
    func `a letter's date is written as RFC 5322 wants it`(second: Int64, text: String) {
        #expect(MailMessage.date(WallTime(unixSeconds: second)) == text)
    }

    private func certificate(in folder: String) throws {
        let openssl = Process()
        openssl.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        openssl.arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
            "subjectAltName=IP:127.0.0.1", "-keyout", "\(folder)/key.pem", "-out", "\(folder)/cert.pem",
        ]
        openssl.standardError = FileHandle.nullDevice
        try openssl.run()
        openssl.waitUntilExit()
    }
}
