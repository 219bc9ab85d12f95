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
        guard !(path == "/login" || path.hasPrefix("/static/") || path.hasPrefix("/l/")) else { return try await next(request, context) }
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
        let response = try await next(request, context)
        if request.method == .get, response.status == .ok, let subject = ViewAudit.subject(of: path) {
            await access.views.note(found.account.name, subject, access.premises)
        }
        return response
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
