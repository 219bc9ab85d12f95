import ArgumentParser
import Foundation
import Rehearsal
import Telemetry

/// `wellward rehearse`
struct Rehearse: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: Spoken.say("在加速的时钟上演练整个小区，检查每一条承诺。", "Rehearse a whole village on a driven clock and check every promise."),
        discussion: Spoken.say(
            "网关真正的核心运行在模拟的总线、电梯、磁盘、消息服务器和人之间，故障由种子决定。哪条承诺被打破，命令就说出是哪条、什么时候、怎样再看一次，并以1结束。同一个种子就是同一个小区。",
            """
            The gateway's own cores run between simulated buses, lifts, disk, broker and people; troubles come from the seed. When a promise is \
            broken the command says which, when, and how to see it again, and ends with 1. The same seed is the same village.
            """)
            + "\n\n" + Spoken.examples("wellward rehearse --seed 7 --days 365"))

    @Option(parsing: .unconditional, help: .said("第一个种子。", "The first seed.")) var seed: UInt64 = 1
    @Option(parsing: .unconditional, help: .said("每个小区演练多少天。", "Days of each village.")) var days = 365
    @Option(parsing: .unconditional, help: .said("每个小区多少户。", "Homes of each village.")) var homes = 100
    @Option(parsing: .unconditional, help: .said("每个小区多少部电梯。", "Lifts of each village.")) var lifts = 10
    @Option(parsing: .unconditional, help: .said("演练多少个小区，种子依次递增。", "How many villages, with seeds one after the other.")) var seeds = 1
    @Option(
        parsing: .unconditional,
        help: .said("故障比真实的一年密多少倍；演练短时自动加密。", "How much denser than in a real year troubles lie; denser by itself for short rehearsals.")) var intensity:
        Double?

    func run() throws {
        guard (1...3660).contains(days), (1...10_000).contains(homes), (0...1000).contains(lifts), (1...100_000).contains(seeds),
            intensity.map({ $0.isFinite && $0 >= 0 && $0 <= 1e6 }) ?? true
        else {
            throw ValidationError(
                Spoken.say(
                    "--days是1到3660，--homes是1到10000，--lifts是0到1000，--seeds是1到100000，--intensity是0到1000000。",
                    "--days is 1 to 3660, --homes 1 to 10000, --lifts 0 to 1000, --seeds 1 to 100000, --intensity 0 to 1000000."))
        }
        let progress = ProgressBar(total: days * seeds)
        for number in 0..<UInt64(seeds) {
            let options = Rehearsal.Options(seed: seed &+ number, days: days, homes: homes, lifts: lifts, intensity: intensity)
            let began = ContinuousClock.now
            let report = try Rehearsal.run(options) { progress.step(Spoken.say("种子\(options.seed)，第\($0)天", "seed \(options.seed), day \($0)")) }
            progress.end()
            show(report, took: ContinuousClock.now - began)
            guard report.breach == nil else { throw ExitCode(1) }
        }
    }

    private func show(_ report: RehearsalReport, took: Duration) {
        let (options, tally) = (report.options, report.tally)
        let kinds = Dictionary(grouping: report.cases, by: \.rawValue).sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.count)" }.joined(separator: ", ")
        let delays = tally.delays.sorted()
        let median = delays.isEmpty ? "–" : String(format: "%.1f h", delays[delays.count / 2])
        print(
            """
            seed \(options.seed): \(options.days) days, \(options.homes) homes, \(options.lifts) lifts in \(String(format: "%.1f", took.seconds)) s
              \(tally.polls) polls, \(tally.kills) kills, \(tally.tries) tries of notices, \(tally.arrivals) arrived, \(tally.acts) acts of people
              \(tally.collapses) collapses, \(tally.helped) helped, median to the alarm \(median); \(tally.alarmsOnTheWell) alarms about people who were well
              \(tally.boardings) e-bikes, \(tally.holds) doors held; cases: \(kinds)
              promises checked \(report.checks) times: \(report.breach == nil ? "all kept" : "BROKEN")
            """)
        guard let breach = report.breach else { return }
        let again =
            "wellward rehearse --seed \(options.seed) --days \(options.days) --homes \(options.homes) --lifts \(options.lifts) --intensity \(options.intensity)"
        FileHandle.standardError.write(Data("\(breach)\nsee it again: \(again)\n".utf8))
    }
}

extension Duration {
    fileprivate var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
