import Logging
import SiteConfiguration
import Synchronization
import Telemetry
import TimeSeriesStore

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
    public let version: String
    public let log: Logger
    private let arrangement: Mutex<Arrangement>

    /// The parts of a running gateway.
    public init(
        arrangement: Arrangement, store: Store, desk: SiteDesk, delivery: DeliveryDesk, telemetry: TelemetryWriter,
        boarding: BoardingRoom?, clock: GatewayClock, links: LinkSigner, upstream: UpstreamDesk? = nil, version: String, log: Logger
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
