import Foundation
import Telemetry

/// The readings of one series and one day in as few bytes as they need; nothing is rounded, and raw words and qualities come along.
///
/// Columns, each by `IntegerColumn` or `ValueColumn`: times, how much later a reading was received, the device's own clock, values,
/// qualities, raw words. Numbers are Unix milliseconds.
public struct ReadingBlock: Sendable, Hashable {
    /// One reading of a series.
    public struct Entry: Sendable, Hashable {
        public var at: Int64
        public var received: Int64
        public var device: Int64?
        public var value: Double?
        /// The quality's number in the store.
        public var quality: Int
        public var raw: [UInt16]

        /// One reading of a series.
        package init(at: Int64, received: Int64, device: Int64?, value: Double?, quality: Int, raw: [UInt16]) {
            self.at = at
            self.received = received
            self.device = device
            self.value = value
            self.quality = quality
            self.raw = raw
        }
    }

    /// Oldest first.
    public var entries: [Entry]
    /// More than this is never in one block: a reading a second, all day, and room.
    public static let most = 100_000
    private static let format: UInt64 = 1

    package init(_ entries: [Entry]) { self.entries = entries }

    /// The block's bytes.
    package func packed() -> Data {
        var out = BitWriter()
        out.write(Self.format, bits: 8)
        out.writeVarying(UInt64(entries.count))
        IntegerColumn.write(entries.map(\.at), to: &out)
        IntegerColumn.write(entries.map { $0.received &- $0.at }, to: &out)
        let isTimed = entries.map { $0.device != nil }
        Self.write(isTimed, to: &out)
        // The device's clock has whole seconds of its own, or runs along with ours: whichever is told in fewer bits.
        let clocks = entries.compactMap(\.device)
        let distances = entries.compactMap { entry in entry.device.map { $0 &- entry.at } }
        let isDistance = !clocks.isEmpty && IntegerColumn.cost(distances) < IntegerColumn.cost(clocks)
        out.write(isDistance ? 1 : 0, bits: 1)
        IntegerColumn.write(isDistance ? distances : clocks, to: &out)
        Self.write(entries.map { $0.value != nil }, to: &out)
        ValueColumn.write(entries.compactMap(\.value), to: &out)
        IntegerColumn.write(entries.map { Int64($0.quality) }, to: &out)
        RawColumn.write(entries.map(\.raw), to: &out)
        return Data(out.finish())
    }

    /// Opens a block.
    package init(_ data: Data) throws(BlockFault) {
        var source = BitReader([UInt8](data))
        let format = try source.read(bits: 8)
        guard format == Self.format else { throw .version(Int(format)) }
        let count = Int(clamping: try source.readVarying())
        guard count <= Self.most else { throw .damaged("\(count) readings") }
        let times = try IntegerColumn.read(count, from: &source)
        let later = try IntegerColumn.read(count, from: &source)
        let isTimed = try Self.readFlags(count, from: &source)
        let isDistance = try source.read(bits: 1) == 1
        var clocks = try IntegerColumn.read(isTimed.count { $0 }, from: &source)[...]
        let hasValue = try Self.readFlags(count, from: &source)
        var values = try ValueColumn.read(hasValue.count { $0 }, from: &source)[...]
        let qualities = try IntegerColumn.read(count, from: &source)
        let raw = try RawColumn.read(count, from: &source)
        entries = (0..<count).map { index in
            let clock = isTimed[index] ? clocks.popFirst() : nil
            return Entry(
                at: times[index], received: times[index] &+ later[index], device: clock.map { isDistance ? times[index] &+ $0 : $0 },
                value: hasValue[index] ? values.popFirst() : nil, quality: Int(qualities[index]), raw: raw[index])
        }
    }

    /// Yes or no for each: all yes, all no, or a bit each.
    private static func write(_ flags: [Bool], to out: inout BitWriter) {
        IntegerColumn.write(flags.map { $0 ? 1 : 0 }, to: &out)
    }

    private static func readFlags(_ count: Int, from source: inout BitReader) throws(BlockFault) -> [Bool] {
        try IntegerColumn.read(count, from: &source).map { $0 != 0 }
    }
}

/// Raw register words: where all readings have as many, up to four, each reading's words are one number, in the word order that makes
/// neighbours alike; else word by word.
enum RawColumn {
    private static let mostWords = 125
    private static let mostInAll: Int64 = 1_000_000

    static func write(_ raw: [[UInt16]], to out: inout BitWriter) {
        IntegerColumn.write(raw.map { Int64($0.count) }, to: &out)
        guard let length = raw.first?.count, length > 0, length <= 4, raw.allSatisfy({ $0.count == length }) else {
            return IntegerColumn.write(raw.flatMap { $0.map(Int64.init) }, to: &out)
        }
        let (high, low) = (raw.map { number($0) }, raw.map { number($0.reversed()) })
        let isReversed = IntegerColumn.cost(low) < IntegerColumn.cost(high)
        out.write(isReversed ? 1 : 0, bits: 1)
        IntegerColumn.write(isReversed ? low : high, to: &out)
    }

    private static func number(_ words: some Sequence<UInt16>) -> Int64 {
        Int64(bitPattern: words.reduce(0) { $0 << 16 | UInt64($1) })
    }

    static func read(_ count: Int, from source: inout BitReader) throws(BlockFault) -> [[UInt16]] {
        let lengths = try IntegerColumn.read(count, from: &source)
        guard lengths.allSatisfy({ (0...Int64(mostWords)).contains($0) }), lengths.reduce(0, +) <= mostInAll else {
            throw .damaged("too many words")
        }
        guard let length = lengths.first.map(Int.init), length > 0, length <= 4, lengths.allSatisfy({ $0 == lengths[0] }) else {
            let words = try IntegerColumn.read(lengths.reduce(0) { $0 + Int($1) }, from: &source)
            guard words.allSatisfy({ (0...0xFFFF).contains($0) }) else { throw .damaged("a word of more than 16 bits") }
            var rest = words[...]
            return lengths.map { length in
                defer { rest = rest.dropFirst(Int(length)) }
                return rest.prefix(Int(length)).map { UInt16($0) }
            }
        }
        let isReversed = try source.read(bits: 1) == 1
        return try IntegerColumn.read(count, from: &source).map { number in
            let bits = UInt64(bitPattern: number)
            let words = (0..<length).map { UInt16(truncatingIfNeeded: bits >> UInt64(16 * (length - 1 - $0))) }
            return isReversed ? words.reversed() : words
        }
    }
}
