import Casework
import Foundation
import Logging
import Neighbourhood
import Safeguarding
import Telemetry
import Threads
import TimeSeriesStore

/// The one place where homes, meters and cases change: events go through in order, each is decided by the core, made
/// durable, and only then told.
public actor SiteDesk {
    /// An event with what goes with it.
    struct Item: Sendable {
        var event: Neighbourhood.Event
        var audit: AuditEntry?
        var reply: CheckedContinuation<Result<Void, Neighbourhood.Refusal>, Never>?
    }

    /// What the audit keeps of an act.
    public struct AuditEntry: Sendable {
        public var who: String
        public var what: String
        public var subject: String
        public var note: String

        /// An entry.
        public init(who: String, what: String, subject: String, note: String = "") {
            self.who = who
            self.what = what
            self.subject = subject
            self.note = note
        }
    }

    /// News for open pages.
    public enum News: Sendable, Hashable {
        case home(HouseholdID)
        case caseFile(CaseID, Subject, FindingKind)
        case elevator(ElevatorID)
        case finding(Subject)
        /// A meter was read.
        case reading(MeterID)
    }

    private var core: Neighbourhood
    private let store: Store
    private let delivery: DeliveryDesk
    private let clock: GatewayClock
    private let boot: String
    private let log: Logger
    /// News for open pages.
    public nonisolated let newsroom = Newsroom()
    private nonisolated let mailbox = Mailbox<Item>()
    private let spools: Bool
    private let onFalseBoardingAlarm: @Sendable (ElevatorID) -> Void
    private let onElevatorCase: @Sendable (ElevatorID, CaseID?) -> Void
    private var unsaved: [@Sendable (StoreWriter) throws -> Void] = []
    private var storageTold: Bool
    private let reserve: DiskReserve
    private let numbers: CaseNumberMark

    /// A desk for a restored core.
    public init(
        core: Neighbourhood, store: Store, delivery: DeliveryDesk, clock: GatewayClock, boot: String, log: Logger, spools: Bool = false,
        onFalseBoardingAlarm: @escaping @Sendable (ElevatorID) -> Void,
        onElevatorCase: @escaping @Sendable (ElevatorID, CaseID?) -> Void
    ) {
        self.onElevatorCase = onElevatorCase
        self.spools = spools
        // A trouble that was told before a restart is not told anew, and ends with the first save.
        storageTold = core.book.openCase(Subject(.site, "storage"), .equipment) != nil
        reserve = DiskReserve(besides: store.path)
        numbers = CaseNumberMark(besides: store.path)
        self.core = core
        self.store = store
        self.delivery = delivery
        self.clock = clock
        self.boot = boot
        self.log = log
        self.onFalseBoardingAlarm = onFalseBoardingAlarm
    }

    /// Hands in an event; it is decided in its turn.
    public nonisolated func tell(_ event: Neighbourhood.Event, audit: AuditEntry? = nil) {
        mailbox.put(Item(event: event, audit: audit, reply: nil))
    }

    /// Hands in what another device has said.
    /// - Parameter bytes: how much of it the device chose
    /// - Returns: false when too much of this source waits already; the event is not taken then
    nonisolated func tell(_ event: Neighbourhood.Event, from source: String, bytes: Int) -> Bool {
        mailbox.put(Item(event: event, audit: nil, reply: nil), from: source, bytes: bytes)
    }

    /// Hands in an event and waits until it is decided and durable.
    public nonisolated func ask(_ event: Neighbourhood.Event, audit: AuditEntry? = nil) async -> Result<Void, Neighbourhood.Refusal> {
        await withCheckedContinuation { continuation in
            if !mailbox.put(Item(event: event, audit: audit, reply: continuation)) { continuation.resume(returning: .failure(.stopping)) }
        }
    }

    /// No further events; `run` ends when those handed in are done.
    public nonisolated func close() { mailbox.close() }

    /// Works until closed.
    public func run() async {
        for await _ in mailbox.bell { await processWhatCameIn() }
        await processWhatCameIn()
        await saveAllWatches()
    }

    /// What one transaction holds: all that came in while the last one was on its way to the disk. A storm of two hundred findings costs a
    /// few waits for the disk, not two hundred; and the first of them do not wait for the last.
    private struct Batch {
        var writes: [@Sendable (StoreWriter) throws -> Void] = []
        var notices: [Notice] = []
        var news: Set<News> = []
        var replies: [CheckedContinuation<Result<Void, Neighbourhood.Refusal>, Never>] = []
    }

    private static let mostInABatch = 32

    private func processWhatCameIn() async {
        while true {
            let items = mailbox.take(Self.mostInABatch)
            guard !items.isEmpty else { return }
            var batch = Batch()
            for item in items { decide(item, &batch) }
            // What a record in memory holds is gone with the power.
            let isDurable = batch.writes.isEmpty ? true : await save(batch.writes) && store.isLasting
            if !isDurable {
                for index in batch.notices.indices { batch.notices[index].isUndurable = true }
                await noteNumbers()
            }
            if !batch.notices.isEmpty { await delivery.enqueue(batch.notices) }
            for item in batch.news { newsroom.publish(item) }
            for reply in batch.replies { reply.resume(returning: isDurable ? .success(()) : .failure(.undurable)) }
        }
    }

    private func decide(_ item: Item, _ batch: inout Batch) {
        let now = clock.now()
        let effects: [Neighbourhood.Effect]
        do {
            effects = try core.handle(item.event, at: now)
        } catch {
            item.reply?.resume(returning: .failure(error))
            return
        }
        take(effects, at: now, &batch)
        if let audit = item.audit {
            batch.writes.append { try $0.audit(who: audit.who, what: audit.what, subject: audit.subject, note: audit.note, at: now.wall) }
        }
        if case .poll(let poll) = item.event, poll.answered { batch.news.insert(.reading(poll.meter)) }
        if let reply = item.reply { batch.replies.append(reply) }
    }

    private func take(_ effects: [Neighbourhood.Effect], at now: Instant, _ batch: inout Batch) {
        let boot = boot
        for effect in effects {
            switch effect {
            case .save(let item):
                batch.writes.append { try $0.save(item) }
                if spools { batch.writes.append { writer in for entry in SpoolEntry.entries(of: item, at: now.wall) { try writer.spool(entry) } } }
                batch.news.insert(.caseFile(item.id, item.subject, item.kind))
                if item.subject.type == .elevator { onElevatorCase(ElevatorID(item.subject.id), item.isOpen ? item.id : nil) }
            case .notify(let notice):
                batch.writes.append { try $0.make(DeliverySchedule.Item(notice)) }
                batch.notices.append(notice)
            case .saveWatch(let id):
                if let write = watchWrite(id, at: now) { batch.writes.append(write) }
            case .journal(let kind, let subject, let body):
                batch.writes.append { try $0.journal(kind, subject: subject.description, body: body, boot: boot, at: now) }
                if spools, kind == "finding", let entry = SpoolEntry.finding(subject, body: body, at: now.wall) {
                    batch.writes.append { try $0.spool(entry) }
                }
                if kind == "finding" { batch.news.insert(.finding(subject)) }
            case .homeChanged(let id): batch.news.insert(.home(id))
            case .falseBoardingAlarm(let elevator): onFalseBoardingAlarm(elevator)
            }
        }
    }

    /// Saves, together with what could not be saved before. When the disk refuses, alerts go out all the same and the
    /// writes wait in memory.
    /// - Returns: whether all of it is on disk
    @discardableResult
    private func save(_ writes: [@Sendable (StoreWriter) throws -> Void]) async -> Bool {
        let all = unsaved + writes
        unsaved = []
        do {
            do {
                try await store.write { writer in for write in all { try write(writer) } }
            } catch {
                // The reserve is for this: readings have filled the disk, and cases must still be written.
                guard case .full = error, reserve.release() else { throw error }
                log.error("the disk is full; its reserve is given back for cases", metadata: ["why": "\(error)"])
                try await store.write { writer in for write in all { try write(writer) } }
            }
            if storageTold, store.isLasting {
                storageTold = false
                tell(.cleared(Subject(.site, "storage"), .equipment))
            }
        } catch {
            // What came in meanwhile stays behind what was tried.
            unsaved = Array((all + unsaved).suffix(10_000))
            log.error("cases could not be saved; alerts go out undurable", metadata: ["why": "\(error)"])
            reportStorageTrouble()
            return false
        }
        return true
    }

    /// What has been told but not written down must not lend its number to another case after a power cut.
    private func noteNumbers() async {
        let (numbers, highest) = (numbers, core.book.highestNumber)
        let isNoted = await OwnThread.value { numbers.note(highest) }
        if !isNoted { log.error("the highest case number could not be noted either", metadata: ["number": "\(highest)"]) }
    }

    /// Opens a case for technicians when the disk takes no more.
    public func reportStorageTrouble() {
        guard !storageTold else { return }
        storageTold = true
        tell(.finding(StorageTrouble.finding(at: clock.now(), isFull: store.isLasting)))
    }

    /// Notes that telemetry could be written again.
    public func storageWorks() {
        guard storageTold, unsaved.isEmpty, store.isLasting else { return }
        storageTold = false
        tell(.cleared(Subject(.site, "storage"), .equipment))
    }

    private func watchWrite(_ id: HouseholdID, at now: Instant) -> (@Sendable (StoreWriter) throws -> Void)? {
        guard let watch = core.homes[id]?.watch, let body = try? JSONEncoder().encode(watch) else { return nil }
        return { try $0.saveWatch(id, at: now.wall, body: body) }
    }

    /// Saves every home's watch, so that a restart has little to replay.
    public func saveAllWatches() async {
        let now = clock.now()
        let writes = core.homes.keys.compactMap { watchWrite($0, at: now) }
        if !writes.isEmpty { await save(writes) }
    }

    // MARK: What pages ask

    /// The core as it stands; a value, so that a page sees one moment.
    public var snapshot: Neighbourhood { core }
    /// The present moment on the gateway's clock.
    public nonisolated var now: Instant { clock.now() }

    /// Puts a new configuration in place; homes keep what they have learnt.
    public func reconfigure(_ change: @Sendable (inout Neighbourhood) -> Void) { change(&core) }
}
