import ArgumentParser
import Documents
import Foundation
import Gateway
import SiteConfiguration

/// `wellward config`
struct Config: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: Spoken.say("检查配置，或输出它的 Schema。", "Check a configuration, or print its schema."),
        discussion: Spoken.examples("wellward config check wellward.yaml"), subcommands: [Check.self, Schema.self])

    /// `wellward config check`
    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: Spoken.say("检查配置，并预测每条总线一轮的时间。", "Validate a configuration and predict each bus's round."),
            discussion: Spoken.examples("wellward config check wellward.yaml --format json"))

        @Argument(help: .said("配置文件。", "The configuration file.")) var file: String
        @Option(help: .said("输出格式：text、json或jsonl。", "text, json or jsonl.")) var format = OutputFormat.text

        func run() throws {
            let result = try ConfigurationLoader.load(file)
            switch format {
            case .text: printText(result)
            case .json, .jsonl: try printJSON(result)
            }
            if result.configuration == nil { throw ExitCode(1) }
        }

        private func printText(_ result: ConfigurationReader.Result) {
            for issue in result.issues { FileHandle.standardError.write(Data("\(issue.told(in: Spoken.language))\n".utf8)) }
            guard let configuration = result.configuration else { return }
            print(
                Spoken.say(
                    "\(file)：没有问题。\(configuration.meters.count)只水表，\(configuration.households.count)户，\(configuration.elevators.count)部电梯。",
                    "\(file): good. \(configuration.meters.count) meters, \(configuration.households.count) homes, \(configuration.elevators.count) elevators.")
            )
            for bus in configuration.buses {
                let meters = configuration.meters.filter { $0.bus == bus.id }.count
                print(
                    Spoken.say(
                        "  总线\(bus.id)：\(meters)只表，一轮约\(result.cycles[bus.id] ?? .zero)",
                        "  bus \(bus.id): \(meters) meters, one round takes about \(result.cycles[bus.id] ?? .zero)"))
            }
        }

        private func printJSON(_ result: ConfigurationReader.Result) throws {
            struct Report: Encodable {
                var valid: Bool
                var issues: [IssueLine]
                var cycle_ms: [String: Int64]
            }
            let cycles = Dictionary(result.cycles.map { ($0.key.rawValue, $0.value.milliseconds) }, uniquingKeysWith: { $1 })
            let report = Report(valid: result.configuration != nil, issues: result.issues.map(IssueLine.init), cycle_ms: cycles)
            print(try OutputFormat.json(report))
        }
    }

    /// `wellward config schema`
    struct Schema: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: Spoken.say("输出配置的 JSON Schema，供编辑器使用。", "Print the JSON Schema of the configuration, for editors."),
            discussion: Spoken.examples("wellward config schema > wellward.schema.json"))
        func run() { print(ConfigurationSchema.text) }
    }
}
