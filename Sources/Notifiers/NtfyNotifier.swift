import AsyncHTTPClient
import Casework
import Foundation

/// Publishes to an ntfy server, as JSON to its root, with a priority and a button that opens the case.
public struct NtfyNotifier: Notifier {
    private let poster: HTTPPoster
    private let server: String
    private let topic: String
    private let token: String?

    /// A topic on a server.
    public init(client: HTTPClient, server: String, topic: String, token: String?) {
        poster = HTTPPoster(client: client)
        self.server = server
        self.topic = topic
        self.token = token
    }

    /// Publishes once.
    public func deliver(_ letter: Letter) async -> DeliverySchedule.Attempt {
        var message: [String: Any] = [
            "topic": topic, "title": letter.title, "message": letter.text,
            "priority": letter.notice.severity == .alarm ? 5 : 3,
        ]
        if !letter.link.isEmpty {
            message["click"] = letter.link
            // A button opens the case; pressing it changes nothing by itself, as with every link.
            let label = letter.notice.language == .chinese ? "看这件事" : "Open the case"
            message["actions"] = [["action": "view", "label": label, "url": letter.link, "clear": false] as [String: Any]]
        }
        do {
            let body = try JSONSerialization.data(withJSONObject: message, options: [.sortedKeys, .withoutEscapingSlashes])
            var headers = [("Content-Type", "application/json")]
            if let token { headers.append(("Authorization", "Bearer \(token)")) }
            return HTTPPoster.attempt(try await poster.post(server, headers: headers, body: body))
        } catch {
            return HTTPPoster.fault(error)
        }
    }
}
