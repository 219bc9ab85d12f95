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
    private let now: @Sendable () -> WallTime

    /// A robot behind an address that is itself a secret, signing where its maker can.
    public init(client: HTTPClient, maker: Maker, url: String, secret: String?, now: @escaping @Sendable () -> WallTime) {
        poster = HTTPPoster(client: client)
        self.maker = maker
        self.url = url
        self.secret = secret
        self.now = now
    }

    /// Posts once.
    public func deliver(_ letter: Letter) async -> DeliverySchedule.Attempt {
        do {
            let letters = [letter] + letter.others
            let text = letters.map { self.text($0, of: letters.count) }.joined(separator: "\n\n")
            let body = try JSONSerialization.data(
                withJSONObject: payload(letters.count == 1 ? letter.title : "\(letter.title) +\(letters.count - 1)", text), options: [.sortedKeys])
            let answer = try await poster.post(signedURL, headers: [("Content-Type", "application/json; charset=utf-8")], body: body)
            let attempt = HTTPPoster.attempt(answer)
            guard attempt == .delivered else { return attempt }
            return Self.verdict(answer.body)
        } catch {
            return .failed("posting: \(String(describing: type(of: error)))", retryAfter: nil)
        }
    }

    /// One letter's share of a message. Where a text must be cut, the link stays whole: it is what a person presses.
    private func text(_ letter: Letter, of count: Int) -> String {
        let link = letter.link.isEmpty ? "" : "\n\(letter.link)"
        guard maker == .wecom else { return letter.text + link }
        return Self.cut(letter.text, bytes: Self.wecomLimit / count - 2 - link.utf8.count) + link
    }

    /// What a robot means by its reply.
    package static func verdict(_ body: Data) -> DeliverySchedule.Attempt {
        struct Reply: Decodable {
            var errcode: Int?
            var code: Int?
        }
        guard let reply = try? JSONDecoder().decode(Reply.self, from: body) else { return .failed("a reply that is no JSON", retryAfter: nil) }
        let code = reply.errcode ?? reply.code ?? 0
        return code == 0 ? .delivered : .failed("the robot answered \(code)", retryAfter: .minutes(1))
    }

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
