import Casework
import Foundation
import Hummingbird
import Phrasebook
import SiteConfiguration
import Telemetry
import TimeSeriesStore
import Watchkeeping

/// `/api/v1`: what keeps the whole working: channels and what they could not deliver, disputed readings, statistics.
public struct CareRoutes: Sendable {
    let premises: Premises

    private struct TestBody: Decodable {
        var contact: String?
    }

    private struct CorrectionBody: Decodable {
        var from: String
        var to: String?
        var by: String?
        var note: String
        var value: Double?
    }

    private struct DutyBody: Decodable {
        var on_duty: [String]?
        var quiet_hours: String?
        var substitute: String?
    }

    private struct DecisionBody: Decodable {
        var state: String
        var by: String?
        var note: String?
    }

    func add(to api: RouterGroup<ConsoleContext>) {
        api.get("channels") { _, context in .page(try await channels(try context.requireAccount())) as JSON }
        api.post("channels/:id/test") { request, context in
            let account = try context.requireAccount()
            let body = try await decodeBody(TestBody.self, request, context)
            let id = ChannelID(try context.parameters.require("id"))
            let attempt = try await test(id, contact: body.contact.map { ContactID($0) }, account: account)
            return JSON.of(["id": .string(id.rawValue), "result": .string(attempt.word), "why": .text(attempt.why)])
        }
        api.get("notices") { request, context in .page(try await deadNotices(try context.requireAccount())) as JSON }
        api.post("notices/:id/retry") { _, context in
            let id = NoticeID(try context.parameters.require("id"))
            try await retry(id, account: try context.requireAccount())
            return JSON.of(["id": .string(id.rawValue), "state": "queued"])
        }
        api.get("corrections") { _, context in .page(try await corrections(try context.requireAccount())) as JSON }
        api.post("meters/:id/corrections") { request, context in
            let account = try context.requireAccount()
            let body = try await decodeBody(CorrectionBody.self, request, context)
            guard let first = CivilClock.parse(rfc3339: body.from), let last = CivilClock.parse(rfc3339: body.to ?? body.from) else {
                throw Problem.badRequest("`from` and `to` are RFC 3339 times with an offset.")
            }
            let meter = MeterID(try context.parameters.require("id"))
            let id = try await dispute(meter, first, last, value: body.value, by: body.by, note: body.note, account: account)
            return JSON.of(["id": .integer(id), "state": "open"])
        }
        api.post("corrections/:id") { request, context in
            let account = try context.requireAccount()
            let body = try await decodeBody(DecisionBody.self, request, context)
            let id = Int64(try context.parameters.require("id")) ?? 0
            try await decide(id, body.state, by: body.by, note: body.note ?? "", account: account)
            return JSON.of(["id": .integer(id), "state": .string(body.state)])
        }
        api.put("contacts/:id/duty") { request, context in
            let account = try context.requireAccount()
            let body = try await decodeBody(DutyBody.self, request, context)
            let id = ContactID(try context.parameters.require("id"))
            try await setDuty(
                id, onDuty: (body.on_duty ?? []).joined(separator: ";"), quietHours: body.quiet_hours ?? "", substitute: body.substitute ?? "", account: account
            )
            return JSON.of(["id": .string(id.rawValue), "result": "set"])
        }
        api.get("statistics") { request, context in
            let account = try context.requireAccount()
            let (from, to) = try stretch(request)
            var shapes = Shapes(premises, account)
            return StatisticsReport.json(try await statistics(account, from: from, to: to), from: shapes.time(from), to: shapes.time(to))
        }
    }

    // MARK: Channels

