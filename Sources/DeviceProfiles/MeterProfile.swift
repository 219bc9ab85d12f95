import Phrasebook
import Telemetry

/// How well a profile is proven; a rung needs its evidence.
public enum TrustRung: String, Sendable, CaseIterable, Comparable {
    /// The file is well formed.
    case structural
    /// Every point cites the paper it was read from.
    case documented
    /// Two independent sources agree, or a real dump decodes.
    case crossChecked = "cross-checked"
    /// A technician matched the display.
    case fieldVerified = "field-verified"

    /// Compares two rungs, lower first.
    public static func < (left: TrustRung, right: TrustRung) -> Bool { left.height < right.height }

    private var height: Int { TrustRung.allCases.firstIndex(of: self) ?? 0 }
}

/// Parity of a serial line.
public enum Parity: String, Sendable, CaseIterable, Codable {
    case none, even, odd
}

/// The line settings a meter leaves the factory with.
public struct SerialDefaults: Hashable, Sendable {
    /// Bits a second.
    public var baud: Int
    /// Parity.
    public var parity: Parity
    /// Stop bits, 1 or 2.
    public var stopBits: Int
}

/// How a device wants to be spoken to.
public struct DeviceTiming: Hashable, Sendable {
    /// How long the device thinks before it answers, at most; the bus's response timeout where nil.
    public var turnaround: Interval?
    /// Pause after a TCP connection opens.
    public var pauseAfterConnect: Interval
    /// Further tries after a request without an answer.
    public var retries: Int
    /// Whether the first answer after a sleep is to be thrown away.
    public var discardFirst: Bool
    /// Idle time after which the device sleeps and must be woken; nil when it never sleeps.
    public var sleepsAfter: Interval?

    /// Timing with defaults: two retries, no sleep.
    public init(
        turnaround: Interval? = nil, pauseAfterConnect: Interval = .zero, retries: Int = 2, discardFirst: Bool = false,
        sleepsAfter: Interval? = nil
    ) {
        self.turnaround = turnaround
        self.pauseAfterConnect = pauseAfterConnect
        self.retries = retries
        self.discardFirst = discardFirst
        self.sleepsAfter = sleepsAfter
    }
}

/// How registers may be gathered into reads.
public struct ReadingRules: Hashable, Sendable {
    /// The most registers one read may ask for; 125 is the protocol's own limit.
    public var mostRegisters: Int
    /// Whether neighbouring points may share a read.
    public var coalesces: Bool
    /// The largest gap of unwanted registers to read over; nil lets the bus's speed decide.
    public var largestGap: Int?
    /// Reads that must be sent just so.
    public var fixedBlocks: [ReadRequest]

    /// Rules with the protocol's own limits unless said otherwise.
    public init(mostRegisters: Int = 125, coalesces: Bool = true, largestGap: Int? = nil, fixedBlocks: [ReadRequest] = []) {
        self.mostRegisters = mostRegisters
        self.coalesces = coalesces
        self.largestGap = largestGap
        self.fixedBlocks = fixedBlocks
    }
}

/// Registers that change the device. Listed so that nothing ever writes them; Wellward has no write path.
public struct DangerousRegisters: Hashable, Sendable {
    /// The wire address of the first.
    public var address: UInt16
    /// How many.
    public var count: Int
    /// What writing them would do.
    public var why: String
}

/// One fact that tells this model from others in a read-only scan.
public struct FingerprintFact: Hashable, Sendable {
    /// The register looked at.
    public var field: RegisterField
    /// The number it must hold.
    public var range: ClosedRange<Double>
}

/// A recorded or composed exchange with what it must decode to.
public struct GoldenFrame: Hashable, Sendable {
    /// The request, with CRC.
    public var request: [UInt8]
    /// The answer, with CRC.
    public var response: [UInt8]
    /// Expected values by point, in the kept unit.
    public var expected: [String: Double]
    /// Expected texts by point.
    public var expectedTexts: [String: String]
    /// Whether the registers came from a real device.
    public var isReal: Bool
    /// Where it was recorded.
    public var source: String
    /// Line in the profile.
    public var line: Int?
}

/// Totals the meter keeps of past hours or days.
public struct HistoryLog: Hashable, Sendable {
    /// What one record covers.
    public enum Period: String, Sendable, CaseIterable { case hourly, daily }
    /// What one record covers.
    public var period: Period
    /// The first record's field; the others follow.
    public var first: RegisterField
    /// How many records there are.
    public var count: Int
    /// Whether the first record is the newest.
    public var newestFirst: Bool
    /// The unit the records count in.
    public var unit: MeasureUnit

    /// A log with all its parts.
    public init(period: Period, first: RegisterField, count: Int, newestFirst: Bool, unit: MeasureUnit) {
        self.period = period
        self.first = first
        self.count = count
        self.newestFirst = newestFirst
        self.unit = unit
    }
}

/// Everything there is to say about a model of meter; what it says about an instance is in the configuration.
public struct MeterProfile: Hashable, Sendable {
    public var id: ProfileID
    public var title: LocalizedText
    public var manufacturer: String
    public var models: [String]
    public var document: String
    public var firmwareNote: String?
    public var trust: TrustRung
    public var serial: SerialDefaults?
    /// What the manual's numbers are counted from, 0 or 1: wire = number − base.
    public var addressBase: Int
    public var reading: ReadingRules
    public var timing: DeviceTiming
    /// One count of the totaliser.
    public var resolution: Volume
    /// The totaliser's modulus, where it is known.
    public var rollover: Volume?
    public var points: [MeterPoint]
    public var histories: [HistoryLog]
    public var fingerprint: [FingerprintFact]
    public var danger: [DangerousRegisters]
    public var golden: [GoldenFrame]
    /// What a technician must do before the meter answers.
    public var requirements: LocalizedText?

    /// The totaliser.
    public var volumeTotal: MeterPoint? { points.first { $0.role == .volumeTotal } }
    /// Whether the meter says whether it is alive apart from its totaliser: a clock.
    public var hasHeartbeat: Bool { points.contains { $0.role == .clock && $0.polled } }
}
