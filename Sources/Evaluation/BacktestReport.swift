import Foundation
import Phrasebook
import Safeguarding
import Telemetry

/// A back-test as one self-contained page for a committee: what would have happened in our homes under this policy.
public struct BacktestReport {
    /// One home's part.
    public struct Part {
        public var household: String
        public var from: WallTime
        public var until: WallTime
        public var result: Backtest.Result
        let hasRows: Bool

        /// A home and what its back-test gave.
        public init(history: RegisterHistory, result: Backtest.Result) {
            household = history.household
            from = history.rows.first?.at ?? WallTime(unixSeconds: 0)
            until = history.rows.last?.at ?? from
            self.result = result
            hasRows = !history.rows.isEmpty
        }

        func findings(_ severity: Severity) -> [Backtest.Line] {
            result.lines.filter { $0.finding.kind == .inactivity && $0.finding.severity == severity }
        }

        /// Months in which somebody would have been told: a home whose meter is too coarse is not among them.
        var months: Double { result.isCovered ? result.observed.hours / 730.5 : 0 }
    }

    private let parts: [Part]
    private let policy: SafeguardingPolicy
    private let language: Language
    private var civil: CivilClock

    /// A report on some homes.
    public init(parts: [Part], policy: SafeguardingPolicy, language: Language, clock: CivilClock) {
        self.parts = parts.filter(\.hasRows)
        self.policy = policy
        self.language = language
        civil = clock
    }

    private func say(_ word: ReportWord) -> String { escape(word.text[language]) }

    private func escape(_ text: String) -> String {
        text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
            .replacingOccurrences(of: ">", with: "&gt;").replacingOccurrences(of: "\"", with: "&quot;")
    }

    private func number(_ value: Double) -> String { String(format: value < 10 ? "%.2f" : "%.0f", value) }

    /// The page.
    public mutating func html() -> String {
        let delays = parts.flatMap(\.result.onsets).filter(\.isJudged)
        let found = delays.compactMap { onset in onset.detectedAt.map { ($0 - onset.onset).hours } }
        return """
            <!doctype html><html lang="\(language.rawValue)"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
            <title>\(say(.title))</title><style>\(Self.style)</style></head><body><main>
            <h1>\(say(.title))</h1><p>\(say(.question))</p><p class="caution">\(say(.caution))</p>
            \(summary(found, missed: delays.count - found.count))
            <h2>\(say(.byMonth))</h2>\(monthChart())
            <h2>\(say(.delays))</h2>\(delays.isEmpty ? "<p>\(say(.noOnsets))</p>" : delayChart(found))
            <h2>\(say(.timeline))</h2>\(timelines())
            <h2>\(say(.eachHome))</h2>\(homeTable())
            <h2>\(say(.eachAlarm))</h2>\(alarmTable())
            </main></body></html>

            """
    }

    private func summary(_ found: [Double], missed: Int) -> String {
        let months = parts.reduce(0) { $0 + $1.months }
        func rate(_ count: Int) -> String { months > 0 ? number(Double(count) / months) : "–" }
        let alarms = parts.reduce(0) { $0 + $1.findings(.alarm).count }
        let attentions = parts.reduce(0) { $0 + $1.findings(.attention).count }
        var facts: [(String, String)] = [
            (say(.homes), "\(parts.count)"), (say(.homeMonths), number(months)),
            (say(.alarms), "\(alarms) · \(rate(alarms)) \(say(.perHomeMonth))"),
            (say(.attentions), "\(attentions) · \(rate(attentions)) \(say(.perHomeMonth))"),
        ]
        if found.count + missed > 0 { facts.append((say(.missed), "\(missed)")) }
        if !found.isEmpty {
            facts.append((say(.medianDelay), "\(number(quantile(found, 0.5))) \(say(.hoursToAlarm))"))
            facts.append((say(.slowestDelay), "\(number(quantile(found, 0.9))) \(say(.hoursToAlarm))"))
        }
        let rule = policy.volumeRule.map { "\(Phrase.number($0.below.litres)) L / \(Phrase.number($0.within.hours)) h" } ?? say(.none)
        facts.append((say(.volumeRule), rule))
        facts.append((say(.ceiling), "\(Phrase.number(policy.longestSilence.hours)) h"))
        facts.append((say(.budget), "\(Phrase.number(policy.attentionBudget)) / \(Phrase.number(policy.falseAlarmBudget))"))
        return "<dl>" + facts.map { "<div><dt>\($0.0)</dt><dd>\($0.1)</dd></div>" }.joined() + "</dl>"
    }

