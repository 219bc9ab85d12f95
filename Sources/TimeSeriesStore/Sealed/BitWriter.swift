/// Writes numbers of few bits one behind another, the highest bit first.
struct BitWriter {
    private(set) var bytes: [UInt8] = []
    private var pending: UInt64 = 0
    private var used = 0

    /// Writes the lowest bits of a number.
    /// - Parameter count: 0 to 64
    mutating func write(_ value: UInt64, bits count: Int) {
        if count > 32 {
            write(value >> 32, bits: count - 32)
            write(value & 0xFFFF_FFFF, bits: 32)
            return
        }
        pending = pending << UInt64(count) | (value & (count == 0 ? 0 : UInt64.max >> UInt64(64 - count)))
        used += count
        while used >= 8 {
            used -= 8
            bytes.append(UInt8(truncatingIfNeeded: pending >> UInt64(used)))
        }
        pending &= (1 << UInt64(used)) - 1
    }

    /// Writes a small number in few bits and a large one in more: seven bits a group, the last group first marked.
    mutating func writeVarying(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            write(rest & 0x7F | 0x80, bits: 8)
            rest >>= 7
        }
        write(rest, bits: 8)
    }

    /// Golomb's code with a power of two (Rice and Plaunt 1971): the quotient in ones, a zero, the rest in `k` bits. A quotient of
    /// `RiceCode.longest` ones means that the number follows whole.
    mutating func writeRice(_ value: UInt64, _ k: Int) {
        let quotient = value >> UInt64(k)
        guard quotient < UInt64(RiceCode.longest) else {
            write((1 << UInt64(RiceCode.longest)) - 1, bits: RiceCode.longest)
            write(value, bits: 64)
            return
        }
        write((1 << (quotient + 1)) - 2, bits: Int(quotient) + 1)
        write(value, bits: k)
    }

    /// All that was written, filled up with zeros to a whole byte.
    mutating func finish() -> [UInt8] {
        if used > 0 { write(0, bits: 8 - used) }
        return bytes
    }
}

/// The numbers of Rice's code.
enum RiceCode {
    /// So many ones announce a number written whole.
    static let longest = 24

    /// How many bits a number takes.
    static func cost(_ value: UInt64, _ k: Int) -> Int {
        let quotient = value >> UInt64(k)
        return quotient < UInt64(longest) ? Int(quotient) + 1 + k : longest + 64
    }

    /// Small numbers of either sign as small numbers: 0, −1, 1, −2, 2 … become 0, 1, 2, 3, 4 …
    static func folded(_ value: Int64) -> UInt64 { UInt64(bitPattern: (value << 1) ^ (value >> 63)) }
    /// The way back.
    static func unfolded(_ value: UInt64) -> Int64 { Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1) }
}
