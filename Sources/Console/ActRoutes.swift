import Casework
import Foundation
import Hummingbird
import Neighbourhood
import Phrasebook
import Safeguarding
import Telemetry
import Watchkeeping

/// `/api/v1`: acting.
struct ActRoutes: Sendable {
    let premises: Premises

    private struct ActBody: Decodable {
        var by: String?
        var note: String?
        var code: String?
        var until: String?
    }

    private struct PresenceBody: Decodable {
        var kind: String
        var until: String?
        var by: String?
        var note: String?
    }

    func add(to api: RouterGroup<ConsoleContext>) {
        for act in ["accept", "arrived", "outcome", "hand_back"] {
            api.post("cases/:id/\(act)") { request, context in
                let account = try context.requireAccount()
                let id = CaseID(try context.parameters.require("id"))
                let body = try await decodeBody(ActBody.self, request, context)
                try await perform(act, body.code, until: body.until, on: id, by: body.by, note: body.note, account: account)
                var shapes = Shapes(premises, account)
                return try await premises.caseJSON(id, &shapes)
            }
        }
        api.post("cases/:id/links/revoke") { _, context in
            let id = CaseID(try context.parameters.require("id"))
            try await revokeLinks(of: id, account: try context.requireAccount())
            return JSON.of(["id": .string(id.rawValue), "result": "links revoked"])
        }
        api.put("households/:id/presence") { request, context in
            let account = try context.requireAccount()
            let id = HouseholdID(try context.parameters.require("id"))
            let body = try await decodeBody(PresenceBody.self, request, context)
            try await setPresence(id, kind: body.kind, until: body.until, by: body.by, note: body.note, account: account)
            var shapes = Shapes(premises, account)
            guard let home = shapes.visibleHomes.first(where: { $0.id == id }) else { throw Problem.notFound("household `\(id)`") }
            return shapes.household(home, core: await premises.desk.snapshot)
        }
        api.post("elevators/:id/release") { request, context in
            let account = try context.requireAccount()
            let id = ElevatorID(try context.parameters.require("id"))
            let body = try await decodeBody(ActBody.self, request, context)
            try release(id, by: body.by, account: account)
            return JSON.of(["id": .string(id.rawValue), "result": "release sent"])
        }
    }

    /// Carries out an act on a case and waits until it is durable.
    func perform(
        _ act: String, _ code: String?, until: String?, on id: CaseID, by who: String?, note: String?, account: Account, contact: ContactID? = nil
    ) async throws {
        let core = await premises.desk.snapshot
        let shapes = Shapes(premises, account)
        let stored = try await premises.store.read { try $0.caseFile(id) }
        guard let item = core.book.cases[id] ?? stored, shapes.sees(item) else { throw Problem.notFound("case `\(id)`") }
        guard shapes.acts(on: item) else { throw Problem.forbidden("This role does not act on such cases.") }
        let deed: CaseBook.Act.Deed
        switch act {
        case "accept": deed = .accept
        case "arrived": deed = .arrived
        case "hand_back": deed = .handBack
        default:
            guard let code, let outcome = Outcome(rawValue: code) else {
                throw Problem.badRequest("`code` must be one of: \(Outcome.allowed(for: item.kind).map(\.rawValue).joined(separator: ", ")).")
            }
            // Whoever was told by a link acts as who they are: what is said of homes is said by those who may know them.
            if let contact, item.matter == .sharedIncident,
                premises.configuration.contacts.first(where: { $0.card.id == contact })?.card.role.maySeeNames != true
            {
                throw Problem.forbidden("This incident stands for homes: the committee or the grid worker closes it.")
            }
            deed = .outcome(outcome, until: try parseUntil(until))
        }
        // A case closed long ago is in the store only: the same answer as from the book.
        if core.book.cases[id] == nil, !item.isOpen {
            if case .outcome(let outcome, _) = deed, outcome == item.outcome { return }
            throw problem(.impossibleAct(.closed(item.outcome)))
        }
        let identity = premises.identity(account, typed: who, contact: contact)
        let audit = SiteDesk.AuditEntry(who: account.name, what: act, subject: "case/\(id)", note: code ?? "")
        let words = identity.note(note, premises.configuration.language)
        let result = await premises.desk.ask(.act(id, .init(deed, by: identity.by, as: identity.speaker, note: words)), audit: audit)
        if case .failure(let refusal) = result { throw problem(refusal) }
    }

