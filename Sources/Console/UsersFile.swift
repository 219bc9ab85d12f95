import Documents
import Foundation
import Glibc

/// The users file on disk: whether it has changed, and what it says.
struct UsersFile: Sendable {
    /// By what a file is known to be the same as before.
    struct Mark: Equatable, Sendable {
        var path: String
        var device: UInt64 = 0
        var inode: UInt64 = 0
        var size: Int64 = 0
        var modified: [Int] = []
        /// `errno` where it could not be looked at.
        var fault: Int32 = 0
    }

    /// A users file is no larger than this.
    static let mostBytes = 4 << 20

    /// What is at a path now.
    static func mark(_ path: String) -> Mark {
        var status = stat()
        guard stat(path, &status) == 0 else { return Mark(path: path, fault: errno) }
        return Mark(
            path: path, device: UInt64(status.st_dev), inode: UInt64(status.st_ino), size: Int64(status.st_size),
            modified: [
                status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec, Int(status.st_mode), Int(status.st_uid),
            ])
    }

    /// Reads it. A pipe or a device is not waited for.
    static func look(_ path: String) -> AccountRegister.Sight {
        let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            let code = errno
            // A folder that cannot be entered hides whether there is a file.
            return code == ENOENT || code == ENOTDIR ? .missing : .unreadable(String(cString: strerror(code)))
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return .unreadable("it is no ordinary file") }
        guard status.st_mode & 0o022 == 0 else { return .unreadable("others may write it, and with it make themselves accounts") }
        guard status.st_size <= mostBytes else { return .unreadable("it is larger than \(mostBytes >> 20) MB") }
        var data = Data()
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while data.count <= mostBytes {
            let count = read(descriptor, &buffer, buffer.count)
            if count == 0 { break }
            guard count > 0 else {
                if errno == EINTR { continue }
                return .unreadable(String(cString: strerror(errno)))
            }
            data.append(contentsOf: buffer.prefix(count))
        }
        guard let text = String(data: data, encoding: .utf8) else { return .unparsable("it is no UTF-8 text") }
        guard !text.allSatisfy(\.isWhitespace) else { return .empty }
        do throws(DocumentIssues) {
            return .read(try AccountFile(parsing: text, file: path))
        } catch {
            // Places and keys only: what stands in the file is nobody's business in a log.
            return .unparsable(error.issues.prefix(3).map { "line \($0.line.map(String.init) ?? "?") \($0.key)" }.joined(separator: "; "))
        }
    }
}
