import Telemetry

/// How often channels may be tested: a test is a message to a person's phone, at a wish, past every queue. A pure value.
public struct TestLimit: Sendable {
    /// Whose limit is spent.
    public enum Spent: String, Sendable { case account, contact, site }

    /// Tests count for so long.
    static let window = Interval.minutes(10)
    /// So many tests an account may send within the window, so many may reach one contact, and so many the site sends in all.
    static let mostOfAccount = 6
    static let mostToContact = 3
    static let mostOfSite = 20

    private var tests: [(account: String, contact: ContactID, at: Interval)] = []

    /// Nothing was tested yet.
    public init() {}

    /// Counts a test.
    /// - Returns: nil when it may be sent; otherwise whose limit is spent, and from when on there is room again
    public mutating func take(account: String, contact: ContactID, at now: Interval) -> (spent: Spent, until: Interval)? {
        tests.removeAll { now - $0.at >= Self.window || $0.at > now }
        let own = tests.filter { $0.account == account }
        let theirs = tests.filter { $0.contact == contact }
        if theirs.count >= Self.mostToContact, let oldest = theirs.first { return (.contact, oldest.at + Self.window) }
        if own.count >= Self.mostOfAccount, let oldest = own.first { return (.account, oldest.at + Self.window) }
        if tests.count >= Self.mostOfSite, let oldest = tests.first { return (.site, oldest.at + Self.window) }
        tests.append((account, contact, now))
        return nil
    }
}
