import Telemetry

/// Lone counts of the register at a steady pace: a tap that drips into a coarse meter. Each would pass for a sign of life.
///
/// People are not so regular: six counts two hours and more apart must all fit one pace within a reading and a twentieth; of
/// counts eight to fourteen hours apart, five. By chance that happens once in eight years of a made home behind a meter of 10 L
/// a count, where three counts of a slow pace, or five of any, happened once a year. A slower pace than that is somebody's who
/// hardly draws water.
struct SteadyDrip: Sendable, Hashable, Codable {
    /// A count turned somewhere in this stretch of elapsed time.
    private struct Mark: Sendable, Hashable, Codable {
        var from: Interval
        var to: Interval
    }

    private static let shortestPace = Interval.hours(2)
    private static let slowPace = Interval.hours(8)
    private static let slowestPace = Interval.hours(14)
    private static let marksKept = 6
    private static let marksOfSlowPace = 5
    /// A stretch longer than this tells too little of when the count turned.
    private static let longestStretch = Interval.hours(1)

    private var marks: [Mark] = []
    /// How long from one count to the next; nil while no steady pace is known.
    private(set) var pace: Interval?

    /// Since when there was nothing but the drip.
    var since: Interval? { pace == nil ? nil : marks.first?.to }
    /// How many counts have fitted.
    var count: Int { marks.count }

    /// Takes one stretch of use of a meter with this count.
    /// - Returns: whether the stretch is no more than the drip
    mutating func take(_ use: Consumption, resolution: Volume) -> Bool {
        guard use.volume > .zero else {
            forget(at: use.to.elapsed)
            return true
        }
        guard use.volume <= resolution, use.to.since(use.from) <= Self.longestStretch else {
            self = SteadyDrip()
            return false
        }
        let mark = Mark(from: use.from.elapsed, to: use.to.elapsed)
        if let last = marks.last, mark.to - last.from < Self.shortestPace { marks.removeAll(keepingCapacity: true) }
        marks.append(mark)
        if marks.count > Self.marksKept { marks.removeFirst() }
        pace = steadyPace()
        return pace != nil
    }

    /// A count that is long overdue ends the pace.
    private mutating func forget(at now: Interval) {
        guard let pace, let last = marks.last, now - last.to > pace + pace / 2 else { return }
        self = SteadyDrip()
    }

    private func steadyPace() -> Interval? {
        if marks.count == Self.marksKept, let pace = fit(marks[...]) { return pace <= Self.slowestPace ? pace : nil }
        guard marks.count >= Self.marksOfSlowPace, let pace = fit(marks.suffix(Self.marksOfSlowPace)) else { return nil }
        return (Self.slowPace.milliseconds...Self.slowestPace.milliseconds).contains(pace.milliseconds) ? pace : nil
    }

    /// The pace at which all counts may have turned, each within its stretch and a twentieth of the pace; nil when there is none.
    private func fit(_ marks: ArraySlice<Mark>) -> Interval? {
        guard let first = marks.first, let last = marks.last else { return nil }
        let steps = Int64(marks.count - 1)
        let mean = ((last.from - first.from) + (last.to - first.to)).milliseconds / (2 * steps)
        var least = Int64.min
        var most = Int64.max
        let marks = Array(marks)
        for early in marks.indices {
            for late in marks.indices where late > early {
                let apart = Int64(late - early)
                least = max(least, ((marks[late].from - marks[early].to).milliseconds - mean / 20) / apart)
                most = min(most, ((marks[late].to - marks[early].from).milliseconds + mean / 20) / apart)
            }
        }
        return least <= most ? .milliseconds(mean) : nil
    }
}
