import Documents
import Foundation
import Gateway
import Logging
import Phrasebook
import SiteConfiguration
import Telemetry

/// A gateway in this process with many homes and no meters, for a storm of cases through its own doors: its desk, its store on disk, its
/// channels and its console.
public final class StormSite: Sendable {
    /// The gateway.
    public let service: GatewayService
    /// Where its console listens.
    public let port: Int
    /// Where its files lie; `out.jsonl` is what went out by the channel `screen`.
    public let folder: String
    private let work: Task<Void, Never>

    /// Starts a gateway.
    /// - Parameters:
    ///   - homes: how many homes, `h-1` …
    ///   - port: for its console
    ///   - hooks: addresses of webhooks by channel, signed with the test receiver's secret
    public init(homes: Int, port: Int, hooks: KeyValuePairs<String, String>) throws {
        self.port = port
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("wellward-storm-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n".write(toFile: "\(folder)/secret", atomically: true, encoding: .utf8)
        var text = """
            site: {id: storm, timezone: UTC}
            language: en
            storage: {path: w.sqlite}
            console: {listen: "127.0.0.1:\(port)", open: true, public_url: "http://127.0.0.1:\(port)"}
            ladders: {elder: [{after: 0s, notify: [grid_worker]}]}
            contacts: [{id: grid, role: grid_worker, channels: [\((hooks.map(\.key) + ["screen"]).joined(separator: ", "))]}]
            channels:
              - {id: screen, kind: file, path: out.jsonl}

            """
        for (channel, url) in hooks { text += "  - {id: \(channel), kind: webhook, url: \"\(url)\", secret_file: secret}\n" }
        text += "households:\n"
        for home in 1...homes { text += "  - {id: h-\(home), name: \"Somebody \(home)\", consent: {given: 2026-01-01, by: self}}\n" }
        try text.write(toFile: "\(folder)/wellward.yaml", atomically: true, encoding: .utf8)
        let result = try ConfigurationLoader.load("\(folder)/wellward.yaml")
        guard let configuration = result.configuration else { throw DocumentIssues(result.issues) }
        var log = Logger(label: "storm") { StreamLogHandler.standardError(label: $0) }
        log.logLevel = .error
        let service = try GatewayService(configuration, options: .init(path: "\(folder)/wellward.yaml", version: "test"), log: log)
        self.service = service
        let console = service.console()
        work = Task {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { try? await service.run() }
                group.addTask { try? await console.run() }
            }
        }
    }

    /// Many homes fall silent in one breath.
    public func silence(_ homes: ClosedRange<Int>) {
        let now = service.premises.clock.now()
        for home in homes {
            service.premises.desk.tell(
                .finding(
                    Finding(
                        subject: Subject(.household, "h-\(home)"), kind: .inactivity, rule: "volume", severity: .alarm, at: now,
                        text: LocalizedText(chinese: "只用了3升", english: "only 3 L"))))
        }
    }

    /// Stops it and removes its files.
    public func end() async {
        work.cancel()
        await work.value
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// What went out by the channel `screen`.
    public var shown: [[String: Any]] {
        let text = (try? String(contentsOfFile: "\(folder)/out.jsonl", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { (try? JSONSerialization.jsonObject(with: Data($0.utf8))) as? [String: Any] }
    }
}
