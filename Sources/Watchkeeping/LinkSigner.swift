import Casework
import Crypto
import Foundation
import Telemetry

/// Signs the links that open one case without a login: HMAC-SHA256 over case, contact, expiry, issue and whether names may show.
public struct LinkSigner: Sendable {
    /// What a link allows.
    public struct Grant: Sendable, Hashable {
        public var caseID: CaseID
        public var contact: ContactID
        public var until: WallTime
        /// When it was made, in whole seconds: links made before a moment can be taken back together.
        public var issuedAt: WallTime
        /// Whether the channel it went out by may show names: a link in a group chat is opened by the group.
        public var named: Bool

        /// A grant.
        public init(caseID: CaseID, contact: ContactID, until: WallTime, issuedAt: WallTime = WallTime(unixSeconds: 0), named: Bool = true) {
            self.caseID = caseID
            self.contact = contact
            self.until = until
            self.issuedAt = issuedAt
            self.named = named
        }
    }

    private let key: SymmetricKey
    private let former: (key: SymmetricKey, issuedBefore: WallTime)?
    private let validFor: Interval
    /// By how much the clock may have been ahead when a link was made.
    private static let clockError = Interval.hours(1)

    /// A signer with a secret of at least 16 bytes.
    /// - Parameters:
    ///   - former: an earlier secret, which signs nothing any more; links it signed before a moment are read
    ///   - validFor: no link is good for longer than this from its making, whatever stands in it
    public init(secret: Data, former: (secret: Data, issuedBefore: WallTime)? = nil, validFor: Interval = .days(1)) {
        key = SymmetricKey(data: secret)
        self.former = former.map { (SymmetricKey(data: $0.secret), $0.issuedBefore) }
        self.validFor = validFor
    }

    /// The token that stands in a link.
    public func token(_ grant: Grant) -> String {
        let body = Self.body(grant)
        let code = Data(HMAC<SHA256>.authenticationCode(for: Data(body.utf8), using: key))
        return "\(Self.encode(Data(body.utf8))).\(Self.encode(code.prefix(20)))"
    }

    /// What a token is worth.
    public enum Reading: Sendable, Hashable {
        case good(Grant)
        /// It was signed here and has run out.
        case over(Grant)
        /// It was not signed here.
        case strange
    }

    /// Reads a token.
    /// - Returns: nil when it was not signed here or has run out
    public func grant(_ token: String, now: WallTime) -> Grant? { if case .good(let grant) = read(token, now: now) { grant } else { nil } }

    /// Reads a token.
    public func read(_ token: String, now: WallTime) -> Reading {
        guard let (grant, isFormer) = signed(token) else { return .strange }
        if isFormer, let former, grant.issuedAt >= former.issuedBefore { return .strange }
        let end = min(grant.until, grant.issuedAt + validFor)
        return now <= end && grant.issuedAt <= now + Self.clockError ? .good(grant) : .over(grant)
    }

    private func signed(_ token: String) -> (grant: Grant, isFormer: Bool)? {
        guard token.utf8.count <= 512 else { return nil }
        let parts = token.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let body = Self.decode(parts[0]), let given = Self.decode(parts[1]) else { return nil }
        // One token, one spelling: Base64 leaves spare bits at its end, and a link that was changed is no link of ours.
        guard Self.encode(body) == parts[0], Self.encode(given) == parts[1] else { return nil }
        let isOwn = Self.fits(given, body, key)
        guard isOwn || former.map({ Self.fits(given, body, $0.key) }) == true else { return nil }
        let fields = String(decoding: body, as: UTF8.self).split(separator: "|").map(String.init)
        guard fields.count == 5, let until = Int64(fields[2]), let issued = Int64(fields[3]), Self.times.contains(until), Self.times.contains(issued)
        else { return nil }
        let grant = Grant(
            caseID: CaseID(fields[0]), contact: ContactID(fields[1]), until: WallTime(unixSeconds: until), issuedAt: WallTime(unixSeconds: issued),
            named: fields[4] == "n")
        return (grant, !isOwn)
    }

    /// Moments that can be counted with; others are in no link of ours.
    private static let times: ClosedRange<Int64> = 0...253_402_300_799

    private static func fits(_ given: Data, _ body: Data, _ key: SymmetricKey) -> Bool {
        let expected = Data(HMAC<SHA256>.authenticationCode(for: body, using: key)).prefix(20)
        // Compared in constant time: how far a guess was right must not show.
        return given.count == expected.count && zip(given, expected).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }

    private static func body(_ grant: Grant) -> String {
        "\(grant.caseID)|\(grant.contact)|\(grant.until.unixSeconds)|\(grant.issuedAt.unixSeconds)|\(grant.named ? "n" : "-")"
    }

    /// The name of the fact that says until when links of a case were taken back, in Unix seconds.
    public static func revocation(of id: CaseID) -> String { "\(revocations)\(id)" }
    /// What the names of such facts begin with.
    public static let revocations = "links_revoked/"

    private static func encode(_ data: some DataProtocol) -> String {
        Data(data).base64EncodedString().replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")
            .replacingOccurrences(of: "=", with: "")
    }

    private static func decode(_ text: String) -> Data? {
        let plain = text.replacingOccurrences(of: "-", with: "+").replacingOccurrences(of: "_", with: "/")
        return Data(base64Encoded: plain + String(repeating: "=", count: (4 - plain.count % 4) % 4))
    }
}
