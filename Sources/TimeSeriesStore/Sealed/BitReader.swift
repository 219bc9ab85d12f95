/// Reads what `BitWriter` wrote. Everything is checked: a damaged block is a fault, never a crash and never a number out of nowhere.
struct BitReader {
    private let bytes: [UInt8]
    private var place = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Bits not read yet.
    var left: Int { bytes.count * 8 - place }

    mutating func read(bits count: Int) throws(BlockFault) -> UInt64 {
        guard count <= left else { throw .tooShort }
        var value: UInt64 = 0
        var wanted = count
        while wanted > 0 {
            let free = 8 - place & 7
            let taken = min(free, wanted)
            let byte = UInt64(bytes[place >> 3])
            value = value << UInt64(taken) | (byte >> UInt64(free - taken)) & (1 << UInt64(taken) - 1)
            place += taken
            wanted -= taken
        }
        return value
    }

    mutating func readVarying() throws(BlockFault) -> UInt64 {
        var value: UInt64 = 0
        for group in 0..<10 {
            let byte = try read(bits: 8)
            value |= (byte & 0x7F) << UInt64(7 * group)
            if byte < 0x80 { return value }
        }
        throw .damaged("a number without an end")
    }

    mutating func readRice(_ k: Int) throws(BlockFault) -> UInt64 {
        var quotient: UInt64 = 0
        while try read(bits: 1) == 1 {
            quotient += 1
            if quotient == UInt64(RiceCode.longest) { return try read(bits: 64) }
        }
        return quotient << UInt64(k) | (try read(bits: k))
    }
}

/// Why a sealed block cannot be opened.
public enum BlockFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// Made by a newer release.
    case version(Int)
    /// It ends in the middle.
    case tooShort
    /// It says something that cannot be.
    case damaged(String)

    /// What is wrong with it.
    public var description: String {
        switch self {
        case .version(let number): "the block has format \(number), which this release does not know"
        case .tooShort: "the block ends in the middle"
        case .damaged(let what): "the block is damaged: \(what)"
        }
    }
}
