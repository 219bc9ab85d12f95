import Telemetry

/// Decides about one connection to a broker: when it is tried, in which version of MQTT, when it is given up, and what is known to be wrong. A
/// pure value: what happened and when goes in, what to do comes out; `MQTTClient` carries it out on a thread of its own.
///
/// Whatever the cause of a failure, the next attempt comes within `longestPause` of it, with everything read anew, so a cause that is
/// mended is found within half a minute; and no two attempts follow each other without a pause, drawn at random so that a hundred
/// gateways do not come back at once.
public struct ConnectionSupervision: Sendable {
    /// The versions of MQTT: 5 says the reason of every refusal, 3.1.1 is what old brokers speak.
    public enum Dialect: Sendable, Hashable { case five, threeOneOne }

    /// What happens.
    public enum Event: Sendable, Hashable {
        /// The attempt ended before the broker said anything.
        case failed(ConnectionTrouble)
        /// The broker let us in.
        case accepted
        /// The broker refused us, with a reason.
        case refused(ConnectionTrouble)
        /// The broker does not speak this version.
        case versionRefused
        case subscribed(topic: Int)
        case subscriptionRefused(topic: Int, String)
        case published(topic: String)
        case publicationRefused(topic: String, String)
        /// A connection that was let in has ended.
        case ended(ConnectionTrouble)
        case tick
    }

    /// What to do.
    public enum Effect: Sendable, Hashable {
        /// Try a connection; with a new identifier when the old one seems to be taken.
        case connect(Dialect, freshName: Bool)
        /// Subscribe to these topics.
        case subscribe([Int])
        /// Give the connection up.
        case close
        /// It can be used from now on.
        case up
        /// It cannot be used any more.
        case down(ConnectionTrouble)
    }

    private enum Phase: Hashable {
        case waiting(until: Interval)
        case connecting(since: Interval)
        case subscribing(since: Interval)
        case up(since: Interval)
    }

    /// An attempt, and a subscription, are given up after so long without an answer.
    public static let patience = Interval.seconds(10)
    /// The longest pause between two attempts, and between two tries of a refused subscription.
    public static let longestPause = Interval.seconds(15)
    /// A connection that lasted so long is proven.
    public static let proof = Interval.seconds(10)
    /// A refused publication is remembered so long when nothing is published any more that could disprove it.
    public static let refusalLasts = Interval.minutes(5)
    private static let firstPause = Interval.milliseconds(400)
    private static let shortestPause = Interval.milliseconds(200)

    private let topics: [String]
    private var phase: Phase
    private var dialect = Dialect.five
    /// The version in which the broker has said anything, once it has.
    private var answered: Dialect?
    private var failures = 0
    private var shortLives = 0
    private var triedOther = false
    private var needsFreshName = false
    private var unanswered: Set<Int> = []
    private var refusedTopics: [Int: String] = [:]
    private var retryTopicsAt: Interval?
    private var refusedPublications: [String: (why: String, at: Interval)] = [:]
    private var trouble: ConnectionTrouble?
    private var attempts = 0
    private var random: UInt64

    /// A connection that subscribes to some topics; the first attempt is due at once.
    public init(topics: [String], seed: UInt64, at now: Interval) {
        self.topics = topics
        random = seed
        phase = .waiting(until: now)
    }

    // MARK: What is known

    /// How it stands.
    public var health: ConnectionHealth {
        var health = ConnectionHealth()
        health.attempts = attempts
        switch phase {
        case .up, .subscribing: health.isConnected = true
        case .waiting, .connecting: break
        }
        if let trouble { health.troubles.append(trouble) }
        if !refusedTopics.isEmpty {
            let words = refusedTopics.keys.sorted().prefix(5).map { "\(topics[$0]) (\(refusedTopics[$0] ?? ""))" }
            health.troubles.append(ConnectionTrouble(.subscriptionRefused, words.joined(separator: ", ")))
        }
        if !refusedPublications.isEmpty {
            let words = refusedPublications.keys.sorted().prefix(5).map { "\($0) (\(refusedPublications[$0]?.why ?? ""))" }
            health.troubles.append(ConnectionTrouble(.publicationRefused, words.joined(separator: ", ")))
        }
        return health
    }

    /// When something is due without any event.
    public var nextDeadline: Interval {
        switch phase {
        case .waiting(let until): return until
        case .connecting(let since): return since + Self.patience
        case .subscribing(let since): return since + Self.patience
        case .up(let since):
            var moments = [since + Self.proof]
            if let retryTopicsAt { moments.append(retryTopicsAt) }
            if let oldest = refusedPublications.values.map(\.at).min() { moments.append(oldest + Self.refusalLasts) }
            if trouble == nil, failures == 0, shortLives == 0 { moments.removeFirst() }
            return moments.min() ?? .milliseconds(.max / 2)
        }
    }

    // MARK: Events

