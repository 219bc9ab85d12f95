import AsyncHTTPClient
import BoardingControl
import Casework
import Console
import Documents
import Foundation
import Logging
import Messaging
import NIOSSL
import Neighbourhood
import Phrasebook
import ServiceLifecycle
import SiteConfiguration
import Synchronization
import Telemetry
import Threads
import TimeSeriesStore
import Watchkeeping

/// One gateway, from its configuration to its last breath.
public final class GatewayService: Service {
    /// How a gateway is started.
    public struct Options: Sendable {
        /// The configuration file, read again on SIGHUP.
        public var path: String
        /// Gateway time in a second of real time; only a demonstration runs faster than life.
        public var speed: Double
        /// Where the gateway's clock starts, for a demonstration.
        public var startAt: WallTime?
        public var version: String

        /// Options of an ordinary gateway.
        public init(path: String, speed: Double = 1, startAt: WallTime? = nil, version: String) {
            self.path = path
            self.speed = speed
            self.startAt = startAt
            self.version = version
        }
    }

    /// The parts that the console sees.
    public let premises: Premises
    let options: Options
    let http: HTTPClient
    let noticeBroker: AcknowledgedPublisher?
    let pollers: PollerHub
    let events: SiteEventListener?
    private let untold: [Finding]
    private let unwatched: (from: WallTime, to: WallTime)?
    let log: Logger
    private let locks: [StoreLock]
    let opening: StoreOpening
    /// Whether the wall clock is believed when something is to be forgotten for its age; decided by the hourly care.
    let trust = ClockTrust()

    /// Marks of erased homes that were heeded.
    let erased = Mutex<Set<String>>([])
    private let erasedBefore: Set<String>
    /// The owner of the gateway's end.
    let shutdown: Shutdown

