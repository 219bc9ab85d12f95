import Simulation

/// One parser that reads from a wire or a file, and how to feed it random input.
///
/// Inputs come in lots of a thousand; a lot is made from the seed and its own number alone, so that one that ends in a crash can be made
/// again without those before it.
public struct Garbage: Sendable, CustomStringConvertible {
    /// A promise that an input broke.
    public struct Broken: Error, Sendable, CustomStringConvertible {
        public var parser: String
        public var seed: UInt64
        public var lot: Int
        public var promise: String

        /// What broke and how to make the lot again.
        public var description: String { "\(parser): \(promise); again: SEED=\(seed) LOT=\(lot) INPUTS=\(Garbage.lot) PARSERS=\(parser)" }
    }

    /// Inputs in a lot.
    public static let lot = 1000

    /// The parser's name.
    public let name: String
    /// How many lots `make test` feeds it; dear parsers get fewer.
    public let few: Int
    /// Feeds one input; what it broke, nil when all is well. A crash ends the process.
    private let feed: @Sendable (inout SeededRandom) async -> String?

    init(_ name: String, few: Int, feed: @escaping @Sendable (inout SeededRandom) async -> String?) {
        self.name = name
        self.few = few
        self.feed = feed
    }

    public var description: String { name }

    /// Feeds one lot.
    /// - Throws: `Broken`
    public func feedLot(_ lot: Int, seed: UInt64) async throws(Broken) {
        var random = SeededRandom(seed: seed &* 0xD134_2543_DE82_EF95 &+ UInt64(truncatingIfNeeded: lot))
        for _ in 0..<Self.lot {
            if let promise = await feed(&random) { throw Broken(parser: name, seed: seed, lot: lot, promise: promise) }
        }
    }

    /// Every parser that needs no running gateway. The console is fed by `ConsoleGarbage`.
    public static let parsers: [Garbage] = devices + messages + files
}

extension SeededRandom {
    /// A whole number below a bound.
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(bound, 1))) }

    /// One of some.
    mutating func one<Element>(of some: [Element]) -> Element { some[below(some.count)] }

    /// A text as a stranger sends it: letters of many scripts, marks by the thousand, escape sequences, signs that turn the direction of writing.
    mutating func foreign() -> String {
        var text = String.UnicodeScalarView()
        for _ in 0..<below(12) {
            let part = Self.foreignParts[below(Self.foreignParts.count)]
            let times = below(20) == 0 ? below(3000) : 1 + below(12)
            for _ in 0..<times { text.append(contentsOf: part.unicodeScalars) }
            if below(4) == 0, let scalar = Unicode.Scalar(UInt32(truncatingIfNeeded: next()) % 0x11_0000) { text.append(scalar) }
        }
        return String(text)
    }

    private static let foreignParts = [
        "a", "阿", "婆", "é", "e\u{301}", "\u{301}", "\u{30A}\u{323}", "\u{20E0}", "กี่", "\u{958}\u{93C}", "\u{1D160}", "\u{344}", "\u{1100}\u{1161}", "ﷺ", "😀",
        "👨‍👩‍👧",
        "\u{1F3FD}", "\u{200D}", "\u{200B}", "\u{202E}", "\u{2066}", "\u{61C}", "\u{FEFF}", "\u{1B}[31m", "\u{1B}]0;t\u{7}", "\u{9B}2J", "\u{9D}x\u{9C}",
        "\u{0}", "\n", "\r\n", "\t",
        "\u{2028}", "=", "\"", "\\", "\u{E0041}", "\u{FFFE}",
    ]

    /// Random bytes.
    mutating func bytes(below most: Int) -> [UInt8] { (0..<below(most)).map { _ in UInt8(truncatingIfNeeded: next()) } }

    /// A text that was cut, doubled, scribbled into, had a long number put in, or is left as it was.
    mutating func broken(_ text: some Collection<UInt8>) -> [UInt8] {
        var bytes = Array(text)
        for _ in 0...below(3) {
            guard !bytes.isEmpty else { return bytes }
            let place = below(bytes.count)
            switch below(7) {
            case 0: bytes.removeSubrange(place...)
            case 1: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 1 + below(200))], at: below(bytes.count))
            case 2: bytes[place] = UInt8(truncatingIfNeeded: next())
            case 3: bytes.insert(contentsOf: Self.numbers[below(Self.numbers.count)], at: place)
            case 4: bytes[place] = Self.signs[below(Self.signs.count)]
            case 5: bytes.removeSubrange(place..<min(bytes.count, place + 1 + below(20)))
            default: bytes[place] = UInt8(32 + below(90))
            }
        }
        return bytes
    }

    private static let signs = Array("{}[]\",:\\0-eE\n#&*!|>%@\r\t?;=+".utf8)
    private static let numbers = ["99999999999999999999", "-1", "1e400", "0.0000000001", "9223372036854775808", "NaN", "\u{0}", "阿婆", "\u{FEFF}"]
        .map { Array($0.utf8) }
}
