import Evaluation
import Foundation
import Phrasebook
import Telemetry

/// Prints a result as the contract's lines.
struct BacktestLines {
    let household: String
    let language: Language
    let clock: CivilClock

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

    /// No finding: said once, when the personal rule begins to judge. It has a finding's fields, for readers that ask for them.
    private struct LearntLine: Encodable {
        var household: String
        var kind = "learnt"
        var rule = "personal_gap"
        var severity = "info"
        var at: Int64
        var raised_at: Int64
        var cleared_at: Int64
        var because: String
    }

    private struct OnsetLine: Encodable {
        var household: String
        var onset: Int64
        var state_at_onset: String
        /// False where no register was known to hold: the fall cannot be judged.
        var watched: Bool
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
            try container.encode(watched, forKey: .watched)
            try container.encode(attention_at, forKey: .attention_at)
            try container.encode(detected_at, forKey: .detected_at)
            try container.encode(rule, forKey: .rule)
            try container.encode(severity, forKey: .severity)
            try container.encode(horizon_end, forKey: .horizon_end)
        }

        enum CodingKeys: String, CodingKey { case household, onset, state_at_onset, watched, attention_at, detected_at, rule, severity, horizon_end }
    }

    private var learntWords: String { language == .chinese ? "已了解这一家的习惯" : "the home's habits are learnt" }

    /// The contract's objects, in time order: findings before onsets of the same second.
    func json(_ result: Evaluation.Backtest.Result) -> [String] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        func json(_ value: some Encodable) -> String { (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "" }
        return ordered(
            result,
            finding: { line in
                json(
                    FindingLine(
                        household: household, kind: line.finding.kind.rawValue, rule: line.finding.rule, raised_at: line.finding.at.wall.unixSeconds,
                        cleared_at: line.clearedAt?.unixSeconds, severity: line.finding.severity.rawValue,
                        last_use_at: line.lastUseAt?.unixSeconds, because: line.finding.text[language]))
            },
            learnt: {
                let at = $0.unixSeconds
                return json(LearntLine(household: household, at: at, raised_at: at, cleared_at: at, because: learntWords))
            },
            onset: { onset in
                json(
                    OnsetLine(
                        household: household, onset: onset.onset.unixSeconds,
                        state_at_onset: onset.isWatched ? onset.stateAtOnset : "clear", watched: onset.isWatched,
                        attention_at: onset.attentionAt?.unixSeconds, detected_at: onset.detectedAt?.unixSeconds, rule: onset.rule,
                        horizon_end: onset.horizonEnd.unixSeconds))
            })
    }

    /// The same as sentences for a person at a terminal.
    func text(_ result: Evaluation.Backtest.Result) -> [String] {
        func at(_ time: WallTime) -> String {
            var clock = clock
            return clock.rfc3339(time).prefix(16).replacingOccurrences(of: "T", with: " ")
        }
        func say(_ chinese: String, _ english: String) -> String { language == .chinese ? chinese : english }
        return ordered(
            result,
            finding: { line in
                let weight = line.finding.severity == .alarm ? say("告警", "alarm") : say("提醒", "attention")
                return "\(at(line.finding.at.wall))  \(household)  \(weight)  \(line.finding.text[language])"
            },
            learnt: { "\(at($0))  \(household)  \(learntWords)" },
            onset: { onset in
                if onset.stateAtOnset == "alarm" {
                    return "\(at(onset.onset))  \(household)  \(say("模拟摔倒时已有告警", "simulated fall while an alarm stood"))"
                }
                if !onset.isWatched {
                    return "\(at(onset.onset))  \(household)  \(say("模拟摔倒时没有读数，无法判断", "simulated fall while nothing was read: cannot be judged"))"
                }
                let found = onset.detectedAt.map { Phrase.number(($0 - onset.onset).hours) }
                let words = found.map { say("模拟摔倒，\($0)小时后告警", "simulated fall, alarm after \($0) h") }
                return "\(at(onset.onset))  \(household)  \(words ?? say("模拟摔倒，72小时内没有告警", "simulated fall, no alarm within 72 h"))"
            })
    }

    private func ordered(
        _ result: Evaluation.Backtest.Result, finding: (Evaluation.Backtest.Line) -> String, learnt: (WallTime) -> String,
        onset: (Evaluation.Backtest.OnsetResult) -> String
    ) -> [String] {
        var timed = result.lines.map { ($0.finding.at.wall, finding($0)) }
        if let at = result.learntAt { timed.append((at, learnt(at))) }
        timed += result.onsets.map { ($0.onset, onset($0)) }
        return timed.enumerated().sorted { ($0.element.0, $0.offset) < ($1.element.0, $1.offset) }.map(\.element.1)
    }
}