    /// Each channel with how it does.
    func channels(_ account: Account) async throws -> [JSON] {
        guard account.role.may(.people) else { throw Problem.forbidden("This role does not look after channels.") }
        let (tally, waiting) = await (premises.delivery.tally, premises.delivery.waiting)
        var result: [JSON] = []
        for channel in premises.configuration.channels {
            let counts = tally[channel.id]
            let state = await premises.delivery.state(of: channel.id)
            result.append(
                .of([
                    "id": .string(channel.id.rawValue), "kind": .string(channel.kind.rawValue), "sent": .integer(Int64(counts?.sent ?? 0)),
                    "failed": .integer(Int64(counts?.failed ?? 0)), "dead": .integer(Int64(counts?.dead ?? 0)),
                    "waiting": .integer(Int64(waiting[channel.id] ?? 0)), "last_error": .text(state.lastFault), "failing": .bool(state.isFailing),
                    "unreached": account.role.may(.contacts) ? .array(state.unreached.map { .string($0.rawValue) }) : .integer(Int64(state.unreached.count)),
                ]))
        }
        return result
    }

    /// Sends a letter that says it is a test, at once and once.
    func test(_ id: ChannelID, contact: ContactID?, account: Account) async throws -> DeliverySchedule.Attempt {
        guard account.role.may(.careForChannels) else { throw Problem.forbidden("This role does not test channels.") }
        guard premises.configuration.channels.contains(where: { $0.id == id }) else { throw Problem.notFound("channel `\(id)`") }
        let shapes = Shapes(premises, account)
        let readers = premises.configuration.contacts.filter { $0.card.channels.contains(id) && shapes.mayTest($0.card) }
        guard let reader = contact.map({ wanted in readers.first { $0.card.id == wanted } }) ?? readers.first else {
            throw Problem(.conflict, "Nobody to write to", "No such contact uses channel `\(id)`.")
        }
        let now = premises.clock.now()
        if let (spent, until) = await premises.delivery.mayTest(account: account.name, contact: reader.card.id, at: now.elapsed) {
            let wait = Int(max(1, (until - now.elapsed).seconds.rounded(.up)))
            let whose =
                switch spent {
                case .account: "This account has sent"
                case .contact: "This contact has been sent"
                case .site: "This site has sent"
                }
            throw Problem(.tooManyRequests, "Too many tests", "\(whose) as many tests as ten minutes allow.", retryAfter: wait)
        }
        try await premises.store.write { try $0.audit(who: account.name, what: "channel test", subject: "channel/\(id)", note: "", at: now.wall) }
        return await premises.delivery.test(id, to: reader.card, language: premises.configuration.language, at: now)
    }

    // MARK: What could not be delivered

    func dead(_ account: Account) async throws -> [DeliverySchedule.Item] {
        guard account.role.may(.people) else { throw Problem.forbidden("This role does not look after channels.") }
        let shapes = Shapes(premises, account)
        return try await premises.store.read { try $0.deadNotices(limit: 200) }.filter { shapes.sees(lost: $0.notice) }.prefix(50).map { $0 }
    }

    private func deadNotices(_ account: Account) async throws -> [JSON] {
        var shapes = Shapes(premises, account)
        return try await dead(account).map { item in
            JSON.of([
                "id": .string(item.notice.id.rawValue), "case": .string(item.notice.caseID.rawValue), "channel": .string(item.notice.channel.rawValue),
                "contact": account.role.may(.contacts) ? .string(item.notice.contact.rawValue) : .null, "kind": .string(item.notice.kind.rawValue),
                "state": .string(item.state.rawValue),
                "attempts": .integer(Int64(item.attempts)), "created_at": shapes.time(item.notice.createdAt.wall), "why": .text(item.lastFault),
            ])
        }
    }

    /// Tries a notice that was given up once more, from the beginning; its id stays.
    func retry(_ id: NoticeID, account: Account) async throws {
        guard account.role.may(.careForChannels) else { throw Problem.forbidden("This role does not look after channels.") }
        guard let item = try await premises.store.read({ try $0.notice(id) }) else { throw Problem.notFound("notice `\(id)`") }
        guard Shapes(premises, account).sees(lost: item.notice) else { throw Problem.notFound("notice `\(id)`") }
        guard item.state == .dead else { throw Problem(.conflict, "Not given up", "The notice is \(item.state.rawValue).") }
        let now = premises.clock.now().wall
        try await premises.store.write { writer in
            try writer.save(DeliverySchedule.Item(item.notice))
            try writer.audit(who: account.name, what: "notice retried", subject: "case/\(item.notice.caseID)", note: id.rawValue, at: now)
        }
        await premises.delivery.enqueue([item.notice])
    }

