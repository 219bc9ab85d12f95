import Casework
import Telemetry

/// `CaseStatistics` as JSON and as a table for a spreadsheet.
enum StatisticsReport {
    private static func seconds(_ interval: Interval?) -> JSON { interval.map { .integer($0.milliseconds / 1000) } ?? .null }

    static func json(_ statistics: CaseStatistics, from: JSON, to: JSON) -> JSON {
        let rows = statistics.rows.map { row in
            JSON.of([
                "month": .string(row.month), "kind": .text(row.kind?.rawValue), "opened": .integer(Int64(row.opened)), "alarms": .integer(Int64(row.alarms)),
                "open": .integer(Int64(row.open)), "false_alarms": .integer(Int64(row.falseAlarms)), "closed_itself": .integer(Int64(row.closedItself)),
                "outcomes": .numbers(Dictionary(uniqueKeysWithValues: row.outcomes.map { ($0.key.rawValue, Double($0.value)) })),
                "accepted": .integer(Int64(row.accepted?.count ?? 0)), "accept_p50_s": seconds(row.accepted?.median),
                "accept_p95_s": seconds(row.accepted?.p95), "arrived": .integer(Int64(row.arrived?.count ?? 0)),
                "arrive_p50_s": seconds(row.arrived?.median), "arrive_p95_s": seconds(row.arrived?.p95),
            ])
        }
        return .of(["from": from, "to": to, "items": .array(rows), "next": .null])
    }

    /// Comma-separated (RFC 4180); nothing in it is free text, so nothing needs quoting.
    static func csv(_ statistics: CaseStatistics) -> String {
        let outcomes = Outcome.allCases
        let head =
            [
                "month", "kind", "opened", "alarms", "open", "false_alarms", "closed_itself", "accepted", "accept_p50_s", "accept_p95_s", "arrived",
                "arrive_p50_s", "arrive_p95_s",
            ]
            + outcomes.map(\.rawValue)
        func seconds(_ interval: Interval?) -> String { interval.map { String($0.milliseconds / 1000) } ?? "" }
        let lines = statistics.rows.map { row in
            [
                row.month, row.kind?.rawValue ?? "all", "\(row.opened)", "\(row.alarms)", "\(row.open)", "\(row.falseAlarms)", "\(row.closedItself)",
                "\(row.accepted?.count ?? 0)", seconds(row.accepted?.median), seconds(row.accepted?.p95), "\(row.arrived?.count ?? 0)",
                seconds(row.arrived?.median), seconds(row.arrived?.p95),
            ] + outcomes.map { "\(row.outcomes[$0] ?? 0)" }
        }
        return ([head] + lines).map { $0.joined(separator: ",") + "\r\n" }.joined()
    }
}
