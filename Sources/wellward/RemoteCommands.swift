import ArgumentParser
import Foundation

/// `wellward households`
struct HouseholdsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "households", abstract: Spoken.say("查看住户、登记外出，和控制台一样。", "List homes and enter presence, as the console does."),
        discussion: Spoken.examples("wellward households"), subcommands: [List.self, Away.self, Home.self, EraseHousehold.self],
        defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: Spoken.say("所有住户和状态。", "All homes with their states."), discussion: Spoken.examples("wellward households --format jsonl"))
        @OptionGroup var console: RemoteConsole
        @Option(help: .said("输出格式：text、json或jsonl。", "text, json or jsonl.")) var format = OutputFormat.text

        func run() async throws {
            RemotePrinter.show(
                try await console.items("/api/v1/households"), format,
                columns: ["id", "state", "name", "address", "last_use_at", "next_sign_expected_by", "open_case"])
        }
    }

    struct Away: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: Spoken.say("登记不在家、住院或有客人。", "Enter that nobody is at home, or that there are visitors."),
            discussion: Spoken.examples("wellward households away h-0101 --until 2026-12-01T18:00:00+08:00 --by grid-wang"))
        @OptionGroup var console: RemoteConsole
        @Argument(help: .said("住户编号。", "The household's id.")) var id: String
        @Option(help: .said("到什么时候（RFC 3339），最多30天。", "RFC 3339 time, at most 30 days ahead.")) var until: String
        @Option(help: .said("谁说的。", "Who says so.")) var by: String
        @Option(help: .said("外出away、住院hospital或来客visitors。", "away, hospital or visitors.")) var kind = "away"
        @Option(help: .said("备注。", "A note.")) var note: String?

        func run() async throws {
            var body: [String: Any] = ["kind": kind, "until": until, "by": by]
            if let note { body["note"] = note }
            print(RemotePrinter.json(try await console.call("PUT", "/api/v1/households/\(RemoteConsole.escape(id))/presence", body)))
        }
    }

    struct Home: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: Spoken.say("结束外出登记：人回来了。", "End a presence entry: somebody is at home again."),
            discussion: Spoken.examples("wellward households home h-0101 --by grid-wang"))
        @OptionGroup var console: RemoteConsole
        @Argument(help: .said("住户编号。", "The household's id.")) var id: String
        @Option(help: .said("谁说的。", "Who says so.")) var by: String

        func run() async throws {
            print(RemotePrinter.json(try await console.call("PUT", "/api/v1/households/\(RemoteConsole.escape(id))/presence", ["kind": "none", "by": by])))
        }
    }
}

