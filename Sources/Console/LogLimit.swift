/// So many lines of a kind a minute; how many were left out is said with the next that is written.
struct LogLimit {
    private static let minute: Int64 = 60_000
    private let most: Int
    private var began: Int64 = .min
    private var said = 0
    private var leftOut = 0

    init(most: Int) { self.most = most }

    /// Whether a line may be written now.
    /// - Returns: how many were left out before it; nil when it is to be left out itself
    mutating func admit(at now: Int64) -> Int? {
        if began == .min || now - began >= Self.minute { (began, said) = (now, 0) }
        guard said < most else {
            leftOut += 1
            return nil
        }
        said += 1
        defer { leftOut = 0 }
        return leftOut
    }
}
