import AsyncHTTPClient
import Casework
import Crypto
import Foundation
import Telemetry

/// Group robots of WeCom, DingTalk and Feishu. A non-zero code in the reply is a failure although HTTP says 200.
public struct RobotNotifier: Notifier {
    /// Whose robot.
    public enum Maker: String, Sendable, CaseIterable {
        case wecom, dingtalk, feishu

        /// What the maker allows: 20 messages a minute at WeCom and DingTalk (over it DingTalk is silent for ten minutes), 100 a minute and
        /// five a second at Feishu. One less, since clocks differ. Four notices with their links fit into WeCom's 2048 bytes.
        public var pace: DeliverySchedule.Pace {
            switch self {
            case .wecom, .dingtalk: .init(count: 19, per: .minutes(1), merge: 4)
            case .feishu: .init(count: 4, per: .seconds(3), merge: 10)
            }
        }
    }

    /// The most bytes of a WeCom text message.
    static let wecomLimit = 2048

    private let poster: HTTPPoster
    private let maker: Maker
    private let url: String
    private let secret: String?
    private let keyword: String?
    private let now: @Sendable () -> WallTime

    /// A robot behind an address that is itself a secret, signing where its maker can.
    /// - Parameter keyword: a word that each message must have, where the robot was set up so; put before a message that has it not
    public init(client: HTTPClient, maker: Maker, url: String, secret: String?, keyword: String? = nil, now: @escaping @Sendable () -> WallTime) {
        poster = HTTPPoster(client: client)
        self.keyword = keyword.flatMap { $0.isEmpty ? nil : $0 }
        self.maker = maker
        self.url = url
        self.secret = secret
        self.now = now
    }

    /// Posts once.
    public func deliver(_ letter: Letter) async -> DeliverySchedule.Attempt {
        do {
            let letters = [letter] + letter.others
            let bare = letters.map { self.text($0, of: letters.count) }.joined(separator: "\n\n")
            let text = keyword.map { bare.contains($0) ? bare : "\($0) \(bare)" } ?? bare
            let body = try JSONSerialization.data(
                withJSONObject: payload(letters.count == 1 ? letter.title : "\(letter.title) +\(letters.count - 1)", text), options: [.sortedKeys])
            let answer = try await poster.post(signedURL, headers: [("Content-Type", "application/json; charset=utf-8")], body: body)
            return Self.verdict(answer, secrets: [url, secret ?? ""], told: bare)
        } catch {
            return HTTPPoster.fault(error)
        }
    }

    /// One letter's share of a message. Where a text must be cut, the link stays whole: it is what a person presses.
    private func text(_ letter: Letter, of count: Int) -> String {
        let link = letter.link.isEmpty ? "" : "\n\(letter.link)"
        guard maker == .wecom else { return letter.text + link }
        return Self.cut(letter.text, bytes: (Self.wecomLimit - (keyword?.utf8.count ?? 0) - 1) / count - 2 - link.utf8.count) + link
    }

    /// Codes that say that the robot was asked too often: WeCom's, DingTalk's, Feishu's.
    private static let tooOften: Set<Int> = [45009, 45033, 130101, 410100, 9499, 11232, 11233, 99_991_400]

    /// A maker's reply: a code and words, under the names that each of them has for it.
    private struct Reply: Decodable {
        var errcode: Int?
        var code: Int?
        var StatusCode: Int?
        var errmsg: String?
        var msg: String?
        var StatusMessage: String?

        var number: Int? { errcode ?? code ?? StatusCode }
        var words: String { errmsg ?? msg ?? StatusMessage ?? "" }
    }

    /// What a robot means by its reply.
    static func verdict(_ answer: HTTPPoster.Answer, secrets: [String], told: String) -> DeliverySchedule.Attempt {
        let isTaken = (200..<300).contains(answer.status)
        guard let reply = try? JSONDecoder().decode(Reply.self, from: answer.body) else {
            return isTaken ? .failed("a reply that is no JSON", retryAfter: answer.retryAfter) : HTTPPoster.attempt(answer)
        }
        let words = PeerWords.cleaned(reply.words, secrets: secrets, told: told)
        let said = [reply.number.map { "\($0)" } ?? "", words].filter { !$0.isEmpty }.joined(separator: " ")
        guard isTaken else { return HTTPPoster.attempt(answer, words: said) }
        let code = reply.number ?? 0
        if code == 0 { return .delivered }
        let why = "the robot answered \(said)"
        return tooOften.contains(code) ? .limited(why, retryAfter: answer.retryAfter ?? .minutes(1)) : .failed(why, retryAfter: answer.retryAfter)
    }

    /// What a robot means by the body of a 200, for the tests' garbage.
    package static func verdict(_ body: Data) -> DeliverySchedule.Attempt { verdict(.init(status: 200, body: body, retryAfter: nil), secrets: [], told: "") }

    private var signedURL: String {
        guard maker == .dingtalk, let secret else { return url }
        let stamp = String(now().unixMilliseconds)
        let sign = Self.hmac(key: Data(secret.utf8), message: Data("\(stamp)\n\(secret)".utf8))
        let escaped = sign.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? sign
        return "\(url)&timestamp=\(stamp)&sign=\(escaped)"
    }

    private func payload(_ title: String, _ text: String) -> [String: Any] {
        switch maker {
        case .wecom: return ["msgtype": "text", "text": ["content": text]]
        case .dingtalk: return ["msgtype": "markdown", "markdown": ["title": title, "text": text]]
        case .feishu:
            var body: [String: Any] = ["msg_type": "text", "content": ["text": text]]
            if let secret {
                let stamp = String(now().unixSeconds)
                body["timestamp"] = stamp
                body["sign"] = Self.hmac(key: Data("\(stamp)\n\(secret)".utf8), message: Data())
            }
            return body
        }
    }

    private static func hmac(key: Data, message: Data) -> String {
        Data(HMAC<SHA256>.authenticationCode(for: message, using: SymmetricKey(data: key))).base64EncodedString()
    }

    /// Cuts a text at a character so that it fits into so many bytes of UTF-8.
    static func cut(_ text: String, bytes limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        var result = ""
        var used = 3
        for character in text {
            used += String(character).utf8.count
            if used > limit { break }
            result.append(character)
        }
        return result + "…"
    }
}
