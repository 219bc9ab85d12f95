/// Whether a file is there and can be read.
public enum FilePresence: Sendable {
    case readable
    /// It is there, or a folder that cannot be entered hides whether it is.
    case unreadable
    case missing
}

/// The files a configuration speaks of, given by the shell so that reading it needs no disk in a test.
public struct ConfigurationFiles: Sendable {
    /// The text of a file, nil when it cannot be read.
    public var read: @Sendable (String) -> String?
    /// The files in a folder with a suffix, sorted; nil when there is no such folder.
    public var list: @Sendable (String, String) -> [String]?
    /// The rights of a file as chmod(1) writes them; nil where that cannot be told.
    public var mode: @Sendable (String) -> Int? = { _ in nil }
    /// Whether a file can be read; nil where that is to be told from `read` and `mode`.
    public var look: (@Sendable (String) -> FilePresence)?
    /// The folder that relative paths start from: the configuration file's own.
    public var base: String
    /// Further folders that may hold device profiles: the working folder, the installed ones.
    public var profileRoots: [String]

    /// Files through closures.
    public init(
        base: String, profileRoots: [String] = [], read: @escaping @Sendable (String) -> String?,
        list: @escaping @Sendable (String, String) -> [String]?
    ) {
        self.base = base
        self.profileRoots = profileRoots
        self.read = read
        self.list = list
    }

    /// Whether a file is there and can be read.
    public func presence(_ path: String) -> FilePresence {
        if let look { return look(path) }
        return read(path) != nil ? .readable : mode(path) != nil ? .unreadable : .missing
    }

    /// A path from the configuration as an absolute one.
    public func resolve(_ path: String) -> String { path.hasPrefix("/") ? path : "\(base)/\(path)" }
}
