import ArgumentParser
import Evaluation
import Foundation
import Phrasebook
import Safeguarding
import SiteConfiguration
import Telemetry

/// `wellward backtest`
struct Backtest: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: Spoken.say("用历史读数回放检测。", "Run the safeguarding detector over recorded history."),
        discussion: """
            Each file is one household: CSV with unix_seconds,litres_cumulative. Prints one finding a line in time order.

            Example: wellward backtest home.csv --timezone Asia/Shanghai --format jsonl
            """)

    @Argument(help: "CSV files, one for each household.") var files: [String]
    @Option(help: "A policy file; the default policy otherwise.") var policy: String?
    @Option(help: "CSV household,unix_seconds: simulated collapses.") var onsets: String?
    @Option(help: "CSV household,kind,from,until: what the presence ledger knew; times are Unix seconds.") var presence: String?
    @Option(help: "One count of the meter in litres; inferred otherwise.") var resolutionLitres: Double?
    @Option(help: "The households' time zone, such as Asia/Shanghai.") var timezone = "Asia/Shanghai"
    @Option(help: "text, json or jsonl.") var format = OutputFormat.jsonl
    @Option(help: "html: a page with charts for a committee instead of lines.") var report: ReportFormat?

    /// What a report can be.
    enum ReportFormat: String, ExpressibleByArgument, CaseIterable { case html }

    func run() throws {
        guard let clock = CivilClock(identifier: timezone) else {
            throw CommandFault("`\(timezone)` is not a time zone; write an IANA name such as Asia/Shanghai")
        }
        let policy = try self.policy.map { try SafeguardingPolicy.parse(try text($0), file: $0) } ?? SafeguardingPolicy()
        let falls = try onsets.map { try rows($0, columns: ["household", "unix_seconds"]) } ?? []
        let known = try presence.map { try rows($0, columns: ["household", "kind", "from", "until"]) } ?? []
        let backtest = Evaluation.Backtest(
            policy: policy, clock: clock, resolution: resolutionLitres.flatMap { Volume(litres: $0) })
        let language = Language(locale: ProcessInfo.processInfo.environment["LANG"] ?? "en")
        var objects: [String] = []
        var parts: [BacktestReport.Part] = []
        for file in files {
            let name = URL(fileURLWithPath: file).deletingPathExtension().lastPathComponent
            let history: RegisterHistory
            do {
                history = try RegisterHistory(household: name, csv: try text(file))
            } catch let fault as RegisterHistory.Fault {
                throw CommandFault("\(file), \(fault); the file must be CSV as unix_seconds,litres_cumulative")
            }
            let times = falls.filter { $0["household"] == name }.compactMap { $0["unix_seconds"].flatMap { Int64($0) } }.map { WallTime(unixSeconds: $0) }
            let result = backtest.run(history, presence: try entries(known, name), onsets: times)
            if report != nil {
                parts.append(.init(history: history, result: result))
                continue
            }
            let printed = BacktestLines(household: name, language: language).lines(result)
            if format == .json { objects += printed } else { for line in printed { print(line) } }
        }
        if report == .html {
            var page = BacktestReport(parts: parts, policy: policy, language: language, clock: clock)
            return print(page.html(), terminator: "")
        }
        if format == .json { print("[\(objects.joined(separator: ",\n"))]") }
    }

    private func text(_ path: String) throws -> String {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { throw CommandFault("\(path): the file cannot be read as UTF-8 text") }
        return text
    }

    private func rows(_ path: String, columns: [String]) throws -> [[String: String]] {
        let lines = try text(path).split(whereSeparator: \.isNewline).map {
            $0.split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmingCharacters(in: .whitespaces) }
        }
        guard let header = lines.first, columns.allSatisfy(header.contains) else {
            throw CommandFault("\(path), line 1: the header must name \(columns.joined(separator: ","))")
        }
        return lines.dropFirst().map { Dictionary(zip(header, $0), uniquingKeysWith: { $1 }) }
    }

    private func entries(_ rows: [[String: String]], _ household: String) throws -> [Evaluation.Backtest.KnownPresence] {
        try rows.filter { $0["household"] == household }.map { row in
            guard let kind = row["kind"].flatMap(PresenceEntry.Kind.init), let from = row["from"].flatMap({ Int64($0) }),
                let until = row["until"].flatMap({ Int64($0) })
            else {
                throw CommandFault("\(presence ?? ""): a row of `\(household)` is not away|hospital|visitors with two Unix times")
            }
            return .init(kind: kind, from: WallTime(unixSeconds: from), until: WallTime(unixSeconds: until))
        }
    }
}

