import ArgumentParser
import Documents
import Foundation
import Gateway
import Glibc
import SiteConfiguration
import TimeSeriesStore
import Watchkeeping

/// `wellward doctor`
struct Doctor: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: Spoken.say("体检：配置、串口、服务器、磁盘、时钟，以及该怎么办。", "Look at configuration, serial lines, broker, disk and clock, and say what to do."),
        discussion: Spoken.say("有要修的就以1结束。", "Exit code 1 when something must be mended.") + "\n\n"
            + Spoken.examples("wellward doctor --config /etc/wellward/wellward.yaml"))

    @Option(help: .said("配置文件。", "The configuration file.")) var config = "/etc/wellward/wellward.yaml"
    @Option(help: .said("输出格式：text、json或jsonl。", "text, json or jsonl.")) var format = OutputFormat.text

    /// One look.
    struct Finding: Encodable {
        enum State: String, Encodable { case good, watch, bad }
        var what: String
        var state: State
        var text: String
        /// What to do; empty where all is well.
        var todo: String
    }

    func run() throws {
        var findings: [Finding] = []
        let result = try? ConfigurationLoader.load(config)
        for issue in result?.issues ?? [] {
            findings.append(
                Finding(
                    what: "configuration", state: issue.severity == .error ? .bad : .watch,
                    text: "\(issue.file):\(issue.line ?? 0) \(issue.problem[Spoken.language])",
                    todo: issue.fix[Spoken.language]))
        }
        if let configuration = result?.configuration {
            findings.append(
                Finding(
                    what: "configuration", state: .good,
                    text: Spoken.say(
                        "\(configuration.meters.count)只水表，\(configuration.households.count)户",
                        "\(configuration.meters.count) meters, \(configuration.households.count) homes"), todo: ""))
            findings += configuration.buses.map(LineExamination.bus)
            if let broker = configuration.mqtt { findings.append(LineExamination.broker("broker", broker)) }
            if let upstream = configuration.upstream { findings.append(LineExamination.broker("upstream", upstream.broker)) }
            findings += disk(configuration.storage)
        } else if result == nil || result?.issues.isEmpty == true {
            findings.append(
                Finding(
                    what: "configuration", state: .bad, text: Spoken.say("\(config)读不了", "\(config) cannot be read"),
                    todo: Spoken.say("检查路径和文件权限", "check the path and the file's rights")))
        }
        findings += clock()
        try format.show(findings) { one in
            let mark = one.state == .good ? "✓" : one.state == .watch ? "!" : "✕"
            return "\(mark) \(one.what): \(one.text)\(one.todo.isEmpty ? "" : "\n    → \(one.todo)")"
        }
        if findings.contains(where: { $0.state == .bad }) { throw ExitCode(1) }
    }

    private func disk(_ storage: SiteConfiguration.Storage) -> [Finding] {
        var findings: [Finding] = []
        var folder = URL(fileURLWithPath: storage.path).deletingLastPathComponent().path
        while !FileManager.default.fileExists(atPath: folder), folder != "/" { folder = URL(fileURLWithPath: folder).deletingLastPathComponent().path }
        if access(folder, W_OK) != 0 {
            findings.append(
                Finding(
                    what: "disk", state: .bad, text: Spoken.say("这个用户不能写\(folder)", "\(folder) may not be written by this user"),
                    todo: Spoken.say("用chown把它给网关的用户", "chown it to the gateway's user")))
        }
        var room = statvfs()
        if statvfs(folder, &room) == 0 {
            let free = Int64(room.f_bavail) * Int64(room.f_frsize)
            let state: Finding.State = free < 64 << 20 ? .bad : free < 512 << 20 ? .watch : .good
            findings.append(
                Finding(
                    what: "disk", state: state, text: Spoken.say("\(folder)还剩\(free / 1_000_000) MB", "\(free / 1_000_000) MB free on \(folder)"),
                    todo: state == .good
                        ? ""
                        : Spoken.say("腾出空间，或调低`storage.size_cap`和`retain_readings`", "free some room, or set `storage.size_cap` and `retain_readings` lower")))
        }
        if FileManager.default.fileExists(atPath: storage.path + ".damaged") {
            findings.append(
                Finding(
                    what: "disk", state: .watch, text: Spoken.say("发现记录已损坏", "the record was found damaged"),
                    todo: Spoken.say("重启网关：它会把文件放到一旁", "restart the gateway: it sets the file aside")))
        }
        return findings
    }

    private func clock() -> [Finding] {
        var findings: [Finding] = []
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        if now.tv_sec < 1_735_689_600 {
            findings.append(
                Finding(
                    what: "clock", state: .bad, text: Spoken.say("时钟显示的年份早于2025", "the clock says a year before 2025"),
                    todo: Spoken.say("让网络校时；安静时长照样算得对", "let the network set it; silence is counted correctly all the same")))
        }
        let isSynchronised = ClockSynchronisation.isSynchronised
        findings.append(
            Finding(
                what: "clock", state: isSynchronised == true ? .good : .watch,
                text: isSynchronised == true ? Spoken.say("已同步", "synchronised") : Spoken.say("没有和网络同步", "not synchronised with the network"),
                todo: isSynchronised == true
                    ? ""
                    : Spoken.say(
                        "运行timedatectl set-ntp true；不同步，通知里的时刻可能不对，安静时长不会错",
                        "timedatectl set-ntp true; without it times in notices may be wrong, silences are not")))
        return findings
    }
}