    /// Takes one event.
    public mutating func handle(_ event: Event, at now: Interval) -> [Effect] {
        switch (event, phase) {
        case (.tick, _): return tick(at: now)
        case (.failed(let why), .connecting): return fail(why, at: now)
        case (.refused(let why), .connecting):
            answered = dialect
            if why.kind == .identifierRefused { needsFreshName = true }
            return fail(why, at: now)
        case (.versionRefused, .connecting): return tryOther(ConnectionTrouble(.noMQTT, "the version is refused"), at: now)
        case (.accepted, .connecting): return accept(at: now)
        case (.subscribed(let topic), .subscribing), (.subscribed(let topic), .up):
            refusedTopics[topic] = nil
            return settle(topic, at: now)
        case (.subscriptionRefused(let topic, let why), .subscribing), (.subscriptionRefused(let topic, let why), .up):
            refusedTopics[topic] = why
            return settle(topic, at: now)
        case (.published(let topic), _):
            refusedPublications[topic] = nil
            return []
        case (.publicationRefused(let topic, let why), _):
            if refusedPublications.count < 16 || refusedPublications[topic] != nil { refusedPublications[topic] = (why, now) }
            return []
        case (.ended(let why), .subscribing): return lose(why, since: now, at: now)
        case (.ended(let why), .up(let since)): return lose(why, since: since, at: now)
        default: return []
        }
    }

    private mutating func tick(at now: Interval) -> [Effect] {
        switch phase {
        case .waiting(let until):
            guard now >= until else { return [] }
            phase = .connecting(since: now)
            attempts += 1
            defer { needsFreshName = false }
            return [.connect(dialect, freshName: needsFreshName)]
        case .connecting(let since):
            guard now - since >= Self.patience else { return [] }
            return [.close] + fail(ConnectionTrouble(.silent, "no word for \(Int(Self.patience.seconds)) s"), at: now)
        case .subscribing(let since):
            guard now - since >= Self.patience else { return [] }
            return [.close] + lose(ConnectionTrouble(.silent, "no word on a subscription"), since: now, at: now)
        case .up(let since):
            if now - since >= Self.proof {
                (failures, shortLives, trouble) = (0, 0, nil)
            }
            refusedPublications = refusedPublications.filter { now - $0.value.at < Self.refusalLasts }
            guard let due = retryTopicsAt, now >= due else { return [] }
            // Asked again, too, when nobody answers.
            retryTopicsAt = now + Self.longestPause
            unanswered = Set(refusedTopics.keys)
            return [.subscribe(refusedTopics.keys.sorted())]
        }
    }

    private mutating func accept(at now: Interval) -> [Effect] {
        answered = dialect
        triedOther = false
        refusedTopics = [:]
        refusedPublications = [:]
        retryTopicsAt = nil
        unanswered = Set(topics.indices)
        if topics.isEmpty { return come(at: now) }
        phase = .subscribing(since: now)
        return [.subscribe(Array(topics.indices))]
    }

    private mutating func settle(_ topic: Int, at now: Interval) -> [Effect] {
        unanswered.remove(topic)
        guard unanswered.isEmpty else { return [] }
        retryTopicsAt = refusedTopics.isEmpty ? nil : now + jittered(Self.longestPause)
        if case .subscribing = phase { return come(at: now) }
        return []
    }

    private mutating func come(at now: Interval) -> [Effect] {
        phase = .up(since: now)
        // Whoever takes our place may do so again: that is over only when the connection has proven itself.
        if trouble?.kind != .takenOver, trouble?.kind != .unstable { trouble = nil }
        return [.up]
    }

    private mutating func lose(_ why: ConnectionTrouble, since: Interval, at now: Interval) -> [Effect] {
        var why = why
        if now - since < Self.proof {
            shortLives += 1
            failures += 1
            if shortLives >= 2, why.kind == .lost { why = ConnectionTrouble(.unstable, why.detail) }
        } else {
            (shortLives, failures) = (0, 0)
        }
        if why.kind == .takenOver || why.kind == .unstable { needsFreshName = true }
        let known = trouble.map { $0.kind == .takenOver } ?? false
        trouble = known && shortLives > 0 ? trouble : why
        (unanswered, refusedTopics, refusedPublications, retryTopicsAt) = ([], [:], [:], nil)
        pause(at: now)
        return [.down(why)]
    }

    private mutating func fail(_ why: ConnectionTrouble, at now: Interval) -> [Effect] {
        // A broker that says nothing intelligible may be one that only speaks the other version.
        if answered == nil || failures >= 3, why.kind == .lost || why.kind == .noMQTT { return tryOther(why, at: now) }
        trouble = why
        failures += 1
        pause(at: now)
        return []
    }

    private mutating func tryOther(_ why: ConnectionTrouble, at now: Interval) -> [Effect] {
        answered = nil
        dialect = dialect == .five ? .threeOneOne : .five
        trouble = why
        if triedOther {
            failures += 1
            triedOther = false
            pause(at: now)
        } else {
            triedOther = true
            phase = .waiting(until: now + Self.shortestPause)
        }
        return []
    }

    private mutating func pause(at now: Interval) {
        let doubled = Self.firstPause * Int64(1 << min(failures, 6))
        phase = .waiting(until: now + max(Self.shortestPause, jittered(min(Self.longestPause, doubled))))
    }

    /// Between half of a length and all of it.
    private mutating func jittered(_ length: Interval) -> Interval {
        // Knuth's MMIX generator; its upper bits are even enough for a pause.
        random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let share = Int64(random >> 33) % 1001
        return length / 2 + length * share / 2000
    }
}