    private mutating func month(_ time: WallTime) -> String { String(civil.rfc3339(time).prefix(7)) }

    private mutating func monthChart() -> String {
        var alarms: [String: Int] = [:]
        var attentions: [String: Int] = [:]
        var months: Set<String> = []
        for part in parts {
            var time = part.from
            while time <= part.until {
                months.insert(month(time))
                time = time + .days(7)
            }
            for line in part.findings(.alarm) { alarms[month(line.finding.at.wall), default: 0] += 1 }
            for line in part.findings(.attention) { attentions[month(line.finding.at.wall), default: 0] += 1 }
        }
        let bars = months.union(alarms.keys).union(attentions.keys).sorted().map { name in
            Bar(name: name, parts: [(alarms[name] ?? 0, "alarm"), (attentions[name] ?? 0, "attention")])
        }
        return chart(bars) + legend
    }

    private var legend: String {
        "<p class=\"legend\"><span class=\"alarm\">■</span> \(say(.alarms)) <span class=\"attention\">■</span> \(say(.attentions))</p>"
    }

    private func delayChart(_ hours: [Double]) -> String {
        let bars = (0..<14).map { bin in
            let count = hours.count { $0 >= Double(bin) * 2 && (bin == 13 || $0 < Double(bin + 1) * 2) }
            return Bar(name: bin == 13 ? "26+" : "\(bin * 2)–\(bin * 2 + 2)", parts: [(count, "alarm")])
        }
        return chart(bars) + "<p class=\"legend\">\(say(.hoursToAlarm))</p>"
    }

    private struct Bar {
        var name: String
        var parts: [(count: Int, tone: String)]
    }

    private func chart(_ bars: [Bar]) -> String {
        let most = max(1, bars.map { $0.parts.reduce(0) { $0 + $1.count } }.max() ?? 1)
        let width = max(320, bars.count * 56)
        var shapes = ""
        for (index, bar) in bars.enumerated() {
            var top = 150.0
            let x = index * 56 + 10
            for part in bar.parts where part.count > 0 {
                let height = 130 * Double(part.count) / Double(most)
                top -= height
                shapes += "<rect class=\"\(part.tone)\" x=\"\(x)\" y=\"\(number2(top))\" width=\"36\" height=\"\(number2(height))\"/>"
            }
            let total = bar.parts.reduce(0) { $0 + $1.count }
            shapes += "<text x=\"\(x + 18)\" y=\"\(number2(top - 4))\">\(total)</text><text class=\"name\" x=\"\(x + 18)\" y=\"168\">\(escape(bar.name))</text>"
        }
        let words = bars.map { bar in "\(bar.name): \(bar.parts.map { "\($0.count)" }.joined(separator: " + "))" }.joined(separator: "; ")
        return "<div class=\"chart\" tabindex=\"0\"><svg role=\"img\" aria-label=\"\(escape(words))\" viewBox=\"0 0 \(width) 175\">\(shapes)</svg></div>"
    }

    private func number2(_ value: Double) -> String { String(format: "%.1f", value) }

    private func timelines() -> String {
        let begin = parts.map(\.from).min() ?? WallTime(unixSeconds: 0)
        let span = max(1, ((parts.map(\.until).max() ?? begin) - begin).hours)
        func place(_ time: WallTime) -> String { number2((time - begin).hours / span * 760 + 20) }
        return parts.map { part in
            let alarms = part.findings(.alarm).map { "<path class=\"alarm\" d=\"M\(place($0.finding.at.wall)) 4v24\"/>" }.joined()
            let dots = part.findings(.attention).map { "<circle class=\"attention\" cx=\"\(place($0.finding.at.wall))\" cy=\"16\" r=\"3\"/>" }.joined()
            let label = "\(part.household): \(part.findings(.alarm).count) + \(part.findings(.attention).count)"
            return """
                <div class="row"><b>\(escape(part.household))</b><svg role="img" aria-label="\(escape(label))" viewBox="0 0 800 32">\
                <path class="axis" d="M\(place(part.from)) 16H\(place(part.until))"/>\(dots)\(alarms)</svg></div>
                """
        }.joined()
    }

