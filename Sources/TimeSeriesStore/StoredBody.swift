import Casework
import Foundation
import Phrasebook

/// What a record keeps as JSON. Earlier releases wrote texts of any length: they are cut before they are decoded.
protocol StoredBody: Decodable {
    /// The longest text of ours in such a body, in bytes as written.
    static var longestString: Int { get }
    /// The value with texts as long as this release writes them.
    var fitted: Self { get }
}

extension StoredBody {
    /// Reads a body.
    init(stored body: Data) throws {
        // Most bodies are small, and nothing in them can be long.
        let isLarge = body.count > Self.longestString
        let bytes = isLarge ? Data(QuotedJSON.cut(body, strings: Self.longestString).bytes) : body
        self = try JSONDecoder().decode(Self.self, from: bytes).fitted
    }
}

extension Case: StoredBody {
    static var longestString: Int { 2 * longestNote }
}

extension DeliverySchedule.Item: StoredBody {
    static var longestString: Int { 8000 }
    var fitted: Self {
        var item = self
        item.lastFault = lastFault.map { $0.utf8.count <= 900 ? $0 : $0.bounded(.fault) }
        return item
    }
}
