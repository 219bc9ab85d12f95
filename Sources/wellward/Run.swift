import ArgumentParser
import Documents
import Foundation
import Gateway
import Logging
import ServiceLifecycle
import SiteConfiguration
import TimeSeriesStore

/// `wellward run`
struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: Spoken.say("运行网关。", "Run the gateway."),
        discussion: Spoken.say(
            "日志写到标准错误，从不写人名。收到SIGTERM后5秒内结束；收到SIGHUP重读配置。",
            """
            Logs to standard error; no name of a person is ever logged. Ends within 5 s of SIGTERM; reads the
            configuration again on SIGHUP.
            """)
            + "\n\n" + Spoken.examples("wellward run --config /etc/wellward/wellward.yaml"))

    @Option(help: .said("配置文件。", "The configuration file.")) var config: String
    @Option(
        help:
            .said(
                "记多少日志：trace、debug、info、warning、error；可按模块写：info,Watchkeeping=debug,Console=error。也可用WELLWARD_LOG_LEVEL。",
                "How much to log: trace, debug, info, warning, error; by area after commas: info,Watchkeeping=debug,Console=error. WELLWARD_LOG_LEVEL says the same."
            )
    )
    var logLevel = ProcessInfo.processInfo.environment["WELLWARD_LOG_LEVEL"] ?? "info"

    func run() async throws {
        // Whatever the gateway writes is for its own user alone, the data base's side files included.
        umask(0o077)
        FreshStart.noteGiven()
        let log = try makeLogger(logLevel)
        let shutdown = Shutdown(log: log)
        shutdown.ownProcess()
        let result = try ConfigurationLoader.load(config)
        for issue in result.issues where issue.severity == .warning { log.warning("\(issue)") }
        guard let configuration = result.configuration else {
            throw DocumentIssues(result.issues.filter { $0.severity == .error })
        }
        let gateway: GatewayService
        do {
            gateway = try GatewayService(configuration, options: .init(path: config, version: Main.build), shutdown: shutdown, log: log)
        } catch let fault as StoreFault {
            throw CommandFault(
                Spoken.say(
                    "\(configuration.storage.path)：\(fault.text.chinese)；检查路径、权限和剩余空间",
                    "\(configuration.storage.path): \(fault); check the path, its rights and the space left"))
        }
        if configuration.console.isOpenToThisMachine { log.notice("the console is open: everybody on this machine is admin") }
        let console = gateway.console { port in log.info("the console listens", metadata: ["address": "\(configuration.console.host):\(port)"]) }
        var services = ServiceGroupConfiguration(
            services: [
                .init(service: gateway, successTerminationBehavior: .gracefullyShutdownGroup),
                .init(service: console, successTerminationBehavior: .gracefullyShutdownGroup),
            ], gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet(log))
        // A page that still reads is given so long; the deadline of all is the shutdown's.
        services.maximumGracefulShutdownDuration = .milliseconds(2500)
        do {
            shutdown.serving()
            try await ServiceGroup(configuration: services).run()
        } catch is WritableRecord where !shutdown.isTold {
            try FreshStart.again()
        } catch is ServiceGroupError where shutdown.isTold {
            // Told to stop, a part may have ended in its order sooner than the group took the signal: that is no fault.
        } catch {
            let text = "\(error)"
            guard text.contains("bind") || text.contains("EADDRINUSE") || text.contains("Address already in use") else { throw error }
            throw CommandFault(
                Spoken.say(
                    "console.listen \(configuration.console.host):\(configuration.console.port)：地址被占用，或不是本机的；换一个端口",
                    "console.listen \(configuration.console.host):\(configuration.console.port): the address is in use or not ours; choose another port"))
        }
    }

    private func quiet(_ log: Logger) -> Logger {
        var quiet = log
        quiet.logLevel = .error
        return quiet
    }
}
