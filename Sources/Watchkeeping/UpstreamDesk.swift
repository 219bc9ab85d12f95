import Foundation
import Logging
import Messaging
import Synchronization
import Telemetry
import TimeSeriesStore

/// Sends the spool to the hub's broker, oldest first, a handful at a time: the next handful goes when the broker has said that it has this
/// one. Nothing here is ever waited for by a case, a notice or a poll.
public final class UpstreamDesk: Sendable {
    /// What it did since the start.
    public struct Tally: Sendable, Hashable {
        public var sent = 0
        public var dropped = 0
        public var waiting = 0
        public var bytes: Int64 = 0
        public var oldest: WallTime?
        public var isConnected = false
    }

    private let store: Store
    private let publisher: AcknowledgedPublisher
    private let prefix: String
    private let site: SiteID
    private let tags: UpstreamTags
    private let mayForget: @Sendable () -> Bool
    private let deflates: Bool
    private let limits: SpoolLimits
    private let log: Logger
    private let state = Mutex(Tally())
    /// So many entries are under way at once; the same number is lost to nobody when the connection breaks, and sent again.
    private static let window = 64

    /// A desk with a connection of its own.
    /// - Parameter mayForget: whether the wall clock is believed when something seems too old
    /// - Throws: `MQTTFault` when the settings cannot be
    public init(
        _ settings: MQTTSettings, prefix: String, site: SiteID, tags: UpstreamTags, deflates: Bool, limits: SpoolLimits, store: Store,
        mayForget: @escaping @Sendable () -> Bool, log: Logger
    ) throws(MQTTFault) {
        let journal = ConnectionLog("upstream", log)
        publisher = try AcknowledgedPublisher(settings, onHealth: { journal.take($0) })
        self.prefix = prefix
        self.site = site
        self.tags = tags
        self.mayForget = mayForget
        self.deflates = deflates
        self.limits = limits
        self.store = store
        self.log = log
    }

    /// How the connection to the hub's broker stands.
    public var health: ConnectionHealth { publisher.health }

    /// The tally so far.
    public var tally: Tally { state.withLock { $0 } }

    /// Works until cancelled.
    public func run() async {
        var pace = UpstreamPace(seed: UInt64.random(in: 0...UInt64.max))
        var trimmedAt = ContinuousClock.now - .seconds(3600)
        var isDown = false
        while !Task.isCancelled {
            if ContinuousClock.now - trimmedAt > .seconds(30) {
                trimmedAt = .now
                await trim()
            }
            do {
                let head = try await store.read { try $0.spooled(limit: Self.window) }
                guard !head.isEmpty else {
                    try? await Task.sleep(for: .seconds(1))
                    continue
                }
                let arrived = await send(head)
                if arrived == isDown {
                    isDown = !arrived
                    log.notice(arrived ? "upstream is reached again" : "upstream is not reached; entries wait", metadata: ["waiting": "\(tally.waiting)"])
                }
                let pause = pace.next(arrived: arrived)
                if !publisher.isConnected {
                    // The library keeps knocking by itself; once it is let in, what waits goes at once.
                    pace = UpstreamPace(seed: UInt64.random(in: 0...UInt64.max))
                    while !publisher.isConnected, !Task.isCancelled {
                        try? await Task.sleep(for: .milliseconds(500))
                        if ContinuousClock.now - trimmedAt > .seconds(30) { break }
                    }
                } else if pause > .zero {
                    try? await Task.sleep(for: .milliseconds(pause.milliseconds))
                }
            } catch {
                log.error("the spool cannot be read", metadata: ["why": "\(error)"])
                try? await Task.sleep(for: .seconds(10))
            }
        }
    }

    /// Sends some entries in their order.
    /// - Returns: whether all have arrived
    private func send(_ entries: [SpoolEntry]) async -> Bool {
        let messages = entries.map { UpstreamMessage($0, prefix: prefix, site: site, tag: tags.tag(of: $0.number), deflates: deflates) }
        let done = await publisher.publish(messages.map { ($0.payload, $0.topic) }, within: .seconds(15))
        let arrived = zip(entries, done).filter(\.1).map(\.0.number)
        guard !arrived.isEmpty else { return false }
        do {
            try await store.write { try $0.unspool(arrived) }
            state.withLock { $0.sent += arrived.count }
        } catch {
            // They are sent again, under the same ids.
            log.error("the spool cannot be written", metadata: ["why": "\(error)"])
            return false
        }
        return arrived.count == entries.count
    }

    private func trim() async {
        let limits = limits
        let now = GatewayClock.systemWall()
        do {
            let may = mayForget()
            let (given, tally) = try await store.write { (try $0.trimSpool(limits, at: now, mayForget: may), try $0.reader.spoolTally()) }
            let isConnected = publisher.isConnected
            state.withLock { state in
                state.dropped += given.forAge + given.forRoom
                (state.waiting, state.bytes, state.oldest, state.isConnected) = (tally.count, tally.bytes, tally.oldest, isConnected)
            }
            if given.forRoom > 0 { log.warning("the spool is full: entries were given up", metadata: ["entries": "\(given.forRoom)"]) }
            if given.forAge > 0 { log.warning("entries of the spool were too old and were given up", metadata: ["entries": "\(given.forAge)"]) }
        } catch { log.error("the spool cannot be trimmed", metadata: ["why": "\(error)"]) }
    }

    /// Ends the connection. Blocks; call it from no cooperative thread.
    public func close() { publisher.close() }
}
