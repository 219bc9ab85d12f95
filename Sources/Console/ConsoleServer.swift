import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import ServiceLifecycle
import Synchronization
import Watchkeeping

/// The HTTP API and the console page.
public struct ConsoleServer: Service {
    /// Connections at a time; further ones wait. A little more than have places: who is hung up on takes a moment to go.
    static let mostConnections = 400
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
        let ledger = ConnectionLedger()
        let access = AccessControl(premises, ledger)
        let router = try Self.router(premises, access)
        let console = premises.configuration.console
        var log = premises.log
        log.logLevel = .warning
        let listening = onListening
        let app = Application(
            router: router,
            // Who says nothing for half a minute is hung up on, and who is slow as well; a stream of ours that is under way is not.
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [ConnectionKeeper(ledger)], idleTimeout: .seconds(30),
                    httpDecoderConfiguration: .init(maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 32 << 10, maxHeaderFieldCount: 200))),
            // Descriptors are for meters and the record too.
            configuration: .init(
                address: .hostname(console.host, port: console.port), serverName: nil,
                availableConnectionsDelegate: MaximumAvailableConnections(Self.mostConnections, logger: log)),
            onServerRunning: { channel in listening(channel.localAddress?.port ?? 0) },
            logger: log)
        // Every second: the users file, so that whoever was taken out of it is out, and refusals that were counted.
        let upkeep = Task {
            while !Task.isCancelled {
                _ = try? await access.look()
                await access.auditCounted()
                try? await Task.sleep(for: .seconds(1))
            }
        }
        defer { upkeep.cancel() }
        try await app.run()
    }

    /// Everything that is answered.
    static func router(_ premises: Premises, _ access: AccessControl) throws -> Router<ConsoleContext> {
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
    /// Whoever can make the console fail must not fill the disk with it.
    private let lines = Lines()

    private final class Lines: Sendable {
        private let limit = Mutex(LogLimit(most: 20))
        func admit() -> Int? { limit.withLock { $0.admit(at: GatewayClock.bootMilliseconds()) } }
    }

    init(log: Logger) { self.log = log }

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
        } catch let error as HTTPParserError {
            // What is no HTTP is the sender's fault: the server answers 400 and hangs up.
            throw error
        } catch  where error is ChannelError || error is IOError || error is CancellationError {
            // The other side is gone.
            response = try Problem.badRequest("The request has no end.").response(from: request, context: context)
        } catch {
            if let leftOut = lines.admit() {
                let path = request.uri.path.hasPrefix("/l/") ? "/l/…" : String(request.uri.path.prefix(200))
                log.error("a request failed", metadata: ["path": "\(path)", "why": "\(error)", "left_out": "\(leftOut)"])
            }
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
