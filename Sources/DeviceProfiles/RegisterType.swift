/// How a value is written in registers.
public enum RegisterType: Hashable, Sendable {
    /// A whole number of 1 to 4 registers, two's complement when signed.
    case integer(registers: Int, signed: Bool)
    /// IEEE 754 binary32 or binary64.
    case float(registers: Int)
    /// Decimal digits, four bits each, 1 to 4 registers.
    case bcd(registers: Int)
    /// Text, two characters a register, or one (`perRegister`).
    case ascii(registers: Int, perRegister: Bool)
    /// A clock; the layout says what each byte or register holds.
    case clock(ClockLayout)
    /// Status bits in one or two registers.
    case bits(registers: Int)

    /// Reads the profile's word for the type; nil when there is no such type.
    public init?(word: String, registers: Int?, layout: ClockLayout?) {
        switch word {
        case "uint16": self = .integer(registers: 1, signed: false)
        case "int16": self = .integer(registers: 1, signed: true)
        case "uint32": self = .integer(registers: 2, signed: false)
        case "int32": self = .integer(registers: 2, signed: true)
        case "uint48": self = .integer(registers: 3, signed: false)
        case "int48": self = .integer(registers: 3, signed: true)
        case "uint64": self = .integer(registers: 4, signed: false)
        case "int64": self = .integer(registers: 4, signed: true)
        case "float32": self = .float(registers: 2)
        case "float64": self = .float(registers: 4)
        case "bcd16": self = .bcd(registers: 1)
        case "bcd32": self = .bcd(registers: 2)
        case "bcd48": self = .bcd(registers: 3)
        case "bcd64": self = .bcd(registers: 4)
        case "bits16": self = .bits(registers: 1)
        case "bits32": self = .bits(registers: 2)
        case "ascii":
            guard let registers else { return nil }
            self = .ascii(registers: registers, perRegister: false)
        case "ascii_per_register":
            guard let registers else { return nil }
            self = .ascii(registers: registers, perRegister: true)
        case "clock":
            guard let layout else { return nil }
            self = .clock(layout)
        default: return nil
        }
    }

    /// The words a profile may use.
    public static let words = [
        "uint16", "int16", "uint32", "int32", "uint48", "int48", "uint64", "int64", "float32", "float64",
        "bcd16", "bcd32", "bcd48", "bcd64", "ascii", "ascii_per_register", "clock", "bits16", "bits32",
    ]

    /// How many registers the value takes.
    public var registerCount: Int {
        switch self {
        case .integer(let registers, _), .float(let registers), .bcd(let registers), .bits(let registers),
            .ascii(let registers, _):
            registers
        case .clock(let layout): layout.registerCount
        }
    }

    /// Whether the value is a number.
    public var isNumeric: Bool {
        switch self {
        case .ascii, .clock: false
        default: true
        }
    }

    /// Whether the order of words matters.
    public var isOrdered: Bool { isNumeric && registerCount > 1 }
}

/// What each byte (or each register) of a packed clock holds, in wire order.
public struct ClockLayout: Hashable, Sendable {
    /// One part of a clock.
    public enum Part: String, Sendable {
        /// The century, such as 20.
        case century = "CC"
        /// The year of the century; a whole register may hold the full year.
        case year = "YY"
        /// The month, 1 to 12.
        case month = "MM"
        /// The day of the month.
        case day = "DD"
        /// The hour, 0 to 23.
        case hour = "hh"
        /// The minute.
        case minute = "mm"
        /// The second.
        case second = "ss"
        /// Day of week or anything else that is not needed.
        case skip = "--"
    }

    /// The parts in wire order.
    public var parts: [Part]
    /// Whether each part is written in decimal digits of four bits.
    public var bcd: Bool
    /// Whether each part fills a register instead of a byte.
    public var perRegister: Bool

    /// A layout such as `mm ss DD hh YY MM`; nil when a part is unknown or the bytes do not fill whole registers.
    public init?(_ text: String, bcd: Bool, perRegister: Bool) {
        let words = text.split(separator: " ")
        let parts = words.compactMap { Part(rawValue: String($0)) }
        // A minute may be told, a century too; nothing tells sixty-four parts.
        guard parts.count == words.count, (1...64).contains(parts.count), perRegister || parts.count % 2 == 0 else { return nil }
        self.parts = parts
        self.bcd = bcd
        self.perRegister = perRegister
    }

    /// How many registers the clock takes.
    public var registerCount: Int { perRegister ? parts.count : parts.count / 2 }
}
