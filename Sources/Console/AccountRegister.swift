/// Who may come in, whatever becomes of the users file. It fails closed: where accounts are meant and cannot be known, nobody comes in.
struct AccountRegister {
    /// What was found where the users file should be.
    enum Sight: Sendable {
        /// A file that was read; it may hold nobody.
        case read(AccountFile)
        /// A file with nothing in it, as a full disk or an editor leaves it for a moment.
        case empty
        /// A file that is no users file; where and why.
        case unparsable(String)
        /// A file that is there, or may be there, and cannot be read or must not be trusted; why.
        case unreadable(String)
        /// No file.
        case missing
    }

    /// Who may come in.
    enum Standing: Sendable {
        /// The configuration opens the console to whoever is on this machine.
        case open
        /// Those of the file.
        case accounts(AccountFile)
        /// Nobody.
        case shut(Reason)
    }

    /// Why nobody may come in.
    enum Reason: String, Sendable {
        case noUsersFile, missing, unreadable, unparsable
    }

    /// What is worth a line in the log.
    enum News: Sendable, Equatable {
        /// The file is whole again, or for the first time.
        case opened
        case shut(String)
        /// The file says nothing sensible; those who were known stay.
        case kept(String)
    }

    private(set) var standing: Standing
    private var lastTold: News?

    /// A register before the users file was looked at.
    /// - Parameter isOpen: whether the configuration opens the console
    init(isOpen: Bool) { standing = isOpen ? .open : .shut(.noUsersFile) }

    /// Takes in what was found.
    /// - Returns: what has changed, if anything
    mutating func see(_ sight: Sight) -> News? {
        let news: News
        switch sight {
        case .read(let file):
            standing = .accounts(file)
            news = .opened
        case .empty:
            news = keep(or: AccountFile(), "it is empty")
        case .unparsable(let why):
            news = keep(or: nil, why)
        case .unreadable(let why):
            standing = .shut(.unreadable)
            news = .shut(why)
        case .missing:
            standing = .shut(.missing)
            news = .shut("there is no such file")
        }
        // That all is well is news only after something was not.
        defer { lastTold = news }
        return news == lastTold ?? .opened ? nil : news
    }

    private mutating func keep(or nobody: AccountFile?, _ why: String) -> News {
        if case .accounts = standing { return .kept(why) }
        if let nobody {
            standing = .accounts(nobody)
            return .kept(why)
        }
        standing = .shut(.unparsable)
        return .shut(why)
    }
}
