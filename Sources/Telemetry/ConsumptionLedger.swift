/// Something a meter's register did that is not plain use. Each is told, none is added to use.
public enum MeterEvent: Hashable, Sendable, Codable {
    /// The register passed its last digit and began again; the use across it is known.
    case rollover(from: Volume, to: Volume)
    /// The register fell to (nearly) zero.
    case reset(from: Volume, to: Volume)
    /// The register stands somewhere else altogether, and stays there: another meter, or a re-programmed one.
    case replaced(from: Volume, to: Volume)
    /// Water went backwards by more than jitter.
    case reverse(Volume)
    /// The register was set back, as a meter does that lost power and goes on from an older saved state; it counts on from there,
    /// and this much was used since.
    case setBack(from: Volume, to: Volume, used: Volume)
    /// A jump no pipe of this size can carry; held back until the next readings say which side is true.
    case quarantined(from: Volume, to: Volume)
    /// The jump was a single false answer; the register is back where it was.
    case glitchDropped(Volume)
}

/// A stretch of meter time and the water that ran in it.
public struct Consumption: Hashable, Sendable, Codable {
    /// The reading before.
    public var from: Instant
    /// The reading that shows the use.
    public var to: Instant
    /// How much ran between the two.
    public var volume: Volume

    /// Use between two readings.
    public init(from: Instant, to: Instant, volume: Volume) {
        self.from = from
        self.to = to
        self.volume = volume
    }
}

/// Turns one meter's register into use.
///
/// A pure value: feed it every usable reading of the totaliser in any order; it answers with what each means. A register
/// that falls, or jumps by more than the pipe carries, is believed only when the next readings agree. The same reading
/// twice means nothing twice. A reading older than the newest one is `late`: its water is already inside
/// the stretch that was counted, so it adds nothing here (the store places it in its time).
public struct ConsumptionLedger: Sendable, Codable, Hashable {
    /// What a reading meant.
    public enum Entry: Hashable, Sendable {
        /// The first reading: a place to count from.
        case baseline
        /// Time passed and this much ran, perhaps nothing.
        case consumption(Consumption)
        /// Something else happened to the register.
        case event(MeterEvent)
        /// The reading was seen before.
        case duplicate
        /// The reading is older than the newest one.
        case late
    }

    /// What the ledger must know of the meter.
    public struct Limits: Sendable, Codable, Hashable {
        /// One count of the register.
        public var resolution: Volume
        /// The register's modulus, where the profile states it; otherwise a power of ten is recognised.
        public var rollover: Volume?
        /// The most that can run through the meter in an hour.
        public var mostPerHour: Volume

        /// Limits of a household meter: by default 5 m³ an hour, twice the overload flow of a DN15 meter's usual
        /// permanent flow of 2.5 m³/h (ISO 4064-1: Q4 = 1.25 Q3).
        public init(resolution: Volume, rollover: Volume? = nil, mostPerHour: Volume = .litres(5000)) {
            self.resolution = resolution
            self.rollover = rollover
            self.mostPerHour = mostPerHour
        }
    }

    /// A register that contradicts the one before, held back until the next readings say which side is true.
    private struct Pending: Sendable, Codable, Hashable {
        var register: Volume
        var confirmations: Int
        /// The value it began with, and when it was read last; absent in states saved before these were kept.
        var first: Volume?
        var readAt: Interval?
        /// How long before it nothing was read, and how long the readings before that lay apart.
        var step: Interval?
        var usualStep: Interval?

        /// The meter was not heard for some polls before.
        var followsGap: Bool { step.map { ConsumptionLedger.isGap($0, usually: usualStep) } ?? false }
    }

    /// A fall in one step that may be a register set back rather than water that ran backwards: what comes next tells.
    private struct Fall: Sendable, Codable, Hashable {
        var from: Volume
        var depth: Volume
        /// Faster than water runs backwards through a home's pipe.
        var isFast: Bool
        /// The register held still afterwards: water that swings back does not rest.
        var rested = false
    }

    /// Where the register stood before it was believed to be somewhere else.
    private struct Former: Sendable, Codable, Hashable {
        var highest: Volume
        var left: Interval
        /// By how much it was set back: so much up again in one step would be water swinging after all.
        var setBackBy: Volume?
    }

