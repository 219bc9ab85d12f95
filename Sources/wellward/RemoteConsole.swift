import ArgumentParser
import AsyncHTTPClient
import Foundation
import NIOCore
import Phrasebook

/// Where a running gateway listens, and with what right.
struct RemoteConsole: ParsableArguments {
    @Option(help: .said("网关的控制台；不写就用WELLWARD_URL。", "The gateway's console; WELLWARD_URL otherwise.")) var url: String?
    @Option(
        help: .said(
            "存接口令牌的文件（wellward token add）；不写就用WELLWARD_TOKEN。没有账号的网关不需要。",
            "A file with an API token (wellward token add); WELLWARD_TOKEN otherwise. None is needed on a gateway without users.")) var tokenFile: String?

    /// Lives as long as the command. A gateway that is not there is told at once, not asked for half a minute.
    private static let client: HTTPClient = {
        var configuration = HTTPClient.Configuration(timeout: .init(connect: .seconds(5), read: .seconds(30)))
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    private func token() throws -> String? {
        guard let tokenFile else { return ProcessInfo.processInfo.environment["WELLWARD_TOKEN"] }
        guard let text = try? String(contentsOfFile: tokenFile, encoding: .utf8) else {
            throw CommandFault(Spoken.say("\(tokenFile)读不了", "\(tokenFile) cannot be read"))
        }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private var base: String { url ?? ProcessInfo.processInfo.environment["WELLWARD_URL"] ?? "http://127.0.0.1:8080" }

    /// One call of the API; a refusal is told in the server's own words.
    func call(_ method: String, _ path: String, _ body: [String: Any]? = nil) async throws -> Any {
        var request = HTTPClientRequest(url: base + path)
        request.method = .RAW(value: method)
        if let token = try token() { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: try JSONSerialization.data(withJSONObject: body)))
        }
        let response: HTTPClientResponse
        let bytes: ByteBuffer
        do {
            response = try await Self.client.execute(request, timeout: .seconds(30))
            bytes = try await response.body.collect(upTo: 64 << 20)
        } catch {
            throw CommandFault(
                Spoken.say("\(base)没有应答；网关在运行吗，--url对吗？（\(error)）", "\(base) does not answer; is the gateway running, and is --url right? (\(error))"))
        }
        let answer = try? JSONSerialization.jsonObject(with: Data(bytes.readableBytesView))
        guard response.status.code < 300, let answer else {
            let problem = answer as? [String: Any]
            let words = [problem?["title"], problem?["detail"]].compactMap { $0 as? String }.joined(separator: ": ").bounded(.sentence)
            throw CommandFault("\(method) \(path): \(response.status.code)\(words.isEmpty ? "" : " – \(words)")")
        }
        return answer
    }

    /// All items of a list, page after page.
    func items(_ path: String) async throws -> [[String: Any]] {
        var found: [[String: Any]] = []
        var next: String? = path
        while let here = next {
            let page = try await call("GET", here) as? [String: Any]
            found += page?["items"] as? [[String: Any]] ?? []
            next = (page?["next"] as? String).map { "\(path)\(path.contains("?") ? "&" : "?")cursor=\(Self.escape($0))" }
        }
        return found
    }

    /// A text as part of a path or query.
    static func escape(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(CharacterSet(charactersIn: "-._~"))) ?? text
    }
}

/// Prints what the API answered.
enum RemotePrinter {
    static func json(_ value: Any) -> String {
        let data = try? JSONSerialization.data(withJSONObject: value, options: [.sortedKeys, .withoutEscapingSlashes, .fragmentsAllowed])
        return data.map { escaped(String(decoding: $0, as: UTF8.self)) } ?? "null"
    }

    /// Nothing of a case is longer, and nothing of it is left out.
    private static let whole = BoundedText.Limit(scalars: 60_000, bytes: 120_000, hasLines: true)

    /// JSON whose strings hold nothing that a terminal obeys: what JSON lets stand as it is (DEL, the second row of control characters, signs
    /// that turn the direction of writing) is written as an escape.
    static func escaped(_ json: String) -> String {
        var text = String.UnicodeScalarView()
        for scalar in json.unicodeScalars {
            let category = scalar.properties.generalCategory
            guard category == .control || category == .format, scalar.value <= 0xFFFF, scalar != "\n" else {
                text.append(scalar)
                continue
            }
            let digits = String(scalar.value, radix: 16)
            text.append(contentsOf: "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".unicodeScalars)
        }
        return String(text)
    }

    static func word(_ value: Any?) -> String {
        switch value {
        case nil, is NSNull: "–"
        case let text as String: text.bounded(whole)
        case let list as [Any]: list.map { word($0) }.joined(separator: " ")
        case let other?: json(other)
        }
    }

    /// A list as text in columns, as one JSON list, or a line each.
    static func show(_ items: [[String: Any]], _ format: OutputFormat, columns: [String]) {
        switch format {
        case .json: print(json(items))
        case .jsonl: for item in items { print(json(item)) }
        case .text:
            let rows = items.map { item in columns.map { word(item[$0]).bounded(.device) } }
            let widths = columns.indices.map { column in ([columns[column]] + rows.map { $0[column] }).map(\.count).max() ?? 0 }
            func line(_ cells: [String]) -> String {
                zip(cells, widths).map { $0.padding(toLength: max($1, $0.count), withPad: " ", startingAt: 0) }.joined(separator: "  ").trimmingCharacters(
                    in: .whitespaces)
            }
            print(line(columns))
            for row in rows { print(line(row)) }
        }
    }

    /// Rows as CSV (RFC 4180). A cell that a spreadsheet would take for a formula gets an apostrophe: notes are typed by anybody.
    static func csv(_ rows: [[String]]) -> String {
        rows.map { row in
            row.map(harmless).map { cell in
                // Where a comma stands in numbers, a semicolon or a tab parts the cells.
                cell.unicodeScalars.contains { ",;\t\"\n\r".unicodeScalars.contains($0) } ? "\"\(cell.replacingOccurrences(of: "\"", with: "\"\""))\"" : cell
            }
            .joined(separator: ",")
        }
        .joined(separator: "\n")
    }

    /// What a formula begins with, in the widths that spreadsheets read.
    private static let openers = Set("=+-@\u{2212}\u{FE62}\u{FE63}\u{FE66}\u{FE6B}\u{FF0B}\u{FF0D}\u{FF1D}\u{FF20}".unicodeScalars)

    private static func harmless(_ text: String) -> String {
        let cell = text.bounded(whole)
        // Blanks and line ends before it are skipped by spreadsheets, and by us.
        let head = cell.unicodeScalars.first { !$0.properties.isWhitespace && $0 != "\"" && $0 != "'" }
        guard let head, openers.contains(head), !isNumber(cell) else { return cell }
        return "'\(cell)"
    }

    /// Digits with a sign, a point and an exponent: `-inf` and `0x10` are words.
    private static func isNumber(_ cell: String) -> Bool { cell.wholeMatch(of: /-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?/) != nil }
}
