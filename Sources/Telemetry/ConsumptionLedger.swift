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
/// A pure value: feed it every usable reading of the totaliser in any order; it answers with what each means. The
/// same reading twice means nothing twice. A reading older than the newest one is `late`: its water is already inside
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

    private struct Pending: Sendable, Codable, Hashable {
        var register: Volume
        var confirmations: Int
    }

    /// What is known of the meter.
    public var limits: Limits
    /// The newest accepted register; use is counted above the highest one since the last event.
    public private(set) var register: Volume?
    /// When the newest accepted register was read.
    public private(set) var readAt: Instant?
    private var highest = Volume.zero
    private var pending: Pending?

    /// A ledger that has seen nothing yet.
    public init(limits: Limits) { self.limits = limits }

    /// Takes one usable reading of the totaliser.
    public mutating func handle(_ value: Volume, at now: Instant) -> Entry {
        guard let previous = register, let previousAt = readAt else {
            register = value
            readAt = now
            highest = value
            return .baseline
        }
        let step = now.since(previousAt)
        if step == .zero { return .duplicate }
        if step < .zero { return .late }
        if value < highest { return fall(to: value, from: previous, at: now, since: previousAt) }
        if value - highest > most(in: step) { return quarantine(value, from: previous, at: now, since: previousAt) }
        return rise(to: value, at: now, since: previousAt)
    }

    private func most(in step: Interval) -> Volume {
        let perHour = Double(limits.mostPerHour.millilitres)
        // Two counts and 20 L of grace: readings jitter in time, and a count may have been about to turn.
        let grace = max(20_000, 2 * limits.resolution.millilitres)
        return Volume(millilitres: Int64((perHour * step.hours).rounded(.up)) + grace)
    }

    private mutating func rise(to value: Volume, at now: Instant, since before: Instant) -> Entry {
        let dropped = pending.map { MeterEvent.glitchDropped($0.register) }
        let used = value - highest
        accept(value, at: now)
        // A glitch that ends is worth telling, but the water since is too: tell the glitch only when nothing ran.
        if let dropped, used == .zero { return .event(dropped) }
        return .consumption(Consumption(from: before, to: now, volume: used))
    }

    private mutating func fall(to value: Volume, from previous: Volume, at now: Instant, since before: Instant) -> Entry {
        let drop = highest - value
        // Within two counts (or a litre) below the highest register: jitter, not reverse flow. The highest stays, so
        // that the way back up is not use.
        if drop <= Volume(millilitres: max(1000, 2 * limits.resolution.millilitres)) {
            register = value
            readAt = now
            return .consumption(Consumption(from: before, to: now, volume: .zero))
        }
        if let modulus = modulus(for: highest), value + modulus - highest <= most(in: now.since(before)) {
            let from = highest
            accept(value, at: now)
            return .event(.rollover(from: from, to: value))
        }
        if value <= most(in: now.since(before)) && highest > value + value {
            accept(value, at: now)
            return .event(.reset(from: previous, to: value))
        }
        if drop <= most(in: now.since(before)) {
            accept(value, at: now)
            return .event(.reverse(drop))
        }
        return quarantine(value, from: previous, at: now, since: before)
    }

    /// The use across a rollover, for the caller that wants to count it.
    public static func use(acrossRolloverFrom from: Volume, to: Volume, modulus: Volume) -> Volume {
        to + modulus - from
    }

    /// The modulus at which a register of this height would roll over: the profile's, or the next power of ten
    /// when the register stands in the last twentieth below it.
    public func modulus(for register: Volume) -> Volume? {
        if let stated = limits.rollover { return stated }
        var power: Int64 = 1_000_000
        while power <= register.millilitres && power < 1_000_000_000_000_000 { power *= 10 }
        return register.millilitres >= power - power / 20 ? Volume(millilitres: power) : nil
    }

    private mutating func quarantine(
        _ value: Volume, from previous: Volume, at now: Instant, since before: Instant
    ) -> Entry {
        if let held = pending, value >= held.register, value - held.register <= most(in: now.since(before)) {
            if held.confirmations >= 1 {
                accept(value, at: now)
                return .event(.replaced(from: previous, to: value))
            }
            pending = Pending(register: value, confirmations: held.confirmations + 1)
        } else {
            pending = Pending(register: value, confirmations: 0)
        }
        return .event(.quarantined(from: previous, to: value))
    }

    private mutating func accept(_ value: Volume, at now: Instant) {
        register = value
        highest = value
        readAt = now
        pending = nil
    }
}
