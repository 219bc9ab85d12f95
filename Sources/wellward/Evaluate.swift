import ArgumentParser
import Evaluation
import Foundation
import Simulation
import Telemetry

/// `wellward evaluate`
struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: Spoken.say("在同样的住户上，把检测和简单规则、已发表的规则比较。", "Judge the detector against plain and published rules on the same homes."),
        discussion: Spoken.say(
            "不给文件：用种子造的住户。给文件：CSV同backtest；文件名以`synthetic`开头的单独列出，时钟按UTC；最后全部合在一起。",
            """
            Without files: on homes made from seeds. With files: CSV as for backtest; files whose names begin with \
            `synthetic` are shown apart and their clock is taken as UTC; then all files in one pool.
            """)
            + "\n\n" + Spoken.examples("wellward evaluate --homes 10"))

    @Argument(help: .said("CSV文件，每户一个。", "CSV files, one for each household.")) var files: [String] = []
    @Option(parsing: .unconditional, help: .said("没有文件时造多少户。", "How many homes to make without files.")) var homes = 12
    @Option(parsing: .unconditional, help: .said("每户造多少天。", "Days of each made home.")) var days = 200
    @Flag(help: .said("改为评判电瓶车识别，用种子造的场景。", "Judge the recognition of e-bikes instead, on scenes made from a seed.")) var boarding = false
    @Option(parsing: .unconditional, help: .said("--boarding用多少个场景。", "Scenes for --boarding.")) var scenes = 20_000
    @Option(help: .said("非合成文件的时区。", "Time zone of the files that are not synthetic.")) var timezone = "Europe/Rome"
    @Option(help: .said("输出格式：text、json或jsonl（不含--boarding）。", "text, json or jsonl (not with --boarding).")) var format = OutputFormat.text

    func run() throws {
        if boarding { return showBoarding() }
        guard let clock = CivilClock(identifier: timezone) else {
            throw CommandFault(Spoken.say("`\(timezone)`不是时区；写IANA名称，如Europe/Rome", "`\(timezone)` is not a time zone; write an IANA name such as Europe/Rome"))
        }
        guard (1...10_000).contains(homes), (60...3660).contains(days), scenes <= 100_000_000 else {
            throw CommandFault(
                Spoken.say(
                    "--homes是1到10000，--days是60到3660（学完之后才有东西可评），--scenes最多100000000",
                    "--homes is 1 to 10000, --days 60 to 3660, so that there is something to judge after learning, --scenes at most 100000000"))
        }
        var lines: [Line] = []
        if files.isEmpty {
            lines += try study("made from seeds (Simulation)", [.init(DetectorStudy(clock: .init(zone: .gmt)), made())], homes)
        } else {
            let all = try files.map { try history($0) }
            let synthetic = all.filter { $0.household.hasPrefix("synthetic") }
            let real = all.filter { !$0.household.hasPrefix("synthetic") }
            let parts = (
                real: DetectorStudy.Part(DetectorStudy(clock: clock), real), made: DetectorStudy.Part(DetectorStudy(clock: .init(zone: .gmt)), synthetic)
            )
            if !real.isEmpty { lines += try study("recorded", [parts.real], real.count) }
            if !synthetic.isEmpty { lines += try study("synthetic files", [parts.made], synthetic.count) }
            if !real.isEmpty, !synthetic.isEmpty { lines += try study("all files in one pool", [parts.real, parts.made], all.count) }
        }
        guard format == .text else { return try format.show(lines) { _ in "" } }
        print(
            """
            What this is not: no home of a person known to be old and alone is in it, and no real fall. A fall is simulated by holding the
            register. Few events: read the intervals; those of the hours are over the falls of these homes, not over other homes. Scored from day 28; silences of 24 h and more are trips; falls during a standing alarm
            are left out for each detector.
            """)
    }

    private func showBoarding() {
        let study = BoardingStudy(seed: 1, scenes: max(100, scenes))
        func line(_ name: String, _ score: BoardingStudy.Score) {
            print(
                String(
                    format: "  missed %5.2f %% of %d e-bikes   held wrongly %5.2f %% of %d others   to the hold: median %.1f s, p95 %.1f s   ",
                    100 * Double(score.missed) / Double(max(1, score.ebikes)), score.ebikes, 100 * Double(score.wrong) / Double(max(1, score.others)),
                    score.others,
                    quantile(score.delays, 0.5), quantile(score.delays, 0.95)) + name)
        }
        for (name, load) in [("Wellward, no load cell", false), ("Wellward, with a load cell", true)] {
            let ours = study.desk(measuresLoad: load)
            let matched = study.plainMatching(ours)
            line(name, ours)
            line(String(format: "plain rule at 2 frames >= %.3f (no more wrong holds than the line above)", matched.confidence), matched.score)
        }
        line("plain rule at 2 frames >= 0.55 in 2.4 s", study.plain())
        print("What this is not: no recorded frames of a real lift. Recall 0.82-0.98 a frame as published; confusions are assumed (see BoardingStudy).")
    }

    /// One detector over one pool at one resolution, as JSON.
    private struct Line: Encodable {
        var pool: String
        var resolution_litres: Int
        var detector: String
        var home_years: Double
        var false_alarms: Int
        var trip_alarms: Int
        var attentions: Int
        var onsets: Int
        var missed: Int
        var median_hours: Double
        var p90_hours: Double

        init(_ pool: String, _ litres: Int, _ row: DetectorStudy.Row) {
            (self.pool, resolution_litres, detector, home_years) = (pool, litres, row.name, row.years)
            (false_alarms, trip_alarms, attentions) = (row.score.falseAlarms, row.score.tripAlarms, row.score.attentions)
            (onsets, missed) = (row.score.delays.count, row.score.delays.count { $0 == nil })
            let delays = row.score.delays.map { $0 ?? 72 }
            (median_hours, p90_hours) = (quantile(delays, 0.5), quantile(delays, 0.9))
        }
    }

    /// Scores every detector on a pool, and prints it where sentences are wanted.
    private func study(_ pool: String, _ parts: [DetectorStudy.Part], _ count: Int) throws -> [Line] {
        var lines: [Line] = []
        for litres in [1, 10] {
            let rows = DetectorStudy.rows(parts, resolution: .litres(Int64(litres)))
            guard let first = rows.first else {
                throw CommandFault(Spoken.say("\(pool)：每户要有六周以上的读数", "\(pool): every home needs more than six weeks of readings"))
            }
            lines += rows.map { Line(pool, litres, $0) }
            guard format == .text else { continue }
            print("\n\(pool): \(count) homes, \(String(format: "%.2f", first.years)) home-years, \(litres) L a count, 15-minute polls")
            print("  false alarms a year [95 %]   trips counted   median h [95 %]     p90 h [95 %]        missed   detector")
            for row in rows { print(line(row)) }
            let heard = first.score.attentionDelays.map { $0 ?? 72 }
            let often = Confidence.poisson(first.score.attentions)
            let soon = Confidence.quantileInterval(heard, 0.5)
            let months = first.years * 12
            print(
                String(
                    format: "  attention of Wellward: %.2f [%.2f-%.2f] a month, at a median of %.1f [%.1f-%.1f] h", Double(first.score.attentions) / months,
                    often.lowerBound / months, often.upperBound / months, quantile(heard, 0.5), soon.lowerBound, soon.upperBound))
        }
        return lines
    }

    private func line(_ row: DetectorStudy.Row) -> String {
        let interval = Confidence.poisson(row.score.falseAlarms)
        let delays = row.score.delays.map { $0 ?? 72 }
        let median = Confidence.quantileInterval(delays, 0.5)
        let slow = Confidence.quantileInterval(delays, 0.9)
        let counted = Double(row.score.falseAlarms + row.score.tripAlarms) / row.years
        return String(
            format: "  %7.1f [%6.1f-%6.1f] %15.1f %9.1f [%4.1f-%4.1f] %9.1f [%4.1f-%4.1f] %8d   ", Double(row.score.falseAlarms) / row.years,
            interval.lowerBound / row.years, interval.upperBound / row.years, counted, quantile(delays, 0.5), median.lowerBound, median.upperBound,
            quantile(delays, 0.9), slow.lowerBound, slow.upperBound, row.score.delays.count { $0 == nil }) + row.name
    }

    private func history(_ file: String) throws -> RegisterHistory {
        let text = try InputTable.text(file)
        do {
            let history = try RegisterHistory(household: URL(fileURLWithPath: file).deletingPathExtension().lastPathComponent, csv: text)
            Backtest.warnOfGaps(history, file)
            return history
        } catch {
            throw CommandFault(
                Spoken.say(
                    "\(file)：\(error)；文件要是CSV，列为unix_seconds,litres_cumulative", "\(file), \(error); the file must be CSV as unix_seconds,litres_cumulative"))
        }
    }

    private func made() -> [RegisterHistory] {
        let begin = WallTime(unixSeconds: 1_704_067_200)
        return (1...homes).map { seed in
            var life = SimulatedHome(seed: UInt64(seed) &* 31, from: begin, civil: CivilClock(zone: .gmt))
            let rows = (0..<(days * 96)).map { step in
                let at = begin + .minutes(Int64(step) * 15)
                return RegisterHistory.Row(at: at, register: life.register(at: at))
            }
            return RegisterHistory(household: "made-\(seed)", rows: rows)
        }
    }
}
