import Foundation
import SiteConfiguration
import Telemetry

/// A small CSV table that somebody hands to a command: simulated falls, or what the presence ledger knew.
struct InputTable {
    /// One row, with the line it stands on.
    struct Row {
        let file: String
        let line: Int
        let fields: [String: String]

        subscript(column: String) -> String? { fields[column].flatMap { $0.isEmpty ? nil : $0 } }

        /// What is wrong with a field, and where.
        func fault(_ column: String, _ problem: String) -> CommandFault {
            CommandFault(Spoken.say("\(file)第\(line)行，\(column)：\(problem)", "\(file), line \(line), \(column): \(problem)"))
        }

        /// A moment in whole Unix seconds.
        func time(_ column: String) throws -> WallTime {
            guard let number = self[column].flatMap({ Double.plain($0) }), number.magnitude < 1e11, number == number.rounded() else {
                throw fault(column, Spoken.say("要写整秒的Unix时间，如1700000000", "must be a Unix time in whole seconds, such as 1700000000"))
            }
            return WallTime(unixSeconds: Int64(number))
        }
    }

    private let file: String
    private let rows: [Row]

    /// Reads a table whose header must name these columns.
    init(_ path: String, columns: [String]) throws {
        file = path
        let table = CSVTable(try Self.text(path))
        let header = table.header.map { $0.trimmingCharacters(in: .whitespaces) }
        guard columns.allSatisfy(header.contains) else {
            let names = columns.joined(separator: ",")
            throw CommandFault(Spoken.say("\(path)第1行：表头要有\(names)", "\(path), line 1: the header must name \(names)"))
        }
        rows = table.rows.map { row in
            let fields = row.fields.map { ($0.trimmingCharacters(in: .whitespaces), $1.trimmingCharacters(in: .whitespaces)) }
            return Row(file: path, line: row.line, fields: Dictionary(fields, uniquingKeysWith: { first, _ in first }))
        }
        for row in rows where row["household"] == nil { throw row.fault("household", Spoken.say("没有写住户", "no household is named")) }
    }

    /// The rows of one household.
    func rows(of household: String) -> [Row] { rows.filter { $0["household"] == household } }

    /// Says which rows are about homes that no file was given for: a misspelt name would lose them silently.
    func warnOfOthers(than households: [String]) {
        let others = Dictionary(grouping: rows.compactMap { $0["household"] }.filter { !households.contains($0) }) { $0 }
        for (name, rows) in others.sorted(by: { $0.key < $1.key }) {
            Self.warn(
                Spoken.say(
                    "\(file)：有\(rows.count)行写的是`\(name)`，但没有这一户的读数文件",
                    "\(file): \(rows.count) rows are about `\(name)`, but no file of that home was given"))
        }
    }

    /// The text of a file.
    static func text(_ path: String) throws -> String {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CommandFault(Spoken.say("\(path)：打不开这个文件", "\(path): the file is not there or cannot be opened"))
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw CommandFault(Spoken.say("\(path)：不是UTF-8文本，请另存为UTF-8", "\(path): not UTF-8 text; save it as UTF-8"))
        }
        return text
    }

    /// A line for whoever typed the command, beside what is printed.
    static func warn(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }
}
