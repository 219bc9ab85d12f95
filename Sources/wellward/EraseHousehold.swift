import ArgumentParser
import Documents
import Foundation
import Gateway
import SiteConfiguration
import Telemetry
import TimeSeriesStore
import Watchkeeping

/// `wellward households erase`
struct EraseHousehold: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "erase", abstract: Spoken.say("撤回同意之后，删除这一家的全部数据。", "After consent was withdrawn: delete all data of a home."),
        discussion: """
            First take the home's `consent` (or the whole home) out of the configuration and reload: the meter is not polled any more and nobody is watched. Then \
            this deletes its readings, habits, cases, notices, notes and journal lines, and overwrites them. The audit keeps that it was done. Backups made \
            earlier, and what was sent upstream, are for you to see to.

            Example: wellward households erase h-0101 --config /etc/wellward/wellward.yaml --meter wm-0101 --by committee-wang
            """)

    @Argument(help: "The household's id.") var id: String
    @Option(help: "The configuration file.") var config: String
    @Option(help: "Its meter, where the home is no longer in the configuration.") var meter: String?
    @Option(help: "Who has it done.") var by: String

    func run() throws {
        let result = try ConfigurationLoader.load(config)
        guard let configuration = result.configuration else { throw DocumentIssues(result.issues.filter { $0.severity == .error }) }
        let home = configuration.households.first { $0.id.rawValue == id }
        guard home?.consent == nil else {
            throw CommandFault("\(id): its consent is still on record; take `consent` out of the configuration and reload the gateway first")
        }
        let known = home?.meter ?? meter.map { MeterID($0) }
        if let known, let other = configuration.household(of: known), other.id.rawValue != id {
            throw CommandFault("\(known): this meter belongs to \(other.id) now; erasing it would delete another person's readings")
        }
        let path = configuration.storage.path
        guard FileManager.default.fileExists(atPath: path) else { throw CommandFault("\(path): there is no record yet") }
        let store = try Store(path: path)
        defer { try? store.close(inOrder: false) }
        let (household, who) = (HouseholdID(id), by)
        let now = GatewayClock.systemWall()
        // The number of an erased case must not come again: somebody may still hold a link to it.
        let mark = CaseNumberMark(besides: path)
        mark.note(max(mark.highest, try store.readNow { try $0.nextCaseNumber() } - 1))
        try store.writeNow { try $0.erase(household, meter: known, by: who, at: now) }
        try store.writeLogBack()
        print(Spoken.say("\(id)的数据已删除；审计里留有一行。", "\(id) was erased; the audit has a line of it."))
    }
}
