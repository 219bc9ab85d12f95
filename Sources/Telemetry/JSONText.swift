/// The one writer of JSON payloads whose bytes must be the same each time: members stand in the order given, and every text is escaped. What is read
/// by nobody but us goes through `JSONEncoder`.
public indirect enum JSONText: Sendable, Hashable {
    case text(String)
    case integer(Int64)
    /// A number; what is none (infinite, not a number) is written as null.
    case number(Double)
    case flag(Bool)
    case null
    case list([JSONText])
    case object([(String, JSONText)])
    /// JSON that was written before.
    case written(String)

    /// A text or null.
    public static func optional(_ text: String?) -> JSONText { text.map { .text($0) } ?? .null }

    /// The JSON.
    public var text: String {
        var out = ""
        write(to: &out)
        return out
    }

    /// The JSON in UTF-8.
    public var bytes: [UInt8] { Array(text.utf8) }

    private func write(to out: inout String) {
        switch self {
        case .text(let text): Self.quote(text, &out)
        case .integer(let number): out += String(number)
        case .number(let number): out += number.isFinite ? "\(number)" : "null"
        case .flag(let flag): out += flag ? "true" : "false"
        case .null: out += "null"
        case .written(let json): out += json
        case .list(let elements):
            out += "["
            for (index, element) in elements.enumerated() {
                if index > 0 { out += "," }
                element.write(to: &out)
            }
            out += "]"
        case .object(let members):
            out += "{"
            for (index, member) in members.enumerated() {
                if index > 0 { out += "," }
                Self.quote(member.0, &out)
                out += ":"
                member.1.write(to: &out)
            }
            out += "}"
        }
    }

    /// Appends a string of JSON (RFC 8259, 7), its line separators escaped too, so that it may stand in a script (ECMA-404 allows them bare).
    public static func quote(_ text: String, _ out: inout String) {
        out += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x2028 || scalar.value == 0x2029:
                let digits = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
        out += "\""
    }

    /// Equal when they are written alike.
    public static func == (left: JSONText, right: JSONText) -> Bool { left.text == right.text }
    /// See `==`.
    public func hash(into hasher: inout Hasher) { hasher.combine(text) }
}
