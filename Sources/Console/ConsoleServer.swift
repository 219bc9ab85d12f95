import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import ServiceLifecycle
import Watchkeeping

/// The HTTP API and the console page.
public struct ConsoleServer: Service {
    /// Connections at a time; further ones wait.
    static let mostConnections = 256
    private let premises: Premises
    private let onListening: @Sendable (Int) -> Void

    /// A server for a running gateway.
    /// - Parameter onListening: called with the port once it is open
    public init(premises: Premises, onListening: @escaping @Sendable (Int) -> Void = { _ in }) {
        self.premises = premises
        self.onListening = onListening
    }

    /// Serves until shut down.
    public func run() async throws {
        let router = try Self.router(premises)
        let console = premises.configuration.console
        var log = premises.log
        log.logLevel = .warning
        let listening = onListening
        let app = Application(
            router: router,
            // Who says nothing for half a minute is hung up on; a stream of ours that is under way is not.
            server: .http1(configuration: .init(idleTimeout: .seconds(30))),
            // Descriptors are for meters and the record too.
            configuration: .init(
                address: .hostname(console.host, port: console.port), serverName: nil,
                availableConnectionsDelegate: MaximumAvailableConnections(Self.mostConnections, logger: log)),
            onServerRunning: { channel in listening(channel.localAddress?.port ?? 0) },
            logger: log)
        try await app.run()
    }

    /// Everything that is answered.
    static func router(_ premises: Premises) throws -> Router<ConsoleContext> {
        let access = AccessControl(premises)
        let library = try PageLibrary()
        let router = Router(context: ConsoleContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: SecurityHeaders(log: premises.log))
        router.add(middleware: ProblemPages(premises: premises, access: access, library: library))
        router.add(middleware: AccessMiddleware(access: access))
        HealthRoutes(premises: premises).add(to: router)
        APIRoutes(premises: premises, access: access).add(to: router)
        PageRoutes(premises: premises, access: access, library: library).add(to: router)
        return router
    }
}

/// Headers that keep a browser from doing more than the page needs.
struct SecurityHeaders: RouterMiddleware {
    let log: Logger
    static let policy =
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

    func handle(
        _ request: Request, context: ConsoleContext, next: (Request, ConsoleContext) async throws -> Response
    ) async throws -> Response {
        var response: Response
        do {
            response = try await next(request, context)
        } catch let error as any HTTPResponseError {
            // What goes wrong is an answer too, and needs the same protection.
            response = try error.response(from: request, context: context)
        } catch {
            log.error("a request failed", metadata: ["path": "\(request.uri.path.hasPrefix("/l/") ? "/l/…" : request.uri.path)", "why": "\(error)"])
            let problem = Problem(.internalServerError, "Something failed here", "It is written in the gateway's log. Try again in a moment.")
            response = try problem.response(from: request, context: context)
        }
        response.headers[.contentSecurityPolicy] = Self.policy
        response.headers[.xContentTypeOptions] = "nosniff"
        // Links carry their token in the path: no other site hears of it. Our own forms say where they come from.
        if let name = HTTPField.Name("Referrer-Policy") { response.headers[name] = "same-origin" }
        if let name = HTTPField.Name("Cross-Origin-Opener-Policy") { response.headers[name] = "same-origin" }
        return response
    }
}
