/// The sessions of signed-in browsers. Each hangs on the line of the users file it was made with: a new password, another role or grid, or a
/// line taken out ends it. One account's sessions never end another's.
struct SessionTable {
    /// One browser that has signed in.
    struct Session {
        var entry: AccountFile.Entry
        var csrf: String
        var until: Int64
    }

    /// How long a session lasts, in milliseconds.
    static let lasts: Int64 = 12 * 3600 * 1000
    /// Sessions an account may have; the one that ends first gives way.
    static let mostOfAccount = 20

    private var sessions: [String: Session] = [:]

    /// How many there are.
    var count: Int { sessions.count }

    /// Begins a session.
    mutating func begin(_ id: String, _ entry: AccountFile.Entry, csrf: String, at now: Int64) {
        sessions = sessions.filter { $0.value.until > now }
        let own = sessions.filter { $0.value.entry.account.name == entry.account.name }
        if own.count >= Self.mostOfAccount, let first = own.min(by: { $0.value.until < $1.value.until })?.key { sessions[first] = nil }
        sessions[id] = Session(entry: entry, csrf: csrf, until: now + Self.lasts)
    }

    /// A session that has not run out.
    func session(_ id: String, at now: Int64) -> Session? { sessions[id].flatMap { $0.until > now ? $0 : nil } }

    /// Ends a session.
    mutating func end(_ id: String) { sessions[id] = nil }

    /// Ends those whose line no longer stands in the users file.
    mutating func endAll(notIn file: AccountFile) { sessions = sessions.filter { file.holds($0.value.entry) } }
}
