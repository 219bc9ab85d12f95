import SiteConfiguration

/// Whether a running console may follow a changed configuration. A reload never lets in more people than before without a word of theirs.
public enum ReloadOfConsole {
    /// Why a reload is refused; nil where it may be put in force.
    public static func refusal(from old: SiteConfiguration.Console, to new: SiteConfiguration.Console) -> String? {
        if new.usersFile == nil, new.open, !old.isOpenToThisMachine {
            return "`console.open` would make everybody on this machine admin; that needs a restart"
        }
        guard let path = new.usersFile, path != old.usersFile else { return nil }
        // Another file is believed only when it can be: a mistyped path must not shut people out.
        switch UsersFile.look(path) {
        case .read: return nil
        case .empty: return "`console.users_file` \(path): it is empty"
        case .missing: return "`console.users_file` \(path): there is no such file"
        case .unreadable(let why), .unparsable(let why): return "`console.users_file` \(path): \(why)"
        }
    }
}
