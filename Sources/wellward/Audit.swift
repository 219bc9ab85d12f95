import ArgumentParser
import Documents
import Foundation
import Gateway
import TimeSeriesStore

/// `wellward audit`
struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: Spoken.say("谁看过、谁改过的记录。", "The record of who saw or changed what."),
        discussion: Spoken.examples("wellward audit verify --config /etc/wellward/wellward.yaml"), subcommands: [Verify.self])

    /// `wellward audit verify`
    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: Spoken.say("核对审计：有没有哪一行被改过或删掉。", "Check that no line of the audit was changed or taken out."),
            discussion: Spoken.say(
                "每一行的哈希都包含前一行。末尾被截掉的行，只有对照以前记下的哈希才看得出：留好这次打印的哈希，下次用--expect给出。",
                """
                Every line's hash covers the line before it. Lines cut off at the end show only against a hash noted earlier: keep the one this prints, and give it \
                with --expect next time.
                """)
                + "\n\n" + Spoken.examples("wellward audit verify --config /etc/wellward/wellward.yaml"))

        @Option(help: .said("配置文件。", "The configuration file.")) var config: String
        @Option(help: .said("以前打印过、现在必须还在链里的哈希。", "A hash printed earlier that must still be in the chain.")) var expect: String?
        @Option(help: .said("输出格式：text、json或jsonl。", "text, json or jsonl.")) var format = OutputFormat.text

        private struct Verified: Encodable {
            var lines: Int
            var last: String
        }

        func run() throws {
            let result = try ConfigurationLoader.load(config)
            guard let configuration = result.configuration else { throw DocumentIssues(result.issues.filter { $0.severity == .error }) }
            guard FileManager.default.fileExists(atPath: configuration.storage.path) else {
                throw CommandFault(Spoken.say("\(configuration.storage.path)：还没有记录", "\(configuration.storage.path): there is no record yet"))
            }
            let store = try Store(path: configuration.storage.path)
            defer { try? store.close(inOrder: false) }
            let chain = try store.readNow { try $0.auditChain() }
            if let broken = chain.broken {
                throw CommandFault(
                    Spoken.say(
                        "第\(broken)行接不上前一行：那里有一行被改过或抽走了。它之前的\(chain.lines)行完好。",
                        "line \(broken) does not follow from the one before: a line was changed or taken out there. The \(chain.lines) lines before it are sound."
                    ))
            }
            if let expect {
                let found = try store.readNow { reader in
                    var newest: Int64 = 0
                    while true {
                        let page = try reader.audit(after: newest, limit: 1000)
                        if page.contains(where: { hex($0.hash) == expect.lowercased() }) { return true }
                        guard page.count == 1000, let last = page.last else { return false }
                        newest = last.id
                    }
                }
                if !found {
                    throw CommandFault(
                        Spoken.say(
                            "哈希\(expect)不在链里：末尾被截掉了，或者它是另一台网关的",
                            "the hash \(expect) is not in the chain: lines were cut off at the end, or it is another gateway's"))
                }
            }
            guard format == .text else { return print(try OutputFormat.json(Verified(lines: Int(chain.lines), last: hex(chain.last)))) }
            print(Spoken.say("\(chain.lines)行，没有断开。最后的哈希：\(hex(chain.last))", "\(chain.lines) lines, unbroken. Last hash: \(hex(chain.last))"))
        }

        private func hex(_ data: Data) -> String { data.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
    }
}
