import ArgumentParser
import Foundation
import Telemetry

/// `wellward export`
struct ExportCommand: AsyncParsableCommand {
    /// How it is printed.
    enum Format: String, ExpressibleByArgument, CaseIterable { case csv, jsonl }
    /// What is exported.
    enum What: String, ExpressibleByArgument, CaseIterable { case readings, cases, boarding, audit }

    static let configuration = CommandConfiguration(
        commandName: "export", abstract: Spoken.say("导出读数、工单或审计（CSV 或 JSON 行）。", "Readings, cases or the audit, as CSV or JSON lines."),
        discussion: Spoken.examples("wellward export --what readings --from 2026-11-01T00:00:00+08:00 --to 2026-11-02T00:00:00+08:00 --format csv"))
    @OptionGroup var console: RemoteConsole
    @Option(help: .said("导出什么：readings、cases、boarding（控门记录）或audit。", "readings, cases, boarding (what was asked of doors) or audit.")) var what = What.readings
    @Option(help: .said("时间，RFC 3339格式。", "RFC 3339 time.")) var from: String
    @Option(help: .said("时间，RFC 3339格式。", "RFC 3339 time.")) var to: String
    @Option(help: .said("输出格式：csv或jsonl。", "csv or jsonl.")) var format = Format.csv
    @Option(help: .said("只要一只水表；不写就是全部。", "One meter only; all otherwise.")) var meter: String?

    func run() async throws {
        let span = "from=\(RemoteConsole.escape(from))&to=\(RemoteConsole.escape(to))"
        var items: [[String: Any]] = []
        var columns: [String]
        switch what {
        case .readings:
            columns = ["meter", "at", "received_at", "device_at", "point", "value", "unit", "quality", "raw"]
            var meters = meter.map { [$0] } ?? []
            if meter == nil { meters = try await console.items("/api/v1/meters").compactMap { $0["id"] as? String } }
            let progress = ProgressBar(total: meters.count)
            defer { progress.end() }
            for id in meters {
                progress.step(id)
                items += try await console.items("/api/v1/meters/\(RemoteConsole.escape(id))/readings?\(span)").map { $0.merging(["meter": id]) { $1 } }
            }
        case .cases:
            columns = ["id", "kind", "severity", "stage", "opened_at", "accepted_at", "accepted_by", "arrived_at", "closed_at", "outcome", "note"]
            items = try await console.items("/api/v1/cases?state=all&\(span)").filter { within($0["opened_at"]) }
        case .boarding:
            columns = ["elevator", "at", "what", "reason", "command", "frames", "confidence", "held_ms", "by"]
            for id in try await console.items("/api/v1/elevators").compactMap({ $0["id"] as? String }) {
                items += try await console.items("/api/v1/elevators/\(RemoteConsole.escape(id))/boarding?\(span)").map { $0.merging(["elevator": id]) { $1 } }
            }
        case .audit:
            items = try await console.items("/api/v1/audit?\(span)").filter { within($0["at"]) }
            columns = ["at", "who", "what", "subject", "note"]
        }
        if format == .jsonl {
            for item in items { print(RemotePrinter.json(item)) }
        } else {
            print(
                RemotePrinter.csv([columns] + items.map { item in columns.map { item[$0] is NSNull || item[$0] == nil ? "" : RemotePrinter.word(item[$0]) } }))
        }
    }

    private func within(_ value: Any?) -> Bool {
        guard let at = (value as? String).flatMap(CivilClock.parse(rfc3339:)), let low = CivilClock.parse(rfc3339: from),
            let high = CivilClock.parse(rfc3339: to)
        else { return true }
        return at >= low && at <= high
    }
}