/// `wellward cases`
struct CasesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cases", abstract: Spoken.say("查看和处置工单，和控制台一样。", "List cases and act on them, as the console does."),
        discussion: Spoken.examples("wellward cases accept c-12 --by grid-wang"),
        subcommands: [List.self, Show.self, Accept.self, Arrived.self, HandBack.self, Outcome.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: Spoken.say("未结的工单，或全部。", "Open cases, or all."), discussion: Spoken.examples("wellward cases --state all --format jsonl"))
        @OptionGroup var console: RemoteConsole
        @Option(help: .said("未结open、已结closed或全部all。", "open, closed or all.")) var state = "open"
        @Option(help: .said("输出格式：text、json或jsonl。", "text, json or jsonl.")) var format = OutputFormat.text

        func run() async throws {
            let items = try await console.items("/api/v1/cases?state=\(RemoteConsole.escape(state))").map { item in
                var item = item
                if format == .text, let subject = item["subject"] as? [String: Any] {
                    item["subject"] = "\(RemotePrinter.word(subject["type"])) \(RemotePrinter.word(subject["id"]))"
                }
                return item
            }
            RemotePrinter.show(items, format, columns: ["id", "kind", "severity", "subject", "stage", "opened_at", "accepted_by", "outcome"])
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: Spoken.say("一件工单的全部内容（JSON）。", "One case, whole, as JSON."),
            discussion: Spoken.examples("wellward cases show c-12"))
        @OptionGroup var console: RemoteConsole
        @Argument(help: .said("工单编号。", "The case's id.")) var id: String

        func run() async throws { print(RemotePrinter.json(try await console.call("GET", "/api/v1/cases/\(RemoteConsole.escape(id))"))) }
    }

    /// What every act needs.
    struct Act: ParsableArguments {
        @OptionGroup var console: RemoteConsole
        @Argument(help: .said("工单编号。", "The case's id.")) var id: String
        @Option(help: .said("谁在处置；有账号时记的是账号，这里写的作为备注。", "Who acts; where there are accounts the account is kept, and this is a remark.")) var by: String
        @Option(help: .said("备注。", "A note.")) var note: String?

        func carryOut(_ act: String, _ more: [String: Any] = [:]) async throws {
            var body = more
            body["by"] = by
            if let note { body["note"] = note }
            let answer = try await console.call("POST", "/api/v1/cases/\(RemoteConsole.escape(id))/\(act)", body) as? [String: Any]
            print("\(id): \(RemotePrinter.word(answer?["stage"]))")
        }
    }

    struct Accept: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: Spoken.say("我去。", "I am going."), discussion: Spoken.examples("wellward cases accept c-12 --by grid-wang"))
        @OptionGroup var act: Act
        func run() async throws { try await act.carryOut("accept") }
    }

    struct Arrived: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: Spoken.say("我到了。", "I am there."),
            discussion: Spoken.examples("wellward cases arrived c-12 --by grid-wang"))
        @OptionGroup var act: Act
        func run() async throws { try await act.carryOut("arrived") }
    }

    struct HandBack: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: Spoken.say("我去不了了，退回。", "I cannot go after all."),
            discussion: Spoken.examples("wellward cases hand-back c-12 --by grid-wang"))
        @OptionGroup var act: Act
        func run() async throws { try await act.carryOut("hand_back") }
    }

    struct Outcome: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: Spoken.say("看到了什么。", "What was found."),
            discussion: Spoken.examples("wellward cases outcome c-12 --by grid-wang --code safe --note \"was asleep\""))
        @OptionGroup var act: Act
        @Option(
            help: .said(
                "结果：safe、away、helped、hospital、deceased、leak、meter_fault、no_access、repaired、removed或false_alarm，哪些可用要看工单种类。",
                "safe, away, helped, hospital, deceased, leak, meter_fault, no_access, repaired, removed or false_alarm; which fit depends on the case."))
        var code: String
        @Option(help: .said("away和hospital要写到什么时候（RFC 3339）。", "For away and hospital: until when, RFC 3339.")) var until: String?
        func run() async throws { try await act.carryOut("outcome", ["code": code].merging(until.map { ["until": $0] } ?? [:]) { $1 }) }
    }
}

/// `wellward elevators`
struct ElevatorsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "elevators", abstract: Spoken.say("查看电梯，放行被控的门。", "List elevators and release a held door."),
        discussion: Spoken.examples("wellward elevators release lift-3 --by guard-li"), subcommands: [List.self, Release.self],
        defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: Spoken.say("所有电梯的现状。", "All elevators as they stand."),
            discussion: Spoken.examples("wellward elevators list"))
        @OptionGroup var console: RemoteConsole
        @Option(help: .said("输出格式：text、json或jsonl。", "text, json or jsonl.")) var format = OutputFormat.text

        func run() async throws {
            RemotePrinter.show(
                try await console.items("/api/v1/elevators"), format,
                columns: ["id", "online", "boarding", "service_mode", "motion", "floor", "door", "hold", "cool_down_until"])
        }
    }

    struct Release: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: Spoken.say("立即放行。", "Release a held door now."), discussion: Spoken.examples("wellward elevators release lift-3 --by guard-li"))
        @OptionGroup var console: RemoteConsole
        @Argument(help: .said("电梯编号。", "The elevator's id.")) var id: String
        @Option(help: .said("谁放行。", "Who releases.")) var by: String

        func run() async throws {
            _ = try await console.call("POST", "/api/v1/elevators/\(RemoteConsole.escape(id))/release", ["by": by])
            print(Spoken.say("\(id)：已发出放行", "\(id): release sent"))
        }
    }
}

