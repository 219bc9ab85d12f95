import BoardingControl
import Casework
import DeviceProfiles
import Phrasebook
import Safeguarding
import Telemetry

/// One gateway's configuration, checked: every reference in it resolves. What `configuration.md` of the contract says.
public struct SiteConfiguration: Sendable {
    public var siteID: SiteID
    public var siteName: String
    public var clock: CivilClock
    public var language: Language
    public var storage: Storage
    public var console: Console
    public var mqtt: Broker?
    public var buses: [Bus]
    public var meters: [Meter]
    public var households: [Household]
    public var policies: [String: SafeguardingPolicy]
    public var elevators: [Elevator]
    public var contacts: [Contact]
    public var channels: [Channel]
    public var ladders: Ladders
    public var links: Links
    public var heartbeat: Heartbeat?
    /// Where journal entries are sent on to; nil when nowhere.
    public var upstream: Upstream?
    /// When the monthly drill is held; nil when never.
    public var drill: Drill?
    /// How other devices' messages become incidents.
    public var events: [EventSource] = []
    /// The profiles the meters name.
    public var profiles: [ProfileID: MeterProfile]

    /// Where and how the record is kept.
    public struct Storage: Sendable, Hashable {
        public var path: String
        public var retainReadings: Interval
        public var commitEvery: Interval
        /// Days that ended so long ago are packed.
        public var sealAfter: Interval = .days(2)
        /// Packed days older than this keep one reading in `thinEvery`; nil keeps all.
        public var thinAfter: Interval?
        public var thinEvery: Interval = .hours(1)
        /// The record holds no more than so many bytes.
        public var sizeCapBytes: Int64 = 4_000_000_000
        public var retainCases: Interval = .days(1096)
        public var retainJournal: Interval = .days(731)
    }

    /// The page and the API.
    public struct Console: Sendable, Hashable {
        public var host: String
        public var port: Int
        /// Hashed passwords and tokens. While the file cannot be read, nobody comes in.
        public var usersFile: String?
        /// Whether everybody on this machine is admin where no users file is named.
        public var open = false
        /// The address links start with.
        public var publicURL: String?

        /// A console.
        public init(host: String, port: Int, usersFile: String? = nil, open: Bool = false, publicURL: String? = nil) {
            (self.host, self.port, self.usersFile, self.open, self.publicURL) = (host, port, usersFile, open, publicURL)
        }

        /// Whether it listens on this machine only.
        public var isOnLoopback: Bool { host == "localhost" || host == "::1" || Self.isLoopback(host) }
        /// Whether whoever is on this machine needs no account.
        public var isOpenToThisMachine: Bool { usersFile == nil && open && isOnLoopback }

        /// Whether a name is an IPv4 address of this machine, and no name that begins like one.
        public static func isLoopback(_ name: String) -> Bool {
            let parts = name.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
            return parts.count == 4 && parts.allSatisfy { $0.map { (0...255).contains($0) } ?? false } && parts[0] == 127
        }
    }

