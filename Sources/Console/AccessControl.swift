import Foundation
import Hummingbird
import Synchronization
import Telemetry
import Threads
import Watchkeeping

/// Finds out who asks: a bearer token, a session cookie, or, where the configuration opens the console, whoever is on this machine.
final class AccessControl: Sendable {
    /// Somebody who has shown who they are, and by what.
    struct Visitor: Sendable {
        /// What the account hangs on.
        enum Proof: Sendable {
            case thisMachine
            case token(AccountFile.Entry)
            case session(String, AccountFile.Entry)
        }

        var account: Account
        /// For forms; empty with a token.
        var csrf: String
        var proof: Proof
    }

    private struct Accounts {
        var register: AccountRegister
        var mark: UsersFile.Mark?
    }

    static let cookie = "wellward_session"

    private let sessions = Mutex(SessionTable())
    /// Wrong passwords.
    private let signIns = RateLimit(most: 10)
    /// Links that were not signed here: nobody stumbles over so many.
    let strangeLinks = RateLimit(most: 20)
    /// Any password, right or wrong, from one address: many people may sit behind a proxy.
    private let knocks = RateLimit(most: 60)
    /// Who looked at what.
    let views = ViewAudit()
    /// Refused sign-ins, for the audit.
    let refusals = Mutex(RefusalTally())
    /// A password takes 32 MiB and a tenth of a second of a processor: two at a time, eight more may wait.
    private let hashing = BlockingPool(workers: 2, waiting: 8, isPatient: true)
    /// Of these one address has at most so many.
    private static let mostOfAddress = 5
    private let hashingByAddress = Mutex<[String: Int]>([:])
    /// Looks at the users file: a disk that hangs holds up pages, and nothing else.
    private let files = BlockingPool(workers: 1, waiting: 255)
    private let accounts: Mutex<Accounts>
    /// Whether the socket answers this machine only; it is opened once, whatever a reload says later.
    private let isOnLoopback: Bool
    let premises: Premises
    /// Whose the connections are.
    let ledger: ConnectionLedger
    /// Pages and lists hold what they show in memory while they are made.
    let looking = RequestGate(workers: 6, waiting: 60, share: 24)
    /// Acts never wait behind them.
    let acting = RequestGate(workers: 12, waiting: 60, share: 24)
    /// Protects forms while there are no sessions.
    let localToken = AccessControl.random()

    init(_ premises: Premises, _ ledger: ConnectionLedger) {
        self.premises = premises
        self.ledger = ledger
        let console = premises.configuration.console
        isOnLoopback = console.isOnLoopback
        accounts = Mutex(Accounts(register: AccountRegister(isOpen: console.isOpenToThisMachine && console.isOnLoopback)))
    }

    /// Whether people must show who they are.
    var isGuarded: Bool { if case .open = standing { false } else { true } }

    /// Who may come in, as last looked.
    var standing: AccountRegister.Standing { accounts.withLock { $0.register.standing } }

