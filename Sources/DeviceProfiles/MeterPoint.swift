import Phrasebook
import Telemetry

/// One value in registers: where it is, how it is written, and what one count of it is worth.
public struct RegisterField: Hashable, Sendable {
    /// The function code that reads it: 3 holding registers, 4 input registers.
    public var function: UInt8
    /// The wire address: the number in the protocol data unit, counted from 0.
    public var address: UInt16
    /// How it is written.
    public var type: RegisterType
    /// The order of its bytes; nil when nobody knows it yet, which keeps the point from being decoded.
    public var order: WordOrder?
    /// What one count is worth, in the field's own unit.
    public var scale: Double
    /// The unit of this field, where it differs from the point's (a sum of m³ and mL); else nil.
    public var unit: MeasureUnit?

    /// A field with all its parts.
    public init(
        function: UInt8, address: UInt16, type: RegisterType, order: WordOrder?, scale: Double = 1,
        unit: MeasureUnit? = nil
    ) {
        self.function = function
        self.address = address
        self.type = type
        self.order = order
        self.scale = scale
        self.unit = unit
    }

    /// The registers it takes.
    public var registers: Range<Int> { Int(address)..<Int(address) + type.registerCount }
}

/// A factor a device keeps in a register, or the installer sets: `10^(n-3)`, or one factor for each value.
public struct ScaleRule: Hashable, Sendable {
    /// Where the number comes from.
    public enum Origin: Hashable, Sendable {
        /// A register of the device.
        case register(RegisterField)
        /// A parameter of the instance in the configuration.
        case parameter(String)
    }

    /// How the number becomes a factor.
    public enum Law: Hashable, Sendable {
        /// 10^(sign·n + shift).
        case powerOfTen(sign: Int, shift: Int)
        /// A factor for each number.
        case table([Int: Double])
    }

    /// Where the number comes from.
    public var origin: Origin
    /// How it becomes a factor.
    public var law: Law

    /// The factor for a number; nil when the table has none or the power is absurd.
    public func factor(for number: Int) -> Double? {
        switch law {
        case .table(let table): return table[number]
        case .powerOfTen(let sign, let shift):
            guard (-1000...1000).contains(number), (-1000...1000).contains(shift) else { return nil }
            let exponent = sign * number + shift
            guard abs(exponent) <= 12 else { return nil }
            return exponent >= 0 ? powersOfTen[exponent] : 1 / powersOfTen[-exponent]
        }
    }

    /// Reads `10^n`, `10^-n`, `10^(n-3)` or `10^(3-n)`; nil for anything else.
    public static func law(parsing text: String) -> Law? {
        let compact = text.filter { !$0.isWhitespace }
        guard compact.hasPrefix("10^") else { return nil }
        var body = String(compact.dropFirst(3))
        if body.hasPrefix("("), body.hasSuffix(")") { body = String(body.dropFirst().dropLast()) }
        if body == "n" { return .powerOfTen(sign: 1, shift: 0) }
        if body == "-n" { return .powerOfTen(sign: -1, shift: 0) }
        if body.hasPrefix("n"), let shift = Int(body.dropFirst()) { return .powerOfTen(sign: 1, shift: shift) }
        if body.hasSuffix("-n"), let shift = Int(body.dropLast(2)) { return .powerOfTen(sign: -1, shift: shift) }
        return nil
    }
}

private let powersOfTen: [Double] = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12]

/// A unit a device keeps in a register, or the installer sets.
public struct UnitRule: Hashable, Sendable {
    /// Where the number or word comes from.
    public var origin: ScaleRule.Origin
    /// The unit for each number of the register; empty when the origin is a parameter that names the unit itself.
    public var values: [Int: MeasureUnit]
}

/// What one status bit or enumerated value means for other points.
public struct StatusMeaning: Hashable, Sendable {
    /// The device's name for it, as a stable word: `empty_pipe`.
    public var name: String
    /// Points that mean nothing while it is set.
    public var bad: [String]
    /// Points to be careful with while it is set.
    public var suspect: [String]
}

/// A value of a device that a reader wants: its registers, what they are worth, and when not to believe them.
public struct MeterPoint: Hashable, Sendable {
    /// The point's name in the profile.
    public var id: String
    /// What it is for.
    public var role: PointRole
    /// The unit the fields count in, before `unitRule`.
    public var unit: MeasureUnit
    /// The fields that add up to the value; one for most points.
    public var fields: [RegisterField]
    /// Added after scaling, in `unit`.
    public var offset: Double
    /// A factor that lives in the device or the installation.
    public var scaleRule: ScaleRule?
    /// A unit that lives in the device or the installation.
    public var unitRule: UnitRule?
    /// Raw numbers of the first field that are error words, not values.
    public var sentinels: [UInt64]
    /// Values outside these limits, in the kept unit, are suspect.
    public var limits: ClosedRange<Double>?
    /// Status bits by bit number, for a point of bits.
    public var bits: [Int: StatusMeaning]
    /// Enumerated values by number, for a status word.
    public var values: [Int: StatusMeaning]
    /// Where address and type were read.
    public var source: String
    /// Whether any of it is an inference nobody has verified.
    public var inferred: Bool
    /// Line in the profile, for lint.
    public var line: Int?
    /// Whether the point is read in every poll.
    public var polled: Bool

    /// A plain point of some fields.
    public init(
        id: String, role: PointRole, unit: MeasureUnit, fields: [RegisterField], offset: Double = 0, scaleRule: ScaleRule? = nil,
        unitRule: UnitRule? = nil, sentinels: [UInt64] = [], limits: ClosedRange<Double>? = nil, bits: [Int: StatusMeaning] = [:],
        values: [Int: StatusMeaning] = [:], source: String = "", inferred: Bool = false, line: Int? = nil, polled: Bool = true
    ) {
        self.id = id
        self.role = role
        self.unit = unit
        self.fields = fields
        self.offset = offset
        self.scaleRule = scaleRule
        self.unitRule = unitRule
        self.sentinels = sentinels
        self.limits = limits
        self.bits = bits
        self.values = values
        self.source = source
        self.inferred = inferred
        self.line = line
        self.polled = polled
    }
}
