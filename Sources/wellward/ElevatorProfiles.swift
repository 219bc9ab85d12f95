import BoardingControl
import Documents
import Foundation
import Gateway
import Phrasebook
import SiteConfiguration

/// The library's elevator profiles, as `wellward profile` lists, shows, lints and catalogues them.
enum ElevatorProfiles {
    /// The shipped files.
    static func files() -> [String] {
        guard let folder = ConfigurationLoader.profileFolder else { return [] }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/elevators")) ?? []
        return names.filter { $0.hasSuffix(".yaml") }.sorted().map { "\(folder)/elevators/\($0)" }
    }

    /// The shipped profiles that can be read.
    static func shipped() -> [ElevatorProfile] {
        files().compactMap { path in (try? String(contentsOfFile: path, encoding: .utf8)).flatMap { ElevatorProfileReader.read($0, file: path).profile } }
    }

    /// What is wrong with a file, where it is an elevator profile; nil where it is none.
    static func issues(_ path: String) -> [DocumentIssue]? {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8), text.split(separator: "\n").contains("kind: elevator") else { return nil }
        return ElevatorProfileReader.read(text, file: path).issues
    }

    /// One profile as sentences.
    static func words(_ profile: ElevatorProfile) -> [String] {
        let hold =
            profile.leases ? Spoken.say("认租约，可以控门", "keeps a lease: may be asked to hold") : Spoken.say("不认租约，绝不要求控门", "keeps no lease: is never asked to hold")
        return ["\(profile.id): \(profile.title[Spoken.language])", "  " + hold, Spoken.say("  依据：\(profile.document)", "  document: \(profile.document)")]
            + profile.topics.sorted { $0.key.rawValue < $1.key.rawValue }.map { "  \($0.key.rawValue): \($0.value)" }
            + profile.fields.sorted { $0.key.rawValue < $1.key.rawValue }.flatMap { topic, fields in
                fields.sorted { $0.key < $1.key }.map { "  \(topic.rawValue).\($0.key) ← \($0.value.pointer.isEmpty ? "–" : $0.value.pointer)" }
            }
    }

    /// One profile as JSON.
    struct Line: Encodable {
        var id: String
        var kind = "elevator"
        var title: [String: String]
        var document: String
        var leases: Bool
        var topics: [String: String]

        init(_ profile: ElevatorProfile) {
            (id, document, leases) = (profile.id.rawValue, profile.document, profile.leases)
            title = ["zh-Hans": profile.title.chinese, "en": profile.title.english]
            topics = Dictionary(profile.topics.map { ($0.key.rawValue, $0.value) }, uniquingKeysWith: { first, _ in first })
        }
    }

    /// The catalogue's part about elevators, in Markdown.
    static func catalogue(_ language: Language) -> String {
        func say(_ chinese: String, _ english: String) -> String { language == .chinese ? chinese : english }
        var lines = [
            "", "# " + say("电梯控制器", "Elevator controllers"), "", say("| 配置 | 名称 | 租约 | 出处 |", "| profile | title | lease | source |"), "|---|---|---|---|",
        ]
        for profile in shipped() {
            let lease = profile.leases ? say("认，可以控门", "kept: may hold") : say("不认，绝不控门", "none: never holds")
            lines.append("| \(profile.id) | \(profile.title[language]) | \(lease) | \(profile.document.replacing("|", with: "\\|")) |")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
