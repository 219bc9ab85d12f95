import BoardingControl
import Casework
import Foundation
import Hummingbird
import Neighbourhood
import Phrasebook
import Safeguarding
import SiteConfiguration
import Telemetry
import TimeSeriesStore
import Watchkeeping

/// `/api/v1`: reading.
struct APIRoutes: Sendable {
    let premises: Premises
    let access: AccessControl

    func add(to router: Router<ConsoleContext>) {
        let api = router.group("/api/v1")
        api.get("openapi.json") { _, _ in OpenAPI.document }
        api.get("meters") { _, context in try await meters(context) }
        api.get("meters/:id/readings") { request, context in try await readings(request, context) }
        api.get("households") { _, context in try await households(context) }
        api.get("households/:id") { _, context in try await household(context) }
        api.get("elevators") { _, context in try await elevators(context) }
        api.get("elevators/:id/boarding") { request, context in try await boarding(request, context) }
        api.get("cases") { request, context in try await cases(request, context) }
        api.get("cases/:id") { _, context in try await caseFile(context) }
        api.get("quality") { request, context in try await quality(request, context) }
        api.get("audit") { request, context in try await audit(request, context) }
        ActRoutes(premises: premises).add(to: api)
        CareRoutes(premises: premises).add(to: api)
        EventRoutes(premises: premises, access: access).add(to: api)
    }

    private func meters(_ context: ConsoleContext) async throws -> JSON {
        let account = try context.requireAccount()
        var shapes = Shapes(premises, account)
        let core = await premises.desk.snapshot
        let lastRead = premises.pollers.reduce(into: [MeterID: WallTime]()) { $0.merge($1.tally.lastAnswer) { $1 } }
        let configuration = premises.configuration
        let points = Dictionary(
            configuration.meters.map { ($0.id, configuration.profiles[$0.profile]?.volumeTotal?.id ?? "volume_total") }, uniquingKeysWith: { first, _ in first }
        )
        let newest = try await premises.store.read { reader in
            try points.reduce(into: [MeterID: Reading]()) { result, entry in result[entry.key] = try reader.newest(of: entry.key, point: entry.value) }
        }
        return .page(configuration.meters.filter(shapes.sees).map { shapes.meter($0, core: core, lastRead: lastRead[$0.id], last: newest[$0.id]) })
    }

    private func readings(_ request: Request, _ context: ConsoleContext) async throws -> JSON {
        let account = try context.requireAccount()
        let id = MeterID(try context.parameters.require("id"))
        guard let meter = premises.configuration.meter(id) else { throw Problem.notFound("meter `\(id)`") }
        var shapes = Shapes(premises, account)
        guard shapes.sees(meter) else { throw Problem.notFound("meter `\(id)`") }
        let query = request.uri.queryParameters
        let now = premises.clock.now().wall
        let from = try time(query["from"].map(String.init)) ?? now - .days(1)
        let to = try time(query["to"].map(String.init)) ?? now + .milliseconds(1)
        let limit = max(1, min(5000, query["limit"].flatMap { Int($0) } ?? 1000))
        let point = query["point"].map(String.init)
        let start = try time(query["cursor"].map(String.init)) ?? from
        var found = try await premises.store.read { try $0.readings(of: id, point: point, from: start, to: to, limit: limit + 1) }
        // A page ends between two moments, so that the next one can begin there.
        var next: String?
        if found.count > limit, let last = found.last {
            var end = last.at
            found.removeAll { $0.at == end }
            if found.isEmpty {
                // More points than the page was to hold: a moment is never cut in two, nor a page turned that leads to itself.
                end = last.at + .milliseconds(1)
                found = try await premises.store.read { [end] in try $0.readings(of: id, point: point, from: last.at, to: end, limit: 5000) }
            }
            next = shapes.civil.rfc3339(end)
        }
        if let every = query["every"].flatMap({ Interval(parsing: String($0)) }), every > .zero { found = thinned(found, every: every) }
        return .page(found.map { shapes.reading($0) }, next: next)
    }

    /// The last reading of each point in each stretch.
    private func thinned(_ readings: [Reading], every: Interval) -> [Reading] {
        struct Slot: Hashable {
            var point: String
            var number: Int64
        }
        var last: [Slot: Reading] = [:]
        for reading in readings { last[Slot(point: reading.point, number: reading.at.unixMilliseconds / every.milliseconds)] = reading }
        return last.values.sorted { ($0.at, $0.point) < ($1.at, $1.point) }
    }

    private func time(_ text: String?) throws(Problem) -> WallTime? {
        guard let text else { return nil }
        if let time = CivilClock.parse(rfc3339: text.replacingOccurrences(of: " ", with: "+")) { return time }
        throw .badRequest("`\(text.bounded(.echo))` is not an RFC 3339 time with an offset.")
    }

    private func households(_ context: ConsoleContext) async throws -> JSON {
        let account = try context.requireAccount()
        guard account.role.may(.homes) else { throw Problem.forbidden("This role sees devices, not homes.") }
        var shapes = Shapes(premises, account)
        let core = await premises.desk.snapshot
        return .page(shapes.visibleHomes.map { shapes.household($0, core: core) })
    }

    private func household(_ context: ConsoleContext) async throws -> JSON {
        let account = try context.requireAccount()
        guard account.role.may(.homes) else { throw Problem.forbidden("This role sees devices, not homes.") }
        let id = HouseholdID(try context.parameters.require("id"))
        var shapes = Shapes(premises, account)
        guard let home = shapes.visibleHomes.first(where: { $0.id == id }) else { throw Problem.notFound("household `\(id)`") }
        return shapes.household(home, core: await premises.desk.snapshot)
    }

