import Telemetry

/// The least that runs at all hours. Where no two hours of a day pass without use, the slowest two hours of the last
/// day are the floor: a leak, since nobody draws water every two hours all night (the shortest-pause test of leak
/// detection, "no zero hour in 24 h").
struct LeakFloor: Sendable, Hashable, Codable {
    /// The last day in slots of this length.
    static let slotLength = Interval.hours(2)
    private static let slotCount = 12
    private var slots: [Int64] = []
    private var current: Int64?
    private var running: Int64 = 0
    private var observed: Interval = .zero

    /// Millilitres an hour that never stop; zero without a leak or before a whole day was seen.
    var perHour: Double {
        guard slots.count == Self.slotCount, let least = slots.min() else { return 0 }
        return Double(max(0, least)) / Self.slotLength.hours
    }

    /// Takes one stretch of use. A slot counts only when most of it was observed.
    mutating func take(_ use: Consumption) {
        let slot = use.to.elapsed.milliseconds / Self.slotLength.milliseconds
        if let current, slot != current {
            if slot == current + 1, observed * 4 >= Self.slotLength * 3 {
                slots.append(running)
                if slots.count > Self.slotCount { slots.removeFirst() }
            } else {
                slots.removeAll(keepingCapacity: true)
            }
            running = 0
            observed = .zero
        }
        current = slot
        running += use.volume.millilitres
        observed = observed + use.to.since(use.from)
    }

    /// Whether a stretch of use shows more than the leak: half as much again, and at least one count.
    func isLife(_ use: Consumption, resolution: Volume) -> Bool {
        guard use.volume > .zero else { return false }
        let floor = perHour
        guard floor > 0 else { return true }
        let leaked = floor * use.to.since(use.from).hours
        return Double(use.volume.millilitres) > leaked * 1.5 + Double(max(resolution.millilitres, 500))
    }
}
