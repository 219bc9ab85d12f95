import Telemetry

/// The conditions under which a door may be held; the first that fails is the answer.
struct Interlock: Sendable, Hashable {
    /// The newest status and when it arrived; nil when none came, or the newest could not be read.
    private(set) var status: ElevatorStatus?
    private(set) var arrivedAt: Interval?
    private(set) var online: Bool?
    /// The newest sequence of each start of the sender, newest start last; bounded.
    private var boots: [SenderBoot] = []

    private struct SenderBoot: Sendable, Hashable {
        var boot: String?
        var sequence: Int64
    }

    /// Takes a status. Retained copies show but are never fresh; a repeated or older message of the same start is
    /// ignored, so that a replay cannot look like news.
    /// - Returns: false when the message was a repetition.
    mutating func take(_ new: ElevatorStatus, fresh: Bool, at now: Interval) -> Bool {
        if !fresh {
            if arrivedAt == nil { status = new }
            return true
        }
        guard isNews(new.boot, new.sequence) else { return false }
        status = new
        arrivedAt = now
        return true
    }

    private mutating func isNews(_ boot: String?, _ sequence: Int64) -> Bool {
        guard let index = boots.firstIndex(where: { $0.boot == boot }) else {
            boots.append(SenderBoot(boot: boot, sequence: sequence))
            if boots.count > 4 { boots.removeFirst() }
            return true
        }
        // Without a boot id a lower number can only be a restart; with one it is old news.
        if sequence == boots[index].sequence || boot != nil && sequence < boots[index].sequence { return false }
        boots[index].sequence = sequence
        return true
    }

    /// The newest status could not be read: nothing is known any more.
    mutating func lose() {
        arrivedAt = nil
    }

    mutating func setOnline(_ value: Bool) {
        online = value
        if !value { arrivedAt = nil }
    }

    /// Why the door may not be held now; nil when it may.
    func refusal(at now: Interval) -> ReleaseReason? {
        if online == false { return .offline }
        guard let status, let arrivedAt, now - arrivedAt <= BoardingPolicy.freshness else { return .stale }
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
