import Foundation

/// A column of measured values, kept bit by bit: as whole numbers where all are decimal fractions of few digits, as the bits of 32-bit floats
/// where that is what the meter sent, else by what differs from
/// the value before (Gorilla: Pelkonen and others, VLDB 2015).
enum ValueColumn {
    private static let mostDigits = 6

    /// Writes values that are there.
    static func write(_ values: [Double], to out: inout BitWriter) {
        guard !values.isEmpty else { return }
        if let (digits, whole) = scaled(values) {
            out.write(1, bits: 1)
            out.write(UInt64(digits), bits: 3)
            return IntegerColumn.write(whole, to: &out)
        }
        out.write(0, bits: 1)
        let floats = values.map { Float($0) }
        if zip(values, floats).allSatisfy({ Double($1).bitPattern == $0.bitPattern }) {
            out.write(1, bits: 1)
            return IntegerColumn.write(floats.map { Int64($0.bitPattern) }, to: &out)
        }
        out.write(0, bits: 1)
        var last: UInt64 = 0
        // Digits that no value has are not kept.
        let empty = min(63, values.reduce(64) { min($0, $1.bitPattern == 0 ? 64 : $1.bitPattern.trailingZeroBitCount) })
        out.write(UInt64(empty), bits: 6)
        for value in values {
            let bits = value.bitPattern >> UInt64(empty)
            let changed = bits ^ last
            last = bits
            guard changed != 0 else {
                out.write(0, bits: 1)
                continue
            }
            let length = 64 - changed.leadingZeroBitCount
            out.write(1, bits: 1)
            out.write(UInt64(length - 1), bits: 6)
            out.write(changed, bits: length)
        }
    }

    /// The values as whole numbers times a power of ten, when they come back exactly.
    private static func scaled(_ values: [Double]) -> (digits: Int, whole: [Int64])? {
        for digits in 0...mostDigits {
            let factor = power(digits)
            let whole = values.map { value -> Int64? in
                let number = (value * factor).rounded()
                guard abs(number) < 9e15, (number / factor).bitPattern == value.bitPattern else { return nil }
                return Int64(number)
            }
            if !whole.contains(nil) { return (digits, whole.compactMap { $0 }) }
        }
        return nil
    }

    private static func power(_ digits: Int) -> Double { [1, 10, 100, 1e3, 1e4, 1e5, 1e6][digits] }

    /// Reads so many values.
    static func read(_ count: Int, from source: inout BitReader) throws(BlockFault) -> [Double] {
        guard count > 0 else { return [] }
        if try source.read(bits: 1) == 1 {
            let digits = Int(try source.read(bits: 3))
            guard digits <= mostDigits else { throw .damaged("\(digits) decimals") }
            return try IntegerColumn.read(count, from: &source).map { Double($0) / power(digits) }
        }
        if try source.read(bits: 1) == 1 {
            return try IntegerColumn.read(count, from: &source).map { bits throws(BlockFault) in
                guard let pattern = UInt32(exactly: bits) else { throw .damaged("a float of more than 32 bits") }
                return Double(Float(bitPattern: pattern))
            }
        }
        let empty = try source.read(bits: 6)
        var last: UInt64 = 0
        var result: [Double] = []
        for _ in 0..<count {
            if try source.read(bits: 1) == 1 {
                let length = Int(try source.read(bits: 6)) + 1
                last ^= try source.read(bits: length)
            }
            result.append(Double(bitPattern: last << empty))
        }
        return result
    }
}
