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
    /// Called when a channel has given up on a notice, or has not worked for a while, with how many notices are undelivered.
    private let onDead: @Sendable (ChannelID, Int) -> Void
    private let onWorking: @Sendable (ChannelID) -> Void
    private var working: Set<ChannelID> = []
    private var told: Set<ChannelID> = []
    private var unsaved: [DeliverySchedule.Item] = []
    private var isSaving = false
    private var underWay = 0

    /// A desk with what was not delivered before the last stop.
    public init(
        pending: [DeliverySchedule.Item], notifiers: [ChannelID: any Notifier], writer: LetterWriter, store: Store,
        clock: GatewayClock, log: Logger, onDead: @escaping @Sendable (ChannelID, Int) -> Void, onWorking: @escaping @Sendable (ChannelID) -> Void
    ) {
        schedule = DeliverySchedule(pending: pending, seed: UInt64.random(in: 0...UInt64.max))
        self.notifiers = notifiers
        self.writer = writer
        self.store = store
        self.clock = clock
        self.log = log
        self.onDead = onDead
        self.onWorking = onWorking
        (bell, ring) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Takes notices that have been made durable.
    public func enqueue(_ notices: [Notice]) {
        for notice in notices { schedule.enqueue(notice) }
        ring.yield()
    }

    /// Puts new channels and a new writer in place.
    public func replace(notifiers: [ChannelID: any Notifier], writer: LetterWriter, paces: [ChannelID: DeliverySchedule.Pace] = [:]) {
        schedule.paces = paces
        self.notifiers = notifiers
        self.writer = writer
        ring.yield()
    }

    /// How many notices each channel bears in a while.
    public func setPaces(_ paces: [ChannelID: DeliverySchedule.Pace]) { schedule.paces = paces }

    /// Sends a letter that says it is a test, past the queue: a person waits for the answer.
    public func test(_ channel: ChannelID, to reader: ContactCard, language: Language, at now: Instant) async -> DeliverySchedule.Attempt {
        guard let notifier = notifiers[channel] else { return .refused("the channel cannot send") }
        let notice = Notice(
            id: NoticeID("test-\(now.wall.unixMilliseconds)"), caseID: "test", kind: .drill, contact: reader.id, channel: channel, role: reader.role,
            language: reader.language ?? language, severity: .attention, caseKind: .incident, stage: .reported, subject: Subject(.site, "test"),
            roles: [reader.role], text: Phrase(.channelTest).text, reasons: [], createdAt: now, openedAt: now, notBefore: .zero)
        var letter = writer.letter(notice, now: now.wall)
        letter.link = ""
        return await notifier.deliver(letter)
    }

    /// How many notices wait, by channel.
    public var waiting: [ChannelID: Int] { schedule.waiting }

    /// Works until cancelled.
    public func run() async {
        await withDiscardingTaskGroup { group in
            for await _ in merged(group: &group) {
                for parcel in schedule.due(at: clock.now().elapsed) {
                    group.addTask { await self.attempt(parcel) }
                }
                rearm(&group)
            }
        }
        // A stop cancels the tries under way, not the record of those that ended.
        await Task { await saveRecords() }.value
    }

    /// The bell rings when a notice comes in, a try ends, or the next one is due.
    private func merged(group: inout DiscardingTaskGroup) -> AsyncStream<Void> {
        ring.yield()
        return bell
    }

    /// One alarm clock at a time: a new one is set only when it must ring before the one that runs.
    private func rearm(_ group: inout DiscardingTaskGroup) {
        guard let next = schedule.nextDue else { return }
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
        let result: DeliverySchedule.Attempt
        if let notifier = notifiers[channel], let letter = Letter(together: letters) {
            result = await notifier.deliver(letter)
        } else {
            result = .refused("the channel is not configured any more")
        }
        let finished = schedule.finish(parcel, result, at: clock.now())
        count(channel, result, finished)
        unsaved += finished
        ring.yield()
        await saveRecords()
    }

    /// Saves the delivery records that have gathered, in one transaction: in a storm the next try does not wait for the disk. What a power
    /// cut takes is tried again under its old id.
    private func saveRecords() async {
        guard !isSaving else { return }
        isSaving = true
        defer { isSaving = false }
        while !unsaved.isEmpty {
            let records = unsaved
            unsaved = []
            do { try await store.write { for item in records { try $0.save(item) } } } catch {
                log.error("delivery records could not be saved", metadata: ["count": "\(records.count)", "why": "\(error)"])
            }
        }
    }

    /// Waits, two seconds at most, until the tries under way have ended and are written down.
    public func settle() async {
        for _ in 0..<40 where underWay > 0 { try? await Task.sleep(for: .milliseconds(50)) }
        await saveRecords()
    }

    private func report(_ channel: ChannelID, _ dead: Int) {
        working.remove(channel)
        told.insert(channel)
        onDead(channel, dead + (schedule.waiting[channel] ?? 0))
    }

    private func count(_ channel: ChannelID, _ result: DeliverySchedule.Attempt, _ items: [DeliverySchedule.Item]) {
        var counts = tally[channel] ?? (0, 0, 0)
        switch result {
        case .delivered:
            counts.sent += items.count
            told.remove(channel)
            // The first success since the start, or since a notice was given up, ends the channel's case.
            if working.insert(channel).inserted { onWorking(channel) }
        case .failed(let why, _), .refused(let why):
            counts.failed += items.count
            let now = clock.now().elapsed
            if loggedFault[channel].map({ now - $0 >= .minutes(1) }) ?? true {
                loggedFault[channel] = now
                log.warning("a notice was not delivered", metadata: ["channel": "\(channel)", "why": "\(why)"])
            }
        }
        let dead = items.count { $0.state == .dead }
        if dead > 0 {
            counts.dead += dead
            report(channel, dead)
        } else if schedule.isTroubled(channel, at: clock.now().elapsed), !told.contains(channel) {
            report(channel, 0)
        }
        tally[channel] = counts
    }
}
