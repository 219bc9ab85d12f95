import Telemetry

/// A rehearsal of a whole village on a driven clock: the gateway's real cores, with simulated buses, broker, disk and people, and faults from a
/// seed. The same seed gives the same village, minute by minute.
public enum Rehearsal {
    /// How large and how long.
    public struct Options: Sendable, Hashable {
        public var seed: UInt64
        public var days: Int
        public var homes: Int
        public var lifts: Int
        /// How much denser than in a real year happenings lie.
        public var intensity: Double
        /// A fault put in on purpose, to see that it is found.
        public var sabotage: Sabotage?

        /// A year of a hundred homes and ten lifts has about the troubles of a real one, only more of them; shorter ones are denser.
        public init(seed: UInt64, days: Int = 365, homes: Int = 100, lifts: Int = 10, intensity: Double? = nil) {
            self.seed = seed
            self.days = days
            self.homes = homes
            self.lifts = lifts
            self.intensity = intensity ?? max(1, 90 / Double(max(1, days)))
        }
    }

    /// Rehearses.
    /// - Parameter dayBegins: is told the number of each day as it begins, from 1
    /// - Returns: what happened, with the promise that was broken if one was
    /// - Throws: when a saved state cannot be read back
    public static func run(_ options: Options, dayBegins: (Int) -> Void = { _ in }) throws -> RehearsalReport {
        let village = Village(VillagePlan(options))
        do {
            try village.live(dayBegins)
            return RehearsalReport(
                options: options, breach: nil, tally: village.tally, checks: village.judge.checks, cases: village.disk.cases.values.map(\.kind))
        } catch let breach as Breach {
            return RehearsalReport(
                options: options, breach: breach, tally: village.tally, checks: village.judge.checks, cases: village.disk.cases.values.map(\.kind))
        }
    }
}
