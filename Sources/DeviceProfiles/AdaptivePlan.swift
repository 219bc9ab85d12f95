/// A plan of reads that learns what a device refuses.
///
/// A device that answers "illegal data address" to a block is asked for the block's halves next time, until the registers it
/// does not have stand alone; they are left out from then on and can go back into the profile. Registers of neighbouring
/// points are never lost for it. A pure value.
public struct AdaptivePlan: Sendable, Hashable {
    /// The reads of the next round.
    public private(set) var requests: [ReadRequest]
    /// Fields the device does not have, in the order in which that was found out.
    public private(set) var refused: [RegisterField] = []
    private let fields: [RegisterField]

    /// The exception code of Modbus for a register that is not there (application protocol V1.1b3, §7).
    public static let illegalAddress = 2

    /// A plan for some fields.
    public init(_ fields: [RegisterField], rules: ReadingRules, cost: BusCost) {
        self.fields = fields
        requests = ReadPlanner.plan(fields, rules: rules, cost: cost)
    }

    /// Takes a refusal.
    /// - Returns: the field that is not there, once it stands alone
    @discardableResult
    public mutating func refuse(_ request: ReadRequest) -> RegisterField? {
        guard let place = requests.firstIndex(of: request) else { return nil }
        let inside = fields.filter { field in
            field.function == request.function && field.registers.lowerBound >= Int(request.address)
                && field.registers.upperBound <= Int(request.address) + request.count
        }
        let runs = Self.runs(inside)
        guard runs.count > 1 else {
            requests.remove(at: place)
            let lost = inside.filter { !refused.contains($0) }
            refused += lost
            return lost.first
        }
        let middle = runs.count / 2
        let halves = [runs[..<middle], runs[middle...]].map { half -> ReadRequest in
            let low = half.map(\.lowerBound).min() ?? 0
            let high = half.map(\.upperBound).max() ?? low + 1
            return ReadRequest(function: request.function, address: UInt16(low), count: high - low)
        }
        requests.replaceSubrange(place...place, with: halves)
        return nil
    }

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
