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
        discussion: "Exit code 1 when something must be mended. Example: wellward doctor --config /etc/wellward/wellward.yaml")

    @Option(help: "The configuration file.") var config = "/etc/wellward/wellward.yaml"
    @Option(help: "text, json or jsonl.") var format = OutputFormat.text

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
                    what: "configuration", state: issue.severity == .error ? .bad : .watch, text: "\(issue.file):\(issue.line ?? 0) \(issue.problem)",
                    todo: issue.fix))
        }
        if let configuration = result?.configuration {
            findings.append(
                Finding(what: "configuration", state: .good, text: "\(configuration.meters.count) meters, \(configuration.households.count) homes", todo: ""))
            findings += configuration.buses.map(LineExamination.bus)
            if let broker = configuration.mqtt { findings.append(LineExamination.broker("broker", broker)) }
            if let upstream = configuration.upstream { findings.append(LineExamination.broker("upstream", upstream.broker)) }
            findings += disk(configuration.storage)
        } else if result == nil || result?.issues.isEmpty == true {
            findings.append(Finding(what: "configuration", state: .bad, text: "\(config) cannot be read", todo: "check the path and the file's rights"))
        }
        findings += clock()
        switch format {
        case .text:
            for one in findings {
                let mark = one.state == .good ? "✓" : one.state == .watch ? "!" : "✕"
                print("\(mark) \(one.what): \(one.text)\(one.todo.isEmpty ? "" : "\n    → \(one.todo)")")
            }
        case .json, .jsonl:
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            for one in findings { print(String(decoding: try encoder.encode(one), as: UTF8.self)) }
        }
        if findings.contains(where: { $0.state == .bad }) { throw ExitCode(1) }
    }

    private func disk(_ storage: SiteConfiguration.Storage) -> [Finding] {
        var findings: [Finding] = []
        var folder = URL(fileURLWithPath: storage.path).deletingLastPathComponent().path
        while !FileManager.default.fileExists(atPath: folder), folder != "/" { folder = URL(fileURLWithPath: folder).deletingLastPathComponent().path }
        if access(folder, W_OK) != 0 {
            findings.append(Finding(what: "disk", state: .bad, text: "\(folder) may not be written by this user", todo: "chown it to the gateway's user"))
        }
        var room = statvfs()
        if statvfs(folder, &room) == 0 {
            let free = Int64(room.f_bavail) * Int64(room.f_frsize)
            let state: Finding.State = free < 64 << 20 ? .bad : free < 512 << 20 ? .watch : .good
            findings.append(
                Finding(
                    what: "disk", state: state, text: "\(free / 1_000_000) MB free on \(folder)",
                    todo: state == .good ? "" : "free some room, or set `storage.size_cap` and `retain_readings` lower"))
        }
        if FileManager.default.fileExists(atPath: storage.path + ".damaged") {
            findings.append(Finding(what: "disk", state: .watch, text: "the record was found damaged", todo: "restart the gateway: it sets the file aside"))
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
                    what: "clock", state: .bad, text: "the clock says a year before 2025",
                    todo: "let the network set it; silence is counted correctly all the same"))
        }
        let isSynchronised = ClockSynchronisation.isSynchronised
        findings.append(
            Finding(
                what: "clock", state: isSynchronised == true ? .good : .watch,
                text: isSynchronised == true ? "synchronised" : "not synchronised with the network",
                todo: isSynchronised == true ? "" : "timedatectl set-ntp true; without it times in notices may be wrong, silences are not"))
        return findings
    }
}
