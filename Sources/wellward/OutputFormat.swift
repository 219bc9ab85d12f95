import ArgumentParser
import Foundation

/// How to print.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case text, json, jsonl

    /// Prints a list: sentences, one JSON array, or one object a line.
    func show<Item: Encodable>(_ items: [Item], text: (Item) -> String) throws {
        switch self {
        case .text: for item in items { print(text(item)) }
        case .json: print(try Self.json(items))
        case .jsonl: for item in items { print(try Self.json(item)) }
        }
    }

    /// One value as JSON, keys sorted.
    static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}
