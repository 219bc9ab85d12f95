import Casework
import Foundation
import ScriptedPeers
import Telemetry
import Testing

@testable import Notifiers

/// What relays say at each stage of a conversation, and what it means for a letter.
@Suite struct RelayTests {
    private func mail(_ port: Int, from: String = "gateway@lane.example", password: String? = nil) -> MailNotifier {
        MailNotifier(
            relay: .init(
                host: "127.0.0.1", port: port, security: .none, username: password == nil ? nil : "gateway", password: password, from: from),
            now: NotifierTests.wall)
    }

    private func letter(_ address: String = "daughter@family.example") -> Letter { NotifierTests.letter(address: address) }

    /// What came of it, in a word.
    private func word(_ attempt: DeliverySchedule.Attempt) -> String {
        switch attempt {
        case .delivered: "delivered"
        case .failed: "failed"
        case .limited: "limited"
        case .deferred: "deferred"
        case .refused: "refused"
        }
    }

    struct Said: Sendable, CustomStringConvertible {
        var step: ScriptedRelay.Step
        var reply: String
        var means: String
        var description: String { "\(step): \(reply)" }
    }

    private static let reader = ScriptedRelay.Step.recipient("daughter@family.example")
    private static let sender = ScriptedRelay.Step.sender("gateway@lane.example")

    @Test(arguments: [
        Said(step: .greeting, reply: "550 Connection frequency limited", means: "limited"),
        Said(step: .greeting, reply: "554 5.7.1 blocked by a list", means: "limited"),
        Said(step: .greeting, reply: "421 4.7.0 too many connections", means: "limited"),
        Said(step: .greeting, reply: "", means: "failed"),
        Said(step: .login, reply: "535 5.7.8 authentication failed", means: "limited"),
        Said(step: .login, reply: "454 4.7.0 temporary", means: "limited"),
        Said(step: sender, reply: "550 5.7.1 not now", means: "limited"),
        Said(step: sender, reply: "553 5.1.8 sender's domain", means: "limited"),
        Said(step: sender, reply: "452 4.3.1 no room", means: "limited"),
        Said(step: reader, reply: "550 5.1.1 no such mailbox", means: "refused"),
        Said(step: reader, reply: "550-5.1.1 no such\r\n550 5.1.1 mailbox", means: "refused"),
        Said(step: reader, reply: "550 no such user here", means: "refused"),
        Said(step: reader, reply: "553 5.1.3 bad address", means: "refused"),
        Said(step: reader, reply: "550 5.1.8 sender's address", means: "deferred"),
        Said(step: reader, reply: "550 Connection frequency limited", means: "limited"),
        Said(step: reader, reply: "550 5.7.1 relaying denied", means: "deferred"),
        Said(step: reader, reply: "554 5.7.1 spam", means: "deferred"),
        Said(step: reader, reply: "552 5.2.2 mailbox full", means: "deferred"),
        Said(step: reader, reply: "450 4.2.1 come again", means: "deferred"),
        Said(step: reader, reply: "421 4.3.2 closing", means: "limited"),
        Said(step: .data, reply: "554 no", means: "limited"),
        Said(step: .endOfData, reply: "554 DT:SPM 163 smtp,D8mowAD3", means: "limited"),
        Said(step: .endOfData, reply: "550 5.1.1 said late", means: "limited"),
        Said(step: .endOfData, reply: "451 4.3.0 queue", means: "limited"),
        Said(step: .endOfData, reply: "", means: "failed"),
    ]) func `only a refusal of the mailbox is final, whatever else a relay says at whatever stage`(said: Said) async throws {
        let relay = try ScriptedRelay(extensions: ["ENHANCEDSTATUSCODES", "AUTH PLAIN"]) { $0 == said.step ? said.reply : nil }
        defer { relay.stop() }
        let attempt = await mail(relay.port, password: "secret-password").deliver(letter())
        #expect(word(attempt) == said.means, "\(attempt)")
        #expect(relay.messages.isEmpty)
        if said.means != "failed" { #expect(attempt.why?.contains(said.reply.prefix(3)) == true, "the code is shown: \(attempt)") }
        #expect(attempt.why?.contains("secret-password") != true && attempt.why?.contains("@") != true)
    }

    @Test func `a relay that says no and then yes gets the letter, and a reader put off holds up nobody`() async throws {
        let relay = try ScriptedRelay { step in
            if case .recipient(let address) = step, address.hasPrefix("late@") { return "450 4.2.1 come again" }
            return nil
        }
        defer { relay.stop() }
        let notifier = mail(relay.port)
        #expect(word(await notifier.deliver(letter("late@family.example"))) == "deferred")
        #expect(await notifier.deliver(letter()) == .delivered)
        #expect(relay.messages.map(\.recipients) == [["daughter@family.example"]])
    }

    @Test func `a relay's words come without addresses, control characters or an end`() {
        var conversation = MailConversation()
        conversation.sent("RCPT TO:<daughter@family.example>")
        conversation.heard("450 4.2.1 <daughter@family.example>: \u{1b}[31mred\u{07} \(String(repeating: "e\u{301}\u{302}", count: 500))")
        let why = conversation.verdict("").why ?? ""
        #expect(why.hasPrefix("the relay answered 450 4.2.1 … [31mred") && !why.contains("@") && why.unicodeScalars.count < 300)
        #expect(why.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x301 })
    }

    @Test(arguments: [
        ("威尔沃德 <gw@lane.example>", true), ("Wellward <gw@lane.example>", false), ("\"Ward, the \\ well\" <gw@lane.example>", false),
        (String(repeating: "章堰村独居老人守护网关", count: 12) + " <gw@lane.example>", true), ("a\r\nBcc: x@y <gw@lane.example>", false),
        ("👩‍🦳\(String(repeating: "\u{301}", count: 300)) <gw@lane.example>", true),
    ]) func `a name in a header is ASCII, in words of no more than 75 characters, and adds no field`(from: String, isEncoded: Bool) throws {
        let header = MailMessage.mailbox(from)
        #expect(header.utf8.allSatisfy { $0 < 0x80 } && header.hasSuffix("<gw@lane.example>"))
        let lines = header.components(separatedBy: "\r\n")
        #expect(lines.dropFirst().allSatisfy { $0.hasPrefix(" ") } && lines.allSatisfy { $0.count <= 76 && !$0.contains("\n") && !$0.contains("\r") })
        #expect(header.contains("=?UTF-8?B?") == isEncoded)
        guard isEncoded else { return }
        let words = header.split(whereSeparator: \.isWhitespace).filter { $0.hasPrefix("=?") }
        let text = words.map { String(decoding: Data(base64Encoded: String($0.dropFirst(10).dropLast(2))) ?? Data(), as: UTF8.self) }.joined()
        #expect(Array(text.utf8) == Array(from.dropLast(" <gw@lane.example>".count).utf8))
    }

    @Test func `a name in Chinese reaches the relay encoded, the envelope bare`() async throws {
        let relay = try ScriptedRelay { _ in nil }
        defer { relay.stop() }
        #expect(await mail(relay.port, from: "威尔沃德 <gateway@lane.example>").deliver(letter("张女士 <daughter@family.example>")) == .delivered)
        let text = try #require(relay.messages.first).text
        #expect(text.contains("From: =?UTF-8?B?") && text.contains("To: =?UTF-8?B?") && relay.steps.contains(Self.sender) && relay.steps.contains(Self.reader))
    }
}
