import Documents
import Phrasebook

/// Files that the configuration names: whether they are there, and who else may read or write them.
extension ConfigurationReader {
    /// What to type, the same in every language.
    func run(_ command: String) -> LocalizedText { .said("运行`\(command)`", command) }

    /// A key that names a file with a secret: the file must be there.
    func secretFile(_ node: DocumentNode?, _ key: String) -> String? {
        guard let path = node?.string(key).map(files.resolve) else { return nil }
        if files.read(path) == nil {
            node?.child(key)?.report(
                .said("文件`\(path)`读不了", "the file `\(path)` cannot be read"), fix: .said("建好它，只让网关的用户能读", "create it, readable for the gateway's user only"))
        } else if let mode = files.mode(path) {
            // What others may write is not ours; what others may read is no secret. Certificates are none.
            let isSecret = key != "ca_file" && key != "certificate_file"
            if mode & 0o022 != 0 {
                node?.child(key)?.report(.said("别人能改写`\(path)`", "others may write `\(path)`"), fix: run("chmod \(isSecret ? "600" : "644") \(path)"))
            } else if isSecret, mode & 0o004 != 0 {
                node?.child(key)?.report(
                    .said("本机上谁都能读`\(path)`里的密钥", "everybody on this machine may read the secret in `\(path)`"), fix: run("chmod 600 \(path)"),
                    severity: .warning)
            }
        }
        return path
    }

    /// A table beside the configuration: whoever may write it says who is watched, and whoever may read the homes' knows who lives alone.
    func checkTable(_ key: String, isPrivate: Bool) {
        guard let path = root.string(key).map(files.resolve), let mode = files.mode(path) else { return }
        if mode & 0o002 != 0 {
            root.child(key)?.report(
                .said("本机上谁都能改写`\(path)`", "everybody on this machine may write `\(path)`"), fix: run("chmod 640 \(path)"), severity: .warning)
        } else if isPrivate, mode & 0o004 != 0 {
            root.child(key)?.report(
                .said("本机上谁都能从`\(path)`里看到谁独居", "everybody on this machine may read in `\(path)` who lives alone"), fix: run("chmod 640 \(path)"),
                severity: .warning)
        }
    }

    /// A file of notices that is there already: its rights are whoever's made it.
    func checkNotices(_ path: String, _ node: DocumentNode?) {
        guard let mode = files.mode(path), mode & 0o007 != 0 else { return }
        node?.report(
            .said("本机上谁都能从`\(path)`里看到谁出了事", "everybody on this machine may read in `\(path)` whom something has happened to"), fix: run("chmod 640 \(path)"),
            severity: .warning)
    }
}
