import Glibc

/// Who may do what with a file, by its owner, group and mode.
struct FileRights {
    var owner: UInt32
    var group: UInt32
    var mode: UInt32

    init(_ status: stat) { (owner, group, mode) = (status.st_uid, status.st_gid, status.st_mode) }

    init(owner: UInt32, group: UInt32, mode: UInt32) { (self.owner, self.group, self.mode) = (owner, group, mode) }

    /// Whether a user with some groups may read and write it. The first that fits decides: owner, group, others.
    func allowReadingAndWriting(user: UInt32, groups: [UInt32]) -> Bool {
        let bits = user == owner ? mode >> 6 : groups.contains(group) ? mode >> 3 : mode
        return bits & 6 == 6
    }
}
