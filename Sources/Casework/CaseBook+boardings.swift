import Phrasebook
import Telemetry

/// How often e-bikes come into a lift: the second notice of a case says so, since property management hears the third of a week otherwise
/// than the first.
extension CaseBook {
    /// More than so many in a fortnight are counted as so many.
    static let mostBoardings = 500

    /// Takes the findings of cases that were opened before the start, so that a restart does not begin to count anew.
    public mutating func recallBoardings(_ cases: [Case]) {
        for found in cases { for finding in found.findings { noteBoarding(finding) } }
    }

    /// Counts a finding that says an e-bike came in; any other changes nothing.
    mutating func noteBoarding(_ finding: Finding) {
        guard finding.kind == .ebike, finding.rule == Self.boardedRule else { return }
        var moments = boardings[finding.subject] ?? []
        guard !moments.contains(finding.at.wall) else { return }
        moments.append(finding.at.wall)
        boardings[finding.subject] = moments.suffix(Self.mostBoardings)
    }

    /// How often an e-bike came into a lift in the week (from Monday) of a moment, up to it.
    mutating func boardings(of lift: Subject, inWeekOf now: WallTime) -> Int {
        let week = weekNumber(now)
        var count = 0
        for moment in boardings[lift] ?? [] where moment <= now && weekNumber(moment) == week { count += 1 }
        return count
    }

    /// Weeks since that of 29 December 1969, a Monday.
    private mutating func weekNumber(_ time: WallTime) -> Int64 {
        let day = civil.day(at: time) + 3
        return day >= 0 ? day / 7 : (day - 6) / 7
    }
}
