import Foundation
import Hummingbird
import Phrasebook
import Watchkeeping

/// What goes wrong on a page is said as a page, in the reader's language; the API gets its problem document.
struct ProblemPages: RouterMiddleware {
    let premises: Premises
    let access: AccessControl
    let library: PageLibrary

    func handle(
        _ request: Request, context: ConsoleContext, next: (Request, ConsoleContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let problem as Problem where isPage(request) {
            return page(problem, request, context)
        } catch let error as HTTPError where isPage(request) && error.status == .notFound {
            return page(.notFound("page"), request, context)
        } catch let error as HTTPError where request.uri.path.hasPrefix("/api/") {
            throw Problem(error.status, error.status.reasonPhrase, error.body ?? "See /api/v1/openapi.json for what there is.")
        }
    }

    private func isPage(_ request: Request) -> Bool {
        let path = request.uri.path
        return !path.hasPrefix("/api/") && !["/metrics", "/readyz", "/healthz"].contains(path) && request.headers[.accept]?.contains("text/html") == true
    }

    private func page(_ problem: Problem, _ request: Request, _ context: ConsoleContext) -> Response {
        var frame = PageFrame(premises, access, request, context)
        let byStatus: Label =
            switch problem.status {
            case .notFound: .problemNotFound
            case .forbidden, .unauthorized: .problemForbidden
            case .conflict: .problemConflict
            case .tooManyRequests: .problemTooMany
            case .badRequest, .contentTooLarge: .problemInput
            default: .problemOther
            }
        var heading = problem.heading ?? byStatus
        let isLink = request.uri.path.hasPrefix("/l/")
        // Whoever holds a link reads their own language, and can mend no accounts.
        if isLink { frame.speak(reader(request)) }
        // The details are written for those who program against the API; a reader of Chinese gets the sentence above.
        var detail = frame.language == .english ? problem.detail : ""
        if isLink, heading == .problemShut { (heading, detail) = (.linkShut, "") }
        var response = library.page(
            "problem",
            frame.context(frame.label(heading), ["heading": frame.label(heading), "detail": detail, "mayGoHome": !isLink] as [String: Any]),
            language: frame.language, status: problem.status)
        for field in problem.headers { response.headers[field.name] = field.value }
        return response
    }

    /// The language of whom a link was sent to.
    private func reader(_ request: Request) -> Language? {
        let token = String(request.uri.path.dropFirst(3).prefix { $0 != "/" })
        guard let grant = premises.links.grant(token, now: premises.clock.now().wall) else { return nil }
        return premises.configuration.contacts.first { $0.card.id == grant.contact }?.card.language
    }
}
