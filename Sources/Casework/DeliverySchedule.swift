import Telemetry

/// Decides when each notice is tried. One queue for each channel, so that a dead channel delays no other; within a
/// channel the notices of one case keep their order, while a few cases travel side by side. A pure value.
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
        /// Will never work: a refused address, a wrong key.
        case refused(String)
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
    /// So many tries run side by side on a channel without a pace, so that one slow answer does not hold up the other cases.
    public static let lanes = 8

    private var queues: [ChannelID: [Item]] = [:]
    /// What is being tried now.
    private var underWay: [ChannelID: [Set<NoticeID>]] = [:]
    private var jitter: UInt64
    /// The pace of channels that have one.
    public var paces: [ChannelID: Pace] = [:]
    private var begun: [ChannelID: [Interval]] = [:]
    /// A channel on which nothing succeeds for so long is a case for technicians, long before a notice is given up.
    public static let troubledAfter = Interval.minutes(10)
    private var failingSince: [ChannelID: Interval] = [:]

    /// A schedule with the notices that were not delivered yet.
    public init(pending: [Item] = [], seed: UInt64) {
        jitter = seed
        for item in pending { queues[item.notice.channel, default: []].append(item) }
    }

    /// Takes a new notice, or one that was given up and is to be tried again.
    public mutating func enqueue(_ notice: Notice) {
        guard queues[notice.channel]?.contains(where: { $0.notice.id == notice.id }) != true else { return }
        queues[notice.channel, default: []].append(Item(notice))
    }

    /// What to try now; it counts as under way until `finish`.
    public mutating func due(at now: Interval) -> [Parcel] {
        var result: [Parcel] = []
        for channel in queues.keys.sorted() {
            while let parcel = next(on: channel, at: now) { result.append(parcel) }
        }
        return result
    }

    private mutating func next(on channel: ChannelID, at now: Interval) -> Parcel? {
        guard hasLane(channel), free(channel) <= now else { return nil }
        let waiting = eligible(channel).filter { $0.nextAt <= now }
        guard !waiting.isEmpty else { return nil }
        // Where things must wait, an alarm goes before an attention, and what was never tried before what failed.
        func rank(_ item: Item) -> Int { (item.notice.severity == .alarm ? 0 : 2) + (item.attempts == 0 ? 0 : 1) }
        let ordered = (0...3).flatMap { place in waiting.filter { rank($0) == place } }
        var count = 1
        if let pace = paces[channel] {
            let room = pace.count - (begun[channel] ?? []).count { $0 + pace.per > now }
            if ordered.count > room { count = pace.merge }
            begun[channel] = ((begun[channel] ?? []) + [now]).suffix(pace.count)
        }
        let items = Array(ordered.prefix(count))
        underWay[channel, default: []].append(Set(items.map(\.notice.id)))
        return Parcel(channel: channel, items: items)
    }

    /// A robot's messages go one after the other; elsewhere a few cases travel side by side.
    private func hasLane(_ channel: ChannelID) -> Bool {
        (underWay[channel]?.count ?? 0) < (paces[channel] == nil ? Self.lanes : 1)
    }

    /// From when on a channel bears another try.
    private func free(_ channel: ChannelID) -> Interval {
        guard let pace = paces[channel], let tries = begun[channel], tries.count >= pace.count, let oldest = tries.first else { return .zero }
        return oldest + pace.per
    }

    /// Notes how a try ended.
    /// - Returns: the items as they must be saved.
    public mutating func finish(_ parcel: Parcel, _ attempt: Attempt, at now: Instant) -> [Item] {
        if case .delivered = attempt {
            failingSince[parcel.channel] = nil
        } else if failingSince[parcel.channel] == nil {
            failingSince[parcel.channel] = now.elapsed
        }
        let ids = Set(parcel.items.map(\.notice.id))
        underWay[parcel.channel]?.removeAll { $0 == ids }
        if underWay[parcel.channel]?.isEmpty == true { underWay[parcel.channel] = nil }
        return parcel.items.compactMap { finish($0.notice.id, on: parcel.channel, attempt, at: now) }
    }

    private mutating func finish(_ id: NoticeID, on channel: ChannelID, _ attempt: Attempt, at now: Instant) -> Item? {
        guard let index = queues[channel]?.firstIndex(where: { $0.notice.id == id }), var item = queues[channel]?[index]
        else { return nil }
        item.attempts += 1
        let firstTried = item.firstTriedAt ?? now.elapsed
        item.firstTriedAt = firstTried
        switch attempt {
        case .delivered:
            item.state = .sent
            item.sentAt = now.wall
            item.lastFault = nil
            queues[channel]?.remove(at: index)
        case .failed(let why, let retryAfter):
            item.lastFault = why
            item.state = now.elapsed - firstTried >= Self.givesUpAfter ? .dead : .failed
            let longest = item.notice.severity == .alarm ? Self.greatestBackOffOfAlarm : Self.greatestBackOff
            item.nextAt = now.elapsed + max(backOff(item.attempts, longest), retryAfter ?? .zero)
            if item.state == .dead { queues[channel]?.remove(at: index) } else { queues[channel]?[index] = item }
        case .refused(let why):
            item.lastFault = why
            item.state = .dead
            queues[channel]?.remove(at: index)
        }
        if queues[channel]?.isEmpty == true { queues[channel] = nil }
        return item
    }

    /// 1 s, 2 s, 4 s … up to the longest, each shortened by up to a quarter so that many gateways do not knock together.
    private mutating func backOff(_ attempts: Int, _ longest: Interval) -> Interval {
        let doubled = Self.firstBackOff.milliseconds << Int64(min(attempts - 1, 12))
        let capped = min(doubled, longest.milliseconds)
        jitter = jitter &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let share = Int64(jitter >> 54)  // 0…1023
        return .milliseconds(capped - capped / 4 * share / 1024)
    }

    /// The items that may be tried when their time has come. Within a case a later notice waits for an earlier one that was
    /// tried and failed; one that only waits for the end of quiet hours holds nothing back, least of all an alarm.
    private func eligible(_ channel: ChannelID) -> [Item] {
        var blocked: Set<CaseID> = []
        // What waits for the same morning goes in its order too.
        var quiet: [CaseID: Interval] = [:]
        let trying = Set((underWay[channel] ?? []).joined())
        return (queues[channel] ?? []).filter { item in
            guard !blocked.contains(item.notice.caseID) else { return false }
            let onlyQuiet = item.attempts == 0 && item.nextAt > item.notice.createdAt.elapsed
            if let earlier = quiet[item.notice.caseID], item.nextAt >= earlier { return false }
            if onlyQuiet { quiet[item.notice.caseID] = item.nextAt } else { blocked.insert(item.notice.caseID) }
            return !trying.contains(item.notice.id)
        }
    }

    /// The next moment at which something is due on a channel that has room.
    public var nextDue: Interval? {
        queues.keys.filter(hasLane).flatMap { channel in eligible(channel).map { max($0.nextAt, free(channel)) } }.min()
    }

    /// Whether nothing has gone through a channel for too long.
    public func isTroubled(_ channel: ChannelID, at now: Interval) -> Bool { failingSince[channel].map { now - $0 >= Self.troubledAfter } ?? false }

    /// How many notices wait, by channel.
    public var waiting: [ChannelID: Int] { queues.mapValues(\.count) }
}
