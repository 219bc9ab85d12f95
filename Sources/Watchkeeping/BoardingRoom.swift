import BoardingControl
import Foundation
import Logging
import Messaging
import SiteConfiguration
import Synchronization
import Telemetry
import Threads

/// The elevators' fast path: one thread of its own takes messages from the broker, asks the desks, and publishes. It
/// touches no disk and waits for nobody; findings and the journal go to the site's desk behind it.
public final class BoardingRoom: Sendable {
    /// What pages show of an elevator.
    public struct View: Sendable, Hashable {
        public var id: ElevatorID
        public var online: Bool
        public var mode: BoardingMode
        public var status: ElevatorStatus?
        public var statusAt: WallTime?
        public var holdSince: WallTime?
        public var holdEndsBy: WallTime?
        public var holdCommand: String?
        public var coolDownUntil: WallTime?
    }

    /// What the room tells the site.
    public enum Report: Sendable {
        case finding(Finding)
        case clearEquipment(ElevatorID)
        case record(BoardingRecord)
        case changed(ElevatorID)
    }

    /// Messages that could not be used, by reason.
    public struct Refusals: Sendable, Hashable {
        public var malformed = 0
        public var unknownTopic = 0
        public var unknownElevator = 0
        public var overflow = 0
        public var retainedCommand = 0
        /// Messages of a lift that cannot be used, by the field that is wrong.
        public var byElevator: [ElevatorID: [String: Int]] = [:]
    }

    enum Item: Sendable {
        case event(MQTTEvent)
        case release(ElevatorID, by: String)
        case falseAlarm(ElevatorID)
        case openCase(ElevatorID, CaseID?)
        case configure([SiteConfiguration.Elevator])
        case stop(@Sendable () -> Void)
    }

    static let root = "wellward/v1/elevators/"
    let queue = BlockingQueue<Item>(capacity: 20_000)
    let client = Mutex<MQTTClient?>(nil)
    let views = Mutex<[ElevatorID: View]>([:])
    let refused = Mutex(Refusals())
    let connected = Mutex(false)
    let clock: GatewayClock
    let zone: CivilClock
    let boot: String
    let log: Logger
    let speeches: Set<ElevatorProfile>
    let report: @Sendable (Report) -> Void
    /// When doors were held within the hour before the start.
    let heldLately: [ElevatorID: [WallTime]]

    /// A room for some elevators; `start` opens it.
    public init(
        _ elevators: [SiteConfiguration.Elevator], clock: GatewayClock, zone: CivilClock, boot: String, log: Logger,
        heldLately: [ElevatorID: [WallTime]] = [:], report: @escaping @Sendable (Report) -> Void
    ) {
        self.clock = clock
        self.zone = zone
        self.boot = boot
        self.log = log
        self.report = report
        self.heldLately = heldLately
        speeches = Set(elevators.map(\.speech)).filter { !$0.isNative }
        queue.push(.configure(elevators))
    }

    /// Connects to the broker and begins to work.
    public func start(_ settings: MQTTSettings) throws(MQTTFault) {
        let queue = queue
        var topics = ["status", "detection", "availability", "ack", "command"].map { ("\(Self.root)+/\($0)", Int32(1)) }
        // Makers' own topics; those of a profile that a later reload brings in need a restart.
        for speech in speeches {
            for topic in ElevatorProfile.Topic.allCases where topic != .command { speech.subscription(topic).map { topics.append(($0, 1)) } }
        }
        let journal = ConnectionLog("boarding", log)
        let made = try MQTTClient(settings, subscribe: topics, onHealth: journal.take) { queue.push(.event($0)) }
        client.withLock { $0 = made }
        let room = self
        OwnThread.start {
            var worker = Worker(room)
            worker.work()
        }
    }

    /// The elevators as they stand.
    public var elevators: [View] { views.withLock { $0.values.sorted { $0.id < $1.id } } }
    /// Whether the broker is reached.
    public var isConnected: Bool { connected.withLock { $0 } }
    /// How the connection to the broker stands.
    public var health: ConnectionHealth { client.withLock { $0?.health } ?? ConnectionHealth() }
    /// Messages that could not be used.
    public var refusals: Refusals {
        var counts = refused.withLock { $0 }
        counts.overflow = queue.refusals
        return counts
    }

    /// A person releases a door.
    public func release(_ elevator: ElevatorID, by who: String) { queue.push(.release(elevator, by: who)) }
    /// A person called an alarm false.
    public func falseAlarm(_ elevator: ElevatorID) { queue.push(.falseAlarm(elevator)) }
    /// The case that commands mention from now on.
    public func setOpenCase(_ elevator: ElevatorID, _ id: CaseID?) { queue.push(.openCase(elevator, id)) }
    /// New settings; elevators that stay keep their state.
    public func configure(_ elevators: [SiteConfiguration.Elevator]) { queue.push(.configure(elevators)) }

    /// Releases every held door and says goodbye.
    public func stop() async {
        await withCheckedContinuation { continuation in
            if !queue.push(.stop { continuation.resume() }) { continuation.resume() }
        }
    }
}
