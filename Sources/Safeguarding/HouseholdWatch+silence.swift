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

    /// Whether silence is counted from anything but the beginning of watching.
    var hasSign: Bool { lastUse != nil || quietFrom != nil }

    /// A leak has just been recognised, or has grown: what it let through was no sign of life, so the last use was when there was
    /// last more.
    mutating func takeBack(at now: Instant) {
        guard let since = floor.quietSince(resolution: ledger.limits.resolution), let use = lastUse, use.elapsed > since else { return }
        moveLastUse(to: since, at: now)
    }

    /// Water that was drawn under a leak some hours ago, and shows only now.
    mutating func findLate(_ late: Interval, at now: Instant, _ effects: inout [Effect]) {
        moveLastUse(to: late, at: now)
        clearInactivity(&effects)
    }

    /// The silence that goes on began at another moment than was thought; who came back or was visited was there then.
    private mutating func moveLastUse(to elapsed: Interval, at now: Instant) {
        lastUse = Instant(elapsed: elapsed, wall: now.wall - (now.elapsed - elapsed))
        guard presence == nil || presence?.kind == .visitors, let since = silentSince else { return }
        model.begin(at: since.elapsed, local: local(since), sure: false)
    }
}