    static func random() -> String {
        (0..<24).map { _ in UInt8.random(in: 0...255) }.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    // MARK: The users file

    /// Looks whether the users file has changed, on a thread that may wait for the disk.
    /// - Returns: who may come in now
    func look() async throws(Problem) -> AccountRegister.Standing {
        do throws(BlockingPool.Full) {
            return try await files.value { self.lookNow() }
        } catch {
            throw .busy("The users file cannot be looked at just now.")
        }
    }

    /// The pool has one thread: looks come one after another.
    private func lookNow() -> AccountRegister.Standing {
        let console = premises.configuration.console
        guard let path = console.usersFile else {
            return accounts.withLock { accounts in
                if accounts.mark != nil { accounts = Accounts(register: AccountRegister(isOpen: console.isOpenToThisMachine && isOnLoopback)) }
                return accounts.register.standing
            }
        }
        let mark = UsersFile.mark(path)
        if let standing = accounts.withLock({ $0.mark == mark ? $0.register.standing : nil }) { return standing }
        let sight = UsersFile.look(path)
        let (standing, news) = accounts.withLock { accounts in
            let news = accounts.register.see(sight)
            accounts.mark = mark
            return (accounts.register.standing, news)
        }
        if case .accounts(let file) = standing { sessions.withLock { $0.endAll(notIn: file) } }
        switch news {
        case .opened: premises.log.notice("the users file is read again; the console is open to its accounts", metadata: ["file": "\(path)"])
        case .kept(let why):
            premises.log.error("the users file cannot be used; the accounts known so far stay", metadata: ["file": "\(path)", "why": "\(why)"])
        case .shut(let why):
            premises.log.error(
                "the users file cannot be read; the console is shut until it can, homes are watched all the same",
                metadata: ["file": "\(path)", "why": "\(why)"])
        case nil: break
        }
        return standing
    }

    // MARK: Who asks

    /// Whoever a request shows itself to be.
    func visitor(_ request: Request, _ standing: AccountRegister.Standing) -> Visitor? {
        switch standing {
        case .shut: return nil
        case .open: return Visitor(account: .local, csrf: localToken, proof: .thisMachine)
        case .accounts(let file):
            if let header = request.headers[.authorization], header.lowercased().hasPrefix("bearer ") {
                return file.entry(token: String(header.dropFirst(7))).map { Visitor(account: $0.account, csrf: "", proof: .token($0)) }
            }
            guard let id = Self.cookieValue(request) else { return nil }
            let now = GatewayClock.bootMilliseconds()
            // The file is asked each time: whoever was taken out of it, or has another role, must not go on for half a day.
            guard let session = sessions.withLock({ $0.session(id, at: now) }), file.holds(session.entry) else { return nil }
            return Visitor(account: session.entry.account, csrf: session.csrf, proof: .session(id, session.entry))
        }
    }

    /// Whether what somebody came in by still opens the door; asked by whatever goes on for long.
    func stillHolds(_ proof: Visitor.Proof) async -> Bool {
        guard let standing = try? await look() else { return false }
        switch (standing, proof) {
        case (.open, .thisMachine): return true
        case (.accounts(let file), .token(let entry)): return file.holds(entry)
        case (.accounts(let file), .session(let id, let entry)):
            let now = GatewayClock.bootMilliseconds()
            return file.holds(entry) && sessions.withLock { $0.session(id, at: now) != nil }
        default: return false
        }
    }

    static func cookieValue(_ request: Request) -> String? {
        let cookies = request.headers[.cookie]?.split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) } ?? []
        return cookies.first { $0.hasPrefix("\(cookie)=") }.map { String($0.dropFirst(cookie.count + 1)) }
    }

    /// Signs somebody in.
    /// - Returns: the session's id, nil when name or password are wrong
    func signIn(name: String, password: String, from address: String) async throws(Problem) -> String? {
        let key = RateLimit.key(of: address)
        // The address goes first: once it is spent, nothing more is kept of it, whatever names it tries.
        guard knocks.take(key) else { throw .tooManyTries }
        let pair = "\(key)|\(name)"
        guard signIns.take(pair) else { throw .tooManyTries }
        guard case .accounts(let file) = try await look() else { return nil }
        guard enterHashing(key) else { throw .busy("Others are signing in.") }
        let found: AccountFile.Entry?
        do throws(BlockingPool.Full) {
            defer { leaveHashing(key) }
            found = try await hashing.value { file.entry(name: name, password: password) }
        } catch {
            throw .busy("Others are signing in.")
        }
        guard let found else { return nil }
        signIns.forget(pair)
        let id = Self.random()
        let now = GatewayClock.bootMilliseconds()
        sessions.withLock { $0.begin(id, found, csrf: Self.random(), at: now) }
        return id
    }

    private func enterHashing(_ key: String) -> Bool {
        hashingByAddress.withLock { counts in
            guard counts[key, default: 0] < Self.mostOfAddress else { return false }
            counts[key, default: 0] += 1
            return true
        }
    }

    private func leaveHashing(_ key: String) {
        hashingByAddress.withLock { counts in
            counts[key, default: 0] -= 1
            if counts[key] == 0 { counts[key] = nil }
        }
    }

    /// Whether there is an account of that name.
    func isAccount(_ name: String) -> Bool { if case .accounts(let file) = standing { file.account(named: name) != nil } else { false } }

    func signOut(_ request: Request) {
        guard let id = Self.cookieValue(request) else { return }
        sessions.withLock { $0.end(id) }
    }

    // MARK: The audit of refusals

    /// Writes a refused sign-in into the audit, or counts it where there are many.
    /// - Parameter who: an account's name or `unknown`
    func audit(refused why: String, who: String, from address: String) async {
        let lines = refusals.withLock { $0.note(why, from: address, at: GatewayClock.bootMilliseconds()) }
        await write(lines, who: who)
    }

    /// Writes down what was counted in a minute that is over.
    func auditCounted(last: Bool = false) async {
        let line = refusals.withLock { last ? $0.end() : $0.passed(at: GatewayClock.bootMilliseconds()) }
        if let line { await write([line], who: "unknown") }
    }

    private func write(_ lines: [RefusalTally.Line], who: String) async {
        guard !lines.isEmpty else { return }
        let now = premises.clock.now().wall
        do {
            try await premises.store.write { writer in
                for line in lines {
                    try writer.audit(who: line.isCount ? "unknown" : who, what: "sign-in refused", subject: "console", note: line.note, at: now)
                }
            }
        } catch {
            premises.log.error("refused sign-ins could not be audited", metadata: ["why": "\(error)"])
        }
    }
}

extension Problem {
    static var tooManyTries: Problem { Problem(.tooManyRequests, "Too many tries", "Wait five minutes and try again.", retryAfter: 300) }
    static func busy(_ why: String) -> Problem {
        var problem = Problem(.serviceUnavailable, "Busy", "\(why) Try again in a few seconds.", retryAfter: 3)
        problem.heading = .problemBusy
        return problem
    }

    /// The console without anybody who may come in.
    static func shut(_ reason: AccountRegister.Reason) -> Problem {
        let why =
            switch reason {
            case .noUsersFile: "the configuration names no users file (`console.users_file`); make one with `wellward user add`"
            case .missing: "the users file is missing; make one with `wellward user add`"
            case .unreadable: "the users file cannot be read; look at its rights and those of its folder"
            case .unparsable: "the users file is damaged; the gateway's log names the line"
            }
        var problem = Problem(.serviceUnavailable, "The console is shut", "Nobody can sign in: \(why). Homes are watched all the same.", retryAfter: 30)
        problem.heading = .problemShut
        return problem
    }
}
