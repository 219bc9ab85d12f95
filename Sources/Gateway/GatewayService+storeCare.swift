import Foundation
import Logging
import Phrasebook
import ServiceLifecycle
import SiteConfiguration
import Telemetry
import Threads
import TimeSeriesStore
import Watchkeeping

extension SiteConfiguration.Storage {
    /// The settings as the store knows them.
    var policy: StoragePolicy {
        StoragePolicy(
            retainReadings: retainReadings, sealAfter: sealAfter, thin: thinAfter.map { .init(after: $0, every: thinEvery) },
            sizeCapBytes: sizeCapBytes, retainCases: retainCases, retainJournal: retainJournal)
    }
}

/// The store's hourly care, and what is done about a damaged file.
extension GatewayService {
    /// Why a gateway ends itself: the next start sets the damaged file aside and goes on with a fresh one.
    struct DamagedStore: Error, CustomStringConvertible {
        var what: String
        var description: String { "the record is damaged (\(what)); started again, the gateway sets the file aside and goes on watching" }
    }

    /// What a gateway ends with when its record is damaged: the program failed, and is to be started again.
    private static let damagedExitCode: Int32 = 3

    /// Why a gateway ends.
    enum End: Sendable, Hashable {
        case told
        case damaged(String)
        /// It works on a substitute, and the real record can be written again.
        case writable
    }

    /// Waits until the gateway is told to stop, its record turns out to be damaged, or its real record can be written again.
    func untilToldOrDamaged() async -> End {
        let (events, tell) = AsyncStream<End>.makeStream(bufferingPolicy: .bufferingOldest(1))
        let mending = Task {
            await untilRecordIsWritable()
            if !Task.isCancelled { tell.yield(.writable) }
        }
        defer { mending.cancel() }
        // Tasks of their own: a group would wait for a check that reads years of history.
        let watching = Task {
            if let damage = await checkStore() { tell.yield(.damaged(damage)) }
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(5))
                if let damage = premises.store.damage {
                    StoreOpening.markDamaged(premises.store.path)
                    tell.yield(.damaged(damage))
                }
            }
        }
        let shutdown = shutdown
        let told = Task {
            await shutdown.begun()
            tell.yield(.told)
        }
        return await withGracefulShutdownHandler {
            await withTaskCancellationHandler {
                var iterator = events.makeAsyncIterator()
                let end = await iterator.next() ?? .told
                // From here on the time counts; whoever waits for it is let go.
                shutdown.begin(code: end == .told ? 0 : Self.damagedExitCode)
                watching.cancel()
                told.cancel()
                return end
            } onCancel: {
                tell.yield(.told)
            }
        } onGracefulShutdown: {
            tell.yield(.told)
        }
    }

    func careForStore() async {
        let store = premises.store
        // Where it must be made anew it blocks for a moment.
        if store.isLasting { _ = await OwnThread.value { DiskReserve(besides: store.path).keep() } }
        // Where the disk was full at the start it was not noted yet.
        await OwnThread.value { try? StoreOpening.noteRun(store) }
        let upkeep = StoreUpkeep(premises.store, premises.configuration.storage.policy)
        do {
            let may = try await mayForget()
            trust.set(may)
            let report = try await upkeep.round(at: premises.clock.now().wall, mayForget: may)
            if report.sealedReadings > 0 || report.droppedForSpace > 0 {
                log.info(
                    "the record was tidied",
                    metadata: [
                        "packed": "\(report.sealedReadings)", "bytes": "\(report.bytes)", "days_dropped": "\(report.droppedForSpace)",
                    ])
            }
            if report.droppedForSpace > 0 { log.warning("storage.size_cap is reached: the oldest readings were deleted") }
        } catch {
            // At a stop what is not done yet is left to the next hour.
            if !Task.isCancelled { log.error("the record could not be tidied", metadata: ["why": "\(error)"]) }
        }
    }

    private static let retentionFact = "retention_clock"

    /// Whether the wall clock is believed when something is to be forgotten for its age; said once when it is not.
    private func mayForget() async throws(StoreFault) -> Bool {
        // A demonstration's clock is its own.
        guard options.speed == 1 else { return true }
        let kept = try await premises.store.read { try $0.fact(Self.retentionFact) }
        var clock = kept.flatMap { try? JSONDecoder().decode(RetentionClock.self, from: Data($0.utf8)) } ?? RetentionClock()
        let may = clock.mayForget(at: premises.clock.now(), isSynchronised: ClockSynchronisation.isSynchronised)
        if let body = try? JSONEncoder().encode(clock) {
            let text = String(decoding: body, as: UTF8.self)
            try await premises.store.write { try $0.setFact(Self.retentionFact, text) }
        }
        if !may { log.info("nothing is forgotten or packed for its age until the clock on the wall has proved itself") }
        return may
    }

    /// After an unclean end the whole file is checked, beside the work: with years of history that takes minutes.
    /// - Returns: the first fault; nil when all is well or there was nothing to check
    func checkStore() async -> String? {
        guard opening.wasUnclean, opening.quarantined == nil else { return nil }
        let store = premises.store
        // A call that blocks for minutes has a thread of its own.
        let check = opening.check
        let faults = await OwnThread.value { try? check.run() }
        if let days = faults?.days, !days.isEmpty {
            log.error("packed days of readings cannot be read; they are missing", metadata: ["first": "\(days[0])", "count": "\(days.count)"])
        }
        let found = faults?.file.first
        if let found {
            StoreOpening.markDamaged(store.path)
            log.critical("the record is damaged", metadata: ["why": "\(found)"])
        }
        return found
    }

    /// An incident for people: cases or notices are there that cannot be read. Their homes' silences were told once and may not be told again.
    func tellUnreadable() async {
        let count: Int
        do { count = try await premises.store.read { try $0.unreadableLines() } } catch {
            return log.error("whether all cases can be read is not known", metadata: ["why": "\(error)"])
        }
        guard count > 0 else { return }
        log.critical("cases or notices of the record cannot be read", metadata: ["lines": "\(count)"])
        let phrase = Phrase(.linesUnreadable, ["count": .same("\(count)")])
        premises.desk.tell(
            .finding(
                Finding(
                    subject: Subject(.site, premises.configuration.siteID.rawValue), kind: .incident, rule: "store_unreadable", severity: .attention,
                    at: premises.clock.now(), text: phrase.text, numbers: ["lines": Double(count)])))
    }

    /// An incident for people: the record was damaged, what was kept, and what nobody can know any more.
    func tellQuarantine() {
        guard let quarantined = opening.quarantined else { return }
        log.critical(
            "the record was damaged and set aside",
            metadata: ["file": "\(quarantined.path)", "carried_over": "\(quarantined.carriedOver)", "why": "\(quarantined.reason)"])
        let phrase = Phrase(.storeSetAside, ["count": .same("\(quarantined.carriedOver)")])
        premises.desk.tell(
            .finding(
                Finding(
                    subject: Subject(.site, premises.configuration.siteID.rawValue), kind: .incident, rule: "store_damaged", severity: .attention,
                    at: premises.clock.now(), text: phrase.text, numbers: ["lines": Double(quarantined.carriedOver)])))
    }
}
