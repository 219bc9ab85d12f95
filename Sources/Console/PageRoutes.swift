import Casework
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Neighbourhood
import Phrasebook
import Safeguarding
import Telemetry
import Watchkeeping

/// The pages and the forms on them.
struct PageRoutes: Sendable {
    let premises: Premises
    let access: AccessControl
    let library: PageLibrary
    private var acts: ActRoutes { ActRoutes(premises: premises) }

    func add(to router: Router<ConsoleContext>) {
        CarePageRoutes(pages: self).add(to: router)
        router.get("/") { request, context in try await overview(request, context) }
        router.get("homes/:id") { request, context in try await home(request, context) }
        router.get("cases") { request, context in try await cases(request, context) }
        router.get("cases/:id") { request, context in try await caseFile(request, context) }
        router.get("elevators") { request, context in try elevators(request, context, await premises.desk.snapshot) }
        router.get("devices") { request, context in try await devices(request, context) }
        router.get("audit") { request, context in try await audit(request, context) }
        router.get("login") { request, context in LanguageChoice.answer(request) ?? page("login", frame(request, context), .signIn) }
        router.get("language") { request, _ in setLanguage(request) }
        router.get("static/style.css") { _, _ in file(PageLibrary.style, "text/css; charset=utf-8") }
        router.get("static/script.js") { _, _ in file(PageLibrary.script, "text/javascript; charset=utf-8") }
        router.get("l/:token") { request, context in try await link(request, context) }
        router.post("l/:token") { request, context in try await actOnLink(request, context) }
        router.post("login") { request, context in try await signIn(request, context) }
        router.post("logout") { request, _ in signOut(request) }
        router.post("cases/:id") { request, context in try await actOnCase(request, context) }
        router.post("cases/:id/links") { request, context in try await revokeLinks(request, context) }
        router.post("homes/:id/presence") { request, context in try await setPresence(request, context) }
        router.post("elevators/:id/release") { request, context in try await release(request, context) }
    }

    func frame(_ request: Request, _ context: ConsoleContext) -> PageFrame { PageFrame(premises, access, request, context) }

    func page(_ name: String, _ frame: PageFrame, _ title: Label, _ parts: [String: Any] = [:]) -> Response {
        var frame = frame
        return library.page(name, frame.context(frame.label(title), parts), language: frame.language)
    }

    private func file(_ text: String, _ type: String) -> Response {
        Response(status: .ok, headers: [.contentType: type, .cacheControl: "max-age=300"], body: .init(byteBuffer: ByteBuffer(string: text)))
    }

    func redirect(_ path: String, cookie: String? = nil) -> Response {
        var headers: HTTPFields = [.location: path]
        if let cookie { headers[.setCookie] = cookie }
        return Response(status: .seeOther, headers: headers)
    }

    // MARK: Looking

    private func overview(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        let account = try context.requireAccount()
        guard account.role.may(.homes) else { return redirect("/devices") }
        var overview = OverviewPage(frame: frame(request, context), core: await premises.desk.snapshot)
        return library.page("overview", overview.context(), language: overview.frame.language)
    }

    private func home(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        let account = try context.requireAccount()
        let frame = frame(request, context)
        let id = HouseholdID(try context.parameters.require("id"))
        guard account.role.may(.homes), let home = frame.shapes.visibleHomes.first(where: { $0.id == id }) else { throw Problem.notFound("household `\(id)`") }
        let core = await premises.desk.snapshot
        let now = frame.shapes.now.wall
        var readings: [Reading] = []
        if let meter = home.meter {
            let point = premises.configuration.meter(meter).flatMap { premises.configuration.profiles[$0.profile]?.volumeTotal?.id }
            if let point {
                readings = try await premises.store.read { try $0.readings(of: meter, point: point, from: now - .days(31), to: now, lastOfEach: .minutes(5)) }
            }
        }
        let open = core.book.openCase(Subject(.household, id.rawValue))
        var page = HomePage(frame: frame, home: home, watch: core.homes[id]?.watch, openCase: open, readings: readings)
        if let open { page.told = try await premises.store.read { try $0.notices(of: open.id) } }
        return library.page("home", page.context(), language: frame.language)
    }

    private func cases(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        _ = try context.requireAccount()
        var frame = frame(request, context)
        let start = CaseList.Cursor(request.uri.queryParameters["cursor"].map(String.init))
        let found = try await CaseList.page(premises, frame.shapes, .init(), from: start, limit: 100)
        var parts: [String: Any] = ["cases": found.items.map { CaseWords.line($0, &frame) }]
        if let next = found.next { parts["further"] = "/cases?cursor=\(next.text)" }
        return page("cases", frame, .cases, parts)
    }