    private mutating func homeTable() -> String {
        var rows = ""
        for part in parts {
            let learnt = part.result.learntAt.map { String(civil.rfc3339($0).prefix(10)) } ?? "–"
            let found = part.result.onsets.filter(\.isJudged).compactMap { onset in onset.detectedAt.map { ($0 - onset.onset).hours } }
            let others = Dictionary(grouping: part.result.lines.filter { $0.finding.kind != .inactivity }) { $0.finding.kind.rawValue }
            let words = others.sorted { $0.key < $1.key }.map { "\(ReportWord.name($0.key)[language]) \($0.value.count)" }.joined(separator: ", ")
            rows += """
                <tr><th scope="row">\(escape(part.household))</th><td>\(number(part.result.observed.hours / 24))</td><td>\(learnt)</td>\
                <td>\(part.findings(.alarm).count)</td><td>\(part.findings(.attention).count)</td>\
                <td>\(found.isEmpty ? "–" : number(quantile(found, 0.5)) + " h")</td><td>\(escape(words))</td></tr>
                """
        }
        let heads = [.home, .observedDays, .learntOn, .alarms, .attentions, .medianDelay, .otherFindings].map { (word: ReportWord) in
            "<th scope=\"col\">\(say(word))</th>"
        }
        return "<table><thead><tr>\(heads.joined())</tr></thead><tbody>\(rows)</tbody></table>"
    }

    private mutating func alarmTable() -> String {
        let alarms = parts.flatMap { part in part.findings(.alarm).map { (part.household, $0) } }
        guard !alarms.isEmpty else { return "<p>\(say(.none))</p>" }
        var rows = ""
        for (household, line) in alarms.sorted(by: { $0.1.finding.at.wall < $1.1.finding.at.wall }) {
            let at = civil.rfc3339(line.finding.at.wall).prefix(16).replacingOccurrences(of: "T", with: " ")
            let ended = line.clearedAt.map { civil.rfc3339($0).prefix(16).replacingOccurrences(of: "T", with: " ") } ?? say(.stillOpen)
            rows +=
                "<tr><td>\(at)</td><th scope=\"row\">\(escape(household))</th><td>\(escape(ReportWord.name(line.finding.rule)[language]))</td><td>\(escape(line.finding.text[language]))</td><td>\(ended)</td></tr>"
        }
        let heads = [.when, .home, .rule, .why, .ended].map { (word: ReportWord) in "<th scope=\"col\">\(say(word))</th>" }
        return "<table><thead><tr>\(heads.joined())</tr></thead><tbody>\(rows)</tbody></table>"
    }

    private static let style = """
        :root{--ink:#1d1f21;--soft:#55595e;--line:#d8d6cf;--ground:#f7f6f2;--alarm:#b3151b;--attention:#c98a1b}
        @media (prefers-color-scheme:dark){:root{--ink:#eee;--soft:#b3b3b3;--line:#3a3a3a;--ground:#111;--alarm:#ff7b7b;--attention:#f2c14e}}
        body{margin:0;background:var(--ground);color:var(--ink);font:17px/1.5 system-ui,"PingFang SC","Noto Sans CJK SC","Microsoft YaHei",sans-serif}
        main{max-width:60rem;margin:0 auto;padding:1rem}h1{line-height:1.25}.caution{border-left:.4rem solid var(--attention);padding-left:.8rem}
        dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));gap:.8rem}dt{color:var(--soft)}dd{margin:0;font-size:1.25rem;font-weight:700}
        svg{width:100%;height:auto;max-height:16rem}.chart{overflow-x:auto}.chart svg{min-width:36rem}svg text{font-size:11px;fill:var(--ink);text-anchor:middle}rect.alarm{fill:var(--alarm)}rect.attention,circle.attention{fill:var(--attention)}
        path.alarm{stroke:var(--alarm);stroke-width:3}.axis{stroke:var(--line);stroke-width:2}.legend{color:var(--soft)}.legend .alarm{color:var(--alarm)}.legend .attention{color:var(--attention)}
        .row{display:grid;grid-template-columns:9rem 1fr;align-items:center}table{border-collapse:collapse;width:100%;display:block;overflow-x:auto}th,td{text-align:left;padding:.35rem .8rem .35rem 0;border-bottom:1px solid var(--line);vertical-align:top;font-weight:400}
        @media print{body{background:#fff;color:#000}}
        """
}
