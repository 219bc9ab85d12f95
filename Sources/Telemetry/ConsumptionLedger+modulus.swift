/// Where registers begin again.
extension ConsumptionLedger {
    /// The use across a rollover, for the caller that wants to count it.
    public static func use(acrossRolloverFrom from: Volume, to: Volume, modulus: Volume) -> Volume {
        to + modulus - from
    }

    /// The modulus at which a register of this height would roll over: the profile's, or, when the register stands in the last
    /// twentieth below it, the next power of ten from 10 m³ on, or what a binary counter of 16, 23, 24, 31 or 32 bits holds, from
    /// 1 m³ on, whatever decimal its counts are. No two of these lie within a twentieth of one another.
    public func modulus(for register: Volume) -> Volume? {
        if let stated = limits.rollover { return stated }
        let powers = Self.decades.filter { $0 >= 10_000_000 }
        let binary = Self.counters.flatMap { counts in Self.decades.map { counts.multipliedReportingOverflow(by: $0) } }
            .filter { !$0.overflow && $0.partialValue >= 1_000_000 }.map(\.partialValue)
        return (powers + binary).filter { register.millilitres < $0 && register.millilitres >= $0 - $0 / 20 }.min().map(Volume.init(millilitres:))
    }

    /// Powers of ten in millilitres up to a million cubic kilometres, which no register reaches.
    private static let decades: [Int64] = (0..<16).map { (0..<$0).reduce(Int64(1)) { power, _ in power * 10 } }
    /// What counters of 16, 23, 24, 31 and 32 bits hold.
    private static let counters: [Int64] = [16, 23, 24, 31, 32].map { 1 << $0 }

    /// Whether a rollover there may carry whatever the pipe carries: a binary counter is only guessed.
    func isStatedOrDecimal(_ modulus: Volume) -> Bool { limits.rollover == modulus || Self.decades.contains(modulus.millilitres) }

    /// What a home uses at the most in some time, with a cubic metre to spare: more across a binary counter's end is no rollover.
    func littleUse(in step: Interval) -> Volume { Volume(millilitres: 1_000_000 + Int64((step.hours / 24 * 1_000_000).rounded(.up))) }
}
