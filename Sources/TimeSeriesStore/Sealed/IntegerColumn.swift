/// A column of whole numbers, kept as what is left when each is foretold from those before it: not at all when all are alike, else by
/// Rice's code with the parameter, the divisor and the way of foretelling that take the fewest bits; or, where there are but a few different
/// numbers, as places in a list of them.
enum IntegerColumn {
    /// How a number is foretold.
    private enum Foretelling: UInt64, CaseIterable {
        /// As the one before it.
        case last = 0
        /// As far from the one before as that one from its own (delta of delta).
        case slope = 1
    }

    private struct Plan {
        var foretelling: Foretelling
        var divisor: UInt64
        /// Whether a bit says first that nothing is left.
        var flagged: Bool
        var k: Int
        var rest: [UInt64]
        var bits: Int
    }

    /// Writes a column.
    static func write(_ numbers: [Int64], to out: inout BitWriter) {
        guard let first = numbers.first else { return }
        out.writeVarying(RiceCode.folded(first))
        guard numbers.contains(where: { $0 != first }) else { return out.write(1, bits: 1) }
        out.write(0, bits: 1)
        guard let plan = Foretelling.allCases.map({ best($0, numbers) }).min(by: { $0.bits < $1.bits }) else { return }
        if let list = palette(numbers), listBits(list, numbers.count) < plan.bits + 20 {
            out.write(1, bits: 1)
            return write(numbers, list, to: &out)
        }
        out.write(0, bits: 1)
        out.write(plan.foretelling.rawValue, bits: 1)
        out.write(plan.flagged ? 1 : 0, bits: 1)
        out.write(UInt64(plan.k), bits: 6)
        out.writeVarying(plan.divisor)
        for rest in plan.rest {
            if plan.flagged {
                out.write(rest == 0 ? 0 : 1, bits: 1)
                if rest != 0 { out.writeRice(rest - 1, plan.k) }
            } else {
                out.writeRice(rest, plan.k)
            }
        }
    }

    /// At most so many different numbers make a list.
    private static let mostListed = 32

    private static func palette(_ numbers: [Int64]) -> [Int64]? {
        var seen: Set<Int64> = []
        for number in numbers where seen.insert(number).inserted && seen.count > mostListed { return nil }
        return seen.sorted()
    }

    /// How many bits a place in a list takes.
    private static func width(_ count: Int) -> Int { count <= 1 ? 0 : Int.bitWidth - (count - 1).leadingZeroBitCount }

    /// An estimate: ten bytes at most for each number of the list.
    private static func listBits(_ list: [Int64], _ count: Int) -> Int {
        var out = BitWriter()
        var last: Int64 = 0
        for number in list {
            out.writeVarying(RiceCode.folded(number &- last))
            last = number
        }
        return 8 + out.finish().count * 8 + count * width(list.count)
    }

    private static func write(_ numbers: [Int64], _ list: [Int64], to out: inout BitWriter) {
        out.writeVarying(UInt64(list.count))
        var last: Int64 = 0
        for number in list {
            out.writeVarying(RiceCode.folded(number &- last))
            last = number
        }
        let places = Dictionary(uniqueKeysWithValues: zip(list, UInt64(0)...))
        for number in numbers { out.write(places[number] ?? 0, bits: width(list.count)) }
    }

    private static func readListed(_ count: Int, from source: inout BitReader) throws(BlockFault) -> [Int64] {
        let length = Int(clamping: try source.readVarying())
        guard (1...mostListed).contains(length) else { throw .damaged("a list of \(length) numbers") }
        var list: [Int64] = []
        var last: Int64 = 0
        for _ in 0..<length {
            last = last &+ RiceCode.unfolded(try source.readVarying())
            list.append(last)
        }
        var result: [Int64] = []
        for _ in 0..<count {
            let place = Int(try source.read(bits: width(length)))
            guard place < length else { throw .damaged("place \(place) of a list of \(length)") }
            result.append(list[place])
        }
        return result
    }

    /// What is left of each number after the first.
    private static func remainders(_ foretelling: Foretelling, _ numbers: [Int64]) -> [Int64] {
        var (last, slope): (Int64, Int64) = (numbers[0], 0)
        return numbers.dropFirst().map { number in
            let step = number &- last
            let rest = foretelling == .slope ? step &- slope : step
            (last, slope) = (number, step)
            return rest
        }
    }

    private static func best(_ foretelling: Foretelling, _ numbers: [Int64]) -> Plan {
        let signed = remainders(foretelling, numbers)
        let divisor = max(1, signed.reduce(0) { common($0, $1.magnitude) })
        // A divisor over 2^62 would not come back from a signed number.
        let used = divisor < 1 << 62 ? divisor : 1
        let rest = signed.map { RiceCode.folded($0 / Int64(used)) }
        var plan = Plan(foretelling: foretelling, divisor: used, flagged: false, k: 0, rest: rest, bits: .max)
        for flagged in [false, true] {
            for k in 0..<48 {
                let bits = rest.reduce(0) { sum, one in
                    sum + (flagged ? 1 + (one == 0 ? 0 : RiceCode.cost(one - 1, k)) : RiceCode.cost(one, k))
                }
                if bits < plan.bits { (plan.flagged, plan.k, plan.bits) = (flagged, k, bits) }
            }
        }
        return plan
    }

    private static func common(_ left: UInt64, _ right: UInt64) -> UInt64 {
        var (a, b) = (left, right)
        while b != 0 { (a, b) = (b, a % b) }
        return a
    }

    /// How many bits a column would take.
    static func cost(_ numbers: [Int64]) -> Int {
        var out = BitWriter()
        write(numbers, to: &out)
        return out.finish().count * 8
    }

    /// Reads a column of so many numbers.
    static func read(_ count: Int, from source: inout BitReader) throws(BlockFault) -> [Int64] {
        guard count > 0 else { return [] }
        let first = RiceCode.unfolded(try source.readVarying())
        if try source.read(bits: 1) == 1 { return Array(repeating: first, count: count) }
        if try source.read(bits: 1) == 1 { return try readListed(count, from: &source) }
        guard let foretelling = Foretelling(rawValue: try source.read(bits: 1)) else { throw .damaged("unknown prediction") }
        let flagged = try source.read(bits: 1) == 1
        let k = Int(try source.read(bits: 6))
        let divisor = try source.readVarying()
        guard divisor > 0, divisor < 1 << 62 else { throw .damaged("a divisor of \(divisor)") }
        var result = [first]
        result.reserveCapacity(min(count, source.left + 1))
        var (last, slope): (Int64, Int64) = (first, 0)
        for _ in 1..<count {
            var folded: UInt64 = 0
            if flagged {
                if try source.read(bits: 1) == 1 { folded = try source.readRice(k) &+ 1 }
            } else {
                folded = try source.readRice(k)
            }
            let rest = RiceCode.unfolded(folded) &* Int64(divisor)
            let step = foretelling == .slope ? rest &+ slope : rest
            (last, slope) = (last &+ step, step)
            result.append(last)
        }
        return result
    }
}
