import Casework
import Crypto
import CryptoExtras
import Documents
import Foundation
import Telemetry

/// What an account may do; the contract's roles of the API.
public enum AccountRole: String, Sendable, CaseIterable {
    case technician
    case gridWorker = "grid_worker"
    case committee, auditor, integrator, admin, property, station
}

/// Somebody who may use the console or the API.
public struct Account: Sendable, Hashable {
    public var name: String
    public var role: AccountRole
    /// The grid of a grid worker; nil means all.
    public var grid: String?

    /// An account.
    public init(name: String, role: AccountRole, grid: String? = nil) {
        self.name = name
        self.role = role
        self.grid = grid
    }

    /// Whoever sits at this machine while the configuration opens the console.
    static let local = Account(name: "local", role: .admin)
}

/// `users.yaml`: accounts with hashed passwords and tokens. Written by `wellward user add` and `wellward token add`.
public struct AccountFile: Sendable {
    /// One line of the file.
    struct Entry: Sendable, Hashable {
        var account: Account
        var passwordHash: String?
        var tokenHash: String?
    }

    var entries: [Entry]

    /// A file with nobody in it.
    public init() { entries = [] }

    /// Reads the file.
    /// - Throws: `DocumentIssues` with line and fix.
    public init(parsing text: String, file: String) throws(DocumentIssues) {
        entries = []
        guard !text.allSatisfy(\.isWhitespace) else { return }
        let root = try DocumentNode.parse(text, file: file)
        for key in ["users", "tokens"] {
            for node in root.list(key) {
                let name = node.string("name", required: true)
                let role = node.choice("role", AccountRole.self, required: true)
                let grid = node.string("grid")
                let password = node.string("password_hash")
                let token = node.string("token_hash")
                node.finish()
                guard let name, let role else { continue }
                entries.append(Entry(account: Account(name: name, role: role, grid: grid), passwordHash: password, tokenHash: token))
            }
        }
        root.finish()
        guard root.log.issues.isEmpty else { throw DocumentIssues(root.log.issues) }
    }

    /// The file's text.
    public var text: String {
        func lines(_ picked: [Entry]) -> String {
            picked.map { entry in
                var line = "  - name: \(quoted(entry.account.name))\n    role: \(entry.account.role.rawValue)\n"
                if let grid = entry.account.grid { line += "    grid: \(quoted(grid))\n" }
                if let hash = entry.passwordHash { line += "    password_hash: \(quoted(hash))\n" }
                if let hash = entry.tokenHash { line += "    token_hash: \(quoted(hash))\n" }
                return line
            }.joined()
        }
        let users = entries.filter { $0.passwordHash != nil }
        let tokens = entries.filter { $0.tokenHash != nil }
        return "# Written by `wellward user add` and `wellward token add`; passwords and tokens are hashed.\n"
            + (users.isEmpty ? "users: []\n" : "users:\n\(lines(users))") + (tokens.isEmpty ? "tokens: []\n" : "tokens:\n\(lines(tokens))")
    }

    private func quoted(_ text: String) -> String {
        "\"" + text.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"") + "\""
    }

    /// Adds or replaces a user.
    /// - Throws: an error of the cryptographic library.
    public mutating func setUser(_ account: Account, password: String) throws {
        entries.removeAll { $0.account.name == account.name && $0.passwordHash != nil }
        entries.append(Entry(account: account, passwordHash: try PasswordHash.make(password), tokenHash: nil))
    }

    /// Adds a token.
    /// - Returns: the token, which is shown once and kept nowhere.
    public mutating func addToken(_ account: Account) -> String {
        let secret = Data((0..<32).map { _ in UInt8.random(in: 0...255) })
        let token = "ww_" + secret.base64EncodedString().filter { $0.isLetter || $0.isNumber }
        entries.append(Entry(account: account, passwordHash: nil, tokenHash: AccountFile.tokenHash(token)))
        return token
    }

    /// Takes a user out.
    /// - Returns: whether there was one
    public mutating func removeUser(_ name: String) -> Bool { remove { $0.account.name == name && $0.passwordHash != nil } }

    /// Takes the tokens of a name out.
    /// - Returns: whether there was one
    public mutating func removeToken(_ name: String) -> Bool { remove { $0.account.name == name && $0.tokenHash != nil } }

    private mutating func remove(_ isMeant: (Entry) -> Bool) -> Bool {
        let before = entries.count
        entries.removeAll(where: isMeant)
        return entries.count < before
    }

    static func tokenHash(_ token: String) -> String {
        // A token is 32 random bytes: a plain hash cannot be guessed back.
        Data(SHA256.hash(data: Data(token.utf8))).map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }

    /// Whether a line stands in the file, with the same password or token, role and grid.
    func holds(_ entry: Entry) -> Bool { entries.contains(entry) }

    /// The line of a token.
    func entry(token: String) -> Entry? {
        let hash = AccountFile.tokenHash(token)
        return entries.first { $0.tokenHash == hash }
    }

    /// The account of somebody who signs in with a password.
    func account(named name: String) -> Account? { entries.first { $0.account.name == name && $0.passwordHash != nil }?.account }

    /// The line of a name and a password.
    func entry(name: String, password: String) -> Entry? {
        guard let entry = entries.first(where: { $0.account.name == name && $0.passwordHash != nil }), let hash = entry.passwordHash else {
            // As slow as a wrong password: how long an answer takes must not tell which names there are.
            _ = PasswordHash.matches(password, PasswordHash.nobody)
            return nil
        }
        return PasswordHash.matches(password, hash) ? entry : nil
    }
}

/// Passwords hashed with scrypt (RFC 7914) at N = 2¹⁵, r = 8, p = 1: 32 MiB and some tens of milliseconds a try.
/// No more is spent on a line that somebody wrote by hand: memory is the watch's.
enum PasswordHash {
    private static let rounds = 1 << 15
    /// A hash that no password has.
    static let nobody = "scrypt$\(rounds)$\(Data(repeating: 0, count: 16).base64EncodedString())$\(Data(repeating: 0, count: 32).base64EncodedString())"

    static func make(_ password: String) throws -> String {
        let salt = Data((0..<16).map { _ in UInt8.random(in: 0...255) })
        return "scrypt$\(rounds)$\(salt.base64EncodedString())$\(try derive(password, salt, rounds).base64EncodedString())"
    }

    static func matches(_ password: String, _ stored: String) -> Bool {
        let parts = stored.split(separator: "$").map(String.init)
        guard parts.count == 4, parts[0] == "scrypt", let rounds = Int(parts[1]), (1024...Self.rounds).contains(rounds),
            let salt = Data(base64Encoded: parts[2]), let expected = Data(base64Encoded: parts[3]),
            let derived = try? derive(password, salt, rounds), derived.count == expected.count
        else { return false }
        return zip(derived, expected).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }

    private static func derive(_ password: String, _ salt: Data, _ rounds: Int) throws -> Data {
        let key = try KDF.Scrypt.deriveKey(
            from: Data(password.utf8), salt: salt, outputByteCount: 32, rounds: rounds, blockSize: 8, parallelism: 1)
        return key.withUnsafeBytes { Data($0) }
    }
}