    // MARK: People and shifts

    /// Where the roster stands in the record.
    public static let rosterFact = "roster"

    /// Sets one person's hours of duty, quiet hours and substitute; in force at once and after every restart.
    func setDuty(_ id: ContactID, onDuty: String, quietHours: String, substitute: String, account: Account) async throws {
        guard account.role.may(.setDuty) else { throw Problem.forbidden("This role does not set shifts.") }
        let configuration = premises.configuration
        guard configuration.contacts.contains(where: { $0.card.id == id }) else { throw Problem.notFound("contact `\(id)`") }
        let entry: DutyRoster.Entry
        do throws(DutyRoster.Fault) {
            entry = try DutyRoster.entry(onDuty: onDuty, quietHours: quietHours, substitute: substitute, in: configuration)
        } catch {
            switch error {
            case .noShift(let text):
                throw Problem.badRequest("`\(text.bounded(.echo))` is no shift; write something like mon-fri 08:00-20:00; sat 09:00-12:00.")
            case .unknownContact(let name): throw Problem.badRequest("there is no contact `\(name.bounded(.echo))`.")
            }
        }
        let now = premises.clock.now().wall
        let roster = try await premises.store.write { writer -> DutyRoster in
            var roster = try writer.reader.fact(Self.rosterFact).flatMap { try? JSONDecoder().decode(DutyRoster.self, from: Data($0.utf8)) } ?? DutyRoster()
            roster.entries[id] = entry
            try writer.setFact(Self.rosterFact, String(decoding: try JSONEncoder().encode(roster), as: UTF8.self))
            try writer.audit(who: account.name, what: "duty set", subject: "contact/\(id)", note: entry.onDuty.map(\.written).joined(separator: "; "), at: now)
            return roster
        }
        let changed = premises.configuration.following(roster)
        premises.rearrange(.init(configuration: changed, pollers: premises.pollers))
        let directory = changed.directory
        await premises.desk.reconfigure { $0.book.directory = directory }
    }

    // MARK: Disputed readings

    /// The requests about meters that this reader may see, newest first.
    func requests(_ account: Account) async throws -> [CorrectionRequest] {
        let shapes = Shapes(premises, account)
        let configuration = premises.configuration
        return try await premises.store.read { try $0.corrections() }.filter { request in
            configuration.meter(request.meter).map { shapes.sees($0) } ?? account.role.may(.formerHomes)
        }
    }

    /// Whether a reader may see who asked, and the note: it is typed by anybody and may hold a name.
    static func readsNotes(_ role: AccountRole) -> Bool { role.may(.correctionNotes) }

    func corrections(_ account: Account) async throws -> [JSON] {
        var shapes = Shapes(premises, account)
        let personal = Self.readsNotes(account.role)
        return try await requests(account).map { request in
            JSON.of([
                "id": .integer(request.id), "meter": .string(request.meter.rawValue), "from": shapes.time(request.first), "to": shapes.time(request.last),
                "by": personal ? .string(request.who) : .null, "note": .string(personal ? request.note : ""), "value": .real(request.value),
                "state": .string(request.state.rawValue), "at": shapes.time(request.at), "decided_at": shapes.time(request.decidedAt),
                "decided_by": personal ? .text(request.decidedBy) : .null, "decision": personal ? .text(request.decision) : .null,
            ])
        }
    }

