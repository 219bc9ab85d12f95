import Foundation
import Hummingbird
import SiteConfiguration

/// Puts the account into the context, or sends whoever has none away.
struct AccessMiddleware: RouterMiddleware {
    let access: AccessControl

    func handle(
        _ request: Request, context: ConsoleContext, next: (Request, ConsoleContext) async throws -> Response
    ) async throws -> Response {
        let path = request.uri.path
        guard path != "/healthz" else { return try await next(request, context) }
        let standing = try await access.look()
        if case .shut(let reason) = standing { throw Problem.shut(reason) }
        let isLooking = request.method == .get || request.method == .head
        if path.hasPrefix("/l/") { return try await openLink(request, context, next) }
        guard !(path == "/login" || path.hasPrefix("/static/")) else { return try await next(request, context) }
        guard let found = access.visitor(request, standing) else {
            guard path.hasPrefix("/api/") || path == "/metrics" || path == "/readyz" || !isLooking else {
                return Response(status: .seeOther, headers: [.location: "/login"])
            }
            throw Problem(.unauthorized, "Who are you?", "Send `Authorization: Bearer TOKEN`, or sign in at /login.")
        }
        if case .thisMachine = found.proof { try refuseForeign(request, context) }
        if !isLooking { try refuseForeignOrigin(request) }
        var context = context
        context.account = found.account
        context.session = found.csrf
        context.proof = found.proof
        guard access.ledger.identify(context.connection, as: .account(found.account.name)) else { throw Problem.busy("This account has too many connections.") }
        let served = context
        let response = try await (isLooking ? access.looking : access.acting).pass(found.account.name) { try await next(request, served) }
        if request.method == .get, response.status == .ok, let subject = ViewAudit.subject(of: path) {
            await access.views.note(found.account.name, subject, access.premises)
        }
        return response
    }

    /// Links have places of their own: whatever floods the console, a relative can open one.
    private func openLink(
        _ request: Request, _ context: ConsoleContext, _ next: (Request, ConsoleContext) async throws -> Response
    ) async throws -> Response {
        let token = String(request.uri.path.dropFirst(3).prefix { $0 != "/" })
        guard let grant = access.premises.links.grant(token, now: access.premises.clock.now().wall) else { return try await next(request, context) }
        guard access.ledger.identify(context.connection, as: .link(grant.contact.rawValue)) else { throw Problem.busy("This link is open too often.") }
        return try await access.acting.pass("link:\(grant.contact)") { try await next(request, context) }
    }

    /// A page of another site must not act through the reader's browser.
    private func refuseForeignOrigin(_ request: Request) throws(Problem) {
        guard let origin = request.headers[.origin] else { return }
        guard let host = request.head.authority, origin.hasSuffix("://\(host)") else {
            throw .forbidden("This request comes from another site.")
        }
    }

    /// Without accounts only this machine is answered, and only by names of its own, so that no foreign name can be pointed at it.
    private func refuseForeign(_ request: Request, _ context: ConsoleContext) throws(Problem) {
        let from = context.remoteAddress
        guard from == "::1" || from == "unknown" || SiteConfiguration.Console.isLoopback(from.hasPrefix("::ffff:") ? String(from.dropFirst(7)) : from) else {
            throw .forbidden("Without a users file the console answers on this machine only.")
        }
        guard let host = request.head.authority else { return }
        let name = host.hasPrefix("[") ? "[::1]" : host.split(separator: ":").first.map(String.init) ?? ""
        guard name == "localhost" || name == "[::1]" || SiteConfiguration.Console.isLoopback(name) else {
            throw .forbidden("Without a users file the console answers on this machine only.")
        }
    }
}
