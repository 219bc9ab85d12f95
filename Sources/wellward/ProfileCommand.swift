import ArgumentParser
import DeviceProfiles
import Documents
import Foundation
import Gateway
import Phrasebook

/// `wellward profile`
struct ProfileCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "profile", abstract: Spoken.say("设备档案库。", "The library of device profiles."),
        discussion: Spoken.examples("wellward profile list"),
        subcommands: [List.self, Show.self, Lint.self, Test.self, Docs.self, Schema.self, ProfileSolve.self])

    /// The profile files under some paths, or the shipped ones.
    static func files(_ paths: [String], elevators: Bool = false) throws -> [String] {
        var roots = paths
        if roots.isEmpty {
            guard let folder = ConfigurationLoader.profileFolder else {
                throw CommandFault(
                    Spoken.say("这里没有DeviceProfiles文件夹；请写出档案的文件或文件夹", "there is no folder DeviceProfiles here; name the profiles' files or folders"))
            }
            roots = ["\(folder)/meters"]
        }
        return try roots.flatMap { path -> [String] in
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
                throw CommandFault(Spoken.say("\(path)：没有这个文件或文件夹", "\(path): there is no such file or folder"))
            }
            guard isFolder.boolValue else { return [path] }
            let names = (FileManager.default.enumerator(atPath: path)?.allObjects as? [String]) ?? []
            return names.filter { $0.hasSuffix(".yaml") && (elevators || !$0.contains("elevators/")) }.sorted().map { "\(path)/\($0)" }
        }
    }

    static func read(_ path: String) throws -> (profile: MeterProfile?, issues: [DocumentIssue]) {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw CommandFault(Spoken.say("\(path)：不能作为UTF-8文本读出", "\(path): the file cannot be read as UTF-8 text"))
        }
        return ProfileReader.read(text, file: path)
    }

    /// `wellward profile list`
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: Spoken.say("列出设备档案和可信等级。", "List the profiles with their rungs of trust."),
            discussion: Spoken.examples("wellward profile list --format json"))
        @Option(help: .said("输出格式：text、json或jsonl。", "text, json or jsonl.")) var format = OutputFormat.text

        func run() throws {
            struct Line: Encodable {
                var id: String
                var kind = "meter"
                var title: String
                var manufacturer: String?
                var trust: String?
                var resolution_litres: Double?
            }
            let language = format == .text ? Spoken.language : .english
            let lifts = ElevatorProfiles.shipped().map { Line(id: $0.id.rawValue, kind: "elevator", title: $0.title[language]) }
            let lines = try files([]).compactMap { try read($0).profile }.map {
                Line(
                    id: $0.id.rawValue, title: $0.title[language], manufacturer: $0.manufacturer, trust: $0.trust.rawValue,
                    resolution_litres: $0.resolution.litres)
            }
            try format.show(lines + lifts) { line in
                let id = line.id.padding(toLength: 24, withPad: " ", startingAt: 0)
                return "\(id) \((line.trust ?? line.kind).padding(toLength: 14, withPad: " ", startingAt: 0)) \(line.title)"
            }
        }
    }

    /// `wellward profile show`
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: Spoken.say("显示一份档案，点位按线上地址列出。", "Show one profile with its points as wire addresses."),
            discussion: Spoken.examples("wellward profile show tuf-2000m"))
        @Argument(help: .said("档案编号。", "The profile's id.")) var id: String
        @Option(help: .said("输出格式：text、json或jsonl。", "text, json or jsonl.")) var format = OutputFormat.text

        func run() throws {
            if let lift = ElevatorProfiles.shipped().first(where: { $0.id.rawValue == id }) {
                guard format == .text else { return print(try OutputFormat.json(ElevatorProfiles.Line(lift))) }
                return print(ElevatorProfiles.words(lift).joined(separator: "\n"))
            }
            guard let profile = try files([]).lazy.compactMap({ try? read($0).profile }).first(where: { $0.id.rawValue == id }) else {
                throw CommandFault(Spoken.say("没有档案`\(id)`；`wellward profile list`列出全部", "there is no profile `\(id)`; `wellward profile list` names them all"))
            }
            guard format == .text else { return print(try OutputFormat.json(ProfileLine(profile))) }
            let titles = (profile.title.english, profile.title.chinese)
            print(Spoken.say("\(profile.id)：\(titles.1)（\(titles.0)）", "\(profile.id): \(titles.0) (\(titles.1))"))
            print(
                Spoken.say(
                    "  厂家 \(profile.manufacturer)；型号 \(profile.models.joined(separator: "、"))；可信等级 \(profile.trust.rawValue)",
                    "  manufacturer \(profile.manufacturer); models \(profile.models.joined(separator: ", ")); trust \(profile.trust.rawValue)"))
            print(Spoken.say("  依据：\(profile.document)", "  document: \(profile.document)"))
            for point in profile.points {
                let places = point.fields.map {
                    "FC\($0.function) \(Spoken.say("线上", "wire")) \($0.address) ×\($0.type.registerCount)\($0.order.map { " \($0)" } ?? Spoken.say(" 字序未知", " order unknown"))"
                }
                print(
                    "  \(point.id) [\(point.role.rawValue)] \(places.joined(separator: " + ")) \(point.unit.rawValue)\(point.inferred ? Spoken.say("（推断）", " (inferred)") : "")"
                )
            }
            for danger in profile.danger {
                print(
                    Spoken.say(
                        "  从不写入：线上\(danger.address) ×\(danger.count)：\(danger.why)", "  never written: wire \(danger.address) ×\(danger.count): \(danger.why)"))
            }
        }
    }

    /// `wellward profile docs`
    struct Docs: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: Spoken.say("生成设备档案目录页（Markdown）。", "Generate the catalogue page of the profiles, as Markdown."),
            discussion: Spoken.examples("wellward profile docs --language zh > catalogue.zh-CN.md"))
        @Argument(help: .said("文件或文件夹；不写就是自带的档案。", "Files or folders; the shipped profiles when none is named.")) var paths: [String] = []
        @Option(help: .said("zh或en；不写就按LANG。", "zh or en; LANG's language otherwise.")) var language: String?

        func run() throws {
            let locale = language ?? ProcessInfo.processInfo.environment["LANG"] ?? "en"
            let profiles = try files(paths).compactMap { try read($0).profile }.sorted { $0.id.rawValue < $1.id.rawValue }
            print(ProfileCatalogue.markdown(profiles, language: Language(locale: locale)), terminator: "")
            if paths.isEmpty { print(ElevatorProfiles.catalogue(Language(locale: locale)), terminator: "") }
        }
    }

    /// `wellward profile schema`
    struct Schema: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: Spoken.say("输出水表档案的 JSON Schema，供编辑器使用。", "Print the JSON Schema of a meter profile, for editors."),
            discussion: Spoken.examples("wellward profile schema > profile.schema.json"))

        func run() { print(ProfileSchema.json) }
    }

    /// `wellward profile lint`
    struct Lint: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: Spoken.say("检查设备档案：格式和含义。", "Check profiles: schema and meaning."),
            discussion: Spoken.examples("wellward profile lint my-meter.yaml"))
        @Argument(help: .said("文件或文件夹；不写就是自带的档案。", "Files or folders; the shipped profiles when none is named.")) var paths: [String] = []
        @Option(help: .said("输出格式：text、json或jsonl。", "text, json or jsonl.")) var format = OutputFormat.text

        func run() throws {
            let all = try files(paths, elevators: true) + (paths.isEmpty ? ElevatorProfiles.files() : [])
            let issues = try all.flatMap { try ElevatorProfiles.issues($0) ?? read($0).issues }
            if format == .text {
                for issue in issues { print(issue.told(in: Spoken.language)) }
                print(Spoken.say("读了\(all.count)份档案。", "\(all.count) profiles read."))
            } else {
                try format.show(issues.map(IssueLine.init)) { _ in "" }
            }
            if issues.contains(where: { $0.severity == .error }) { throw ExitCode(1) }
        }
    }

    /// `wellward profile test`
    struct Test: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: Spoken.say("解码档案里的标准帧，包括 CRC。", "Decode the golden frames of profiles, CRC included."),
            discussion: Spoken.examples("wellward profile test my-meter.yaml"))
        @Argument(help: .said("文件或文件夹；不写就是自带的档案。", "Files or folders; the shipped profiles when none is named.")) var paths: [String] = []
        @Option(help: .said("输出格式：text、json或jsonl。", "text, json or jsonl.")) var format = OutputFormat.text

        /// What one golden frame gave; nothing wrong where `faults` is empty.
        struct Outcome: Encodable {
            var file: String
            var line: Int
            var faults: [String]
        }

        func run() throws {
            var outcomes: [Outcome] = []
            for path in try files(paths) {
                let (profile, issues) = try read(path)
                if let profile {
                    outcomes += GoldenTest.run(profile).map { Outcome(file: path, line: $0.line ?? 0, faults: $0.faults) }
                } else {
                    let errors = issues.filter { $0.severity == .error }
                    outcomes.append(Outcome(file: path, line: errors.first?.line ?? 0, faults: errors.map { $0.told(in: Spoken.language) }))
                }
            }
            let faults = outcomes.reduce(0) { $0 + $1.faults.count }
            if format == .text {
                for outcome in outcomes { for fault in outcome.faults { print("\(outcome.file):\(outcome.line): \(fault)") } }
                print(Spoken.say("\(outcomes.count)个标准帧，\(faults)处不符。", "\(outcomes.count) golden frames, \(faults) faults."))
            } else {
                try format.show(outcomes) { _ in "" }
            }
            if faults > 0 { throw ExitCode(1) }
        }
    }
}
