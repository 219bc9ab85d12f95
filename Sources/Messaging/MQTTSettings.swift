import Telemetry

/// How to reach a broker. Files are read at each attempt, so that a mended one is found without a restart.
public struct MQTTSettings: Sendable, Hashable {
    public var host: String
    public var port: Int
    /// What the client's identifier begins with; the rest is drawn at random at each start, so that nobody can take it beforehand.
    public var clientID: String
    public var username: String?
    public var password: String?
    /// A file that holds the password, instead of `password`.
    public var passwordFile: String?
    /// Certificate authority, certificate, key; nil speaks in the clear.
    public var tls: TLS?
    /// Published by the broker when the connection breaks.
    public var will: (topic: String, payload: String)?
    /// After so long without a word the broker is asked whether it lives; after the same again it is given up. 5 s at least (libmosquitto).
    public var keepAlive: Interval

    /// Files of a TLS connection.
    public struct TLS: Sendable, Hashable {
        public var authority: String
        public var certificate: String?
        public var key: String?

        /// TLS with an authority, and with a client certificate if both its files are given.
        public init(authority: String, certificate: String? = nil, key: String? = nil) {
            self.authority = authority
            self.certificate = certificate
            self.key = key
        }
    }

    /// Settings with defaults.
    public init(
        host: String, port: Int, clientID: String, username: String? = nil, password: String? = nil, passwordFile: String? = nil, tls: TLS? = nil,
        will: (topic: String, payload: String)? = nil, keepAlive: Interval = .seconds(5)
    ) {
        self.host = host
        self.port = port
        self.clientID = clientID
        self.username = username
        self.password = password
        self.passwordFile = passwordFile
        self.tls = tls
        self.will = will
        self.keepAlive = keepAlive
    }

    /// Two settings are the same when they reach the same broker as the same client.
    public static func == (left: MQTTSettings, right: MQTTSettings) -> Bool {
        left.host == right.host && left.port == right.port && left.clientID == right.clientID
            && left.username == right.username && left.password == right.password && left.passwordFile == right.passwordFile
            && left.tls == right.tls
    }

    /// See `==`.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(host)
        hasher.combine(port)
        hasher.combine(clientID)
    }
}

/// Why a call to the library failed, or the broker refused what it was handed.
public struct MQTTFault: Error, Sendable, CustomStringConvertible {
    /// What was tried.
    public var action: String
    /// What the library or the broker says.
    public var reason: String

    /// What was tried and what came of it.
    public var description: String { "\(action): \(reason)" }
}
