import Telemetry

/// A plan of reads that learns what a device refuses, and forgets it again when the device answers.
///
/// A device that answers "illegal data address" to a block is asked for the block's halves next time, until the registers it
/// does not have stand alone; those are left out and can go back into the profile. Registers of neighbouring points are never
/// lost for it. Devices also refuse for reasons that pass (they boot, a bridge restarts, a motor disturbs them), so nothing is
/// for good: an address that has answered before is asked again some times first; what was split or left out is tried again
/// after each reconnection and now and then, as one read more at the end of a round; what cannot be done without stays in the
/// plan whatever the device says, and a plan is never empty. A pure value.
public struct AdaptivePlan: Sendable, Hashable {
    /// The reads of every round, those that cannot be done without first: whatever spoils a later read spoils no total.
    public private(set) var requests: [ReadRequest]
    /// Fields that are left out because the device does not have them, in the order in which that was found out.
    public private(set) var refused: [RegisterField] = []
    private let fields: [RegisterField]
    private let essential: Set<RegisterField>
    /// The reads as planned, before anything was refused.
    private let planned: [ReadRequest]
    private let fixed: Set<ReadRequest>
    /// Reads that were left out.
    private var leftOut: [ReadRequest] = []
    /// Fields that have answered and have not been doubted since.
    private var heard: Set<RegisterField> = []
    /// How often running a read was refused that has answered before.
    private var strikes: [ReadRequest: Int] = [:]
    /// Reads to be tried again, one a round, and when the next such trial is due; nil when nothing is changed.
    private var trials: [ReadRequest] = []
    private var trialAt: Interval?
    private var pause = AdaptivePlan.shortestPause
    /// When a read was tried again last.
    private var triedAt: Interval?

    /// The exception code of Modbus for a register that is not there (application protocol V1.1b3, §7).
    public static let illegalAddress = 2
    /// A read that has answered before is doubted after so many refusals running.
    public static let patience = 3
    /// The time between two trials of what was left out doubles from the first of these to the second.
    public static let shortestPause = Interval.minutes(1)
    /// Trials after reconnections are no closer than this: a line may be connected anew for every round.
    public static let betweenReconnections = Interval.seconds(30)
    /// See `shortestPause`.
    public static let longestPause = Interval.hours(6)

    /// A plan for some fields.
    /// - Parameter essential: those that are asked for whatever the device says: the totaliser's
    public init(_ fields: [RegisterField], essential: [RegisterField] = [], rules: ReadingRules, cost: BusCost) {
        self.fields = fields
        self.essential = Set(essential)
        planned = ReadPlanner.plan(fields, rules: rules, cost: cost)
        fixed = Set(rules.fixedBlocks)
        requests = planned
        order()
    }

    /// The reads of the round that begins now: the plan's, and sometimes one that is tried again.
    public mutating func round(at now: Interval) -> [ReadRequest] {
        guard let due = trialAt, now >= due else { return requests }
        if trials.isEmpty { trials = planned.filter { !requests.contains($0) } + leftOut }
        guard !trials.isEmpty else {
            (trialAt, pause) = (nil, Self.shortestPause)
            return requests
        }
        let trial = trials.removeFirst()
        triedAt = now
        if trials.isEmpty {
            trialAt = now + pause
            pause = min(Self.longestPause, pause * 2)
        }
        return requests + [trial]
    }

    /// The line was connected anew, or the device answers again after a silence: it may be ready for what it refused.
    public mutating func reconnected(at now: Interval) {
        guard let due = trialAt, trials.isEmpty else { return }
        trialAt = min(due, max(now, triedAt.map { $0 + Self.betweenReconnections } ?? now))
        pause = Self.shortestPause
    }

    /// Takes an answer. A read that was tried again and answers takes the place of what it covers.
    /// - Returns: whether registers came back that had been left out
    @discardableResult
    public mutating func accept(_ request: ReadRequest) -> Bool {
        strikes[request] = nil
        heard.formUnion(inside(request))
        guard !requests.contains(request), planned.contains(request) || leftOut.contains(request) else { return false }
        requests.removeAll { request.covers($0) }
        requests.append(request)
        order()
        let before = leftOut.count
        leftOut.removeAll { request.covers($0) }
        refused.removeAll { field in request.covers(field) }
        trials.removeAll { request.covers($0) }
        if leftOut.isEmpty, planned.allSatisfy({ requests.contains($0) }) { (trials, trialAt, pause) = ([], nil, Self.shortestPause) }
        return leftOut.count < before
    }

    /// Takes a refusal.
    /// - Returns: the field that is not there, once it stands alone and is left out
    @discardableResult
    public mutating func refuse(_ request: ReadRequest, at now: Interval) -> RegisterField? {
        guard let place = requests.firstIndex(of: request) else { return nil }
        let inside = inside(request)
        if fixed.contains(request) || !inside.isEmpty && inside.allSatisfy(heard.contains) {
            strikes[request, default: 0] += 1
            guard strikes[request, default: 0] >= Self.patience else { return nil }
        }
        let runs = Self.runs(inside)
        guard runs.count > 1 else {
            guard requests.count > 1, !inside.contains(where: essential.contains) else { return nil }
            doubt(request, inside, at: now)
            requests.remove(at: place)
            leftOut.append(request)
            let lost = inside.filter { !refused.contains($0) }
            refused += lost
            return lost.first
        }
        doubt(request, inside, at: now)
        let middle = runs.count / 2
        let halves = [runs[..<middle], runs[middle...]].map { half -> ReadRequest in
            let low = half.map(\.lowerBound).min() ?? 0
            let high = half.map(\.upperBound).max() ?? low + 1
            return ReadRequest(function: request.function, address: UInt16(clamping: low), count: high - low)
        }
        requests.replaceSubrange(place...place, with: halves)
        order()
        return nil
    }

    private mutating func doubt(_ request: ReadRequest, _ inside: [RegisterField], at now: Interval) {
        strikes[request] = nil
        heard.subtract(inside)
        trials = []
        trialAt = now + pause
    }

    /// Reads that cannot be done without come first, otherwise as they are.
    private mutating func order() {
        let first = requests.filter { request in essential.contains { request.covers($0) } }
        requests = first + requests.filter { !first.contains($0) }
    }

    private func inside(_ request: ReadRequest) -> [RegisterField] { fields.filter { request.covers($0) } }

    /// The stretches of the fields, those that overlap joined, in order.
    private static func runs(_ fields: [RegisterField]) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        for range in fields.map(\.registers).sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = runs.last, range.lowerBound < last.upperBound {
                runs[runs.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                runs.append(range)
            }
        }
        return runs
    }
}

extension ReadRequest {
    private var registers: Range<Int> { Int(address)..<Int(address) + count }

    /// Whether a field is read whole by this.
    func covers(_ field: RegisterField) -> Bool {
        function == field.function && registers.lowerBound <= field.registers.lowerBound && field.registers.upperBound <= registers.upperBound
    }

    /// Whether another read asks for nothing more than this.
    func covers(_ other: ReadRequest) -> Bool {
        function == other.function && registers.lowerBound <= other.registers.lowerBound && other.registers.upperBound <= registers.upperBound
    }
}
