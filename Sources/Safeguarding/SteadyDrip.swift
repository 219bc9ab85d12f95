import Telemetry

/// Lone counts of the register at a steady pace: a tap that drips into a coarse meter. Each would pass for a sign of life.
///
/// People are not so regular: six counts two hours and more apart must all fit one pace within a reading and a twentieth, more counts with
/// more play (the pressure in the pipes is another one at night), and of counts eight to fourteen hours apart five. Behind a meter of more
/// than a litre a count four are enough, and five with more play, where they took longer than this home's counts nearly ever do
/// (`CountHabit`); and eight that are nearer together than two hours. By chance, in 42 years of 77 homes without a leak behind a meter of
/// 10 L a count, none of these proofs came more often than once in ten years of a home; three counts at a slow pace came six times a year.
/// A slower pace than these is somebody's who hardly draws water.
struct SteadyDrip: Sendable, Hashable, Codable {
    /// A count turned somewhere in this stretch of elapsed time.
    private struct Mark: Sendable, Hashable, Codable {
        var from: Interval
        var to: Interval
    }

    /// So many counts in a row prove a pace of this length.
    private struct Proof {
        var count: Int
        var paces: ClosedRange<Int64>
        /// Whether the meter must be coarse, and the counts unusually slow for the home.
        var isCoarse = false
        var isUnusual = false
        /// The share of the pace by which a count may be early or late.
        var play: Double

        init(_ count: Int, from: Interval, to: Interval, isCoarse: Bool = false, isUnusual: Bool = false, play: Double = 0.05) {
            self.count = count
            paces = from.milliseconds...to.milliseconds
            self.isCoarse = isCoarse
            self.isUnusual = isUnusual
            self.play = play
        }
    }

    private static let proofs = [
        Proof(6, from: .hours(2), to: .hours(14)), Proof(5, from: .hours(8), to: .hours(14)),
        Proof(8, from: .minutes(36), to: .hours(2), isCoarse: true, play: 0.1),
        Proof(6, from: .hours(5), to: .hours(14), isCoarse: true, play: 0.15),
        Proof(7, from: .hours(2), to: .hours(14), isCoarse: true, play: 0.15),
        Proof(8, from: .hours(2), to: .hours(14), isCoarse: true, play: 0.2),
        Proof(4, from: .hours(2), to: .hours(14), isCoarse: true, isUnusual: true),
        Proof(5, from: .hours(2), to: .hours(14), isCoarse: true, isUnusual: true, play: 0.1),
    ]
    /// A pace that is known may change so far: the pressure in the pipes is another one at night.
    private static let playOfKnown = 0.2
    private static let marksKept = 8
    private static let leastMarks = 4
    /// A stretch longer than this tells too little of when the count turned.
    private static let longestStretch = Interval.hours(1)

    private var marks: [Mark] = []
    /// How long from one count to the next; nil while no steady pace is known.
    private(set) var pace: Interval?
    /// When the first count of the pace turned; absent in states saved before it was kept.
    private var first: Interval?
    /// How many counts have fitted; absent in states saved before it was kept.
    private var fitted: Int?

    /// Since when there was nothing but the drip.
    var since: Interval? { pace == nil ? nil : first ?? marks.first?.to }
    /// How many counts have fitted.
    var count: Int { fitted ?? marks.count }

    /// Takes one stretch of use of a meter with this count.
    /// - Parameter isUnusual: whether the last four counts took longer than nearly ever
    /// - Returns: whether the stretch is no more than the drip
    mutating func take(_ use: Consumption, resolution: Volume, isUnusual: Bool = false) -> Bool {
        guard use.volume > .zero else {
            forget(at: use.to.elapsed)
            return true
        }
        let stretch = use.to.since(use.from)
        if let pace, stretch > Self.longestStretch || use.volume > resolution,
            use.volume.millilitres <= resolution.millilitres * (1 + stretch.milliseconds / max(1, pace.milliseconds))
        {
            // Nobody saw when they turned, but no more than the drip's own.
            marks = [Mark(from: use.from.elapsed, to: use.to.elapsed)]
            return true
        }
        guard use.volume <= resolution, stretch <= Self.longestStretch else {
            self = SteadyDrip()
            return false
        }
        let isCoarse = resolution > .litres(1)
        let mark = Mark(from: use.from.elapsed, to: use.to.elapsed)
        let nearest = isCoarse ? Interval.minutes(36) : .hours(2)
        if let last = marks.last, mark.to - last.from < nearest { marks.removeAll(keepingCapacity: true) }
        marks.append(mark)
        if marks.count > Self.marksKept { marks.removeFirst() }
        if keepsPace() {
            fitted = count + 1
            return true
        }
        (pace, first, fitted) = (nil, nil, nil)
        guard let (found, proof) = proven(isCoarse: isCoarse, isUnusual: isUnusual) else { return false }
        pace = found
        // The run may be longer than what proves it.
        let run = (proof.count...marks.count).last { fit(marks.suffix($0), play: proof.play) != nil } ?? proof.count
        (first, fitted) = (marks.suffix(run).first?.to, run)
        return true
    }

    /// Whether the newest count goes on at the pace that is known; the pace follows the last counts.
    private mutating func keepsPace() -> Bool {
        guard let pace, let last = marks.last else { return false }
        if marks.count >= Self.leastMarks {
            guard let kept = fit(marks.suffix(Self.leastMarks), play: Self.playOfKnown) else { return false }
            self.pace = kept
            return true
        }
        // After a stretch that nobody saw there are few counts to go by: the newest must not come early.
        guard marks.count > 1 else { return false }
        return last.to - marks[marks.count - 2].from >= pace * 8 / 10
    }

    /// A count that is long overdue ends the pace.
    private mutating func forget(at now: Interval) {
        guard let pace, let last = marks.last, now - last.to > pace + pace / 2 else { return }
        self = SteadyDrip()
    }

    private func proven(isCoarse: Bool, isUnusual: Bool) -> (Interval, Proof)? {
        for proof in Self.proofs where marks.count >= proof.count && (isCoarse || !proof.isCoarse) && (isUnusual || !proof.isUnusual) {
            let run = marks.suffix(proof.count)
            // Readings that are far apart for the pace let anything fit.
            if let pace = fit(run, play: proof.play), proof.paces.contains(pace.milliseconds), !run.contains(where: { ($0.to - $0.from) * 2 > pace }) {
                return (pace, proof)
            }
        }
        return nil
    }

    /// The pace at which all counts may have turned, each within its stretch and this share of the pace; nil when there is none.
    private func fit(_ marks: ArraySlice<Mark>, play: Double) -> Interval? {
        guard let first = marks.first, let last = marks.last else { return nil }
        let steps = Int64(marks.count - 1)
        let mean = ((last.from - first.from) + (last.to - first.to)).milliseconds / (2 * steps)
        let loose = Int64(Double(mean) * play)
        var least = Int64.min
        var most = Int64.max
        let marks = Array(marks)
        for early in marks.indices {
            for late in marks.indices where late > early {
                let apart = Int64(late - early)
                least = max(least, ((marks[late].from - marks[early].to).milliseconds - loose) / apart)
                most = min(most, ((marks[late].to - marks[early].from).milliseconds + loose) / apart)
            }
        }
        return least <= most ? .milliseconds(mean) : nil
    }
}