/// `wellward channel`
struct ChannelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "channel", abstract: Spoken.say("通知渠道：状态和测试。", "Ways of telling: how they do, and a test."),
        discussion: Spoken.examples("wellward channel test wecom-family"), subcommands: [List.self, Test.self],
        defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: Spoken.say("所有渠道。", "All channels."),
            discussion: Spoken.examples("wellward channel list"))
        @OptionGroup var console: RemoteConsole
        @Option(help: .said("输出格式：text、json或jsonl。", "text, json or jsonl.")) var format = OutputFormat.text

        func run() async throws {
            RemotePrinter.show(
                try await console.items("/api/v1/channels"), format, columns: ["id", "kind", "sent", "failed", "dead", "waiting"])
        }
    }

    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: Spoken.say("马上发一条测试消息。", "Send a message that says it is a test, at once."),
            discussion: Spoken.examples("wellward channel test wecom-family --contact daughter-zhang"))
        @OptionGroup var console: RemoteConsole
        @Argument(help: .said("渠道编号。", "The channel's id.")) var id: String
        @Option(help: .said("发给谁；不写就发给第一个用这个渠道的联系人。", "Whom to write to; the first contact that uses the channel otherwise.")) var contact: String?

        func run() async throws {
            let body: [String: Any] = contact.map { ["contact": $0] } ?? [:]
            let answer = try await console.call("POST", "/api/v1/channels/\(RemoteConsole.escape(id))/test", body) as? [String: Any]
            let result = RemotePrinter.word(answer?["result"])
            guard result == "delivered" else { throw CommandFault("\(id): \(result): \(RemotePrinter.word(answer?["why"]))") }
            print("\(id): \(result)")
        }
    }
}

/// `wellward statistics`
struct StatisticsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "statistics", abstract: Spoken.say("每月的告警、误报、响应和到场时间。", "Alerts by month, how many for nothing, how soon somebody went."),
        discussion: Spoken.examples("wellward statistics --format jsonl"))
    @OptionGroup var console: RemoteConsole
    @Option(help: .said("输出格式：text、json或jsonl。", "text, json or jsonl.")) var format = OutputFormat.text

    func run() async throws {
        RemotePrinter.show(
            try await console.items("/api/v1/statistics"), format,
            columns: ["month", "kind", "opened", "alarms", "false_alarms", "accepted", "accept_p50_s", "accept_p95_s", "arrive_p50_s", "arrive_p95_s"])
    }
}

/// `wellward quality`
struct QualityCommand: AsyncParsableCommand {
    /// How it is printed.
    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json, jsonl, csv }

    static let configuration = CommandConfiguration(
        commandName: "quality", abstract: Spoken.say("读数的完整率、合规率、及时率。", "Completeness, compliance and timeliness of the readings."),
        discussion: Spoken.examples("wellward quality --from 2026-11-01T00:00:00+08:00 --to 2026-12-01T00:00:00+08:00 --format csv > november.csv"))
    @OptionGroup var console: RemoteConsole
    @Option(help: .said("从什么时候（RFC 3339）；不写就是一天前。", "RFC 3339 time; a day ago otherwise.")) var from: String?
    @Option(help: .said("到什么时候（RFC 3339）；不写就是现在。", "RFC 3339 time; now otherwise.")) var to: String?
    @Option(help: .said("输出格式：text、json、jsonl或csv。", "text, json, jsonl or csv.")) var format = Format.text

    func run() async throws {
        let query = [("from", from), ("to", to)].compactMap { name, value in value.map { "\(name)=\(RemoteConsole.escape($0))" } }.joined(separator: "&")
        guard let report = try await console.call("GET", "/api/v1/quality\(query.isEmpty ? "" : "?\(query)")") as? [String: Any] else {
            throw CommandFault(Spoken.say("网关没有给出报告", "the gateway sent no report"))
        }
        if format == .json { return print(RemotePrinter.json(report)) }
        let names = ["expected", "received", "completeness", "compliance", "timeliness"]
        var rows: [[String: Any]] = []
        func add(_ level: String, _ id: String, _ value: Any?) {
            var row = value as? [String: Any] ?? [:]
            (row["level"], row["id"]) = (level, id)
            rows.append(row)
        }
        add("site", "", report["site"])
        for (level, name) in [("days", "day"), ("buses", "bus"), ("meters", "meter")] {
            for (id, value) in (report[level] as? [String: Any] ?? [:]).sorted(by: { $0.key < $1.key }) { add(name, id, value) }
        }
        if format == .csv {
            let head = ["from", "to", "level", "id"] + names
            let lines = rows.map { row in
                [RemotePrinter.word(report["from"]), RemotePrinter.word(report["to"])] + (["level", "id"] + names).map { RemotePrinter.word(row[$0]) }
            }
            print(RemotePrinter.csv([head] + lines))
        } else {
            RemotePrinter.show(rows, format == .jsonl ? .jsonl : .text, columns: ["level", "id"] + names)
        }
    }
}