    /// Opens the store, restores what was, connects nothing yet.
    /// - Parameter shutdown: the owner of its end, where the process is this one gateway
    public init(_ configuration: SiteConfiguration, options: Options, shutdown: Shutdown? = nil, log: Logger) throws {
        self.shutdown = shutdown ?? Shutdown(log: log)
        self.options = options
        self.log = log
        let boot = UUID().uuidString.lowercased()
        let record = try RecordOpening(path: configuration.storage.path)
        locks = record.locks
        if let count = record.carriedBack {
            log.notice("what was kept in memory while the disk took nothing is in the record again", metadata: ["open_cases": "\(count)"])
        }
        var opening = record.opening
        let restored: (configuration: SiteConfiguration, state: Restoration.State)
        do { restored = try Self.restored(configuration, opening.store, options) } catch StoreFault.corrupt(let what) {
            log.critical("the record is damaged; it is set aside", metadata: ["why": "\(what)"])
            opening = try opening.again()
            restored = try Self.restored(configuration, opening.store, options)
        }
        self.opening = opening
        erasedBefore = (try? opening.store.readNow { try $0.erasureMarks() }) ?? []
        let (configuration, state) = restored
        let (store, trust) = (opening.store, trust)
        if store.isLasting { DiskReserve(besides: configuration.storage.path).keep() }
        let clock = state.clock
        let signer = try LinkKeys.signer(
            secretFile: configuration.links.secretFile, validFor: configuration.links.validFor,
            record: LinkKeys.place(record: configuration.storage.path, store: store), store: store,
            now: clock.now().wall)
        var web = HTTPClient.Configuration()
        // A receiver that sends elsewhere has not taken the notice: the page behind a redirect answers 200 to anything.
        web.redirectConfiguration = .disallow
        // Two channels may share a server of which one address hangs: its lanes must not be the other's.
        web.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 8 * DeliverySchedule.lanes
        var security = TLSConfiguration.makeClientConfiguration()
        security.minimumTLSVersion = .tlsv12
        web.tlsConfiguration = security
        http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: web)
        noticeBroker =
            try configuration.channels.contains { $0.kind == .mqtt }
            ? configuration.mqtt.map {
                let journal = ConnectionLog("notices", log)
                return try AcknowledgedPublisher($0.settings(clientID: "wellward-notices-\(configuration.siteID)"), onHealth: { journal.take($0) })
            } : nil
        let factory = NotifierFactory(http: http, clock: clock, broker: noticeBroker)
        let bridge = Bridge()
        let delivery = DeliveryDesk(
            pending: state.undelivered, notifiers: factory.notifiers(configuration),
            writer: LetterWriter(configuration: configuration, signer: signer), store: store, clock: clock, log: log,
            onNews: { bridge.delivery($0, waiting: $1) })
        let desk = SiteDesk(
            core: state.core, store: store, delivery: delivery, clock: clock, boot: boot, log: log, spools: configuration.upstream != nil,
            onFalseBoardingAlarm: { bridge.falseAlarm($0) }, onElevatorCase: { bridge.openCase($0, $1) })
        let heldLately = try Restoration(configuration: configuration, store: store).heldLately()
        let boarding = configuration.mqtt.map { _ in
            BoardingRoom(
                configuration.elevators, clock: .fresh(), zone: configuration.clock, boot: boot, log: log, heldLately: heldLately,
                report: { bridge.report($0) })
        }
        bridge.connect(desk: desk, boarding: boarding, clock: clock)
        let telemetry = TelemetryWriter(store: store, spools: configuration.upstream != nil)
        let tag = state.tag
        let upstream = try configuration.upstream.map { settings in
            try UpstreamDesk(
                settings.broker.settings(clientID: "wellward-upstream-\(configuration.siteID)-\(tag)"), prefix: settings.topic, site: configuration.siteID,
                tags: try store.readNow { try $0.upstreamTags() } ?? UpstreamTags(tag), deflates: settings.deflates,
                limits: SpoolLimits(bytes: settings.mostBytes, age: settings.longest), store: store, mayForget: { trust.isGiven }, log: log)
        }
        let events = configuration.events.isEmpty || configuration.mqtt == nil ? nil : SiteEventListener(configuration.events, desk: desk, log: log)
        self.events = events
        pollers = PollerHub(clock: clock, writer: telemetry, desk: desk, log: log)
        untold = state.untold
        unwatched = state.unwatched
        let noticeBroker = noticeBroker
        premises = Premises(
            arrangement: .init(configuration: configuration, pollers: []), store: store, desk: desk, delivery: delivery,
            telemetry: telemetry, boarding: boarding, clock: clock, links: signer, upstream: upstream,
            connections: {
                [("boarding", boarding?.health), ("events", events?.health), ("notices", noticeBroker?.health), ("upstream", upstream?.health)]
                    .compactMap { user, health in health.map { BrokerConnection(user, $0) } }
            }, version: options.version, log: log)
    }

    /// The core as it stood.
    private static func restored(
        _ configuration: SiteConfiguration, _ store: Store, _ options: Options
    ) throws -> (configuration: SiteConfiguration, state: Restoration.State) {
        // Hours that were set on the console go before those of the file.
        let configuration = configuration.following(try store.readNow(roster))
        return (configuration, try Restoration(configuration: configuration, store: store).state(speed: options.speed, startAt: options.startAt))
    }

    /// The hours that were set on the console.
    @Sendable static func roster(_ reader: StoreReader) throws -> DutyRoster {
        try reader.fact(CareRoutes.rosterFact).flatMap { try? JSONDecoder().decode(DutyRoster.self, from: Data($0.utf8)) } ?? DutyRoster()
    }

    /// Runs until a graceful shutdown; everything acknowledged is on disk when it returns.
    public func run() async throws {
        let configuration = premises.configuration
        if let broker = configuration.mqtt {
            try premises.boarding?.start(broker.settings(clientID: "wellward-\(configuration.siteID)"))
            try events?.start(broker.settings(clientID: "wellward-events-\(configuration.siteID)"))
        }
        premises.rearrange(.init(configuration: configuration, pollers: await pollers.arrange(configuration)))
        await premises.delivery.setPaces(NotifierFactory.paces(configuration))
        let desk = premises.desk
        for finding in untold { desk.tell(.finding(finding)) }
        if let unwatched { tellUnwatched(unwatched) }
        await tellSubstitute()
        tellQuarantine()
        await tellUnreadable()
        await tellRoster()
        await beginWithoutWithdrawn(erasedBefore)
        let deskWork = Task { await desk.run() }
        let deliveryWork = Task { await premises.delivery.run() }
        let upkeep = [
            Task { await tick() }, Task { await commit() }, Task { await keepWatches() }, Task { await reloadOnHangup() }, Task { await heartbeat() },
            Task { await holdDrills() }, Task { await cutLongTexts() },
            Task { if let upstream = premises.upstream { await upstream.run() } },
        ]
        SystemdNotice.ready()
        log.info(
            "watching",
            metadata: [
                "site": "\(configuration.siteID)", "homes": "\(configuration.watchedHomes.count)", "meters": "\(configuration.polledMeters.count)",
                "elevators": "\(configuration.elevators.count)",
            ])
        let end = await untilToldOrDamaged()
        // Not when the same process goes on: systemd would wait for its end.
        if end != .writable { SystemdNotice.stopping() }
        await stop(Work(desk: deskWork, delivery: deliveryWork, upkeep: upkeep))
        switch end {
        case .told: break
        case .damaged(let what): throw DamagedStore(what: what)
        case .writable: if !shutdown.isTold { throw WritableRecord() }
        }
    }

    // MARK: Upkeep

    private func tick() async {
        while !Task.isCancelled {
            // Fed only when the desk has decided a tick and made it durable: a desk that hangs lets the watchdog bite.
            // A full disk is no reason to be restarted: it would be as full afterwards.
            _ = await premises.desk.ask(.tick)
            SystemdNotice.alive()
            await heedErasures()
            try? await Task.sleep(for: options.speed > 1 ? .milliseconds(200) : .seconds(1))
        }
    }

    private func commit() async {
        let every = premises.configuration.storage.commitEvery
        // Unknown at the start: a case from before it ends with the first readings that are written.
        var isFull: Bool?
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(every.milliseconds))
            // In a task of its own: being told to stop must not look like a full disk.
            let telemetry = premises.telemetry
            let fault = await Task { await telemetry.flush().fault }.value
            await premises.delivery.saveWhatWaits()
            if let fault, isFull != true {
                isFull = true
                log.error("readings cannot be written", metadata: ["why": "\(fault)"])
                await premises.desk.reportStorageTrouble()
            } else if fault == nil, isFull != false {
                isFull = false
                await premises.desk.storageWorks()
            }
        }
    }

    /// The axis every ten seconds, watches and retention every hour.
    private func keepWatches() async {
        var round = 0
        while !Task.isCancelled {
            // Soon after a start too: a gateway that is switched off every night would never tidy up.
            // Watches first: what nobody has saved for a month is forgotten, and the clock may have been wrong when they were saved.
            if round == 6 {
                await premises.desk.saveAllWatches()
                await careForStore()
            }
            try? await Task.sleep(for: .seconds(10))
            guard !Task.isCancelled else { return }
            await saveAxis()
            round += 1
            guard round % 360 == 0 else { continue }
            await premises.desk.saveAllWatches()
            let yesterday = premises.clock.now().elapsed - .days(1)
            await premises.desk.reconfigure { $0.book.forgetClosed(before: yesterday) }
            await careForStore()
        }
    }

    func saveAxis() async {
        guard options.speed == 1, let body = try? JSONEncoder().encode(AxisMark(premises.clock.now())) else { return }
        let text = String(decoding: body, as: UTF8.self)
        do { try await premises.store.write { try $0.setFact("axis", text) } } catch {
            log.error("the clock's mark could not be saved", metadata: ["why": "\(error)"])
        }
    }

    private func tellUnwatched(_ gap: (from: WallTime, to: WallTime)) {
        var civil = premises.configuration.clock
        let phrase = Phrase(
            .gatewayUnwatched,
            [
                "from": .text(civil.spoken(gap.from, at: gap.to)), "to": .text(civil.spoken(gap.to, at: gap.to)),
            ])
        premises.desk.tell(
            .finding(
                Finding(
                    subject: Subject(.site, premises.configuration.siteID.rawValue), kind: .incident, rule: "unwatched", severity: .attention,
                    at: premises.clock.now(), text: phrase.text, numbers: ["hours": (gap.to - gap.from).hours])))
    }

    private func heartbeat() async {
        guard let settings = premises.configuration.heartbeat,
            let url = try? String(contentsOfFile: settings.urlFile, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        else { return }
        var isHeard = true
        while !Task.isCancelled {
            // It says that homes are watched, not that a process exists: a desk that hangs sends none.
            _ = await premises.desk.ask(.tick)
            let answer = try? await http.execute(HTTPClientRequest(url: url), timeout: .seconds(10))
            let isNow = answer.map { (200..<300).contains($0.status.code) } ?? false
            if isHeard, !isNow { log.warning("the heartbeat is not heard", metadata: ["status": "\(answer.map { "\($0.status.code)" } ?? "no answer")"]) }
            isHeard = isNow
            try? await Task.sleep(for: .milliseconds(settings.every.milliseconds))
        }
    }
}

extension GatewayService {
    /// The console of this gateway, to be run beside it.
    public func console(onListening: @escaping @Sendable (Int) -> Void = { _ in }) -> ConsoleServer {
        ConsoleServer(premises: premises, onListening: onListening)
    }
}
