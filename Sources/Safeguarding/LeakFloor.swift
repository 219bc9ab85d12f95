import Telemetry

/// The water that runs whether or not anybody is there: a leak, which hides a silence and must not pass for life.
///
/// Told by any of three signs. No two hours of a day pass without use (the shortest-pause test of leak detection, "no zero
/// hour in 24 h"): the slowest two hours are the floor. Eight hours of nearly the same use at every reading: nobody draws water so evenly.
/// Or lone counts at a steady pace (`SteadyDrip`). Stretches that nobody saw neither prove a leak nor disprove one; a pause does.
struct LeakFloor: Sendable, Hashable, Codable {
    /// The largest stretch of a slot: when it ended, how long it was, and its millilitres.
    private struct Peak: Sendable, Hashable, Codable {
        var at: Interval
        var step: Interval
        var volume: Int64
    }

    /// Two hours that were well observed.
    private struct Slot: Sendable, Hashable, Codable {
        /// Which two hours of the elapsed-time axis.
        var place: Int64
        /// Millilitres.
        var volume: Int64
        var peak: Peak
        /// Whether no stretch was much more than the others.
        var isEven: Bool
        /// The volume as if the whole slot had been seen; absent in states saved before rows that are missing were allowed for.
        var whole: Int64?
        /// The longest pause of a coarse meter that ended in the slot; absent where none did.
        var pause: Interval?
    }

    /// Use is summed in slots of this length.
    static let slotLength = Interval.hours(2)
    private static let slotCount = 12
    /// So many slots in a row with nearly the same use are a leak.
    private static let evenCount = 4
    /// Less than this in a slot is a pause: 0.4 L an hour.
    private static let pause: Int64 = 800
    /// Counts further apart may each have their slot by chance.
    private static let longestPause = Interval.minutes(105)
    /// Slots are forgotten when they are older.
    private static let forgottenAfter = Interval.days(3)

    /// The last well observed slots; absent in states saved before they were kept so.
    private var recent: [Slot]?
    private var current: Int64?
    private var largest: Peak?
    /// The fastest stretch of the slot beyond one count, in millilitres an hour.
    private var steepest: Double?
    private var running: Int64 = 0
    private var observed: Interval = .zero
    /// The longest pause of a coarse meter that ended in the slot.
    private var pauseInSlot: Interval?
    /// The least use of a slot, in millilitres, where a leak is known, and over how many slots it was found.
    private var least: Int64?
    private var slotsOfLeast: Int?
    private var drip: SteadyDrip?
    /// What is usual behind a meter of two to ten litres a count; nil behind a finer one, which needs it not, and a coarser one, which
    /// shows no pauses.
    private var habit: CountHabit?
    /// How far the register trembles, in millilitres; nil where it holds still.
    private var tremble: Int64?
    /// Millilitres an hour of a drip with a steady pace.
    private var drippedPerHour: Double?

    /// Millilitres an hour that never stop; zero where no leak is known.
    var perHour: Double {
        if let least { return Double(least) / Self.slotLength.hours }
        return drippedPerHour ?? thinPerHour
    }
    private var thinPerHour: Double { habit.map { $0.thinSince == nil ? 0 : Double($0.thinVolume) / CountHabit.thinFor.hours } ?? 0 }

    /// Where single counts came more seldom than any water this home ever needed: how much they are, and the least that is usual.
    var thin: (litres: Double, usual: Double)? {
        guard least == nil, drippedPerHour == nil, let habit, habit.thinSince != nil, let usual = habit.usualLeast else { return nil }
        return (Double(habit.thinVolume) / 1000, Double(usual) / 1000)
    }
    /// Where a leak may bound the pauses: for how many days none was longer.
    var bound: CountHabit.Bound? { habit?.boundedBy }

    /// When somebody drew water in the slot that has just closed, known by the slot's sum alone: a count of ten litres hides it
    /// at each reading. Nil mostly.
    private(set) var lifeFoundLate: Interval?

    /// Over how long the floor was found; nil where it is a drip.
    var foundOver: Interval? { least == nil ? nil : slotsOfLeast.map { Self.slotLength * Int64($0) } }
    /// The pace and the number of counts of a drip; nil where there is none, or a floor says it better.
    var dripping: (pace: Interval, count: Int)? { least == nil ? drip.flatMap { drip in drip.pace.map { ($0, drip.count) } } : nil }

