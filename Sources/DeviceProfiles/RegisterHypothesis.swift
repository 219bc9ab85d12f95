/// One way to read some words as a value: where, as what, in which order, and what one count is worth in the display's unit.
public struct RegisterHypothesis: Hashable, Sendable {
    /// The fields that add up to the value; offsets count words from the beginning of the read.
    public struct Term: Hashable, Sendable {
        public var offset: Int
        public var type: RegisterType
        public var order: WordOrder
        /// A power of ten: one count is 10^exponent of the display's unit.
        public var exponent: Int

        var scale: Double { exponent >= 0 ? Self.powers[exponent] : 1 / Self.powers[-exponent] }
        private static let powers: [Double] = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]

        func number(in words: [UInt16]) -> Double? {
            guard offset >= 0, offset + type.registerCount <= words.count else { return nil }
            let bits = order.assemble(words[offset..<offset + type.registerCount])
            let field = RegisterField(function: 3, address: 0, type: type, order: order)
            return field.number(fromBits: bits)
        }

        /// The words that hold a number of counts; nil when they cannot.
        func words(holding number: Double) -> [UInt16]? {
            let count = type.registerCount
            switch type {
            case .integer(_, let signed):
                let limit = count == 4 ? 9.2e18 : signed ? Double(UInt64(1) << UInt64(16 * count - 1)) : Double(UInt64(1) << UInt64(16 * count))
                guard number >= (signed ? -limit : 0), number < limit else { return nil }
                return order.disassemble(UInt64(bitPattern: Int64(number.rounded())))
            case .float(let registers):
                return order.disassemble(registers == 2 ? UInt64(Float(number).bitPattern) : number.bitPattern)
            case .bcd:
                guard number >= 0, number < Self.powers[min(9, count * 4)] * (count * 4 > 9 ? Self.powers[count * 4 - 9] : 1) else { return nil }
                var bits: UInt64 = 0
                var rest = UInt64(number.rounded())
                for digit in 0..<(count * 4) {
                    bits |= (rest % 10) << UInt64(4 * digit)
                    rest /= 10
                }
                return order.disassemble(bits)
            case .ascii, .clock, .bits: return nil
            }
        }
    }

    public var terms: [Term]
    /// How unusual such a layout is, in bits: what its evidence must outweigh.
    public var oddity: Double

    /// The value in the display's unit; nil when the words hold no number so read.
    public func value(in words: [UInt16]) -> Double? {
        var sum = 0.0
        for term in terms {
            guard let number = term.number(in: words) else { return nil }
            sum += number * term.scale
        }
        return sum
    }

    /// The read's words with this value written into them; nil when it does not fit.
    func writing(_ value: Double, into words: [UInt16]) -> [UInt16]? {
        var result = words
        var rest = value
        for (index, term) in terms.enumerated() {
            let counts = rest / term.scale
            let number = index == terms.count - 1 ? counts : (counts + 1e-9).rounded(.down)
            guard let held = term.words(holding: number), term.offset + held.count <= result.count else { return nil }
            for (step, word) in held.enumerated() { result[term.offset + step] = word }
            rest -= number * term.scale
        }
        return result
    }

    /// The order's family: 0 high word first, 1 low word first, 2 bytes swapped, 3 all reversed; nil where one register
    /// tells nothing about the order of words.
    public var family: Int? {
        for term in terms where term.type.registerCount > 1 {
            return WordOrder.usual(registers: term.type.registerCount).firstIndex(of: term.order)
        }
        return nil
    }
}
