import Phrasebook
import Telemetry

/// A civil clock that can be saved: the zone's name is kept, its cache is not.
struct CivilState: Sendable, Hashable, Codable {
    private var clock: CivilClock

    init(_ clock: CivilClock) { self.clock = clock }

    mutating func day(at time: WallTime) -> Int64 { clock.day(at: time) }
    mutating func secondOfDay(at time: WallTime) -> Int64 { clock.secondOfDay(at: time) }
    mutating func spoken(_ time: WallTime, at now: WallTime) -> LocalizedText { clock.spoken(time, at: now) }
    mutating func told(_ finding: Finding, plain: Bool, at now: Instant) -> LocalizedText { finding.told(plain: plain, at: now, clock: &clock) }

    static func == (left: CivilState, right: CivilState) -> Bool { left.clock.zone.identifier == right.clock.zone.identifier }
    func hash(into hasher: inout Hasher) { hasher.combine(clock.zone.identifier) }

    init(from decoder: any Decoder) throws {
        let name = try decoder.singleValueContainer().decode(String.self)
        guard let clock = CivilClock(identifier: name) else {
            throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "unknown time zone"))
        }
        self.clock = clock
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(clock.zone.identifier)
    }
}