    /// Enters that readings of a meter are disputed.
    /// - Returns: the request's number
    func dispute(
        _ meter: MeterID, _ first: WallTime, _ last: WallTime, value: Double?, by who: String?, note: String, account: Account
    ) async throws -> Int64 {
        guard account.role.may(.careForReadings) else { throw Problem.forbidden("This role does not dispute readings.") }
        guard let known = premises.configuration.meter(meter), Shapes(premises, account).sees(known) else { throw Problem.notFound("meter `\(meter)`") }
        guard first <= last else { throw Problem.badRequest("`to` lies before `from`.") }
        guard !note.allSatisfy(\.isWhitespace) else { throw Problem.badRequest("`note` must say what is wrong with the readings.") }
        guard value.map(\.isFinite) ?? true else { throw Problem.badRequest("`value` is no number.") }
        let now = premises.clock.now().wall
        let identity = premises.identity(account, typed: who)
        let request = CorrectionRequest(
            at: now, meter: meter, first: first, last: last, who: identity.by, note: identity.note(note, premises.configuration.language), value: value)
        return try await premises.store.write { writer in
            let id = try writer.add(request)
            try writer.audit(who: account.name, what: "correction asked", subject: "meter/\(meter)", note: "\(id)", at: now)
            return id
        }
    }

    /// Decides a request.
    func decide(_ id: Int64, _ state: String, by who: String?, note: String, account: Account) async throws {
        guard account.role.may(.careForReadings) else { throw Problem.forbidden("This role does not decide on readings.") }
        guard let decided = CorrectionRequest.State(rawValue: state), decided != .open else {
            throw Problem.badRequest("`state` is accepted or rejected.")
        }
        let now = premises.clock.now().wall
        let asked = try await premises.store.read { try $0.correction(id) }
        guard let meter = asked.flatMap({ premises.configuration.meter($0.meter) }), Shapes(premises, account).sees(meter) else {
            throw Problem.notFound("open request \(id)")
        }
        let identity = premises.identity(account, typed: who)
        let words = identity.note(note, premises.configuration.language)
        let found = try await premises.store.write { writer in
            guard try writer.decide(id, decided, by: identity.by, note: words, at: now) else { return false }
            try writer.audit(who: account.name, what: "correction \(state)", subject: "correction/\(id)", note: "", at: now)
            return true
        }
        guard found else { throw Problem.notFound("open request \(id)") }
    }

    // MARK: Statistics

    /// The stretch of a query; a year otherwise.
    func stretch(_ request: Request) throws -> (from: WallTime, to: WallTime) {
        func time(_ name: Substring) throws -> WallTime? {
            guard let text = request.uri.queryParameters[name].map(String.init) else { return nil }
            if let time = CivilClock.parse(rfc3339: text.replacingOccurrences(of: " ", with: "+")) { return time }
            throw Problem.badRequest("`\(name)` is not an RFC 3339 time with an offset.")
        }
        let to = try time("to") ?? premises.clock.now().wall + .milliseconds(1)
        return (try time("from") ?? to - .days(366), to)
    }

    func statistics(_ account: Account, from: WallTime, to: WallTime) async throws -> CaseStatistics {
        let shapes = Shapes(premises, account)
        let cases = try await premises.store.read { try $0.cases(from: from, to: to) }
        return CaseStatistics(cases.filter { shapes.sees($0) }, civil: premises.configuration.clock)
    }
}

extension DeliverySchedule.Attempt {
    /// The result in a word.
    var word: String {
        switch self {
        case .delivered: "delivered"
        case .failed, .limited, .deferred: "failed"
        case .refused: "refused"
        }
    }
}

/// Reads a request's JSON body; an empty one counts as an empty object.
func decodeBody<Body: Decodable>(_ type: Body.Type, _ request: Request, _ context: ConsoleContext) async throws -> Body {
    let buffer = try await request.body.collect(upTo: context.maxUploadSize)
    let data = Data(buffer.readableBytesView)
    do {
        return try JSONDecoder().decode(type, from: data.isEmpty ? Data("{}".utf8) : data)
    } catch {
        throw Problem.badRequest("The body must be a JSON object with the fields of this call; see /api/v1/openapi.json.")
    }
}
