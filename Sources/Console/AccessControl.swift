import Foundation
import Hummingbird
import Synchronization
import Telemetry
import Threads
import Watchkeeping

/// Finds out who asks: a bearer token, a session cookie, or, while there is no users file, whoever is on this machine.
final class AccessControl: Sendable {
    private struct Session {
        var account: Account
        var csrf: String
        var until: Int64
    }

    static let cookie = "wellward_session"
    private static let sessionLasts: Int64 = 12 * 3600 * 1000
    private static let mostSessions = 500

    private let sessions = Mutex<[String: Session]>([:])
    /// Wrong passwords.
    private let signIns = RateLimit(most: 10)
    /// Links that were not signed here: nobody stumbles over so many.
    let strangeLinks = RateLimit(most: 20)
    /// Any password, right or wrong, from one address: many people may sit behind a proxy.
    private let knocks = RateLimit(most: 60)
    /// Who looked at what.
    let views = ViewAudit()
    private let file = Mutex<(path: String, modified: Date, accounts: AccountFile)?>(nil)
    let premises: Premises
    /// Protects forms while there are no sessions.
    let localToken = AccessControl.random()

    init(_ premises: Premises) { self.premises = premises }

    /// Whether there is a users file at all.
    var isGuarded: Bool { premises.configuration.console.usersFile != nil }

    static func random() -> String {
        (0..<24).map { _ in UInt8.random(in: 0...255) }.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// The accounts, read again when the file has changed.
    private func accounts() -> AccountFile {
        guard let path = premises.configuration.console.usersFile else { return AccountFile() }
        let modified = (try? FileManager.default.attributesOfItem(atPath: path)[.modificationDate]) as? Date ?? .distantPast
        return file.withLock { cached in
            if let cached, cached.path == path, cached.modified == modified { return cached.accounts }
            let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
            let read = (try? AccountFile(parsing: text, file: path)) ?? AccountFile()
            cached = (path, modified, read)
            return read
        }
    }

    func account(of request: Request) -> (account: Account, csrf: String)? {
        if let header = request.headers[.authorization], header.lowercased().hasPrefix("bearer ") {
            return accounts().account(token: String(header.dropFirst(7))).map { ($0, "") }
        }
        guard isGuarded else { return (.local, localToken) }
        guard let id = Self.cookieValue(request) else { return nil }
        let now = GatewayClock.bootMilliseconds()
        let known = accounts()
        return sessions.withLock { sessions in
            guard let session = sessions[id], session.until > now else { return nil }
            // The file is asked each time: whoever was taken out of it, or has another role, must not go on for half a day.
            guard let account = known.account(named: session.account.name) else {
                sessions[id] = nil
                return nil
            }
            return (account, session.csrf)
        }
    }

    static func cookieValue(_ request: Request) -> String? {
        let cookies = request.headers[.cookie]?.split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) } ?? []
        return cookies.first { $0.hasPrefix("\(cookie)=") }.map { String($0.dropFirst(cookie.count + 1)) }
    }

    /// Signs somebody in.
    /// - Returns: the session's id, nil when name or password are wrong
    func signIn(name: String, password: String, from address: String) async throws(Problem) -> String? {
        let now = GatewayClock.bootMilliseconds()
        guard signIns.take("\(address)|\(name)"), knocks.take(address) else {
            throw Problem(.tooManyRequests, "Too many tries", "Wait five minutes and try again.")
        }
        let file = accounts()
        // Hashing takes its time on purpose: on a thread of its own, so that no other page waits for it.
        let account = await OwnThread.value { file.account(name: name, password: password) }
        guard let account else { return nil }
        signIns.forget("\(address)|\(name)")
        let id = Self.random()
        sessions.withLock { sessions in
            sessions = sessions.filter { $0.value.until > now }
            if sessions.count >= Self.mostSessions, let oldest = sessions.min(by: { $0.value.until < $1.value.until })?.key { sessions[oldest] = nil }
            sessions[id] = Session(account: account, csrf: Self.random(), until: now + Self.sessionLasts)
        }
        return id
    }

    /// Whether there is an account of that name.
    func isAccount(_ name: String) -> Bool { accounts().account(named: name) != nil }

    func signOut(_ request: Request) {
        guard let id = Self.cookieValue(request) else { return }
        sessions.withLock { $0[id] = nil }
    }
}

/// Puts the account into the context, or sends whoever has none away.
struct AccessMiddleware: RouterMiddleware {
    let access: AccessControl

    func handle(
        _ request: Request, context: ConsoleContext, next: (Request, ConsoleContext) async throws -> Response
    ) async throws -> Response {
        let path = request.uri.path
        let open = path == "/healthz" || path == "/login" || path.hasPrefix("/static/") || path.hasPrefix("/l/")
        guard !open else { return try await next(request, context) }
        guard let found = access.account(of: request) else {
            guard path.hasPrefix("/api/") || path == "/metrics" || path == "/readyz" || request.method != .get else {
                return Response(status: .seeOther, headers: [.location: "/login"])
            }
            throw Problem(.unauthorized, "Who are you?", "Send `Authorization: Bearer TOKEN`, or sign in at /login.")
        }
        if !access.isGuarded { try refuseForeignHost(request) }
        if request.method != .get, request.method != .head { try refuseForeignOrigin(request) }
        var context = context
        context.account = found.account
        context.session = found.csrf
        let response = try await next(request, context)
        if request.method == .get, response.status == .ok,
            let subject = ViewAudit.subject(of: path)
        {
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

    /// Whether a name is an IPv4 address of this machine, and no name that begins like one.
    static func isLoopback(_ name: String) -> Bool {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
        return parts.count == 4 && parts.allSatisfy { $0.map { (0...255).contains($0) } ?? false } && parts[0] == 127
    }

    /// Without accounts only names of this machine are answered to, so that no foreign name can be pointed at it.
    private func refuseForeignHost(_ request: Request) throws(Problem) {
        guard let host = request.head.authority else { return }
        let name = host.hasPrefix("[") ? "[::1]" : host.split(separator: ":").first.map(String.init) ?? ""
        guard name == "localhost" || name == "[::1]" || Self.isLoopback(name) else {
            throw .forbidden("Without a users file the console answers on this machine only.")
        }
    }
}
