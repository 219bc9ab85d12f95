import Casework
import Console
import Documents
import Logging
import Neighbourhood
import SiteConfiguration
import Telemetry
import TimeSeriesStore
import UnixSignals
import Watchkeeping

/// A configuration that changes while homes are watched.
extension GatewayService {
    func reloadOnHangup() async {
        for await _ in await UnixSignalsSequence(trapping: .sighup) { await reload() }
    }

    /// Reads the configuration again: a valid one is put in place, an invalid one is refused and the old one stays.
    func reload() async {
        let result: ConfigurationReader.Result
        do {
            result = try ConfigurationLoader.load(options.path)
        } catch {
            return log.error("the configuration was not reloaded; the old one stays:\n\(error)")
        }
        let roster = (try? await premises.store.read(Self.roster)) ?? DutyRoster()
        guard let new = result.configuration.map({ $0.following(roster) }) else {
            let faults = DocumentIssues(result.issues.filter { $0.severity == .error })
            return log.error("the configuration was not reloaded; the old one stays:\n\(faults)")
        }
        for issue in result.issues where issue.severity == .warning { log.warning("\(issue)") }
        let old = premises.configuration
        if let why = ReloadOfConsole.refusal(from: old.console, to: new.console) {
            return log.error("the configuration was not reloaded; the old one stays: \(why)")
        }
        let fixed: [(String, Bool)] = [
            ("site", old.siteID != new.siteID || old.clock.zone != new.clock.zone), ("storage", old.storage != new.storage),
            ("console.listen", old.console.host != new.console.host || old.console.port != new.console.port), ("mqtt", old.mqtt != new.mqtt),
            ("links", old.links != new.links), ("heartbeat", old.heartbeat != new.heartbeat), ("upstream", old.upstream != new.upstream),
            ("events", old.events != new.events),
        ]
        let waiting = fixed.filter(\.1).map(\.0)
        if !waiting.isEmpty { log.warning("these changes need a restart and are not in force yet", metadata: ["keys": "\(waiting.joined(separator: ", "))"]) }
        let homes = new.watchedHomes
        let meters = new.polledMeters.map { ($0.id, $0.bus, $0.unit) }
        await premises.desk.reconfigure { core in
            core.reconfigure(homes: homes, meters: meters, ladders: new.ladders, directory: new.directory, language: new.language)
        }
        let factory = NotifierFactory(http: http, clock: premises.clock, broker: noticeBroker)
        await premises.delivery.replace(
            notifiers: factory.notifiers(new), writer: LetterWriter(configuration: new, signer: premises.links),
            paces: NotifierFactory.paces(new))
        premises.boarding?.configure(new.elevators)
        premises.rearrange(.init(configuration: new, pollers: await pollers.arrange(new)))
        await endWithdrawn(in: new, before: old)
        log.info("the configuration was reloaded")
        await tellRoster()
    }

    /// Whoever changes a shift in the file should know that the console's goes before it.
    func tellRoster() async {
        let names = ((try? await premises.store.read(Self.roster)) ?? DutyRoster()).entries.keys.sorted().map(\.rawValue)
        guard !names.isEmpty else { return }
        log.notice("hours of duty of these contacts are those set on the console, not the file's", metadata: ["contacts": "\(names.joined(separator: ", "))"])
    }
}
