import Telemetry

/// A decoded value: a number in the kept unit, a text, or neither, with its quality.
public struct DecodedValue: Sendable, Hashable {
    /// The number in the kept unit; nil when there is none.
    public var number: Double?
    /// How far to trust it.
    public var quality: Quality
    /// The unit the number is in.
    public var unit: MeasureUnit

    static func missing(_ unit: MeasureUnit) -> DecodedValue { DecodedValue(number: nil, quality: .missing, unit: unit) }
    static func bad(_ unit: MeasureUnit) -> DecodedValue { DecodedValue(number: nil, quality: .bad, unit: unit) }
}

extension RegisterField {
    /// The bits of the value as one number; nil when the registers were not read or their order is unknown.
    @inline(__always)
    func bits(in image: RegisterImage) -> UInt64? {
        guard let words = image.words(function: function, address: address, count: type.registerCount) else { return nil }
        if words.count == 1, order == nil, let first = words.first { return UInt64(first) }
        guard let order else { return nil }
        return order.assemble(words)
    }

    /// The number the field holds, unscaled; nil when it was not read, its order is unknown, or it holds none.
    public func number(in image: RegisterImage) -> Double? { bits(in: image).flatMap { number(fromBits: $0) } }

    /// The number the bits stand for, unscaled; nil when they stand for none (NaN, infinity, a digit above nine).
    @inline(__always)
    public func number(fromBits bits: UInt64) -> Double? {
        switch type {
        case .integer(let registers, let signed):
            if !signed { return Double(bits) }
            let shift = UInt64(64 - 16 * registers)
            return Double(Int64(bitPattern: bits << shift) >> Int64(shift))
        case .float(let registers):
            let value = registers == 2 ? Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits))) : Double(bitPattern: bits)
            return value.isFinite ? value : nil
        case .bcd(let registers):
            var value: UInt64 = 0
            for digit in stride(from: registers * 16 - 4, through: 0, by: -4) {
                let nibble = bits >> UInt64(digit) & 15
                guard nibble < 10 else { return nil }
                value = value * 10 + nibble
            }
            return Double(value)
        case .bits: return Double(bits)
        case .ascii, .clock: return nil
        }
    }
}

extension MeterPoint {
    /// Decodes the point from what was read, without status bits of other points.
    ///
    /// Allocates nothing; the cost is a few operations a register.
    /// - Parameters:
    ///   - image: the registers of one round
    ///   - parameters: what the installation sets
    public func decode(_ image: RegisterImage, parameters: InstanceParameters = .none) -> DecodedValue {
        let factor: Double
        switch scaleFactor(image, parameters) {
        case .some(let found): factor = found
        case .none: return .missing(unit.kept)
        }
        guard let counted = countedUnit(image, parameters) else { return .missing(unit.kept) }
        var sum = 0.0
        for index in fields.indices {
            guard let bits = fields[index].bits(in: image) else { return .missing(counted.kept) }
            if index == 0, !sentinels.isEmpty, sentinels.contains(bits) { return .bad(counted.kept) }
            guard let number = fields[index].number(fromBits: bits) else { return .bad(counted.kept) }
            var worth = number * fields[index].scale
            if let own = fields[index].unit { worth = worth * own.factor / counted.factor }
            sum += worth
        }
        let value = Self.withoutNoise((sum * factor + offset) * counted.factor)
        guard value.isFinite else { return .bad(counted.kept) }
        let inside = limits?.contains(value) ?? true
        return DecodedValue(number: value, quality: inside ? .good : .suspect, unit: counted.kept)
    }

    /// Without the noise of binary fractions: 10.04 m³ are 10040 L, not 10040.000000000002. Only what differs in the fourteenth digit is moved.
    private static func withoutNoise(_ value: Double) -> Double {
        let rounded = value.rounded()
        if abs(value - rounded) <= abs(value) * 1e-13 { return rounded }
        guard abs(value) < 1e6 else { return value }
        let fine = (value * 1e6).rounded() / 1e6
        return abs(value - fine) <= abs(value) * 1e-13 ? fine : value
    }

    private func scaleFactor(_ image: RegisterImage, _ parameters: InstanceParameters) -> Double? {
        guard let rule = scaleRule else { return 1 }
        switch rule.origin {
        case .parameter(let name):
            return parameters.integer(name).flatMap { rule.factor(for: $0) }
        case .register(let field):
            guard let bits = field.bits(in: image), let number = field.number(fromBits: bits), abs(number) < 1e6
            else { return nil }
            return rule.factor(for: Int(number))
        }
    }

    private func countedUnit(_ image: RegisterImage, _ parameters: InstanceParameters) -> MeasureUnit? {
        guard let rule = unitRule else { return unit }
        switch rule.origin {
        case .parameter(let name):
            return parameters.text(name).flatMap { MeasureUnit(rawValue: $0) }
        case .register(let field):
            guard let bits = field.bits(in: image), let number = field.number(fromBits: bits), abs(number) < 1e6
            else { return nil }
            return rule.values[Int(number)]
        }
    }

    /// The registers the point needs, those of its scale and unit included.
    public var neededFields: [RegisterField] {
        var all = fields
        if case .register(let field) = scaleRule?.origin { all.append(field) }
        if case .register(let field) = unitRule?.origin { all.append(field) }
        return all
    }

    /// Text of an ASCII point, trimmed of padding; nil when it was not read or is no printable ASCII.
    public func text(_ image: RegisterImage) -> String? {
        guard let field = fields.first, case .ascii(_, let perRegister) = field.type,
            let words = image.words(function: field.function, address: field.address, count: field.type.registerCount)
        else { return nil }
        var bytes: [UInt8] = []
        for word in words {
            if !perRegister { bytes.append(UInt8(word >> 8)) }
            bytes.append(UInt8(word & 255))
        }
        let trimmed = bytes.prefix { $0 != 0 }
        guard trimmed.allSatisfy({ (32..<127).contains($0) }) else { return nil }
        return String(decoding: trimmed, as: UTF8.self).trimmingSpaces()
    }
}

extension String {
    fileprivate func trimmingSpaces() -> String {
        var view = self[...]
        while view.first == " " { view = view.dropFirst() }
        while view.last == " " { view = view.dropLast() }
        return String(view)
    }
}

/// What a profile leaves to the installation: `unit=m3`, `exponent=0`.
public struct InstanceParameters: Sendable, Hashable {
    private let values: [String: String]

    /// Parameters by name.
    public init(_ values: [String: String]) { self.values = values }
    /// No parameters.
    public static let none = InstanceParameters([:])

    /// The names that are set.
    public var names: [String] { values.keys.sorted() }
    /// A parameter as text.
    public func text(_ name: String) -> String? { values[name] }
    /// A parameter as a whole number.
    public func integer(_ name: String) -> Int? { values[name].flatMap { Int($0) } }
}