    /// What is known of the meter.
    public var limits: Limits
    /// The newest accepted register; use is counted above the highest one since the last event.
    public private(set) var register: Volume?
    /// When the newest accepted register was read.
    public private(set) var readAt: Instant?
    /// Over how long the use told last may have gathered: a register that trembles shows it late.
    public private(set) var gathered: Interval?
    /// How far the register was seen to tremble within the last day: so much of a rise may be none.
    public var tremble: Volume { trembled ?? .zero }
    private var highest = Volume.zero
    private var pending: Pending?
    /// How far water ran backwards below the highest register: on its way up from here nothing is use.
    private var lowest: Volume?
    /// When water last ran backwards.
    private var reversedAt: Interval?
    private var former: Former?
    /// How far the register was seen to tremble below its highest, and when it last did: a rise by less is tremble, not use.
    private var trembled: Volume?
    private var trembledAt: Interval?
    /// When the highest register was read: what a later rise shows has gathered since then.
    private var peakAt: Interval?
    /// While water runs backwards: the highest register since it last fell by more than jitter.
    private var crest: Volume?
    /// When an earlier swing was over.
    private var swungBefore: Interval?
    /// The newest fall, while it is not clear what it is; and when the register was set back last.
    private var fall: Fall?
    private var setBackAt: Interval?
    /// How far the newest two accepted readings lay apart.
    private var usualStep: Interval?

    /// The most that runs backwards through a pipe rather than being another register: a hundred litres.
    private static let mostReversed = Volume.litres(100)
    /// A register that was left for so long is not come back to.
    private static let remembered = Interval.hours(24)
    /// Water that ran backwards is made up for within this long after it last did: longer would hide the use of a home whose
    /// register was set a little lower.
    private static let swinging = Interval.hours(6)
    /// A register that has not trembled for so long holds still.
    private static let trembling = Interval.hours(24)
    /// A rise of this much is use, however much the register trembles.
    private static let mostTrembled = Volume.litres(1)
    /// A register that swung within these days may take so long for a swing: one a day, by the mains' pressure.
    private static let swingsRecur = Interval.days(3)
    private static let slowSwing = Interval.hours(30)
    /// A register that falls by at least so much in one step may have been set back; after a gap by at most a cubic metre.
    private static let leastSetBack = Volume.litres(5)
    private static let mostSetBack = Volume.litres(1000)
    /// Water runs backwards through a home's pipe no faster than this: in an hour.
    private static let mostReversedPerHour = 600.0

    /// A ledger that has seen nothing yet.
    public init(limits: Limits) { self.limits = limits }

    /// Takes one usable reading of the totaliser.
    public mutating func handle(_ value: Volume, at now: Instant) -> Entry {
        guard let previous = register, let previousAt = readAt else {
            accept(value, at: now)
            return .baseline
        }
        let step = now.since(previousAt)
        if step == .zero { return .duplicate }
        if step < .zero { return .late }
        forget(at: now)
        gathered = now.elapsed - (peakAt ?? previousAt.elapsed)
        if let entry = comeBack(to: value, at: now, since: previousAt) { return entry }
        if let entry = countOn(to: value, from: previous, at: now) { return entry }
        if value >= highest {
            // A leap that was held back stays a leap, however much the pipe would have carried meanwhile.
            let leapt = pending.map { ($0.first ?? $0.register) > highest && value >= $0.register - jitter } ?? false
            guard !leapt, value - highest <= most(in: step) else { return hold(value, from: previous, at: now) }
            // The highest is kept: small draws add up above it and are told once they exceed the tremble.
            if let trembled, value - highest < min(trembled, Self.mostTrembled) { return stay(at: value, from: previous, at: now, since: previousAt) }
            return rise(to: value, at: now, since: previousAt)
        }
        // A coarse register that falls by two counts trembles; after a gap it was set back.
        let wasSetBack = Self.isGap(step, usually: usualStep) && previous - value >= max(Self.leastSetBack, jitter)
        guard value >= (lowest ?? highest) - jitter, !wasSetBack else { return hold(value, from: previous, at: now) }
        return stay(at: value, from: previous, at: now, since: previousAt)
    }

    /// Whether some polls lie between two readings without an answer.
    private static func isGap(_ step: Interval, usually: Interval?) -> Bool { usually.map { step.milliseconds * 2 >= $0.milliseconds * 5 } ?? false }

    /// Within two counts (or a litre): a register on the verge of turning, not water.
    private var jitter: Volume { Volume(millilitres: max(1000, 2 * limits.resolution.millilitres)) }

    private func most(in step: Interval) -> Volume {
        let perHour = Double(limits.mostPerHour.millilitres)
        // Two counts and 20 L of grace: readings jitter in time, and a count may have been about to turn.
        let grace = max(20_000, 2 * limits.resolution.millilitres)
        return Volume(millilitres: Int64((perHour * step.hours).rounded(.up)) + grace)
    }

