import Logging
import Messaging
import SiteConfiguration
import Synchronization
import Telemetry
import TimeSeriesStore

/// One connection to a broker as the console shows it.
public struct BrokerConnection: Sendable, Hashable {
    /// Whose it is: `boarding`, `events`, `notices`, `upstream`.
    public var user: String
    public var health: ConnectionHealth

    /// A connection.
    public init(_ user: String, _ health: ConnectionHealth) {
        self.user = user
        self.health = health
    }

    /// What is wrong, for whoever asks whether the gateway is ready. A hub that is not reached is no reason: the way there is often a mobile
    /// network, and nothing of the watch depends on it. One that refuses us does not mend itself, and is.
    public var reasons: [String] {
        let isHub = user == "upstream"
        let troubles = isHub ? health.troubles.filter { ![.unreachable, .silent, .lost, .unavailable].contains($0.kind) } : health.troubles
        if isHub || health.isConnected { return troubles.map { "broker (\(user)): \($0)" } }
        return troubles.isEmpty ? ["broker: not connected (\(user))"] : troubles.map { "broker: not connected (\(user)): \($0)" }
    }
}

/// The running gateway as its console and its commands see it.
public final class Premises: Sendable {
    /// What a reload can change.
    public struct Arrangement: Sendable {
        public var configuration: SiteConfiguration
        public var pollers: [BusPoller]

        /// An arrangement.
        public init(configuration: SiteConfiguration, pollers: [BusPoller]) {
            self.configuration = configuration
            self.pollers = pollers
        }
    }

    public let store: Store
    public let desk: SiteDesk
    public let delivery: DeliveryDesk
    public let telemetry: TelemetryWriter
    /// The elevators; nil without a broker in the configuration.
    public let boarding: BoardingRoom?
    public let clock: GatewayClock
    public let links: LinkSigner
    /// The way to the hub; nil without one in the configuration.
    public let upstream: UpstreamDesk?
    /// The connections to brokers that are configured, by who uses them.
    public let connections: @Sendable () -> [BrokerConnection]
    public let version: String
    public let log: Logger
    private let arrangement: Mutex<Arrangement>

    /// The parts of a running gateway.
    public init(
        arrangement: Arrangement, store: Store, desk: SiteDesk, delivery: DeliveryDesk, telemetry: TelemetryWriter,
        boarding: BoardingRoom?, clock: GatewayClock, links: LinkSigner, upstream: UpstreamDesk? = nil,
        connections: @escaping @Sendable () -> [BrokerConnection] = { [] }, version: String, log: Logger
    ) {
        self.arrangement = Mutex(arrangement)
        self.store = store
        self.desk = desk
        self.delivery = delivery
        self.telemetry = telemetry
        self.boarding = boarding
        self.clock = clock
        self.links = links
        self.upstream = upstream
        self.connections = connections
        self.version = version
        self.log = log
    }

    /// The configuration in force.
    public var configuration: SiteConfiguration { arrangement.withLock { $0.configuration } }
    /// The buses at work.
    public var pollers: [BusPoller] { arrangement.withLock { $0.pollers } }
    /// Puts a new arrangement in place.
    public func rearrange(_ new: Arrangement) { arrangement.withLock { $0 = new } }
}
