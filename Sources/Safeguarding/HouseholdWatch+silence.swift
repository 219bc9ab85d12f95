import Telemetry

/// When silence began, and what moves its beginning afterwards.
extension HouseholdWatch {
    /// A moment from which silence is counted although no water ran.
    struct QuietFrom: Sendable, Hashable, Codable {
        /// Why: an absence ended, or somebody was there.
        enum Reason: String, Sendable, Codable { case returned, seen }

        var at: Instant
        var reason: Reason
    }

    /// When silence began: at the last use, or when somebody was there or came back after it, or when watching began.
    var silentSince: Instant? {
        guard let quiet = quietFrom?.at else { return lastUse ?? began }
        guard let lastUse, lastUse.elapsed > quiet.elapsed else { return quiet }
        return lastUse
    }

    /// When silence may have begun at the earliest, where the last use fell somewhere between two readings far apart.
    var silentAfter: Instant? {
        guard let usedAfter, let lastUse, silentSince == lastUse else { return nil }
        return usedAfter
    }

    /// Whether nobody has seen a sign of life for as long as the ceiling: counted from the earliest moment that may have been the
    /// last use, provided that half of it was seen to be silent.
    func isPastCeiling(at now: Instant) -> Bool {
        guard let since = silentSince else { return false }
        guard let silentAfter else { return now.since(since) >= policy.longestSilence }
        return now.since(silentAfter) >= policy.longestSilence && now.since(since) * 2 >= policy.longestSilence
    }

    /// Whether silence is counted from anything but the beginning of watching.
    var hasSign: Bool { lastUse != nil || quietFrom != nil }

    /// A leak has just been recognised, or has grown: what it let through was no sign of life, so the last use was when there was
    /// last more.
    mutating func takeBack(at now: Instant) {
        guard let since = floor.quietSince(resolution: ledger.limits.resolution), let use = lastUse, use.elapsed > since else { return }
        moveLastUse(to: max(since, began?.elapsed ?? since), at: now)
    }

    /// Water that was drawn under a leak some hours ago, and shows only now.
    mutating func findLate(_ late: Interval, at now: Instant, _ effects: inout [Effect]) {
        moveLastUse(to: late, at: now)
        clearInactivity(&effects)
    }

    /// The silence that goes on began at another moment than was thought; who came back or was visited was there then.
    private mutating func moveLastUse(to elapsed: Interval, at now: Instant) {
        lastUse = Instant(elapsed: elapsed, wall: now.wall - (now.elapsed - elapsed))
        usedAfter = nil
        guard presence == nil || presence?.kind == .visitors, let since = silentSince else { return }
        model.begin(at: since.elapsed, local: local(since), sure: false)
    }
}
