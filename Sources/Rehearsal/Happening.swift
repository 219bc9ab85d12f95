import Casework
import Telemetry

/// Something that befalls the village.
enum Happening: Sendable {
    /// How a meter or a line fails.
    enum Failure: Sendable { case silent, unreadable }

    case collapse(home: Int)
    /// Nobody at home; announced absences are entered by the family beforehand.
    case absence(home: Int, until: Interval, announced: Bool)
    case leak(home: Int, until: Interval)
    case meter(home: Int, Failure, until: Interval)
    case meterReplaced(home: Int)
    case bus(Int, Failure, until: Interval)
    case waterCut(bus: Int, until: Interval)
    case channel(ChannelID, until: Interval)
    case diskFull(until: Interval)
    /// The process is killed and started again; the machine runs on.
    case killed(down: Interval)
    /// The machine loses power; without a clock battery it wakes in 1970 until the network tells the time.
    case powerCut(down: Interval, clockLost: Bool)
    /// The wall clock is wrong by so much for a while.
    case wallStep(Interval, until: Interval)
    case boarding(lift: Int, BoardingScene)
}
