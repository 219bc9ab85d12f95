import Casework
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Phrasebook
import SiteConfiguration
import Telemetry
import TimeSeriesStore
import Watchkeeping

/// The pages of those who keep the whole working: statistics, people and channels, data quality.
struct CarePageRoutes: Sendable {
    let pages: PageRoutes
    private var premises: Premises { pages.premises }
    private var care: CareRoutes { CareRoutes(premises: premises) }

    func add(to router: Router<ConsoleContext>) {
        router.get("statistics") { request, context in try await statistics(request, context) }
        router.get("statistics.csv") { request, context in try await spreadsheet(request, context) }
        router.get("people") { request, context in try await people(request, context) }
        router.post("people/contacts/:id") { request, context in try await setDuty(request, context) }
        router.post("people/channels/:id") { request, context in try await test(request, context) }
        router.post("people/notices/:id") { request, context in try await retry(request, context) }
        router.get("quality") { request, context in try await quality(request, context) }
        router.post("quality/corrections") { request, context in try await dispute(request, context) }
        router.post("quality/corrections/:id") { request, context in try await decide(request, context) }
    }

    // MARK: Statistics

    private func statistics(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        let account = try context.requireAccount()
        let frame = pages.frame(request, context)
        let (from, to) = try care.stretch(request)
        let found = try await care.statistics(account, from: from, to: to)
        func spread(_ spread: CaseStatistics.Spread?) -> String {
            guard let spread else { return "–" }
            return Phrase(
                .medianAndMost,
                ["median": .text(Phrase.span(milliseconds: spread.median.milliseconds)), "most": .text(Phrase.span(milliseconds: spread.p95.milliseconds))]
            )
            .text[frame.language]
        }
        let months = Dictionary(grouping: found.rows, by: \.month).sorted { $0.key > $1.key }.map { month, rows -> [String: Any] in
            let lines = rows.map { row -> [String: Any] in
                let outcomes = Outcome.allCases.compactMap { outcome in row.outcomes[outcome].map { "\(outcome.name[frame.language]) \($0)" } }
                return [
                    "kind": row.kind?.title[frame.language] ?? frame.label(.allKinds), "opened": row.opened, "alarms": row.alarms, "false": row.falseAlarms,
                    "accept": spread(row.accepted), "arrive": spread(row.arrived), "outcomes": outcomes.isEmpty ? "–" : outcomes.joined(separator: " · "),
                ]
            }
            return ["month": month, "rows": lines]
        }
        return pages.page("statistics", frame, .statistics, ["months": months])
    }

