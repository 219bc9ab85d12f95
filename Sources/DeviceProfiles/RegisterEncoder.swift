import Telemetry

/// Writes values into registers as a device of the model would hold them: the decoder's inverse, for simulated devices.
public struct RegisterEncoder: Sendable {
    private let profile: MeterProfile
    private let parameters: InstanceParameters

    /// An encoder for one instance of a model.
    public init(profile: MeterProfile, parameters: InstanceParameters = .none) {
        self.profile = profile
        self.parameters = parameters
    }

    /// A register with its place.
    public struct Word: Sendable, Hashable {
        public var function: UInt8
        public var address: UInt16
        public var value: UInt16
    }

    /// The registers that make a point decode to a value of its kept unit. Sums put whole units of the first term in
    /// the first and the rest in the last; scale registers hold the number whose factor is nearest to one; unit
    /// registers hold the first listed unit of the point's kind.
    public func words(for point: MeterPoint, value: Double) -> [Word] {
        var result: [Word] = []
        var factor = 1.0
        if let rule = point.scaleRule {
            switch rule.origin {
            case .parameter(let name): factor = parameters.integer(name).flatMap { rule.factor(for: $0) } ?? 1
            case .register(let field):
                let number = (-9...9).first { rule.factor(for: $0) == 1 } ?? 0
                factor = rule.factor(for: number) ?? 1
                result += encode(Double(number), in: field)
            }
        }
        var unit = point.unit
        if let rule = point.unitRule {
            switch rule.origin {
            case .parameter(let name): unit = parameters.text(name).flatMap { MeasureUnit(rawValue: $0) } ?? unit
            case .register(let field):
                let kind = point.unit.kept
                let fitting = rule.values.filter { kind == .nothing || $0.value.kept == kind }.sorted { $0.key < $1.key }
                if let chosen = fitting.first(where: { $0.value == point.unit }) ?? fitting.first {
                    unit = chosen.value
                    result += encode(Double(chosen.key), in: field)
                }
            }
        }
        var rest = (value / unit.factor - point.offset) / factor
        for (index, field) in point.fields.enumerated() {
            let worth = field.scale * (field.unit.map { $0.factor / unit.factor } ?? 1)
            let counts = rest / worth
            // Half a millilitre of grace: 12.999999999 whole units are thirteen.
            let number = index == point.fields.count - 1 ? counts : (counts + 1e-9).rounded(.down)
            result += encode(number, in: field)
            rest -= number * worth
        }
        return result
    }

    /// The nearest whole number a register can be made from: what is none, or too large, is zero or the largest.
    private static func whole(_ number: Double) -> Int64 { number.isNaN ? 0 : Int64(min(9.2e18, max(-9.2e18, number.rounded()))) }

    /// The registers of one field holding a number.
    public func encode(_ number: Double, in field: RegisterField) -> [Word] {
        let order = field.order ?? .bigEndian(registers: min(4, field.type.registerCount))
        let bits: UInt64
        switch field.type {
        case .integer(let registers, let signed):
            let whole = signed ? UInt64(bitPattern: Self.whole(number)) : UInt64(max(0, Self.whole(number)))
            bits = registers == 4 ? whole : whole & (1 << UInt64(16 * registers) - 1)
        case .float(let registers):
            bits = registers == 2 ? UInt64(Float(number).bitPattern) : number.bitPattern
        case .bcd:
            var rest = UInt64(max(0, Self.whole(number)))
            var packed: UInt64 = 0
            var shift: UInt64 = 0
            while rest > 0, shift < 64 {
                packed |= rest % 10 << shift
                rest /= 10
                shift += 4
            }
            bits = packed
        case .bits: bits = UInt64(max(0, Self.whole(number)))
        case .ascii(let registers, _):
            return (0..<registers).map { Word(function: field.function, address: field.address &+ UInt16(truncatingIfNeeded: $0), value: 0x3030) }
        case .clock: return []
        }
        return order.disassemble(bits).enumerated().map {
            Word(function: field.function, address: field.address &+ UInt16(truncatingIfNeeded: $0.offset), value: $0.element)
        }
    }

    /// The registers of a clock point showing a local time.
    public func words(forClock point: MeterPoint, showing parts: ClockParts) -> [Word] {
        guard let field = point.fields.first, case .clock(let layout) = field.type else { return [] }
        let numbers = layout.parts.map { part -> Int in
            let value =
                switch part {
                case .century: parts.year / 100
                case .year: layout.perRegister && !layout.bcd ? parts.year : parts.year % 100
                case .month: parts.month
                case .day: parts.day
                case .hour: parts.hour
                case .minute: parts.minute
                case .second: parts.second
                case .skip: 0
                }
            return layout.bcd ? value / 10 * 16 + value % 10 : value
        }
        let words =
            layout.perRegister
            ? numbers.map { UInt16(truncatingIfNeeded: $0) }
            : stride(from: 0, to: numbers.count - 1, by: 2).map { UInt16(truncatingIfNeeded: numbers[$0] << 8 | numbers[$0 + 1] & 255) }
        return words.enumerated().map {
            Word(function: field.function, address: field.address &+ UInt16(truncatingIfNeeded: $0.offset), value: $0.element)
        }
    }
}
