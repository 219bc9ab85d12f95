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
        discussion: Spoken.say(
            "先从配置里去掉这一户的`consent`（或整户）并重新加载：水表不再读，也不再看护任何人。然后本命令删除它的读数、习惯、工单、通知、备注和日志行，并覆盖原处。审计里会留下做过这件事。以前的备份和已经上送的内容，要您自己处理。",
            """
            First take the home's `consent` (or the whole home) out of the configuration and reload: the meter is not polled any more and nobody is watched. Then \
            this deletes its readings, habits, cases, notices, notes and journal lines, and overwrites them. The audit keeps that it was done. Backups made \
            earlier, and what was sent upstream, are for you to see to.
            """)
            + "\n\n" + Spoken.examples("wellward households erase h-0101 --config /etc/wellward/wellward.yaml --meter wm-0101 --by committee-wang"))

    @Argument(help: .said("住户编号。", "The household's id.")) var id: String
    @Option(help: .said("配置文件。", "The configuration file.")) var config: String
    @Option(help: .said("它的水表；住户已不在配置里时要写。", "Its meter, where the home is no longer in the configuration.")) var meter: String?
    @Option(help: .said("谁要求这样做。", "Who has it done.")) var by: String

    func run() throws {
        let result = try ConfigurationLoader.load(config)
        guard let configuration = result.configuration else { throw DocumentIssues(result.issues.filter { $0.severity == .error }) }
        let home = configuration.households.first { $0.id.rawValue == id }
        guard home?.consent == nil else {
            throw CommandFault(
                Spoken.say(
                    "\(id)：还有同意记录；先从配置里去掉`consent`并让网关重新加载",
                    "\(id): its consent is still on record; take `consent` out of the configuration and reload the gateway first"))
        }
        let known = home?.meter ?? meter.map { MeterID($0) }
        if let known, let other = configuration.household(of: known), other.id.rawValue != id {
            throw CommandFault(
                Spoken.say(
                    "\(known)：这只表现在属于\(other.id)；删了就是删别人的读数",
                    "\(known): this meter belongs to \(other.id) now; erasing it would delete another person's readings"))
        }
        let path = configuration.storage.path
        guard FileManager.default.fileExists(atPath: path) else { throw CommandFault(Spoken.say("\(path)：还没有记录", "\(path): there is no record yet")) }
        let store = try Store(path: path)
        defer { try? store.close(inOrder: false) }
        let (household, who) = (HouseholdID(id), by)
        let now = GatewayClock.systemWall()
        // The number of an erased case must not come again: somebody may still hold a link to it.
        let mark = CaseNumberMark(besides: path)
        mark.note(max(mark.highest, try store.readNow { try $0.nextCaseNumber() } - 1))
        try store.erase(household, meter: known, by: who, at: now)
        // A gateway beside us may be reading; what stands in the log goes when it begins anew.
        try? store.writeLogBack()
        print(Spoken.say("\(id)的数据已删除；审计里留有一行。", "\(id) was erased; the audit has a line of it."))
    }
}
