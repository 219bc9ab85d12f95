/// How far a value may be trusted. It travels with the value to the rule that uses it.
public enum Quality: String, Sendable, Codable, CaseIterable {
    /// The device answered and nothing speaks against the value.
    case good
    /// The device answered, but a status bit or a limit says to be careful.
    case suspect
    /// The value is older than it looks: the device repeats an old answer.
    case stale
    /// The device answered that the value means nothing (an error sentinel, an empty pipe).
    case bad
    /// No answer, or none that can be believed. Never zero.
    case missing
    /// Read later from the meter's own log.
    case backfilled

    /// Whether a rule may use the value as the meter's register.
    public var isUsable: Bool { self == .good || self == .suspect || self == .backfilled }
}

/// What a point of a device is for; the contract's list of roles.
public enum PointRole: String, Sendable, Codable, CaseIterable {
    /// The totaliser: water used so far.
    case volumeTotal = "volume_total"
    /// The totaliser of reverse flow.
    case volumeReverse = "volume_reverse"
    /// Momentary flow.
    case flow
    /// Battery voltage or charge.
    case battery
    /// Water or device temperature.
    case temperature
    /// The device's own clock.
    case clock
    /// Valve state.
    case valve
    /// Serial number.
    case serial
    /// Status bits.
    case status
    /// Totaliser values at past full hours.
    case historyHourly = "history_hourly"
    /// Totaliser values at past midnights.
    case historyDaily = "history_daily"
    /// Anything else worth showing a technician.
    case other
}

/// One value of one point of one meter at one time: what was read, how far to trust it, and the raw words.
public struct Reading: Sendable, Hashable {
    /// The meter read.
    public var meter: MeterID
    /// The point, as the profile names it.
    public var point: String
    /// The moment the value holds for.
    public var at: WallTime
    /// The moment the answer arrived here.
    public var receivedAt: WallTime
    /// The device's own clock, where it has one.
    public var deviceAt: WallTime?
    /// The value in the point's unit; nil when there is none. Missing is never zero.
    public var value: Double?
    /// The unit of the value (`L`, `L/h`, `V`, `°C`, or empty).
    public var unit: String
    /// How far to trust the value.
    public var quality: Quality
    /// The registers as they came, in wire order.
    public var raw: [UInt16]

    /// A reading with all its parts.
    public init(
        meter: MeterID, point: String, at: WallTime, receivedAt: WallTime, deviceAt: WallTime? = nil,
        value: Double?, unit: String, quality: Quality, raw: [UInt16] = []
    ) {
        self.meter = meter
        self.point = point
        self.at = at
        self.receivedAt = receivedAt
        self.deviceAt = deviceAt
        self.value = value
        self.unit = unit
        self.quality = quality
        self.raw = raw
    }
}
