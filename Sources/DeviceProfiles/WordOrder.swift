/// The order in which the bytes of a value lie in its registers, written as the field writes it: `A` is the most
/// significant byte, the letters follow the wire. `ABCD` high word first, `CDAB` low word first, `BADC` bytes swapped,
/// `DCBA` all reversed; the same with two, six or eight letters. Every permutation of a value's bytes can be said.
public struct WordOrder: Hashable, Sendable, CustomStringConvertible {
    /// Four bits for each wire byte, lowest bits first: how significant it is, 0 = most.
    let significances: UInt32
    /// The number of bytes, 2, 4, 6 or 8.
    public let byteCount: Int

    /// Reads the letters; nil unless they are a permutation of the first 2, 4, 6 or 8 letters.
    public init?(letters: String) {
        let bytes = Array(letters.utf8)
        guard [2, 4, 6, 8].contains(bytes.count) else { return nil }
        var packed: UInt32 = 0
        var seen: UInt8 = 0
        for (index, byte) in bytes.enumerated() {
            guard byte >= 65, Int(byte) < 65 + bytes.count else { return nil }
            let significance = byte - 65
            guard seen & (1 << significance) == 0 else { return nil }
            seen |= 1 << significance
            packed |= UInt32(significance) << (4 * UInt32(index))
        }
        significances = packed
        byteCount = bytes.count
    }

    private init(significances: UInt32, byteCount: Int) {
        self.significances = significances
        self.byteCount = byteCount
    }

    /// High byte and high word first, as the Modbus application protocol sends a register.
    public static func bigEndian(registers: Int) -> WordOrder {
        WordOrder(significances: 0x7654_3210, byteCount: registers * 2)
    }

    /// The usual orders of a value of so many registers: both word orders with and without swapped bytes.
    public static func usual(registers: Int) -> [WordOrder] {
        let letters = Array("ABCDEFGH".prefix(registers * 2))
        let swapped = stride(from: 0, to: letters.count, by: 2).flatMap { [letters[$0 + 1], letters[$0]] }
        let lowFirst = stride(from: letters.count - 2, through: 0, by: -2).flatMap { [letters[$0], letters[$0 + 1]] }
        var orders: [WordOrder] = []
        for candidate in [letters, lowFirst, swapped, letters.reversed()] {
            if let order = WordOrder(letters: String(candidate)), !orders.contains(order) { orders.append(order) }
        }
        return orders
    }

    /// The letters.
    public var description: String {
        String((0..<byteCount).map { Character(UnicodeScalar(65 + UInt8(significance(ofWireByte: $0)))) })
    }

    /// How significant the byte at a place of the wire is, 0 = most.
    @inline(__always)
    func significance(ofWireByte index: Int) -> Int { Int(significances >> (4 * UInt32(index)) & 15) }

    /// Puts the words of the wire together into one number.
    @inline(__always)
    func assemble(_ words: ArraySlice<UInt16>) -> UInt64 {
        var value: UInt64 = 0
        var byte = 0
        for word in words {
            let high = significance(ofWireByte: byte)
            let low = significance(ofWireByte: byte + 1)
            value |= UInt64(word >> 8) << UInt64(8 * (byteCount - 1 - high))
            value |= UInt64(word & 255) << UInt64(8 * (byteCount - 1 - low))
            byte += 2
        }
        return value
    }

    /// The inverse of `assemble`, for the simulator.
    public func disassemble(_ value: UInt64) -> [UInt16] {
        stride(from: 0, to: byteCount, by: 2).map { byte in
            let high = UInt16(value >> UInt64(8 * (byteCount - 1 - significance(ofWireByte: byte))) & 255)
            let low = UInt16(value >> UInt64(8 * (byteCount - 1 - significance(ofWireByte: byte + 1))) & 255)
            return high << 8 | low
        }
    }
}
