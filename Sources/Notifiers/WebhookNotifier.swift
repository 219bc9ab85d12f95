import AsyncHTTPClient
import Casework
import Crypto
import Foundation
import Telemetry

/// Posts CloudEvents, signed as Standard Webhooks does. A retry keeps its id.
public struct WebhookNotifier: Notifier {
    private let poster: HTTPPoster
    private let url: String
    private let secret: Data?
    private let now: @Sendable () -> WallTime

    /// Posts to an address.
    /// - Parameter secret: `whsec_` and Base64, as Standard Webhooks writes it; plain bytes are taken as they are
    public init(client: HTTPClient, url: String, secret: String?, now: @escaping @Sendable () -> WallTime) {
        poster = HTTPPoster(client: client)
        self.url = url
        self.now = now
        self.secret = secret.map { text in
            let bare = text.hasPrefix("whsec_") ? String(text.dropFirst(6)) : text
            return Data(base64Encoded: bare) ?? Data(text.utf8)
        }
    }

    /// Posts once.
    public func deliver(_ letter: Letter) async -> DeliverySchedule.Attempt {
        do {
            let body = try letter.cloudEvent()
            var headers = [("Content-Type", "application/cloudevents+json")]
            let stamp = String(now().unixSeconds)
            headers += [("webhook-id", letter.notice.id.rawValue), ("webhook-timestamp", stamp)]
            if let secret { headers.append(("webhook-signature", Self.signature(letter.notice.id.rawValue, stamp, body, secret))) }
            return HTTPPoster.attempt(try await poster.post(url, headers: headers, body: body))
        } catch {
            return HTTPPoster.fault(error)
        }
    }

    /// HMAC-SHA256 over `id.timestamp.body`, Base64 behind `v1,` (Standard Webhooks specification).
    static func signature(_ id: String, _ stamp: String, _ body: Data, _ secret: Data) -> String {
        var message = Data("\(id).\(stamp).".utf8)
        message.append(body)
        let code = HMAC<SHA256>.authenticationCode(for: message, using: SymmetricKey(data: secret))
        return "v1,\(Data(code).base64EncodedString())"
    }
}
