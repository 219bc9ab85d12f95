/// A generator that gives the same numbers for the same seed (SplitMix64; Steele, Lea, Flood 2014).
public struct SeededRandom: RandomNumberGenerator, Sendable, Hashable {
    private var state: UInt64

    /// Starts from a seed.
    public init(seed: UInt64) { state = seed }

    /// The next 64 bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// A number from 0 up to, not including, 1.
    public mutating func unit() -> Double { Double(next() >> 11) / 9_007_199_254_740_992 }

    /// A number with roughly a normal distribution: the sum of twelve uniform ones.
    public mutating func normal(mean: Double, deviation: Double) -> Double {
        mean + deviation * ((0..<12).reduce(0.0) { sum, _ in sum + unit() } - 6)
    }
}