/// Prints a result as the contract's lines.
struct BacktestLines {
    let household: String
    let language: Language

    private struct FindingLine: Encodable {
        var household: String
        var kind: String
        var rule: String
        var raised_at: Int64
        var cleared_at: Int64?
        var severity: String
        var last_use_at: Int64?
        var because: String

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(household, forKey: .household)
            try container.encode(kind, forKey: .kind)
            try container.encode(rule, forKey: .rule)
            try container.encode(raised_at, forKey: .raised_at)
            try container.encode(cleared_at, forKey: .cleared_at)
            try container.encode(severity, forKey: .severity)
            try container.encode(last_use_at, forKey: .last_use_at)
            try container.encode(because, forKey: .because)
        }

        enum CodingKeys: String, CodingKey { case household, kind, rule, raised_at, cleared_at, severity, last_use_at, because }
    }

    private struct LearntLine: Encodable {
        var household: String
        var kind = "learnt"
        var at: Int64
    }

    private struct OnsetLine: Encodable {
        var household: String
        var onset: Int64
        var state_at_onset: String
        var attention_at: Int64?
        var detected_at: Int64?
        var rule: String?
        var severity = "alarm"
        var horizon_end: Int64

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(household, forKey: .household)
            try container.encode(onset, forKey: .onset)
            try container.encode(state_at_onset, forKey: .state_at_onset)
            try container.encode(attention_at, forKey: .attention_at)
            try container.encode(detected_at, forKey: .detected_at)
            try container.encode(rule, forKey: .rule)
            try container.encode(severity, forKey: .severity)
            try container.encode(horizon_end, forKey: .horizon_end)
        }

        enum CodingKeys: String, CodingKey { case household, onset, state_at_onset, attention_at, detected_at, rule, severity, horizon_end }
    }

    func lines(_ result: Evaluation.Backtest.Result) -> [String] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
        func json(_ value: some Encodable) -> String { (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "" }
        var timed: [(Int64, String)] = result.lines.map { line in
            let at = line.finding.at.wall.unixSeconds
            return (
                at,
                json(
                    FindingLine(
                        household: household, kind: line.finding.kind.rawValue, rule: line.finding.rule, raised_at: at,
                        cleared_at: line.clearedAt?.unixSeconds, severity: line.finding.severity.rawValue,
                        last_use_at: line.lastUseAt?.unixSeconds, because: line.finding.text[language]))
            )
        }
        if let learnt = result.learntAt { timed.append((learnt.unixSeconds, json(LearntLine(household: household, at: learnt.unixSeconds)))) }
        timed += result.onsets.map { onset in
            (
                onset.onset.unixSeconds,
                json(
                    OnsetLine(
                        household: household, onset: onset.onset.unixSeconds, state_at_onset: onset.stateAtOnset,
                        attention_at: onset.attentionAt?.unixSeconds, detected_at: onset.detectedAt?.unixSeconds, rule: onset.rule,
                        horizon_end: onset.horizonEnd.unixSeconds))
            )
        }
        // A stable order: by time, findings before onsets of the same second.
        return timed.enumerated().sorted { ($0.element.0, $0.offset) < ($1.element.0, $1.offset) }.map(\.element.1)
    }
}