    private func elevators(_ context: ConsoleContext) async throws -> JSON {
        var shapes = Shapes(premises, try context.requireAccount())
        let core = await premises.desk.snapshot
        return .page((premises.boarding?.elevators ?? []).map { shapes.elevator($0, core: core) })
    }

    /// The journal of a lift's door, for the maintenance company: every hold, release and refusal with its evidence.
    private func boarding(_ request: Request, _ context: ConsoleContext) async throws -> JSON {
        let account = try context.requireAccount()
        let id = try context.parameters.require("id")
        guard premises.configuration.elevators.contains(where: { $0.id.rawValue == id }) else { throw Problem.notFound("elevator `\(id)`") }
        var shapes = Shapes(premises, account)
        let query = request.uri.queryParameters
        let now = premises.clock.now().wall
        let from = try time((query["cursor"] ?? query["from"]).map(String.init)) ?? now - .days(30)
        let to = try time(query["to"].map(String.init)) ?? now + .milliseconds(1)
        let limit = 5000
        var lines = try await premises.store.read {
            try $0.journal(subject: Subject(.elevator, id).description, kind: "boarding", from: from, to: to, limit: limit + 1)
        }
        // A page ends between two moments, so that the next one can begin there.
        var next: String?
        if lines.count > limit, let last = lines.last {
            lines.removeAll { $0.at == last.at }
            next = shapes.civil.rfc3339(last.at)
        }
        let records = lines.compactMap { line in
            (try? JSONDecoder().decode(BoardingRecord.self, from: Data(line.body.utf8))).map { (line.at, $0) }
        }
        return .page(
            records.map { at, record in
                .of([
                    "at": shapes.time(at), "what": .string(record.what.rawValue), "reason": .text(record.reason?.rawValue),
                    "command": .text(record.command), "frames": .integer(Int64(record.frames)), "confidence": .number(record.confidence),
                    // Who pressed release is a person's name or account.
                    "held_ms": .integer(record.heldFor.milliseconds), "by": .text(account.role.may(.audit) && account.role.may(.typedWords) ? record.by : nil),
                ])
            }, next: next)
    }

    private func cases(_ request: Request, _ context: ConsoleContext) async throws -> JSON {
        let account = try context.requireAccount()
        var shapes = Shapes(premises, account)
        let query = request.uri.queryParameters
        let state = query["state"].map(String.init)
        guard [nil, "open", "closed", "all"].contains(state) else { throw Problem.badRequest("`state` is open, closed or all.") }
        let open = state == "open" ? true : state == "closed" ? false : nil
        let limit = max(1, min(200, query["limit"].flatMap { Int($0) } ?? 100))
        let severity = query["severity"].map(String.init)
        guard let wanted = CaseList.Wanted(open: open, severity: severity) else { throw Problem.badRequest("`severity` is alarm or attention.") }
        let page = try await CaseList.page(premises, shapes, wanted, from: CaseList.Cursor(query["cursor"].map(String.init)), limit: limit)
        let told = try await premises.store.read { reader in try page.items.map { ($0, try reader.notices(of: $0.id)) } }
        return .page(told.map { shapes.caseFile($0.0, notices: $0.1) }, next: page.next?.text)
    }

    private func caseFile(_ context: ConsoleContext) async throws -> JSON {
        var shapes = Shapes(premises, try context.requireAccount())
        return try await premises.caseJSON(CaseID(try context.parameters.require("id")), &shapes)
    }

    private func quality(_ request: Request, _ context: ConsoleContext) async throws -> JSON {
        let shapes = Shapes(premises, try context.requireAccount())
        let query = request.uri.queryParameters
        let now = premises.clock.now().wall
        let from = try time(query["from"].map(String.init)) ?? now - .days(1)
        let to = try time(query["to"].map(String.init)) ?? now
        guard to > from else { throw Problem.badRequest("`to` must be after `from`.") }
        guard to - from <= .days(400) else { throw Problem.badRequest("At most 400 days at once.") }
        return try await QualityReport.make(premises, from: from, to: to, sees: shapes.sees).json(premises.configuration.clock)
    }

    private func audit(_ request: Request, _ context: ConsoleContext) async throws -> JSON {
        let account = try context.requireAccount()
        guard account.role.may(.audit) else { throw Problem.forbidden("This role does not read the audit.") }
        var shapes = Shapes(premises, account)
        let before = request.uri.queryParameters["cursor"].flatMap { Int64($0) }
        let lines = try await premises.store.read { try $0.audit(limit: 200, before: before) }
        let items = lines.map { line in
            JSON.of([
                "id": .integer(line.id), "at": shapes.time(line.at), "who": .string(line.who), "what": .string(line.what),
                "subject": .string(line.subject), "note": .string(line.note),
            ])
        }
        return .page(items, next: lines.count == 200 ? lines.last.map { String($0.id) } : nil)
    }
}

extension ConsoleContext {
    /// The account, which the middleware has put here.
    func requireAccount() throws(Problem) -> Account {
        guard let account else { throw Problem(.unauthorized, "Who are you?", "Send `Authorization: Bearer TOKEN`.") }
        return account
    }
}

extension Premises {
    /// Who an act is by.
    func identity(_ account: Account, typed: String?, contact: ContactID? = nil) -> Identity {
        Identity(account, typed: typed, hasAccounts: configuration.console.usersFile != nil, contact: contact)
    }

    /// A case in the contract's shape, for a reader who may see it.
    func caseJSON(_ id: CaseID, _ shapes: inout Shapes) async throws -> JSON {
        let found = try await store.read { reader in try reader.caseFile(id).map { ($0, try reader.notices(of: id)) } }
        guard let (item, notices) = found, shapes.sees(item) else { throw Problem.notFound("case `\(id)`") }
        return shapes.caseFile(item, notices: notices)
    }
}
