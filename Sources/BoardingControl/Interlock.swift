import Telemetry

/// The conditions under which a door may be held; the first that fails is the answer.
struct Interlock: Sendable, Hashable {
    /// A status that allows a hold must have stood so long beside none that forbids it: two voices that contradict one another hold no door.
    static let settles = Interval.milliseconds(1500)
    /// The last words of both voices that are compared.
    private static let memory = Interval.seconds(10)

    /// The newest status and when it arrived; nil when none came, or the newest could not be read.
    private(set) var status: ElevatorStatus?
    private(set) var arrivedAt: Interval?
    /// The controller's word of itself.
    private(set) var word: Bool?
    /// Fresh statuses since it said offline, half a second apart.
    private(set) var statusesSinceOffline = 0
    private var countedAt: Interval?
    /// When the newest status came that forbids a hold.
    private(set) var forbiddenAt: Interval?
    /// When allowing and forbidding followed each other faster than a lift can change.
    private var turns: [Interval] = []
    private var sequence = SenderSequence()

    /// Takes a status. Retained copies show but are never fresh; a repeated or older message of the same start is
    /// ignored, so that a replay cannot look like news.
    /// - Returns: whether it was news
    mutating func take(_ new: ElevatorStatus, fresh: Bool, at now: Interval) -> SenderSequence.Verdict {
        if !fresh {
            if arrivedAt == nil { status = new }
            return .news
        }
        let verdict = sequence.judge(boot: new.boot, sequence: new.sequence, sentAt: new.sentAt, at: now)
        guard verdict == .news else { return verdict }
        let forbids = Self.refusal(new) != nil
        if let arrivedAt, let status, (Self.refusal(status) != nil) != forbids, now - arrivedAt < .milliseconds(300) {
            turns = turns.filter { now - $0 < Self.memory } + [now]
            if turns.count > 16 { turns.removeFirst() }
        }
        if forbids { forbiddenAt = now }
        status = new
        arrivedAt = now
        if word == false, countedAt.map({ now - $0 >= .milliseconds(500) }) ?? true {
            statusesSinceOffline = min(statusesSinceOffline + 1, 2)
            countedAt = now
        }
        return .news
    }

    /// The newest status could not be read: nothing is known any more.
    mutating func lose() {
        arrivedAt = nil
    }

    mutating func setOnline(_ value: Bool) {
        word = value
        (statusesSinceOffline, countedAt) = (0, nil)
        if !value { arrivedAt = nil }
    }

    /// Whether the controller says that it is away while it speaks: its word is one the broker kept, or an old session's will.
    var isWordContradicted: Bool { word == false && statusesSinceOffline >= 2 }

    /// Whether two voices speak for this lift: what they say changes to and fro within a moment.
    func isContradictory(at now: Interval) -> Bool { turns.count(where: { now - $0 < Self.memory }) >= 3 }

    /// When a hold may be asked for, so far as statuses that forbid it are concerned; nil when none came lately.
    func settledAt(_ now: Interval) -> Interval? {
        forbiddenAt.flatMap { now < $0 + Self.settles ? $0 + Self.settles : nil }
    }

    /// Why the door may not be held now; nil when it may.
    func refusal(at now: Interval) -> ReleaseReason? {
        if word == false, !isWordContradicted { return .offline }
        guard let status, let arrivedAt, now - arrivedAt <= BoardingPolicy.freshness else { return .stale }
        return Self.refusal(status)
    }

    private static func refusal(_ status: ElevatorStatus) -> ReleaseReason? {
        if status.serviceMode != .normal { return .mode }
        if status.motion != .stopped { return .moving }
        if status.doorZone != true { return .doorZone }
        if status.door != .open && status.door != .opening { return .door }
        if !status.faults.isEmpty { return .fault }
        return nil
    }

    /// When the newest status stops being fresh.
    var freshUntil: Interval? { arrivedAt.map { $0 + BoardingPolicy.freshness } }
}