    private func spreadsheet(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        let (from, to) = try care.stretch(request)
        let found = try await care.statistics(try context.requireAccount(), from: from, to: to)
        var headers: HTTPFields = [.contentType: "text/csv; charset=utf-8"]
        headers[.contentDisposition] = "attachment; filename=\"wellward-statistics.csv\""
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(string: StatisticsReport.csv(found))))
    }

    // MARK: People and channels

    private func people(_ request: Request, _ context: ConsoleContext, tested: String? = nil) async throws -> Response {
        let account = try context.requireAccount()
        var frame = pages.frame(request, context)
        let dead = try await care.dead(account)
        let (tally, waiting) = await (premises.delivery.tally, premises.delivery.waiting)
        let now = frame.shapes.now.wall
        let (weekday, minute) = (frame.shapes.civil.weekday(at: now), Int(frame.shapes.civil.secondOfDay(at: now) / 60))
        let maySet = account.role.may(.setDuty)
        let contacts = Self.dutyFirst(premises.configuration.contacts.filter(frame.shapes.sees)).map { contact -> [String: Any] in
            let card = contact.card
            let onDuty = card.isOnDuty(weekday: weekday, minute: minute)
            let named = account.role.may(.names) && !contact.name.isEmpty
            let id = account.role.may(.contacts) ? card.id.rawValue : card.role.name[frame.language]
            return [
                "name": named ? "\(contact.name) (\(card.id))" : id, "role": card.role.name[frame.language],
                "grids": card.grids.isEmpty ? "–" : card.grids.joined(separator: " "),
                "shifts": card.onDuty.isEmpty ? frame.label(.always) : card.onDuty.map(\.written).joined(separator: ", "),
                "duty": onDuty ? "✓ \(frame.label(.yes))" : "– \(frame.label(.no))", "channels": card.channels.map(\.rawValue).joined(separator: " "),
                "tone": card.channels.isEmpty ? "attention" : "",
                "id": maySet ? card.id.rawValue : "", "maySet": maySet, "csrf": frame.csrf, "onDuty": card.onDuty.map(\.written).joined(separator: "; "),
                "quiet": card.quietHours?.written ?? "", "substitute": maySet ? card.substitute?.rawValue ?? "" : "",
            ]
        }
        var channels: [[String: Any]] = []
        for channel in premises.configuration.channels {
            let counts = tally[channel.id]
            let fault = await premises.delivery.state(of: channel.id).lastFault
            channels.append([
                "hasFault": fault != nil, "fault": fault ?? "",
                "id": channel.id.rawValue, "kind": channel.kind.rawValue, "sent": counts?.sent ?? 0, "failed": counts?.failed ?? 0,
                "waiting": waiting[channel.id] ?? 0, "mayTest": account.role.may(.careForChannels), "csrf": frame.csrf,
                "tone": (counts?.dead ?? 0) > 0 || fault != nil ? "attention" : "",
            ])
        }
        var parts: [String: Any] = [
            "contacts": contacts, "channels": channels, "hasDead": !dead.isEmpty,
            "dead": dead.map { item -> [String: Any] in
                [
                    "at": frame.spoken(item.notice.createdAt.wall), "case": item.notice.caseID.rawValue, "href": "/cases/\(item.notice.caseID)",
                    "channel": item.notice.channel.rawValue, "why": item.lastFault ?? "–", "id": item.notice.id.rawValue,
                    "mayTest": account.role.may(.careForChannels),
                    "csrf": frame.csrf,
                ]
            },
        ]
        if let tested { parts["tested"] = tested }
        if let gap = ownerGap(frame.shapes) { parts["gap"] = gap[frame.language] }
        return pages.page("people", frame, .people, parts)
    }

    /// Those who have duty before the many who are family.
    private static func dutyFirst(_ contacts: [SiteConfiguration.Contact]) -> [SiteConfiguration.Contact] {
        let order: [Role] = [.gridWorker, .committee, .station, .volunteer, .property, .technician, .maintenance, .town, .district]
        return contacts.enumerated().sorted { left, right in
            let (first, second) = (order.firstIndex(of: left.element.card.role) ?? order.count, order.firstIndex(of: right.element.card.role) ?? order.count)
            return (first, left.offset) < (second, right.offset)
        }.map(\.element)
    }

    /// Homes that have nobody on duty who could go at some hour of the week, by the hours that are in force now.
    private func ownerGap(_ shapes: Shapes) -> LocalizedText? {
        let directory = premises.configuration.directory
        let gaps = shapes.visibleHomes.filter { $0.consent != nil }.compactMap {
            directory.momentWithoutOwner(for: Subject(.household, $0.id.rawValue))
        }
        guard let first = gaps.first else { return nil }
        let fillings: [String: Phrase.Filling] = [
            "count": .same("\(gaps.count)"), "day": .text(Phrase.weekday(first.weekday)), "hour": .same(Shift.clockFace(first.minute)),
        ]
        return Phrase(.ownerGap, fillings).text
    }

    private func setDuty(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        let fields = try await pages.checkedForm(request, context)
        try await care.setDuty(
            ContactID(try context.parameters.require("id")), onDuty: fields["on_duty"] ?? "", quietHours: fields["quiet_hours"] ?? "",
            substitute: fields["substitute"] ?? "", account: try context.requireAccount())
        return pages.redirect("/people")
    }

    private func test(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        _ = try await pages.checkedForm(request, context)
        let id = ChannelID(try context.parameters.require("id"))
        let attempt = try await care.test(id, contact: nil, account: try context.requireAccount())
        let frame = pages.frame(request, context)
        let phrase = attempt.why.map { Phrase(.channelTestFailed, ["channel": .same(id.rawValue), "why": .same($0)]) }
        return try await people(
            request, context, tested: (phrase ?? Phrase(.channelTestSent, ["channel": .same(id.rawValue)])).text[frame.language])
    }

    private func retry(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        _ = try await pages.checkedForm(request, context)
        try await care.retry(NoticeID(try context.parameters.require("id")), account: try context.requireAccount())
        return pages.redirect("/people")
    }

    // MARK: Data quality

    private func quality(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        let account = try context.requireAccount()
        var frame = pages.frame(request, context)
        let now = frame.shapes.now.wall
        let week = frame.shapes.civil.startOfDay(at: now) - .days(6)
        let report = try await QualityReport.make(premises, from: week, to: now, sees: frame.shapes.sees)
        let requests = try await care.requests(account).prefix(50)
        func line(_ name: String, _ counts: QualityReport.Counts) -> [String: Any] {
            func percent(_ share: Double) -> String { counts.expected == 0 ? "–" : "\(Phrase.number(share * 100)) %" }
            return [
                "name": name, "completeness": percent(counts.completeness), "compliance": percent(counts.compliance), "timeliness": percent(counts.timeliness),
            ]
        }
        let meters = report.meters.sorted { ($0.counts.completeness, $0.id) < ($1.counts.completeness, $1.id) }
        return pages.page(
            "quality", frame, .quality,
            [
                "whole": line("", report.site), "days": report.days.reversed().map { line($0.date, $0.counts) },
                "buses": report.buses.sorted { $0.key < $1.key }.map { line($0.key.rawValue, $0.value) },
                "meters": meters.map { id, counts in line(id.rawValue, counts).merging(["disputed": report.disputed[id] ?? 0]) { $1 } },
                "corrections": requests.map { correction($0, &frame, account) }, "mayAsk": account.role.may(.careForReadings),
                "choices": premises.configuration.meters.filter(frame.shapes.sees).map { ["id": $0.id.rawValue] },
            ])
    }

    private func correction(_ request: CorrectionRequest, _ frame: inout PageFrame, _ account: Account) -> [String: Any] {
        let state: Label =
            switch request.state {
            case .open: .correctionOpen
            case .accepted: .correctionAccepted
            case .rejected: .correctionRejected
            }
        let personal = CareRoutes.readsNotes(account.role)
        return [
            "id": request.id, "meter": request.meter.rawValue, "from": frame.spoken(request.first), "to": frame.spoken(request.last),
            "note": personal ? request.note : "", "who": personal ? request.who : "", "state": frame.label(state),
            "mayDecide": request.state == .open && account.role.may(.careForReadings), "csrf": frame.csrf,
        ]
    }

    private func dispute(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        let fields = try await pages.checkedForm(request, context)
        let acts = ActRoutes(premises: premises)
        guard let first = try acts.parseTime(fields["from"]) else { throw Problem.badRequest("`from` is missing.") }
        let value = fields["value"].flatMap { $0.isEmpty ? nil : $0 }
        let number = value.flatMap { Double($0) }
        if value != nil, number == nil { throw Problem.badRequest("`value` is no number.") }
        _ = try await care.dispute(
            MeterID(fields["meter"] ?? ""), first, try acts.parseTime(fields["to"]) ?? first, value: number, by: nil, note: fields["note"] ?? "",
            account: try context.requireAccount())
        return pages.redirect("/quality")
    }

    private func decide(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        let fields = try await pages.checkedForm(request, context)
        let id = Int64(try context.parameters.require("id")) ?? 0
        try await care.decide(id, fields["state"] ?? "", by: nil, note: fields["note"] ?? "", account: try context.requireAccount())
        return pages.redirect("/quality")
    }
}
