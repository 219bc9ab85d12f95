import Telemetry

/// The rules a meter's resolution can support: a meter that counts in steps of 100 L cannot show a person's pauses.
public struct Coverage: Sendable, Hashable, Codable {
    /// Whether the volume rule can be judged: one count must not be more than the rule's own measure.
    public var volume: Bool
    /// Whether pauses show.
    public var personalGap: Bool
    /// Whether an unbroken flow shows.
    public var continuousFlow: Bool

    /// The coverage of a meter that counts in steps of so much.
    public init(resolution: Volume) {
        volume = resolution <= .litres(10)
        personalGap = resolution <= .litres(10)
        continuousFlow = resolution <= .litres(10)
    }

    /// The contract's words.
    public var words: [String] {
        [volume ? "volume" : nil, personalGap ? "personal_gap" : nil, continuousFlow ? "continuous_flow" : nil].compactMap { $0 }
    }
}
