import Casework
import Foundation
import Logging
import Notifiers
import Phrasebook
import Telemetry
import TimeSeriesStore

/// Carries notices out as the schedule decides: each channel by itself, so that a dead one delays no other.
public actor DeliveryDesk {
    private var schedule: DeliverySchedule
    private var health = DeliveryHealth()
    private var tests = TestLimit()
    private var notifiers: [ChannelID: any Notifier]
    private var writer: LetterWriter
    private let store: Store
    private let clock: GatewayClock
    private let log: Logger
    private var loggedFault: [ChannelID: Interval] = [:]
    /// Notices delivered and given up since the start, by channel.
    public private(set) var tally: [ChannelID: (sent: Int, failed: Int, dead: Int)] = [:]
    private var armed: ContinuousClock.Instant?
    private let bell: AsyncStream<Void>
    private let ring: AsyncStream<Void>.Continuation
    /// Called when a channel or a reader on it does not work, or works again, with how many notices wait on the channel.
    private let onNews: @Sendable (DeliveryHealth.News, Int) -> Void
    private var unsaved: [DeliverySchedule.Item] = []
    private var isSaving = false
    private var saveFailedAt: ContinuousClock.Instant?
    /// Delivery records that wait for the disk, at most; of those that are lost a restart sends the notice again under its old name.
    private static let mostUnsaved = 20_000
    /// After a refusal the disk is left alone for so long.
    private static let saveAgainAfter = Duration.seconds(5)
    private var underWay = 0

    /// A desk with what was not delivered before the last stop.
    public init(
        pending: [DeliverySchedule.Item], notifiers: [ChannelID: any Notifier], writer: LetterWriter, store: Store,
        clock: GatewayClock, log: Logger, onNews: @escaping @Sendable (DeliveryHealth.News, Int) -> Void
    ) {
        schedule = DeliverySchedule(pending: pending, seed: UInt64.random(in: 0...UInt64.max))
        self.notifiers = notifiers
        self.writer = writer
        self.store = store
        self.clock = clock
        self.log = log
        self.onNews = onNews
        health.readers = writer.readers
        (bell, ring) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Takes notices that have been made durable.
    public func enqueue(_ notices: [Notice]) {
        for notice in notices { schedule.enqueue(notice) }
        ring.yield()
    }

    /// Drops what waits of which nobody is to hear any more, here and in the record.
    public func withdraw(where isMeant: @Sendable (Notice) -> Bool) async {
        unsaved.removeAll { isMeant($0.notice) }
        let dropped = schedule.withdraw(where: isMeant)
        guard !dropped.isEmpty else { return }
        do { try await store.write { try $0.dropNotices(dropped) } } catch {
            log.error("notices that are withdrawn could not be deleted", metadata: ["count": "\(dropped.count)", "why": "\(error)"])
        }
    }

    /// Puts new channels and a new writer in place.
    public func replace(notifiers: [ChannelID: any Notifier], writer: LetterWriter, paces: [ChannelID: DeliverySchedule.Pace] = [:]) {
        schedule.paces = paces
        self.notifiers = notifiers
        self.writer = writer
        health.readers = writer.readers
        report(health.keep(channels: writer.channels, contacts: writer.contacts))
        ring.yield()
    }

    /// How many notices each channel bears in a while.
    public func setPaces(_ paces: [ChannelID: DeliverySchedule.Pace]) { schedule.paces = paces }

    /// Counts a test of a channel against its limits.
    /// - Returns: nil when it may be sent
    public func mayTest(account: String, contact: ContactID, at now: Interval) -> (spent: TestLimit.Spent, until: Interval)? {
        tests.take(account: account, contact: contact, at: now)
    }

    /// Sends a letter that says it is a test, past the queue: a person waits for the answer.
    public func test(_ channel: ChannelID, to reader: ContactCard, language: Language, at now: Instant) async -> DeliverySchedule.Attempt {
        guard let notifier = notifiers[channel] else { return .refused(Self.cannotSend) }
        let notice = Notice(
            id: NoticeID("test-\(now.wall.unixMilliseconds)"), caseID: "test", kind: .drill, contact: reader.id, channel: channel, role: reader.role,
            language: reader.language ?? language, severity: .attention, caseKind: .incident, stage: .reported, subject: Subject(.site, "test"),
            roles: [reader.role], text: Phrase(.channelTest).text, reasons: [], createdAt: now, openedAt: now, notBefore: .zero)
        var letter = writer.letter(notice, now: now.wall)
        letter.link = ""
        let attempt = await notifier.test(letter).bounded
        if let why = attempt.why { log.notice("a test of a channel was not delivered", metadata: ["channel": "\(channel)", "why": "\(why)"]) }
        return attempt
    }

    /// How many notices wait, by channel.
    public var waiting: [ChannelID: Int] { schedule.waiting }

    /// How a channel does.
    public struct ChannelState: Sendable {
        /// Why the last try failed, in the peer's words; nil after a success.
        public var lastFault: String?
        /// Readers who cannot be reached although others are.
        public var unreached: [ContactID]
        /// Whether nothing goes through it at present.
        public var isFailing: Bool
    }

    /// How a channel does.
    public func state(of channel: ChannelID) -> ChannelState {
        ChannelState(lastFault: health.lastFault[channel], unreached: health.unreached(channel), isFailing: health.failingSince(channel) != nil)
    }

    /// Works until cancelled.
    public func run() async {
        await withDiscardingTaskGroup { group in
            for await _ in merged(group: &group) {
                let now = clock.now().elapsed
                for parcel in schedule.due(at: now) {
                    group.addTask { await self.attempt(parcel) }
                }
                report(health.due(at: now))
                rearm(&group)
            }
        }
        // A stop cancels the tries under way, not the record of those that ended.
        await Task { await saveRecords(atOnce: true) }.value
    }

    /// The bell rings when a notice comes in, a try ends, or the next one is due.
    private func merged(group: inout DiscardingTaskGroup) -> AsyncStream<Void> {
        ring.yield()
        return bell
    }

    /// One alarm clock at a time: a new one is set only when it must ring before the one that runs.
    private func rearm(_ group: inout DiscardingTaskGroup) {
        guard let next = [schedule.nextDue, health.nextDue].compactMap({ $0 }).min() else { return }
        let pause = min(max(clock.realTime(until: next), .milliseconds(1)), .seconds(60))
        let rings = ContinuousClock.now + pause
        if let armed, armed > .now, armed <= rings { return }
        armed = rings
        let ring = ring
        group.addTask {
            try? await Task.sleep(until: rings, clock: .continuous)
            ring.yield()
        }
    }

    private func attempt(_ parcel: DeliverySchedule.Parcel) async {
        underWay += 1
        defer { underWay -= 1 }
        let channel = parcel.channel
        let letters = parcel.items.map { writer.letter($0.notice, now: clock.now().wall) }
        var isConfigured = true
        let result: DeliverySchedule.Attempt
        if let notifier = notifiers[channel], let letter = Letter(together: letters) {
            result = await notifier.deliver(letter).bounded
        } else if writer.channels.contains(channel) {
            // A secret that cannot be read may be put in place; the notice waits for it.
            result = .failed(Self.cannotSend, retryAfter: nil)
        } else {
            isConfigured = false
            result = .refused("the channel is not configured any more")
        }
        let now = clock.now()
        let finished = schedule.finish(parcel, result, at: now)
        count(channel, result, finished)
        if isConfigured { report(health.note(channel, result, finished, at: now.elapsed)) }
        unsaved += finished
        ring.yield()
        await saveRecords()
    }

    private static let cannotSend = "the channel cannot send: a file it needs cannot be read, or the broker's settings are missing"

    /// Saves the delivery records that have gathered, in one transaction: in a storm the next try does not wait for the disk. What a power
    /// cut takes is tried again under its old id; what a full disk refuses waits until it takes again, so that a start does not tell it anew.
    private func saveRecords(atOnce: Bool = false) async {
        guard !isSaving else { return }
        if !atOnce, let failed = saveFailedAt, failed + Self.saveAgainAfter > .now { return }
        isSaving = true
        defer { isSaving = false }
        while !unsaved.isEmpty {
            let records = unsaved
            unsaved = []
            do {
                try await store.write { for item in records { try $0.save(item) } }
                saveFailedAt = nil
            } catch {
                if saveFailedAt == nil {
                    log.error("delivery records could not be saved; they wait", metadata: ["count": "\(records.count)", "why": "\(error)"])
                }
                saveFailedAt = .now
                unsaved = Array((records + unsaved).suffix(Self.mostUnsaved))
                return
            }
        }
    }

    /// Saves what a full disk has refused; asked every few seconds.
    public func saveWhatWaits() async { if saveFailedAt != nil { await saveRecords() } }

    /// Waits, two seconds at most, until the tries under way have ended and are written down.
    public func settle() async {
        for _ in 0..<40 where underWay > 0 { try? await Task.sleep(for: .milliseconds(50)) }
        await saveRecords(atOnce: true)
    }

    private func report(_ news: [DeliveryHealth.News]) {
        for item in news {
            let channel =
                switch item {
                case .fails(.channel(let channel), _), .fails(.reader(let channel, _), _), .works(.channel(let channel)), .works(.reader(let channel, _)):
                    channel
                }
            onNews(item, schedule.waiting[channel] ?? 0)
        }
    }

    private func count(_ channel: ChannelID, _ result: DeliverySchedule.Attempt, _ items: [DeliverySchedule.Item]) {
        var counts = tally[channel] ?? (0, 0, 0)
        if let why = result.why {
            counts.failed += items.count
            let now = clock.now().elapsed
            if loggedFault[channel].map({ now - $0 >= .minutes(1) }) ?? true {
                loggedFault[channel] = now
                log.warning("a notice was not delivered", metadata: ["channel": "\(channel)", "why": "\(why)"])
            }
        } else {
            counts.sent += items.count
        }
        counts.dead += items.count { $0.state == .dead }
        tally[channel] = counts
    }
}