    /// The MQTT broker.
    public struct Broker: Sendable, Hashable {
        public var host: String
        public var port: Int
        public var username: String?
        public var passwordFile: String?
        public var authorityFile: String?
        public var certificateFile: String?
        public var keyFile: String?
        /// Whether the broker runs on this machine.
        public var isLoopback: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }
    }

    /// A serial line or a TCP endpoint.
    public struct Bus: Sendable, Hashable {
        /// How the bytes travel.
        public enum Transport: String, Sendable, CaseIterable {
            case rtu, tcp
            case rtuOverTCP = "rtu-over-tcp"
        }
        public var id: BusID
        public var transport: Transport
        public var device: String
        public var baud: Int
        public var parity: Parity
        public var stopBits: Int
        public var host: String
        public var port: Int
        public var responseTimeout: Interval
        public var betweenRequests: Interval
        /// Whether the line is closed when no meter of it is due: for converters that serve one client at a time.
        public var closeAfterRound = false
    }

    /// An instance of a meter.
    public struct Meter: Sendable, Hashable {
        public var id: MeterID
        public var bus: BusID
        public var unit: Int
        public var profile: ProfileID
        public var poll: Interval
        public var parameters: [String: String]
        public var disabled: Bool
    }

    /// A home. The only place with a name and an address.
    public struct Household: Sendable, Hashable {
        public var id: HouseholdID
        public var name: String
        public var address: String
        public var meter: MeterID?
        public var livesAlone: Bool
        public var policy: String
        public var grid: String?
        public var contacts: [ContactID]
        public var consent: Consent?
    }

    /// Who agreed to the watching, and when.
    public struct Consent: Sendable, Hashable {
        public var given: String
        public var by: String
    }

    /// An elevator.
    public struct Elevator: Sendable, Hashable {
        public var id: ElevatorID
        public var profile: ProfileID
        /// How its controller speaks.
        public var speech: ElevatorProfile
        /// The controller's own address in its topics.
        public var address: String
        public var policy: BoardingPolicy
        public var contacts: [ContactID]
        public var signedBy: String?
        public var signedOn: String?
    }

    /// A person. The name is for pages and notices only.
    public struct Contact: Sendable, Hashable {
        public var card: ContactCard
        public var name: String
        public var phone: String?
        public var email: String?
    }

    /// A way of telling.
    public struct Channel: Sendable, Hashable {
        /// The kinds of channels.
        public enum Kind: String, Sendable, CaseIterable { case wecom, dingtalk, feishu, webhook, smtp, ntfy, mqtt, file }
        public var id: ChannelID
        public var kind: Kind
        /// Plain settings by key.
        public var settings: [String: String]
        /// Files by key, absolute.
        public var files: [String: String]
        /// Whether names may go out; group robots show none unless this says so.
        public var names: Bool
        public var line: Int?
    }

    /// Signed links.
    public struct Links: Sendable, Hashable {
        public var validFor: Interval
        public var secretFile: String?
    }

    /// A sign of the gateway's own life.
    public struct Heartbeat: Sendable, Hashable {
        public var urlFile: String
        public var every: Interval
    }

    /// The way to a town's hub: a broker that keeps what it is given.
    public struct Upstream: Sendable, Hashable {
        public var broker: Broker
        /// The beginning of its topics.
        public var topic: String
        public var mostBytes: Int64
        public var longest: Interval
        /// Whether payloads are deflated (RFC 1950).
        public var deflates: Bool
    }

    /// A drill: the ladder walked end to end once a month, marked as such.
    public struct Drill: Sendable, Hashable {
        /// The day of the month, 1 to 28.
        public var day: Int
        /// Minutes after midnight.
        public var minute: Int

        /// A drill on a day of the month, so many minutes after midnight.
        public init(day: Int, minute: Int) {
            self.day = day
            self.minute = minute
        }
    }

    /// A device that is no meter and no lift, whose messages become cases of kind `incident`: a camera, a bin, a smoke detector.
    public struct EventSource: Sendable, Hashable {
        public var id: String
        /// The topic it speaks on; `+` and `#` as MQTT has them.
        public var topic: String
        /// JSON Pointers (RFC 6901) into its payload: what is told about it, and when it is over.
        public var text: String?
        public var subject: String?
        /// The value at this place must be one of `when`; with none, every message counts.
        public var match: String?
        public var when: [String]
        /// Values of `match` that end the incident.
        public var clears: [String]
        public var severity: Severity
        /// The ladder it climbs.
        public var ladder: String
        public var title: LocalizedText
    }

    /// A meter by id.
    public func meter(_ id: MeterID) -> Meter? { meters.first { $0.id == id } }
    /// Whether a meter is polled: not disabled, and of homes only those whose consent is on record.
    public func isPolled(_ meter: Meter) -> Bool {
        guard !meter.disabled else { return false }
        guard let home = household(of: meter.id) else { return true }
        return home.consent != nil
    }
    /// The home a meter belongs to.
    public func household(of meter: MeterID) -> Household? { households.first { $0.meter == meter } }
}
