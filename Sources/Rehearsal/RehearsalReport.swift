import Telemetry

/// What happened in a rehearsal.
public struct RehearsalReport: Sendable {
    /// Counted on the way.
    public struct Tally: Sendable, Hashable {
        public var polls = 0
        public var kills = 0
        public var tries = 0
        public var arrivals = 0
        public var acts = 0
        public var collapses = 0
        /// Collapses that somebody came to.
        public var helped = 0
        public var boardings = 0
        public var holds = 0
        /// Alarms about people who were at home and well.
        public var alarmsOnTheWell = 0
        /// Hours from each collapse to its alarm.
        public var delays: [Double] = []
    }

    public let options: Rehearsal.Options
    /// The promise that was broken; nil when all were kept.
    public let breach: Breach?
    public let tally: Tally
    /// How often promises were checked.
    public let checks: Int
    /// The kinds of all cases.
    public let cases: [FindingKind]
}
