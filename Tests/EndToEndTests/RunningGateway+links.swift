import Foundation

/// Signed links as they went out by the file channel `out` of a little site.
extension RunningGateway {
    /// What the channel has sent: the data of each event.
    var letters: [[String: Any]] {
        ((try? String(contentsOfFile: "\(folder)/out.jsonl", encoding: .utf8)) ?? "").split(separator: "\n").compactMap { line in
            let event = (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any]
            return event?["data"] as? [String: Any]
        }
    }

    /// The path of the first link that a contact was sent about a kind of case.
    func link(_ contact: String, _ kind: String = "inactivity") -> String? {
        letters.first { $0["contact"] as? String == contact && $0["kind"] as? String == kind && ($0["link"] as? String)?.isEmpty == false }
            .flatMap { ($0["link"] as? String)?.replacingOccurrences(of: "http://127.0.0.1:\(port)", with: "") }
    }

    /// What a link's page sends when one of its buttons is pressed.
    func press(_ link: String, _ fields: String) -> (status: Int, json: [String: Any], text: String) {
        http("POST", link, fields, headers: ["Content-Type: application/x-www-form-urlencoded", "Accept: text/html"])
    }
}
