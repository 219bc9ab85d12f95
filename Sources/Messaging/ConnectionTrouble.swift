/// What is known to be wrong with a connection to a broker.
public struct ConnectionTrouble: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of trouble, as metrics label it.
    public enum Kind: String, Sendable, CaseIterable {
        /// The name is not known, nobody listens, or no way leads there.
        case unreachable
        /// Somebody listens and says nothing: the broker hangs, or something between swallows the bytes.
        case silent
        case loginRefused = "login_refused"
        case identifierRefused = "identifier_refused"
        /// The broker says that it is busy, stopping, or not to be used.
        case unavailable
        /// The two do not agree on a certificate: expired, not valid yet, another authority or name, or ours is not liked.
        case certificate
        /// A file of ours (authority, certificate, key, password) cannot be read.
        case file
        case subscriptionRefused = "subscription_refused"
        case publicationRefused = "publication_refused"
        /// Another client came with our identifier, and the broker hung up on us.
        case takenOver = "taken_over"
        /// Connections are made and lost within seconds, again and again.
        case unstable
        /// A connection that worked has ended.
        case lost
        /// What came was no MQTT of a version that we speak.
        case noMQTT = "no_mqtt"
    }

    public var kind: Kind
    /// What the broker, the system or the TLS library said; without secrets.
    public var detail: String

    /// A trouble.
    public init(_ kind: Kind, _ detail: String = "") {
        self.kind = kind
        self.detail = detail
    }

    /// What is wrong, in a sentence for log and `/readyz`.
    public var description: String { detail.isEmpty ? sentence : "\(sentence): \(detail)" }

    private var sentence: String {
        switch kind {
        case .unreachable: "the broker is not reached"
        case .silent: "the broker does not answer"
        case .loginRefused: "the broker refuses the login"
        case .identifierRefused: "the broker refuses the client identifier"
        case .unavailable: "the broker is not available"
        case .certificate: "the TLS certificates do not fit"
        case .file: "a file of the connection cannot be read"
        case .subscriptionRefused: "the broker refuses a subscription"
        case .publicationRefused: "the broker refuses a publication"
        case .takenOver: "another client takes our place at the broker"
        case .unstable: "the connection is lost again and again soon after it is made; another client may have our name"
        case .lost: "the connection was lost"
        case .noMQTT: "what answers there is no MQTT broker we can speak to"
        }
    }
}

/// How a connection stands.
public struct ConnectionHealth: Sendable, Hashable {
    /// Whether the broker has let us in.
    public var isConnected = false
    /// What is known to be wrong, the gravest first; empty while the first attempt is still open, too.
    public var troubles: [ConnectionTrouble] = []
    /// How many connections were tried.
    public var attempts = 0

    /// A connection nobody has tried yet.
    public init() {}

    /// Connected, and nothing is known to be wrong.
    public var isGood: Bool { isConnected && troubles.isEmpty }
}
