/// What a meter's display shows, as a technician types it: `123.456m3`, `flow=0.42m3/h`, `serial=21040017`.
public struct DisplayFact: Hashable, Sendable {
    /// What the number is: `volume_total` unless it was said.
    public var name: String
    /// The number, where there is one.
    public var number: Double?
    /// Digits behind the point: the display cannot tell anything finer.
    public var decimals: Int
    /// The unit on the display.
    public var unit: MeasureUnit
    /// The characters as shown, without the unit.
    public var text: String

    /// Reads what was typed; nil when it is neither a number with a known unit nor a named text.
    public init?(parsing typed: String) {
        var rest = typed.filter { !$0.isWhitespace }[...]
        var given: String?
        if let equals = rest.firstIndex(of: "=") {
            given = String(rest[..<equals])
            rest = rest[rest.index(after: equals)...]
        }
        guard !rest.isEmpty, given != "" else { return nil }
        let digits = rest.prefix { $0.isNumber || $0 == "." || $0 == "-" || $0 == "+" }
        let suffix = String(rest.dropFirst(digits.count))
        if let number = Double(digits), number.isFinite, let unit = Self.unit(suffix) {
            self.number = number
            self.unit = unit
            decimals = digits.firstIndex(of: ".").map { digits.distance(from: $0, to: digits.endIndex) - 1 } ?? 0
            text = String(digits)
        } else {
            guard given != nil else { return nil }
            number = nil
            unit = .nothing
            decimals = 0
            text = String(rest)
        }
        name = given ?? (unit.kept == .litrePerHour ? "flow" : "volume_total")
        guard name.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" }) else { return nil }
    }

    private static func unit(_ text: String) -> MeasureUnit? {
        MeasureUnit(rawValue: text.replacing("³", with: "3")) ?? MeasureUnit.allCases.first { $0.rawValue.lowercased() == text.lowercased() }
    }

    /// One step of the last shown digit.
    public var step: Double { (0..<decimals).reduce(1.0) { step, _ in step / 10 } }

    /// The role a draft profile gives the point.
    public var role: String {
        switch name {
        case "volume_total", "volume_reverse", "flow", "battery", "temperature", "serial": name
        default: unit.isVolume ? "volume_total" : unit.kept == .litrePerHour ? "flow" : "other"
        }
    }
}
