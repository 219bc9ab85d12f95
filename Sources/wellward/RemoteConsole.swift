import ArgumentParser
import AsyncHTTPClient
import Foundation
import NIOCore

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
            let words = [problem?["title"], problem?["detail"]].compactMap { $0 as? String }.joined(separator: ": ")
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
        return data.map { String(decoding: $0, as: UTF8.self) } ?? "null"
    }

    static func word(_ value: Any?) -> String {
        switch value {
        case nil, is NSNull: "–"
        case let text as String: text
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
            let rows = items.map { item in columns.map { word(item[$0]) } }
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
        rows.map {
            $0.map(harmless).map { $0.contains(where: { ",\"\n\r".contains($0) }) ? "\"\($0.replacingOccurrences(of: "\"", with: "\"\""))\"" : $0 }.joined(
                separator: ",")
        }
        .joined(separator: "\n")
    }

    private static func harmless(_ cell: String) -> String {
        guard let first = cell.first, "=+-@\t\r".contains(first), Double(cell) == nil else { return cell }
        return "'\(cell)"
    }
}
