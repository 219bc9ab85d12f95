/// A small table with a header line, as `meters_file` and `households_file` are. Quoted fields may hold commas and
/// doubled quotes (RFC 4180); a field may not span lines.
public struct CSVTable: Sendable {
    /// One row: the line it stands on, counted from one, and its fields by the header's names.
    public struct Row: Sendable {
        /// The line it stands on, counted from one.
        public var line: Int
        /// Its fields by the header's names.
        public var fields: [String: String]
    }

    /// The names of the columns.
    public var header: [String]
    /// The rows, without blank lines.
    public var rows: [Row]

    /// Reads a table.
    public init(_ text: String) {
        // A spreadsheet ends lines with CR LF, which Swift takes for one character.
        var lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }.map(String.init)
        if let first = lines.first, first.hasPrefix("\u{FEFF}") { lines[0] = String(first.dropFirst()) }
        header = lines.first.map(Self.fields) ?? []
        rows = lines.enumerated().dropFirst().compactMap { [header] index, line in
            guard !line.allSatisfy(\.isWhitespace) else { return nil }
            let values = Self.fields(line)
            return Row(line: index + 1, fields: Dictionary(zip(header, values), uniquingKeysWith: { first, _ in first }))
        }
    }

    private static func fields(_ line: String) -> [String] {
        var result: [String] = []
        var field = ""
        var quoted = false
        var characters = line.makeIterator()
        var held: Character?
        while let character = held ?? characters.next() {
            held = nil
            switch (character, quoted) {
            case ("\"", true):
                let next = characters.next()
                if next == "\"" { field.append("\"") } else { (quoted, held) = (false, next) }
            case ("\"", false): quoted = true
            case (",", false):
                result.append(field)
                field = ""
            default: field.append(character)
            }
        }
        return result + [field]
    }
}
