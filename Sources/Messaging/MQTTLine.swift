import CMosquitto
import Glibc
import Synchronization
import Telemetry
import Threads

/// What a client's thread and its users share, and the thread's work.
final class MQTTLine: Sendable {
    // Safe: the handle is freed by the thread only after it was taken out of the state under the lock; libmosquitto locks its own.
    struct Handle: @unchecked Sendable {
        var pointer: OpaquePointer
    }

    struct State: Sendable {
        /// The connection that is up, to publish on.
        var handle: Handle?
        /// Which connection it is, counted from 1.
        var connection: Int64 = 0
        /// Topics of publications the broker has not spoken about yet.
        var underWay: [Int32: String] = [:]
        /// The version spoken on the connection that was up last.
        var dialect: ConnectionSupervision.Dialect?
        /// How many listen to a topic for a while, beside what is subscribed to for good.
        var listeners: [String: Int] = [:]
        var health = ConnectionHealth()
        var isClosing = false
    }

    let state = Mutex(State())
    private let settings: MQTTSettings
    private let topics: [(String, Int32)]
    private let acknowledged: (@Sendable (PublicationNumber, String?) -> Void)?
    private let onHealth: (@Sendable (ConnectionHealth) -> Void)?
    private let handler: @Sendable (MQTTEvent) -> Void
    /// Wakes the thread out of its poll.
    private let wake: Int32

    init(
        _ settings: MQTTSettings, _ topics: [(String, Int32)], acknowledged: (@Sendable (PublicationNumber, String?) -> Void)?,
        onHealth: (@Sendable (ConnectionHealth) -> Void)?, handler: @escaping @Sendable (MQTTEvent) -> Void
    ) {
        self.settings = settings
        self.topics = topics
        self.acknowledged = acknowledged
        self.onHealth = onHealth
        self.handler = handler
        // EFD_NONBLOCK and EFD_CLOEXEC are these (eventfd(2)).
        wake = eventfd(0, O_NONBLOCK | O_CLOEXEC)
    }

    deinit { _ = Glibc.close(wake) }

    /// Whether the topic is one of those subscribed to for good.
    func isSubscribed(_ topic: String) -> Bool { topics.contains { $0.0 == topic } }

    func wakeUp() {
        var one: UInt64 = 1
        _ = write(wake, &one, 8)
    }

    func close() {
        state.withLock { $0.isClosing = true }
        wakeUp()
    }

    // MARK: The thread

    private static func now() -> Interval { .milliseconds(OwnThread.monotonicMilliseconds()) }

    /// Works until it is closed.
    func run() {
        var run = Run(line: self)
        while !state.withLock({ $0.isClosing }) {
            let left = (run.supervision.nextDeadline - Self.now()).milliseconds
            let pause = Int32(clamping: min(1000, max(0, left)))
            if let session = run.session {
                let (happenings, end) = session.attend(wake: wake, milliseconds: pause)
                for happening in happenings { run.take(happening, session) }
                if let end, run.session != nil { run.end(end, session) }
            } else {
                var waiting = pollfd(fd: wake, events: Int16(POLLIN), revents: 0)
                if poll(&waiting, 1, pause) > 0 {
                    var count: UInt64 = 0
                    _ = read(wake, &count, 8)
                }
            }
            run.tell(.tick)
        }
        run.session?.leave()
        run.drop()
        if state.withLock({ $0.health.isConnected }) { handler(.disconnected(reason: "closed")) }
    }

    /// What belongs to the thread alone.
    private struct Run {
        let line: MQTTLine
        var supervision: ConnectionSupervision
        var session: MQTTSession?
        private var name: String
        private var said: MQTTSession.Happening?

        init(line: MQTTLine) {
            self.line = line
            supervision = ConnectionSupervision(topics: line.topics.map(\.0), seed: UInt64.random(in: 0...UInt64.max), at: MQTTLine.now())
            name = Self.name(line.settings.clientID)
        }