    private mutating func forget(at now: Instant) {
        if let reversedAt, now.elapsed - reversedAt >= (hasSwung(before: reversedAt) ? Self.slowSwing : Self.swinging) {
            highest = register ?? highest
            peakAt = readAt?.elapsed
            swungBefore = reversedAt
            lowest = nil
            crest = nil
            fall = nil
            self.reversedAt = nil
        }
        if let former, now.elapsed - former.left >= Self.remembered { self.former = nil }
        if let trembledAt, now.elapsed - trembledAt >= Self.trembling { (trembled, self.trembledAt) = (nil, nil) }
    }

    /// Whether water ran backwards some hours or days before it last did: a habit of the mains.
    private func hasSwung(before: Interval) -> Bool {
        guard let swungBefore, swungBefore != setBackAt else { return false }
        return before - swungBefore >= Self.swinging && before - swungBefore < Self.swingsRecur
    }

    /// A register that was believed to have gone elsewhere, and is back: what lay between was false answers, not use.
    private mutating func comeBack(to value: Volume, at now: Instant, since before: Instant) -> Entry? {
        guard let former, value >= former.highest - jitter, value - former.highest <= most(in: now.elapsed - former.left) else { return nil }
        let apart = former.highest - highest
        if let depth = former.setBackBy {
            // Short by a count at the most, which of a coarse register's two is too much.
            let play = Volume(millilitres: min(limits.resolution.millilitres, depth.millilitres / 4))
            guard apart > .zero, value - highest >= depth - play else { return nil }
        }
        // From below it must leap the whole way up; from above it must fall, and nearer to where it once stood.
        let isBack = apart > .zero ? value - highest > apart - jitter : value < highest - jitter && value - former.highest < highest - value
        guard max(apart, .zero - apart) > Self.mostReversed || former.setBackBy != nil, isBack else { return nil }
        let elsewhere = highest
        let used = max(.zero, value - former.highest)
        accept(max(value, former.highest), at: now)
        register = value
        self.former = nil
        return used == .zero ? .event(.glitchDropped(elsewhere)) : .consumption(Consumption(from: before, to: now, volume: used))
    }

    /// After a fall in one step: a register that held still and then rises by little counts on from where it was set back to. Water
    /// that swings comes back at once, or without a rest, or by as much as it fell.
    private mutating func countOn(to value: Volume, from previous: Volume, at now: Instant) -> Entry? {
        guard var fall, lowest != nil, pending == nil else { return nil }
        let rise = value - previous
        let noise = max(trembled ?? .zero, .zero)
        if value < previous - jitter || value >= highest {
            self.fall = nil
            return nil
        }
        guard rise > noise else {
            fall.rested = fall.rested || rise >= .zero - noise
            self.fall = fall
            return nil
        }
        guard fall.rested || fall.isFast, rise + rise < fall.depth else { return nil }
        gathered = readAt.map { now.since($0) }
        setBack(by: fall.depth, to: value, at: now)
        return .event(.setBack(from: fall.from, to: previous, used: rise))
    }

    private mutating func setBack(by depth: Volume, to value: Volume, at now: Instant) {
        leave(for: value, at: now)
        former?.setBackBy = depth
        setBackAt = now.elapsed
        // A second one within days, and without a gap, is taken for a swing: the mains' pressure comes and goes.
        swungBefore = now.elapsed
    }

    private mutating func rise(to value: Volume, at now: Instant, since before: Instant) -> Entry {
        let dropped = pending.map { MeterEvent.glitchDropped($0.register) }
        let used = value - highest
        let swing = used <= jitter ? (lowest, reversedAt) : (nil, nil)
        accept(value, at: now)
        // Just back at the peak: what ran backwards may do so again.
        (lowest, reversedAt) = swing
        if lowest != nil { crest = value }
        // A glitch that ends is worth telling, but the water since is too: tell the glitch only when nothing ran.
        if let dropped, used == .zero { return .event(dropped) }
        return .consumption(Consumption(from: before, to: now, volume: used))
    }