    func setPresence(_ id: HouseholdID, kind: String, until: String?, by: String?, note: String?, account: Account) async throws {
        guard account.role.may(.keepPresence) else { throw Problem.forbidden("This role does not keep the presence ledger.") }
        // Before anything is changed: who is away is nobody's business who looks after another grid.
        guard Shapes(premises, account).visibleHomes.contains(where: { $0.id == id }) else { throw Problem.notFound("household `\(id)`") }
        let entry: PresenceEntry?
        if kind == "none" {
            entry = nil
        } else {
            guard let word = PresenceEntry.Kind(rawValue: kind) else { throw Problem.badRequest("`kind` is away, hospital, visitors or none.") }
            let now = premises.clock.now().wall
            let given = try parseUntil(until)
            guard given != nil || word == .visitors else {
                throw Problem.badRequest("`\(kind)` needs `until`: when the person is expected back, at most 30 days ahead.")
            }
            let end = given ?? now + CaseBook.presenceDefault
            guard end > now else { throw Problem.badRequest("`until` lies in the past.") }
            guard end <= now + .days(30) else { throw Problem.badRequest("`until` may be at most 30 days ahead.") }
            let identity = premises.identity(account, typed: by)
            entry = PresenceEntry(kind: word, until: end, by: identity.by, note: identity.note(note, premises.configuration.language))
        }
        let audit = SiteDesk.AuditEntry(who: account.name, what: "presence", subject: "household/\(id)", note: kind)
        let result = await premises.desk.ask(.presence(id, entry), audit: audit)
        if case .failure(let refusal) = result { throw problem(refusal) }
    }

    /// Takes back every link that was sent for a case so far; links of later notices work.
    func revokeLinks(of id: CaseID, account: Account) async throws {
        guard account.role.may(.revokeLinks) else { throw Problem.forbidden("This role does not revoke links.") }
        let now = premises.clock.now().wall
        let isThere = try await premises.store.write { writer -> Bool in
            guard try writer.reader.caseFile(id) != nil else { return false }
            try writer.setFact(LinkSigner.revocation(of: id), String(now.unixSeconds))
            try writer.audit(who: account.name, what: "links revoked", subject: "case/\(id)", note: "", at: now)
            return true
        }
        guard isThere else { throw Problem.notFound("case `\(id)`") }
    }

    func release(_ id: ElevatorID, by who: String?, account: Account) throws {
        guard account.role.may(.releaseDoors) else { throw Problem.forbidden("This role does not release doors.") }
        guard let boarding = premises.boarding, boarding.elevators.contains(where: { $0.id == id }) else {
            throw Problem.notFound("elevator `\(id)`")
        }
        // The door first, the record behind it.
        boarding.release(id, by: premises.identity(account, typed: who).by)
        premises.desk.tell(.tick, audit: .init(who: account.name, what: "release", subject: "elevator/\(id)"))
    }

    private func parseUntil(_ text: String?) throws(Problem) -> WallTime? { try parseTime(text) }

    /// RFC 3339, or a form's date and time.
    func parseTime(_ text: String?) throws(Problem) -> WallTime? {
        guard let text, !text.isEmpty else { return nil }
        if let time = CivilClock.parse(rfc3339: text) { return time }
        // A form's date and time, in the site's own zone.
        if text.utf8.count == 16, let naive = CivilClock.parse(rfc3339: "\(text):00Z") {
            var civil = premises.configuration.clock
            return naive - .seconds(civil.offsetSeconds(at: naive))
        }
        throw .badRequest("`\(text.bounded(.echo))` is not an RFC 3339 time.")
    }

    private func problem(_ refusal: Neighbourhood.Refusal) -> Problem {
        switch refusal {
        case .unknownHome(let id): .notFound("household `\(id)`")
        case .impossibleAct(.unknownCase(let id)): .notFound("open case `\(id)`")
        case .impossibleAct(.closed(let outcome)):
            Problem(.conflict, "Already closed", "The case was closed with outcome `\(outcome?.rawValue ?? "none")`.")
        case .impossibleAct(.outcomeNotAllowed(let outcome, let allowed)):
            Problem(
                .conflict, "Outcome not possible",
                "`\(outcome.rawValue)` does not fit this kind of case; possible: \(allowed.map(\.rawValue).joined(separator: ", ")).")
        case .undurable:
            Problem(
                HTTPResponse.Status(code: 507), "Taken, not saved",
                "The gateway has taken this and told people, but its disk takes nothing: make a note, and see to the disk.")
        case .stopping: Problem(.serviceUnavailable, "Stopping", "The gateway is stopping and has not taken this; try again in a minute.")
        case .impossibleAct(.untilPast): Problem(.badRequest, "Bad request", "`until` lies in the past; say when the person is expected back.")
        case .impossibleAct(.notYours): Problem(.conflict, "Somebody else has it", "Only who took the case on, or the committee, can hand it back.")
        case .impossibleAct(.handedBackTooOften):
            Problem(.conflict, "Handed back too often", "This person has handed the case back three times; somebody else must take it on.")
        case .impossibleAct(.notAccepted): Problem(.conflict, "Nobody has it", "The case was not accepted, so it cannot be handed back.")
        }
    }
}