        /// An identifier nobody can know before it is used.
        private static func name(_ base: String) -> String { "\(base)-\(String(UInt64.random(in: 0...UInt64.max), radix: 16))" }

        mutating func tell(_ event: ConnectionSupervision.Event) {
            for effect in supervision.handle(event, at: MQTTLine.now()) { carryOut(effect) }
            let health = supervision.health
            let changed = line.state.withLock { state -> Bool in
                defer { state.health = health }
                return state.health.isConnected != health.isConnected || state.health.troubles != health.troubles
            }
            if changed { line.onHealth?(health) }
        }

        private mutating func carryOut(_ effect: ConnectionSupervision.Effect) {
            switch effect {
            case .connect(let dialect, let freshName):
                if freshName { name = Self.name(line.settings.clientID) }
                let handler = line.handler
                do throws(ConnectionTrouble) {
                    session = try MQTTSession(line.settings, name: name, dialect: dialect) { handler(.message($0)) }
                } catch { tell(.failed(error)) }
            case .subscribe(let wanted):
                guard let session else { return }
                for index in wanted {
                    var packet: Int32 = 0
                    let (topic, quality) = line.topics[index]
                    let code = mosquitto_subscribe(session.pointer, &packet, topic, quality)
                    if code == MOSQ_ERR_SUCCESS.rawValue {
                        session.subscriptions[packet] = index
                    } else {
                        tell(.subscriptionRefused(topic: index, String(cString: mosquitto_strerror(code))))
                    }
                }
            case .close: drop()
            case .up:
                guard let session else { return }
                line.state.withLock { state in
                    state.connection += 1
                    state.underWay = [:]
                    state.listeners = [:]
                    state.dialect = session.dialect
                    state.handle = Handle(pointer: session.pointer)
                }
                line.handler(.connected)
            case .down(let why): line.handler(.disconnected(reason: "\(why)"))
            }
        }

        mutating func take(_ happening: MQTTSession.Happening, _ session: MQTTSession) {
            guard self.session === session else { return }
            switch happening {
            case .answered(0):
                session.isAccepted = true
                tell(.accepted)
            case .answered(let code):
                drop()
                tell(session.refusal(code).map { .refused($0) } ?? .versionRefused)
            case .granted(let packet, let code):
                guard let topic = session.subscriptions.removeValue(forKey: packet) else {
                    // One for a while: whoever asked hears the answer, and the connection is no worse for a refusal.
                    let number = PublicationNumber(connection: line.state.withLock { $0.connection }, packet: packet)
                    line.acknowledged?(number, code < 0x80 ? nil : reason(code, session))
                    return
                }
                tell(code < 0x80 ? .subscribed(topic: topic) : .subscriptionRefused(topic: topic, reason(code, session)))
            case .acknowledged(let packet, let code):
                let (topic, connection) = line.state.withLock { ($0.underWay.removeValue(forKey: packet), $0.connection) }
                let why = code < 0x80 ? nil : reason(code, session)
                if let topic { tell(why.map { .publicationRefused(topic: topic, $0) } ?? .published(topic: topic)) }
                line.acknowledged?(PublicationNumber(connection: connection, packet: packet), why)
            case .disconnected: said = happening
            }
        }

        private func reason(_ code: Int32, _ session: MQTTSession) -> String {
            session.dialect == .five ? String(cString: mosquitto_reason_string(code)) : "refused"
        }

        /// The connection has ended, and why so far as anybody says.
        mutating func end(_ why: ConnectionTrouble, _ session: MQTTSession) {
            var why = why
            if case .disconnected(let code) = said, let goodbye = MQTTSession.goodbye(code) { why = goodbye }
            let wasAccepted = session.isAccepted
            drop()
            tell(wasAccepted ? .ended(why) : .failed(why))
        }

        mutating func drop() {
            said = nil
            guard let session else { return }
            line.state.withLock { state in
                state.handle = nil
                state.underWay = [:]
            }
            session.destroy()
            self.session = nil
        }
    }
}
