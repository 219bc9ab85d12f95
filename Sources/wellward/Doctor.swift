import ArgumentParser
import Documents
import Foundation
import Gateway
import Glibc
import Messaging
import SiteConfiguration
import Synchronization
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
            findings += configuration.buses.map(bus)
            if let broker = configuration.mqtt { findings.append(reach("broker", broker.host, broker.port)) }
            if let upstream = configuration.upstream { findings.append(reach("upstream", upstream.broker.host, upstream.broker.port)) }
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

    private func bus(_ bus: SiteConfiguration.Bus) -> Finding {
        let name = "bus \(bus.id)"
        guard bus.transport == .rtu else { return reach(name, bus.host, bus.port) }
        var status = stat()
        guard stat(bus.device, &status) == 0 else {
            return Finding(what: name, state: .bad, text: "\(bus.device) is not there", todo: "plug the adapter in; `ls /dev/serial/by-id` names it for good")
        }
        guard access(bus.device, R_OK | W_OK) == 0 else {
            return Finding(
                what: name, state: .bad, text: "\(bus.device) may not be opened by this user",
                todo: "add the user to the group dialout, or run this as the gateway's user")
        }
        return Finding(what: name, state: .good, text: "\(bus.device) can be opened", todo: "")
    }

    /// Whether somebody listens there, within three seconds.
    private func reach(_ what: String, _ host: String, _ port: Int) -> Finding {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &list) == 0, let first = list else {
            return Finding(what: what, state: .bad, text: "the name \(host) is not known", todo: "check the name, or the machine's name servers")
        }
        defer { freeaddrinfo(list) }
        let descriptor = socket(first.pointee.ai_family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        defer { close(descriptor) }
        var fault: Int32 = 0
        if connect(descriptor, first.pointee.ai_addr, first.pointee.ai_addrlen) != 0 {
            var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            var size = socklen_t(MemoryLayout<Int32>.size)
            if errno != EINPROGRESS || poll(&wait, 1, 3000) != 1 || getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &fault, &size) != 0 { fault = ETIMEDOUT }
        }
        guard fault == 0 else {
            return Finding(
                what: what, state: .bad, text: "\(host):\(port) does not answer (\(String(cString: strerror(fault))))",
                todo: "check that it runs and that no firewall stands between")
        }
        return Finding(what: what, state: .good, text: "\(host):\(port) answers", todo: "")
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
