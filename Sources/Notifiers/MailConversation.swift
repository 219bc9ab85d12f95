import Casework
import Telemetry

/// What a relay said to which command (RFC 5321, 4.2 and 4.3.2), and what that means for the letter. Only a refusal of the mailbox itself is final;
/// whatever else a relay says may be otherwise in a minute, and is asked more slowly.
struct MailConversation: Sendable, Hashable {
    /// Where the conversation stood.
    enum Stage: String, Sendable {
        case greeting, hello, security, login, sender, recipient, data
        case endOfData = "end of data"

        /// The stage that a command begins.
        init?(command: String) {
            switch command.prefix(4).uppercased() {
            case "EHLO", "HELO": self = .hello
            case "STAR": self = .security
            case "AUTH": self = .login
            case "MAIL": self = .sender
            case "RCPT", "VRFY": self = .recipient
            case "DATA", "BDAT": self = .data
            default: return nil
            }
        }
    }

    /// A reply: the code, the enhanced status code where there is one (RFC 3463), the words.
    struct Reply: Sendable, Hashable {
        var stage: Stage
        var code: Int
        var status: [Int] = []
        var words = ""
    }

    /// So much of a reply's words is kept before it is cleaned.
    private static let longestWords = 2000

    private(set) var stage = Stage.greeting
    /// The newest reply that says no.
    private(set) var refusal: Reply?
    private var words = ""
    private var hasQuit = false

    /// A command went out. Its words are not kept: they may hold a password.
    mutating func sent(_ command: String) {
        if command.prefix(4).uppercased() == "QUIT" { hasQuit = true }
        stage = Stage(command: command) ?? stage
    }

    /// A line came in.
    mutating func heard(_ line: String) {
        guard !hasQuit, line.utf8.count >= 3, let code = Int(line.prefix(3)), (200...599).contains(code) else { return }
        let text = line.dropFirst(4).trimmingPrefix { $0 == " " }
        if words.utf8.count < Self.longestWords { words += (words.isEmpty ? "" : " ") + text.prefix(500) }
        // `550-` goes on, `550 ` ends.
        guard line.dropFirst(3).first != "-" else { return }
        defer { words = "" }
        if code == 354 { stage = .endOfData }
        guard code >= 400 else { return }
        refusal = Reply(stage: stage, code: code, status: Self.status(words), words: words)
    }

    /// The enhanced status code at the beginning of a reply's words.
    static func status(_ words: String) -> [Int] {
        let numbers = words.prefix { $0 != " " }.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.count == 3, let kind = numbers[0], [2, 4, 5].contains(kind), let subject = numbers[1], let detail = numbers[2] else { return [] }
        return [kind, subject, detail]
    }

    /// What the conversation means for the letter.
    /// - Parameters:
    ///   - fault: why it ended, where the relay gave no reason
    ///   - told: the letter's words
    func verdict(_ fault: String, told: String = "") -> DeliverySchedule.Attempt {
        guard let refusal else { return .failed(fault, retryAfter: nil) }
        let words = PeerWords.cleaned(refusal.words, told: told)
        let why = "the relay answered \(refusal.code)\(words.isEmpty ? "" : " \(words)") (\(refusal.stage.rawValue))"
        guard refusal.stage == .recipient, refusal.code != 421, !refusal.speaksOfPace else { return .limited(why, retryAfter: nil) }
        return refusal.refusesMailbox ? .refused(why) : .deferred(why)
    }
}

extension MailConversation.Reply {
    /// Words of relays that say no to how often, or from where, they are asked, with whatever code.
    private static let ofPace = ["frequen", "too many", "too often", "rate limit", "limit exceeded", "throttl", "频率", "过多", "过于频繁"]
    /// Words beside a bare code that speak of something other than the mailbox.
    private static let ofElse = [
        "limit", "spam", "spm", "polic", "block", "black", "denied", "relay", "auth", "grey", "gray", "temporar", "try again", "later", "quota", "full",
        "content",
        "reputation", "spf", "dkim", "dmarc", "连接", "垃圾", "限制", "拒绝",
    ]

    private func has(_ list: [String]) -> Bool {
        let text = words.lowercased()
        return list.contains { text.contains($0) }
    }

    var speaksOfPace: Bool { has(Self.ofPace) }

    /// Whether the mailbox itself is refused for good: 5.1.x says so, but for what is said of the sender's address (5.1.7, 5.1.8). A bare 550, 551
    /// or 553 does where its words speak of nothing else.
    var refusesMailbox: Bool {
        guard stage == .recipient, (500...599).contains(code) else { return false }
        if status.count == 3 { return status[0] == 5 && status[1] == 1 && status[2] != 7 && status[2] != 8 }
        return [550, 551, 553].contains(code) && !has(Self.ofElse)
    }
}
