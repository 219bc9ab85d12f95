import Phrasebook
import Telemetry

/// A JSON value with its keys in order and its nulls said, as the contract's shapes want them.
indirect enum JSON: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSON])
    case object([Member])

    struct Member: Sendable, Hashable {
        var key: String
        var value: JSON
    }

    /// An object from pairs in order.
    static func of(_ pairs: KeyValuePairs<String, JSON>) -> JSON { .object(pairs.map { Member(key: $0.key, value: $0.value) }) }
    static func text(_ value: String?) -> JSON { value.map { .string($0) } ?? .null }
    static func real(_ value: Double?) -> JSON { value.map { .number($0) } ?? .null }
    static func numbers(_ values: [String: Double]) -> JSON {
        .object(values.sorted { $0.key < $1.key }.map { Member(key: $0.key, value: .number($0.value)) })
    }
    static func both(_ text: LocalizedText) -> JSON { .of(["zh-Hans": .string(text.chinese), "en": .string(text.english)]) }
    static func page(_ items: [JSON], next: String? = nil) -> JSON { .of(["items": .array(items), "next": .text(next)]) }

    /// The text on one line.
    var serialized: String {
        var out = ""
        write(to: &out)
        return out
    }

    private func write(to out: inout String) {
        switch self {
        case .null: out += "null"
        case .bool(let value): out += value ? "true" : "false"
        case .integer(let value): out += String(value)
        case .number(let value):
            if !value.isFinite {
                out += "null"
            } else if value == value.rounded(), abs(value) < 1e15 {
                out += String(Int64(value))
            } else {
                out += String(value)
            }
        case .string(let value): JSONText.quote(value, &out)
        case .array(let items):
            out += "["
            for (index, item) in items.enumerated() {
                if index > 0 { out += "," }
                item.write(to: &out)
            }
            out += "]"
        case .object(let members):
            out += "{"
            for (index, member) in members.enumerated() {
                if index > 0 { out += "," }
                JSONText.quote(member.key, &out)
                out += ":"
                member.value.write(to: &out)
            }
            out += "}"
        }
    }
}
