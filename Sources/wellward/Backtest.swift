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
        discussion: Spoken.say(
            "每个文件是一户：CSV，列为unix_seconds,litres_cumulative。按时间顺序，一行一个发现。",
            """
            Each file is one household: CSV with unix_seconds,litres_cumulative. Prints one finding a line in time order.
            """)
            + "\n\n" + Spoken.examples("wellward backtest home.csv --timezone Asia/Shanghai --format jsonl"))

    @Argument(help: .said("CSV文件，每户一个。", "CSV files, one for each household.")) var files: [String]
    @Option(help: .said("策略文件；不写就用默认策略。", "A policy file; the default policy otherwise.")) var policy: String?
    @Option(help: .said("模拟摔倒的CSV：household,unix_seconds。", "CSV household,unix_seconds: simulated collapses.")) var onsets: String?
    @Option(
        help: .said("在家登记的CSV：household,kind,from,until，时间是Unix秒。", "CSV household,kind,from,until: what the presence ledger knew; times are Unix seconds."))
    var presence: String?
    @Option(parsing: .unconditional, help: .said("水表一个字是多少升；不写就从数据推断。", "One count of the meter in litres; inferred otherwise.")) var resolutionLitres: Double?
    @Option(help: .said("住户的时区，如Asia/Shanghai。", "The households' time zone, such as Asia/Shanghai.")) var timezone = "Asia/Shanghai"
    @Option(help: .said("输出格式：text、json或jsonl。", "text, json or jsonl.")) var format = OutputFormat.jsonl
    @Option(help: .said("html：给居委会看的带图页面，代替逐行输出。", "html: a page with charts for a committee instead of lines.")) var report: ReportFormat?

    /// What a report can be.
    enum ReportFormat: String, ExpressibleByArgument, CaseIterable { case html }

    func run() throws {
        guard let clock = CivilClock(identifier: timezone) else {
            throw CommandFault(
                Spoken.say(
                    "`\(timezone)`不是时区；请写IANA名称，如Asia/Shanghai", "`\(timezone)` is not a time zone; write an IANA name such as Asia/Shanghai"))
        }
        let policy = try self.policy.map { try SafeguardingPolicy.parse(try InputTable.text($0), file: $0) } ?? SafeguardingPolicy()
        let falls = try onsets.map { try InputTable($0, columns: ["household", "unix_seconds"]) }
        let known = try presence.map { try InputTable($0, columns: ["household", "kind", "from", "until"]) }
        let backtest = Evaluation.Backtest(policy: policy, clock: clock, resolution: try resolution())
        let names = files.map { URL(fileURLWithPath: $0).deletingPathExtension().lastPathComponent }
        for (name, twice) in Dictionary(grouping: names, by: \.self).sorted(by: { $0.key < $1.key }) where twice.count > 1 {
            throw CommandFault(Spoken.say("`\(name)`这一户给了\(twice.count)个文件", "\(twice.count) files were given for the household `\(name)`"))
        }
        for table in [falls, known] { table?.warnOfOthers(than: names) }
        var objects: [String] = []
        var parts: [BacktestReport.Part] = []
        // One home takes no time to speak of.
        let progress = names.count > 1 ? ProgressBar(total: names.count) : nil
        defer { progress?.end() }
        for (file, name) in zip(files, names) {
            progress?.step(name)
            let history = try history(file, name)
            Self.warnOfGaps(history, file)
            warnOfFewSteps(history)
            warnOfRareRows(history, policy)
            let times = try falls?.rows(of: name).map { try $0.time("unix_seconds") } ?? []
            let result = backtest.run(history, presence: try known?.rows(of: name).map(entry) ?? [], onsets: times)
            if report != nil {
                parts.append(.init(history: history, result: result))
                continue
            }
            let printer = BacktestLines(household: name, language: Spoken.language, clock: clock)
            switch format {
            case .json: objects += printer.json(result)
            case .jsonl: for line in printer.json(result) { print(line) }
            case .text: for line in printer.text(result) { print(line) }
            }
        }
        if report == .html {
            var page = BacktestReport(parts: parts, policy: policy, language: Spoken.language, clock: clock)
            return print(page.html(), terminator: "")
        }
        if format == .json { print("[\(objects.joined(separator: ",\n"))]") }
    }

    private func resolution() throws -> Volume? {
        guard let litres = resolutionLitres else { return nil }
        guard litres.isFinite, litres >= 0.001, litres <= 1000, let volume = Volume(litres: litres) else {
            throw CommandFault(
                Spoken.say(
                    "--resolution-litres要写0.001到1000之间的升数，不能是`\(litres)`",
                    "--resolution-litres takes litres from 0.001 to 1000, not `\(litres)`"))
        }
        return volume
    }

    private func history(_ file: String, _ name: String) throws -> RegisterHistory {
        do {
            return try RegisterHistory(household: name, csv: try InputTable.text(file))
        } catch let fault as RegisterHistory.Fault {
            throw CommandFault(
                Spoken.say(
                    "\(file)第\(fault.line)行：\(fault.problem.chinese)；要写成unix_seconds,litres_cumulative的CSV",
                    "\(file), \(fault); the file must be CSV as unix_seconds,litres_cumulative"))
        }
    }

    /// Lines without a reading are left out, counted, and told with their numbers.
    static func warnOfGaps(_ history: RegisterHistory, _ file: String) {
        guard !history.gaps.isEmpty else { return }
        let most = 10
        let lines = history.gaps.prefix(most).map(String.init).joined(separator: ", ") + (history.gaps.count > most ? ", …" : "")
        InputTable.warn(
            Spoken.say(
                "\(file)：\(history.gaps.count)行没有读数，当作没有读到（第\(lines)行）",
                history.gaps.count == 1
                    ? "\(file): line \(lines) holds no reading and is taken as a gap"
                    : "\(file): \(history.gaps.count) lines hold no reading and are taken as gaps (lines \(lines))"))
    }

    /// A meter that was read more rarely than the policy allows is blind between its rows; that is the policy's word, not the meter's.
    /// One count cannot be told from a register that hardly moved.
    private func warnOfFewSteps(_ history: RegisterHistory) {
        guard resolutionLitres == nil, !history.tellsResolution else { return }
        InputTable.warn(
            history.rows.isEmpty
                ? Spoken.say("\(history.household)：文件里没有读数", "\(history.household): the file holds no readings")
                : Spoken.say(
                    "\(history.household)：水表走得太少，看不出一个字是多少升，先按不超过1升算；粗的表请写--resolution-litres",
                    "\(history.household): the register moved too seldom to tell one count, taken as a litre at most; for a coarse meter give --resolution-litres"
                ))
    }

    private func warnOfRareRows(_ history: RegisterHistory, _ policy: SafeguardingPolicy) {
        guard let step = history.usualStep, step >= policy.noData else { return }
        let minutes = (Int64(step.hours * 60), Int64(policy.noData.hours * 60))
        InputTable.warn(
            Spoken.say(
                "\(history.household)：读数大多相隔\(minutes.0)分钟，而规则规定\(minutes.1)分钟没有读数就算看不到；请在--policy文件里调大no_data",
                "\(history.household): most rows lie \(minutes.0) min apart, and after \(minutes.1) min without a reading the policy calls a home blind; raise no_data in a --policy file"
            ))
    }

    private func entry(_ row: InputTable.Row) throws -> Evaluation.Backtest.KnownPresence {
        guard let kind = row["kind"].flatMap(PresenceEntry.Kind.init) else {
            throw row.fault("kind", Spoken.say("要写away、hospital或visitors", "must be away, hospital or visitors"))
        }
        let (from, until) = (try row.time("from"), try row.time("until"))
        guard until > from else { throw row.fault("until", Spoken.say("要晚于from", "must be later than from")) }
        return .init(kind: kind, from: from, until: until)
    }
}
