import Simulation
import Telemetry

/// A home as it really is.
struct VillageHome {
    let place: VillagePlan.Home
    private let origin: WallTime
    private var life: SimulatedHome
    private var extra = Volume.zero
    private var leakSince: Interval?
    /// Since when somebody lies there.
    private(set) var collapsedAt: Interval?
    /// From when on the gateway can count the silence: the collapse, or after an outage the first reading that shows the last water. With how
    /// long no gateway had run by then.
    private(set) var countedFrom: (at: Interval, down: Interval)?
    private var isSeenLying = false
    /// Until when nobody is at home.
    var absentUntil = Interval.zero
    var failure: Happening.Failure?
    /// When a gateway last got a usable answer.
    var lastSeen = Interval.zero

    private static let leakLitresPerHour = 12.0
    private static let never = Interval.days(100_000)

    init(_ place: VillagePlan.Home, from origin: WallTime) {
        self.place = place
        self.origin = origin
        life = place.life
    }

    /// What the meter shows.
    mutating func shown(at now: Interval) -> Volume {
        let total = life.register(at: origin + now) + extra + leaked(until: now)
        return Volume(millilitres: total.millilitres / place.resolution.millilitres * place.resolution.millilitres)
    }

    private func leaked(until now: Interval) -> Volume {
        leakSince.flatMap { Volume(litres: (now - $0).hours * Self.leakLitresPerHour) } ?? .zero
    }

    /// No water is drawn from now on, until then.
    mutating func silence(from now: Interval, until end: Interval) {
        let (from, until) = (origin + now, origin + end)
        if let last = life.story.absences.last, last.upperBound >= from {
            // Stretches must not overlap: their water would be taken away twice.
            life.story.absences[life.story.absences.count - 1] = last.lowerBound..<max(last.upperBound, until)
        } else {
            life.story.absences.append(from..<until)
        }
    }

    mutating func collapse(at now: Interval, down: Interval) {
        collapsedAt = now
        countedFrom = (now, down)
        isSeenLying = false
        silence(from: now, until: Self.never)
    }

    /// A gateway got a usable answer.
    mutating func seen(at now: Interval, down: Interval) {
        lastSeen = now
        guard collapsedAt != nil, !isSeenLying else { return }
        isSeenLying = true
        countedFrom = (now, down)
    }

    /// Somebody has come and helped; life goes on after a while.
    mutating func help(at now: Interval, backAfter: Interval) {
        collapsedAt = nil
        countedFrom = nil
        guard let last = life.story.absences.last else { return }
        life.story.absences[life.story.absences.count - 1] = last.lowerBound..<(origin + now + backAfter)
        if backAfter > .zero { absentUntil = now + backAfter }
    }

    mutating func beginLeak(at now: Interval) { leakSince = now }
    mutating func endLeak(at now: Interval) {
        extra += leaked(until: now)
        leakSince = nil
    }
    var leaks: Bool { leakSince != nil }

    /// A new meter that begins at nothing.
    mutating func replaceMeter(at now: Interval) { extra = extra - (life.register(at: origin + now) + extra + leaked(until: now)) }
}
