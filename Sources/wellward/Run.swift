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
        discussion: """
            Logs to standard error; no name of a person is ever logged. Ends within 5 s of SIGTERM; reads the
            configuration again on SIGHUP.

            Example: wellward run --config /etc/wellward/wellward.yaml
            """)

    @Option(help: "The configuration file.") var config: String
    @Option(
        help:
            "How much to log: trace, debug, info, warning, error; by area after commas: info,Watchkeeping=debug,Console=error. WELLWARD_LOG_LEVEL says the same."
    )
    var logLevel = ProcessInfo.processInfo.environment["WELLWARD_LOG_LEVEL"] ?? "info"

    func run() async throws {
        // Whatever the gateway writes is for its own user alone, the data base's side files included.
        umask(0o077)
        let log = try makeLogger(logLevel)
        let result = try ConfigurationLoader.load(config)
        for issue in result.issues where issue.severity == .warning { log.warning("\(issue)") }
        guard let configuration = result.configuration else {
            throw DocumentIssues(result.issues.filter { $0.severity == .error })
        }
        let gateway: GatewayService
        do {
            gateway = try GatewayService(configuration, options: .init(path: config, version: Main.build), log: log)
        } catch let fault as StoreFault {
            throw CommandFault("\(configuration.storage.path): \(fault); check the path, its rights and the space left")
        }
        if configuration.console.usersFile == nil { log.notice("no users file: the console answers on this machine only") }
        let console = gateway.console { port in log.info("the console listens", metadata: ["address": "\(configuration.console.host):\(port)"]) }
        var services = ServiceGroupConfiguration(
            services: [
                .init(service: gateway, successTerminationBehavior: .gracefullyShutdownGroup),
                .init(service: console, successTerminationBehavior: .gracefullyShutdownGroup),
            ], gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet(log))
        services.maximumGracefulShutdownDuration = .milliseconds(4500)
        do {
            try await ServiceGroup(configuration: services).run()
        } catch {
            let text = "\(error)"
            guard text.contains("bind") || text.contains("EADDRINUSE") || text.contains("Address already in use") else { throw error }
            throw CommandFault(
                "console.listen \(configuration.console.host):\(configuration.console.port): the address is in use or not ours; choose another port")
        }
    }

    private func quiet(_ log: Logger) -> Logger {
        var quiet = log
        quiet.logLevel = .error
        return quiet
    }
}