    private func caseFile(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        let account = try context.requireAccount()
        let frame = frame(request, context)
        let id = CaseID(try context.parameters.require("id"))
        let found = try await premises.store.read { reader in try reader.caseFile(id).map { ($0, try reader.notices(of: id)) } }
        guard let (item, notices) = found, frame.shapes.sees(item) else { throw Problem.notFound("case `\(id)`") }
        var page = CasePage(
            frame: frame, item: item, notices: notices, action: "/cases/\(id)", mayAct: frame.shapes.acts(on: item),
            named: account.role.may(.names), litres: account.role.may(.litres), quoted: account.role.may(.deviceWords))
        page.mayRevoke = account.role.may(.revokeLinks)
        return library.page("case", page.context(), language: frame.language)
    }

    private func elevators(_ request: Request, _ context: ConsoleContext, _ core: Neighbourhood) throws -> Response {
        let account = try context.requireAccount()
        let frame = frame(request, context)
        let lifts = (premises.boarding?.elevators ?? []).map { ElevatorPage.card($0, frame, mayRelease: account.role.may(.releaseDoors)) }
        return page("elevators", frame, .elevators, ["lifts": lifts])
    }

    private func devices(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        _ = try context.requireAccount()
        var frame = frame(request, context)
        let core = await premises.desk.snapshot
        let configuration = premises.configuration
        let points = configuration.meters.map { ($0.id, configuration.profiles[$0.profile]?.volumeTotal?.id ?? "volume_total") }
        let newest = try await premises.store.read { reader in
            try points.reduce(into: [MeterID: Reading]()) { $0[$1.0] = try reader.newest(of: $1.0, point: $1.1) }
        }
        let meters = configuration.meters.filter(frame.shapes.sees).map { meter -> [String: Any] in
            let silent = core.isSilent(meter.id)
            let quality = newest[meter.id]?.quality
            let word = quality.map { frame.label($0.label) } ?? "–"
            return [
                "id": meter.id.rawValue, "bus": meter.bus.rawValue, "unit": meter.unit, "tone": silent || quality?.isUsable != true ? "attention" : "calm",
                "state": silent ? "✕ \(frame.label(.offline))" : "\(quality?.isUsable == true ? "✓" : "✕") \(word)",
                "last": frame.spoken(newest[meter.id]?.at), "register": newest[meter.id]?.value.map { Phrase.number($0) } ?? "–",
            ]
        }
        return page("devices", frame, .devices, ["meters": meters])
    }

    private func audit(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        guard try context.requireAccount().role.may(.audit) else { throw Problem.forbidden("This role does not read the audit.") }
        var frame = frame(request, context)
        let lines = try await premises.store.read { try $0.audit(limit: 200) }.map { line -> [String: Any] in
            ["at": frame.spoken(line.at), "who": line.who, "what": line.what, "subject": "\(line.subject) \(line.note)"]
        }
        return page("audit", frame, .audit, ["lines": lines])
    }

    private func setLanguage(_ request: Request) -> Response {
        let language: Language = request.uri.queryParameters["to"] == "en" ? .english : .chinese
        let back = request.uri.queryParameters["back"].map(String.init) ?? "/"
        return redirect(LanguageChoice.ownPath(back), cookie: LanguageChoice.cookie(language))
    }

    // MARK: Forms

    private func form(_ request: Request, _ context: ConsoleContext) async throws -> [String: String] {
        let buffer = try await request.body.collect(upTo: context.maxUploadSize)
        var fields: [String: String] = [:]
        for pair in String(buffer: buffer).split(separator: "&").prefix(50) {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map {
                $0.replacingOccurrences(of: "+", with: " ").removingPercentEncoding ?? ""
            }
            if parts.count == 2 { fields[parts[0]] = parts[1] }
        }
        return fields
    }

    /// A form must carry the token of the session it was made for.
    func checkedForm(_ request: Request, _ context: ConsoleContext) async throws -> [String: String] {
        let fields = try await form(request, context)
        guard let token = fields["csrf"], !token.isEmpty, token == context.session else {
            throw Problem.forbidden("The form is out of date; open the page again.")
        }
        return fields
    }

    private func actOnCase(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        let account = try context.requireAccount()
        let fields = try await checkedForm(request, context)
        let id = CaseID(try context.parameters.require("id"))
        try await acts.perform(fields["act"] ?? "", fields["code"], until: fields["until"], on: id, by: nil, note: fields["note"], account: account)
        return redirect("/cases/\(id)")
    }

    /// Takes back every link that was sent for a case so far.
    private func revokeLinks(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        let account = try context.requireAccount()
        _ = try await checkedForm(request, context)
        let id = CaseID(try context.parameters.require("id"))
        try await acts.revokeLinks(of: id, account: account)
        return redirect("/cases/\(id)")
    }

    private func setPresence(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        let account = try context.requireAccount()
        let fields = try await checkedForm(request, context)
        let id = HouseholdID(try context.parameters.require("id"))
        try await acts.setPresence(id, kind: fields["kind"] ?? "none", until: fields["until"], by: nil, note: fields["note"], account: account)
        return redirect("/homes/\(id)")
    }

    private func release(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        let account = try context.requireAccount()
        _ = try await checkedForm(request, context)
        try acts.release(ElevatorID(try context.parameters.require("id")), by: nil, account: account)
        return redirect("/elevators")
    }