    /// Takes one stretch of use of a meter with this count.
    /// - Parameters:
    ///   - gathered: over how long the use may have gathered, where that is longer than the stretch
    ///   - tremble: how far the register trembles
    /// - Returns: whether there was more than the leak
    mutating func take(_ use: Consumption, resolution: Volume, gathered: Interval = .zero, tremble: Volume = .zero) -> Bool {
        lifeFoundLate = nil
        self.tremble = tremble == .zero ? nil : tremble.millilitres
        turn(to: use.to.elapsed.milliseconds / Self.slotLength.milliseconds, resolution: resolution)
        let step = use.to.since(use.from)
        let over = max(step, gathered)
        // What ran in a stretch that nobody saw cannot be placed in a slot.
        if step * 2 <= Self.slotLength {
            running += use.volume.millilitres
            observed = observed + step
            let beyond = use.volume.millilitres - resolution.millilitres - (self.tremble ?? 0)
            if beyond > 0, over > .zero { steepest = max(steepest ?? 0, Double(beyond) / over.hours) }
            if use.volume.millilitres >= largest?.volume ?? 0 { largest = Peak(at: use.to.elapsed, step: over, volume: use.volume.millilitres) }
        }
        // In its place: a copy would copy its marks at each reading.
        if drip == nil { drip = SteadyDrip() }
        if habit == nil, resolution > .litres(1), resolution <= .litres(10) { habit = CountHabit() }
        habit?.take(use, resolution: resolution, learns: least == nil && drippedPerHour == nil)
        if step * 2 <= Self.slotLength, let ended = habit?.pauseEnded { pauseInSlot = max(pauseInSlot ?? .zero, ended) }
        let dripped = drip?.take(use, resolution: resolution, isUnusual: use.volume > .zero && habit?.tookUnusuallyLong ?? false) ?? false
        if use.volume > .zero || drippedPerHour != nil { drippedPerHour = drip?.pace.map { Double(resolution.millilitres) / $0.hours } }
        guard use.volume > .zero else { return false }
        if least != nil { return use.volume.millilitres > leaked(in: over, resolution: resolution) }
        return !dripped && (habit?.thinSince == nil || use.volume > resolution)
    }

    /// Somebody was there, or came back after an absence.
    mutating func somebodyWasThere() { habit?.somebodyWasThere() }

    /// Since when there was nothing but the leak, as far as is remembered; nil where no leak is known.
    func quietSince(resolution: Volume) -> Interval? {
        guard least != nil else { return drip?.since ?? habit?.thinSince }
        guard let recent, let oldest = recent.first else { return nil }
        let more = leaked(in: Self.slotLength, resolution: resolution)
        // What was more than the leak, by its slot or by itself, was the slot's largest stretch.
        let lastAbove = recent.last { $0.volume > more || $0.peak.volume > leaked(in: $0.peak.step, resolution: resolution) }
        return lastAbove?.peak.at ?? .milliseconds(oldest.place * Self.slotLength.milliseconds)
    }

    /// What the leak lets through at the most in so long: half as much again, a count that was about to turn, and what the register
    /// trembles.
    private func leaked(in step: Interval, resolution: Volume) -> Int64 {
        Int64(perHour * step.hours * 1.5) + max(resolution.millilitres, 500) + (tremble ?? 0)
    }

    private mutating func turn(to slot: Int64, resolution: Volume) {
        defer { current = slot }
        guard let closing = current, slot != closing else { return }
        defer {
            running = 0
            observed = .zero
            largest = nil
            steepest = nil
            pauseInSlot = nil
        }
        let oldest = slot - Self.forgottenAfter.milliseconds / Self.slotLength.milliseconds
        var slots = (recent ?? []).filter { $0.place >= oldest }
        defer { recent = slots }
        let isEven = (steepest ?? 0) * observed.hours <= 2 * Double(running)
        // More in a slot, but evenly, is a leak that grew. Behind a coarse count that cannot be told.
        if least != nil, running > leaked(in: Self.slotLength, resolution: resolution), resolution > .litres(1) || !isEven {
            lifeFoundLate = largest?.at
        }
        guard observed * 4 >= Self.slotLength * 3, let largest else { return }
        let whole = Int64(Double(running) * Self.slotLength.hours / observed.hours)
        slots.append(Slot(place: closing, volume: running, peak: largest, isEven: isEven, whole: whole, pause: pauseInSlot))
        slots = slots.suffix(Self.slotCount)
        judge(slots, resolution: resolution)
    }

    /// A pause disproves a leak; otherwise a day without a pause, or some hours that are nearly alike, prove one.
    private mutating func judge(_ slots: [Slot], resolution: Volume) {
        let pause = max(Self.pause, resolution.millilitres)
        guard let newest = slots.last?.volume, newest >= pause else {
            least = nil
            return
        }
        // A floor once found stays while no slot lies below it: the day before may hold slots from before the leak.
        if let known = least { least = min(known, newest) }
        if slots.count == Self.slotCount, !slots.contains(where: { $0.pause.map { $0 > Self.longestPause } ?? false }),
            let slowest = slots.map(\.volume).min(), slowest >= pause, slowest > least ?? 0
        {
            (least, slotsOfLeast) = (slowest, Self.slotCount)
        }
        if let even = evenLeast(slots, resolution: resolution), even >= pause, even > least ?? 0 { (least, slotsOfLeast) = (even, Self.evenCount) }
    }

    /// The least of the last slots in a row, where they are nearly alike. A count of ten litres is too coarse to say so.
    private func evenLeast(_ slots: [Slot], resolution: Volume) -> Int64? {
        let last = slots.suffix(Self.evenCount)
        guard resolution <= .litres(1), last.count == Self.evenCount, last.allSatisfy(\.isEven), let first = last.first, let newest = last.last,
            newest.place - first.place == Int64(Self.evenCount - 1), let slowest = last.map({ $0.whole ?? $0.volume }).min(),
            let fastest = last.map({ $0.whole ?? $0.volume }).max(),
            fastest - slowest <= max(resolution.millilitres, fastest / 5) + (tremble ?? 0)
        else { return nil }
        return slowest
    }
}
