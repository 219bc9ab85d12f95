import Telemetry

/// Decides when each notice is tried. One queue for each channel, so that a dead channel delays no other; within a channel the notices of one
/// case for one reader keep their order, while readers and cases travel side by side: one reader's slow relay costs no other a minute. A pure value.
public struct DeliverySchedule: Sendable {
    /// A notice under way.
    public struct Item: Sendable, Hashable, Codable {
        /// How far it has come.
        public enum State: String, Sendable, Codable { case queued, sent, failed, dead }
        public var notice: Notice
        public var state: State
        public var attempts: Int
        /// The next try on the elapsed-time axis.
        public var nextAt: Interval
        public var sentAt: WallTime?
        /// When it was tried first, on the elapsed-time axis.
        public var firstTriedAt: Interval?
        /// Why the last try failed.
        public var lastFault: String?

        /// A notice that was never tried.
        public init(_ notice: Notice) {
            self.notice = notice
            state = .queued
            attempts = 0
            nextAt = notice.notBefore
        }
    }

    /// How a try ended.
    public enum Attempt: Sendable, Hashable {
        case delivered
        /// May work later; the server may have said when.
        case failed(String, retryAfter: Interval?)
        /// The channel takes no more for now, whoever the reader is: tried again, and everything on the channel more slowly until it takes again.
        case limited(String, retryAfter: Interval?)
        /// This reader is put off, others may not be: tried again.
        case deferred(String)
        /// Will never work for this reader: a refused mailbox, no address.
        case refused(String)

        /// Why it did not work; nil when it did.
        public var why: String? {
            switch self {
            case .delivered: nil
            case .failed(let why, _), .limited(let why, _), .deferred(let why), .refused(let why): why
            }
        }
    }

    /// What a channel bears: so many messages within so long. What is above waits its turn and then shares a message; nothing is dropped.
    public struct Pace: Sendable, Hashable {
        public var count: Int
        public var per: Interval
        /// How many notices may share one message when more wait than the pace has room for.
        public var merge: Int

        /// A pace.
        public init(count: Int, per: Interval, merge: Int = 1) {
            self.count = count
            self.per = per
            self.merge = merge
        }
    }

    /// What is tried at once on a channel: one notice, or several of different cases in one message.
    public struct Parcel: Sendable, Hashable {
        public var channel: ChannelID
        public var items: [Item]
    }

    /// A notice that could not be delivered for so long is dead, and shown as such.
    public static let givesUpAfter = Interval.days(1)
    static let firstBackOff = Interval.seconds(1)
    static let greatestBackOff = Interval.hours(1)
    /// An alarm is tried every minute: whoever mends the channel should not have to wait for the next hour.
    static let greatestBackOffOfAlarm = Interval.minutes(1)
    /// So many tries run side by side on a channel without a pace.
    public static let lanes = DeliveryQueue.lanes
    /// The longest that a server may put off what is no alarm.
    static let longestRetryAfter = Interval.hours(1)

    private var queues: [ChannelID: DeliveryQueue] = [:]
    private var jitter: UInt64
    /// The pace of channels that have one.
    public var paces: [ChannelID: Pace] = [:] {
        didSet { for channel in queues.keys { queues[channel]?.pace = paces[channel] } }
    }

    /// A schedule with the notices that were not delivered yet.
    public init(pending: [Item] = [], seed: UInt64) {
        jitter = seed
        for item in pending { put(item) }
    }

    private mutating func put(_ item: Item) {
        let channel = item.notice.channel
        if queues[channel] == nil { queues[channel] = DeliveryQueue(pace: paces[channel]) }
        queues[channel]?.put(item)
    }

    /// Takes a new notice, or one that was given up and is to be tried again.
    public mutating func enqueue(_ notice: Notice) { put(Item(notice)) }

    /// Drops what waits of which nobody is to hear any more; a try under way ends without a trace.
    /// - Returns: what was dropped
    public mutating func withdraw(where isMeant: (Notice) -> Bool) -> [NoticeID] {
        queues.keys.sorted().flatMap { queues[$0]?.withdraw(where: isMeant) ?? [] }
    }

    /// What to try now; it counts as under way until `finish`.
    public mutating func due(at now: Interval) -> [Parcel] {
        var result: [Parcel] = []
        for channel in queues.keys.sorted() {
            while let items = queues[channel]?.next(at: now) { result.append(Parcel(channel: channel, items: items)) }
        }
        return result
    }

    /// Notes how a try ended.
    /// - Returns: the items as they must be saved
    public mutating func finish(_ parcel: Parcel, _ attempt: Attempt, at now: Instant) -> [Item] {
        var seed = jitter
        var finished: [Item] = []
        switch attempt {
        case .delivered: queues[parcel.channel]?.speedUp()
        case .limited(_, let asked): queues[parcel.channel]?.slowDown(at: now.elapsed, asked: asked)
        case .failed, .deferred, .refused: break
        }
        queues[parcel.channel]?.finish(parcel.items.map(\.notice.id), at: now.elapsed) { item, isUrgent in
            let ended = Self.ended(item, attempt, isUrgent: isUrgent, at: now, &seed)
            finished.append(ended)
            return ended.state == .failed ? ended : nil
        }
        jitter = seed
        if queues[parcel.channel]?.isIdle == true { queues[parcel.channel] = nil }
        return finished
    }

    private static func ended(_ tried: Item, _ attempt: Attempt, isUrgent: Bool, at now: Instant, _ seed: inout UInt64) -> Item {
        var item = tried
        item.attempts += 1
        let firstTried = item.firstTriedAt ?? now.elapsed
        item.firstTriedAt = firstTried
        var later: (why: String, asked: Interval?)
        switch attempt {
        case .delivered:
            item.state = .sent
            item.sentAt = now.wall
            item.lastFault = nil
            return item
        case .refused(let why):
            item.lastFault = why
            item.state = .dead
            return item
        case .failed(let why, let asked), .limited(let why, let asked): later = (why, asked)
        case .deferred(let why): later = (why, nil)
        }
        item.lastFault = later.why
        item.state = now.elapsed - firstTried >= givesUpAfter ? .dead : .failed
        let longest = isUrgent ? greatestBackOffOfAlarm : greatestBackOff
        // Nobody lies on the floor for an hour because a server asked for one: what an alarm cannot honour it leaves.
        let asked = min(later.asked ?? .zero, longestRetryAfter)
        item.nextAt = now.elapsed + max(backOff(item.attempts, longest, &seed), asked <= longest ? asked : .zero)
        return item
    }

    /// 1 s, 2 s, 4 s … up to the longest, each shortened by up to a quarter so that many gateways do not knock together.
    private static func backOff(_ attempts: Int, _ longest: Interval, _ seed: inout UInt64) -> Interval {
        let doubled = firstBackOff.milliseconds << Int64(min(attempts - 1, 12))
        let capped = min(doubled, longest.milliseconds)
        seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let share = Int64(seed >> 54)  // 0…1023
        return .milliseconds(capped - capped / 4 * share / 1024)
    }

    /// The next moment at which something is due on a channel that has room.
    public var nextDue: Interval? { queues.values.compactMap(\.nextDue).min() }

    /// How many notices wait, by channel.
    public var waiting: [ChannelID: Int] { queues.compactMapValues { $0.isEmpty ? nil : $0.count } }
}
