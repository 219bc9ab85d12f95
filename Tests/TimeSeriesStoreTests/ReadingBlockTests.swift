import Foundation
import Simulation
import Telemetry
import Testing

@testable import TimeSeriesStore

@Suite struct ReadingBlockTests {
    static func entries(_ random: inout SeededRandom) -> [ReadingBlock.Entry] {
        let count = Int(random.below(5)) == 0 ? Int(random.below(3)) : Int(random.below(300))
        let (shape, words, wild) = (random.below(6), Int(random.below(6)), random.below(8) == 0)
        var at = Int64(1_700_000_000_000 + random.below(1 << 32))
        var total = Double(random.below(1 << 20))
        return (0..<count).map { index in
            at += wild ? Int64(random.below(1 << 40)) + 1 : 900_000 + Int64(random.below(200))
            if random.below(4) == 0 { total += Double(random.below(12)) }
            let value: Double? =
                switch shape {
                case 0: nil
                case 1: total
                case 2: total / 1000
                case 3: Double(Float(total) * 0.001) * 1000
                case 4: [.nan, .infinity, -.infinity, -0.0, .leastNonzeroMagnitude, total][Int(random.below(6))]
                default: random.below(3) == 0 ? nil : Double(bitPattern: random.next())
                }
            let raw =
                words == 5
                ? (0..<random.below(9)).map { _ in UInt16(random.below(65536)) }
                : (0..<words).map { UInt16(truncatingIfNeeded: Int(total) >> (16 * $0)) }
            return ReadingBlock.Entry(
                at: at, received: at + Int64(random.below(50)), device: random.below(3) == 0 ? nil : at / 1000 * 1000 + Int64(random.below(2)) * 1000,
                value: value, quality: Int(random.below(6)), raw: raw + (index == 7 && wild ? [65535] : []))
        }
    }

    @Test(arguments: 1...400) func `what was packed comes back bit by bit`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let entries = Self.entries(&random)
        let back = try ReadingBlock(ReadingBlock(entries).packed()).entries
        #expect(back.count == entries.count)
        for (one, other) in zip(back, entries) {
            #expect(one.value?.bitPattern == other.value?.bitPattern, "seed \(seed)")
            var (left, right) = (one, other)
            (left.value, right.value) = (nil, nil)
            #expect(left == right, "seed \(seed)")
        }
    }

    @Test func `the widest numbers there are come back`() throws {
        let wide = [Int64.min, .max, 0, -1, 1, .min, .min, .max].enumerated().map { index, number in
            ReadingBlock.Entry(at: number, received: index % 2 == 0 ? .max : .min, device: number, value: nil, quality: 0, raw: [0xFFFF, 0, 0, 0x8000])
        }
        #expect(try ReadingBlock(ReadingBlock(wide).packed()).entries == wide)
    }

    @Test func `garbage for a block is a fault, never a crash`() {
        for seed in 1...UInt64(400) {
            var random = SeededRandom(seed: seed)
            var bytes = [UInt8](ReadingBlock(Self.entries(&random)).packed())
            for _ in 0...random.below(4) where !bytes.isEmpty {
                switch random.below(3) {
                case 0: bytes[Int(random.below(UInt64(bytes.count)))] ^= UInt8(1 << random.below(8))
                case 1: bytes.removeLast(Int(random.below(UInt64(bytes.count))))
                default: bytes = (0..<random.below(64)).map { _ in UInt8(random.below(256)) }
                }
            }
            // Either it opens or it says why not; both are fine, as long as it ends.
            if let block = try? ReadingBlock(Data(bytes)) { #expect(block.entries.count <= ReadingBlock.most) }
        }
        #expect(throws: BlockFault.tooShort) { try ReadingBlock(Data()) }
        #expect(throws: BlockFault.version(9)) { try ReadingBlock(Data([9, 1, 1])) }
    }

    @Test func `two blocks of a day join without losing or doubling a reading, and the first one's word stands`() {
        func entry(_ at: Int64, _ value: Double) -> ReadingBlock.Entry { .init(at: at, received: at, device: nil, value: value, quality: 0, raw: []) }
        let joined = ReadingBlock([entry(1, 1), entry(3, 3)]).joined(ReadingBlock([entry(2, 2), entry(3, 99)]))
        #expect(joined.entries.map(\.value) == [1, 2, 3])
    }
}

extension SeededRandom {
    fileprivate mutating func below(_ bound: UInt64) -> UInt64 { next() % bound }
}