    private func signIn(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        let fields = try await form(request, context)
        let name = String(decoding: (fields["name"] ?? "").utf8.prefix(240), as: UTF8.self)
        let session: String?
        do throws(Problem) {
            session = try await access.signIn(name: name, password: fields["password"] ?? "", from: context.remoteAddress)
        } catch {
            await access.audit(refused: "\(error.status.code)", who: "unknown", from: context.remoteAddress)
            throw error
        }
        // A name that was tried may be a password typed into the wrong field: only accounts are named.
        let who = access.isAccount(name) ? name : "unknown"
        if session == nil {
            await access.audit(refused: "", who: who, from: context.remoteAddress)
        } else {
            let now = premises.clock.now().wall
            try? await premises.store.write { try $0.audit(who: who, what: "signed in", subject: "console", note: context.remoteAddress, at: now) }
        }
        guard let session else { return page("login", frame(request, context), .signIn, ["wrong": true]) }
        let secure = premises.configuration.console.publicURL?.hasPrefix("https") == true ? "; Secure" : ""
        return redirect("/", cookie: "\(AccessControl.cookie)=\(session); Path=/; HttpOnly; SameSite=Strict\(secure)")
    }

    private func signOut(_ request: Request) -> Response {
        access.signOut(request)
        return redirect("/login", cookie: "\(AccessControl.cookie)=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict")
    }

    // MARK: Signed links

    /// What a link allows, to whom.
    private enum Opening {
        case open(LinkSigner.Grant, Role)
        /// It was one of ours and is no more.
        case over
        case strange
    }

    private func opening(_ context: ConsoleContext) async throws -> Opening {
        let token = try context.parameters.require("token")
        let grant: LinkSigner.Grant
        switch premises.links.read(token, now: premises.clock.now().wall) {
        case .good(let found): grant = found
        case .over: return .over
        case .strange:
            // Whoever tries out links gets no further answer; a link that was signed here always opens.
            guard access.strangeLinks.take(RateLimit.key(of: context.remoteAddress)) else { throw Problem.tooManyTries }
            return .strange
        }
        guard let role = premises.configuration.contacts.first(where: { $0.card.id == grant.contact })?.card.role else { return .over }
        // Whoever left the home, or moved to another grid, has no business with its cases any more.
        let book = await premises.desk.snapshot.book
        let stored = try await premises.store.read { try $0.caseFile(grant.caseID)?.subject }
        guard let subject = book.cases[grant.caseID]?.subject ?? stored, book.directory.concerns(subject, grant.contact) else { return .over }
        let revoked = try await premises.store.read { try $0.fact(LinkSigner.revocation(of: grant.caseID)) }.flatMap { Int64($0) }
        guard revoked.map({ grant.issuedAt.unixSeconds > $0 }) ?? true else { return .over }
        return .open(grant, role)
    }

    /// The page of a link that opens nothing: 410 for one that was ours, 404 for another.
    private func noLink(_ opening: Opening, _ frame: PageFrame) -> Response {
        var answer = page("problem", frame, .linkTitle, ["heading": frame.label(.linkTitle), "detail": frame.label(.linkExpired)])
        if case .over = opening { answer.status = .gone } else { answer.status = .notFound }
        return answer
    }

    private func link(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        if let answer = LanguageChoice.answer(request) { return answer }
        var frame = frame(request, context)
        let opening = try await opening(context)
        guard case .open(let grant, let role) = opening else { return noLink(opening, frame) }
        let id = grant.caseID
        guard let item = try await premises.store.read({ try $0.caseFile(id) }) else { throw Problem.notFound("case `\(id)`") }
        frame.speak(premises.configuration.contacts.first { $0.card.id == grant.contact }?.card.language)
        await access.views.note("link:\(grant.contact)", "case/\(id)", premises)
        var page = CasePage(
            frame: frame, item: item, notices: [], action: frame.path, mayAct: true, named: role.maySeeNames && grant.named, litres: role.maySeeLitres,
            quoted: grant.named)
        return library.page("case", page.context(), language: frame.language)
    }

    private func actOnLink(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        let frame = frame(request, context)
        let opening = try await opening(context)
        guard case .open(let grant, _) = opening else { return noLink(opening, frame) }
        let fields = try await form(request, context)
        try await acts.perform(
            fields["act"] ?? "", fields["code"], until: fields["until"], on: grant.caseID, by: grant.contact.rawValue, note: fields["note"],
            account: Account(name: "link:\(grant.contact)", role: .admin), contact: grant.contact)
        return redirect(request.uri.path)
    }
}

extension Quality {
    /// The quality in a word.
    fileprivate var label: Label {
        switch self {
        case .good: .qualityGood
        case .suspect: .qualitySuspect
        case .stale: .qualityStale
        case .bad: .qualityBad
        case .missing: .qualityMissing
        case .backfilled: .qualityBackfilled
        }
    }
}
