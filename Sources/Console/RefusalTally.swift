/// Counts refused sign-ins for the audit: the first few of a minute are written down one by one, the others as one line when the minute is over,
/// so that every try is in the audit and a flood does not fill it.
struct RefusalTally {
    /// What is to be written: the note of an audit line.
    struct Line: Equatable {
        var note: String
        /// Whether it sums up many.
        var isCount = false
    }

    /// Refusals of a minute that get a line each.
    static let eachSaid = 5
    private static let minute: Int64 = 60_000
    /// Addresses that are named in a line.
    private static let mostAddresses = 8

    private var began: Int64 = .min
    private var said = 0
    private var counts: [String: Int] = [:]
    private var addresses: Set<String> = []
    private var others = false

    /// Notes a refusal.
    /// - Parameters:
    ///   - why: `429` or `503`; empty for a wrong password
    /// - Returns: lines to be written now
    mutating func note(_ why: String, from address: String, at now: Int64) -> [Line] {
        var lines: [Line] = []
        if began == .min || now - began >= Self.minute {
            if let line = end() { lines.append(line) }
            began = now
        }
        if said < Self.eachSaid {
            said += 1
            lines.append(Line(note: why.isEmpty ? address : "\(address) \(why)"))
        } else {
            counts[why, default: 0] += 1
            if addresses.count < Self.mostAddresses || addresses.contains(address) { addresses.insert(address) } else { others = true }
        }
        return lines
    }

    /// The line of a minute that is over, if there is one to be written.
    mutating func passed(at now: Int64) -> Line? { began != .min && now - began >= Self.minute ? end() : nil }

    /// Ends the minute: what was counted in it.
    mutating func end() -> Line? {
        defer {
            (began, said, others) = (.min, 0, false)
            counts = [:]
            addresses = []
        }
        guard !counts.isEmpty else { return nil }
        let what = counts.sorted { $0.key < $1.key }.map { "\($0.value)×\($0.key.isEmpty ? "wrong" : $0.key)" }.joined(separator: " ")
        return Line(note: "\(addresses.sorted().joined(separator: " "))\(others ? " …" : "") \(what)", isCount: true)
    }
}