    /// Below the highest register by no more than jitter, or above it by less than it trembles, or on the way back up after water
    /// ran backwards: no use. The highest stays, so that the way back up is none either.
    private mutating func stay(at value: Volume, from previous: Volume, at now: Instant, since before: Instant) -> Entry {
        let dropped = pending.map { MeterEvent.glitchDropped($0.register) }
        // A slow swing falls by less than jitter from one reading to the next.
        let peak = max(crest ?? previous, previous)
        let swung = lowest != nil && value < peak - jitter
        if swung { reversedAt = now.elapsed }
        if lowest != nil { crest = swung ? value : max(peak, value) }
        if lowest == nil, value < highest {
            trembled = min(max(Self.mostTrembled, limits.resolution), max(trembled ?? .zero, highest - value))
            trembledAt = now.elapsed
        }
        register = value
        usualStep = now.since(before)
        readAt = now
        pending = nil
        if let dropped { return .event(dropped) }
        if swung { return .event(.reverse(peak - value)) }
        return .consumption(Consumption(from: before, to: now, volume: .zero))
    }

    /// A fall or a jump: believed when the next readings agree with it, dropped when the register is back where it was.
    private mutating func hold(_ value: Volume, from previous: Volume, at now: Instant) -> Entry {
        guard let held = pending, value >= held.register - max(Self.mostReversed, jitter),
            value - held.register <= most(in: now.elapsed - (held.readAt ?? now.elapsed))
        else {
            pending = Pending(
                register: value, confirmations: 0, first: value, readAt: now.elapsed, step: readAt.map { now.since($0) }, usualStep: usualStep)
            return .event(.quarantined(from: previous, to: value))
        }
        let first = held.first ?? held.register
        if let event = fallen(to: value, first: first, held: held, from: previous, at: now) { return .event(event) }
        guard held.confirmations >= 1 else {
            pending = Pending(
                register: value, confirmations: held.confirmations + 1, first: first, readAt: now.elapsed, step: held.step, usualStep: held.usualStep)
            return .event(.quarantined(from: previous, to: value))
        }
        leave(for: value, at: now)
        return .event(.replaced(from: previous, to: value))
    }

    /// What a fall is that two readings agree on: a rollover, water that ran backwards, or a reset; nil when it is none of these.
    private mutating func fallen(to value: Volume, first: Volume, held: Pending, from previous: Volume, at now: Instant) -> MeterEvent? {
        guard first < highest, value < highest, let readAt else { return nil }
        let most = most(in: now.since(readAt))
        if let modulus = modulus(for: highest), highest - first > Volume(millilitres: modulus.millilitres / 2),
            value + modulus - highest <= (isStatedOrDecimal(modulus) ? most : min(most, littleUse(in: now.since(readAt))))
        {
            let from = highest
            accept(value, at: now)
            return .rollover(from: from, to: value)
        }
        let low = lowest ?? highest
        let depth = previous - first
        let isStep = lowest == nil && depth >= max(Self.leastSetBack, jitter) && value >= first - jitter
        if isStep, held.followsGap, depth <= Self.mostSetBack, !swings(at: now) {
            gathered = now.elapsed - (held.readAt ?? now.elapsed)
            setBack(by: depth, to: value, at: now)
            return .setBack(from: previous, to: first, used: max(.zero, value - first))
        }
        if low - value <= max(Self.mostReversed, jitter) {
            let hours = (held.step ?? .zero).hours
            fall =
                isStep && swungBefore.map { now.elapsed - $0 >= Self.swingsRecur } ?? true
                ? Fall(from: previous, depth: depth, isFast: hours > 0 && depth.litres / hours > Self.mostReversedPerHour) : nil
            fall?.rested = value <= first
            lowest = value
            crest = value
            reversedAt = now.elapsed
            register = value
            self.readAt = now
            pending = nil
            return .reverse(low - value)
        }
        if value <= most, highest > value + value {
            leave(for: value, at: now)
            return .reset(from: previous, to: value)
        }
        return nil
    }

    /// Whether water ran backwards and came back within the last days.
    private func swings(at now: Instant) -> Bool {
        guard let swungBefore, swungBefore != setBackAt else { return false }
        return now.elapsed - swungBefore < Self.swingsRecur
    }

    /// The register is believed to be somewhere else from now on; where it stood is remembered for a while.
    private mutating func leave(for value: Volume, at now: Instant) {
        let left = Former(highest: highest, left: now.elapsed)
        accept(value, at: now)
        former = left
    }

    private mutating func accept(_ value: Volume, at now: Instant) {
        if let readAt { usualStep = now.since(readAt) }
        fall = nil
        register = value
        highest = value
        peakAt = now.elapsed
        readAt = now
        pending = nil
        lowest = nil
        crest = nil
        swungBefore = reversedAt ?? swungBefore
        reversedAt = nil
    }
}
