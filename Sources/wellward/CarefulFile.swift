import Foundation
import Glibc

/// Puts a new text in the place of a file that others rely on: whole or not at all, with the owner, group and mode it had, and through a symbolic
/// link to where it leads. At no moment may anybody read it who could not before.
enum CarefulFile {
    /// What did not work.
    struct Fault: Error, CustomStringConvertible {
        var what: String
        var code: Int32
        var description: String { "\(what): \(String(cString: strerror(code)))" }
    }

    /// Reads, changes and writes a file, while nobody else does the same.
    /// - Parameter change: from the present text (nil where there is no file) to the new one
    static func change(_ path: String, _ change: (String?) throws -> String) throws {
        let target = try destination(path)
        let folder = (target as NSString).deletingLastPathComponent
        try FileManager.default.createDirectory(atPath: folder.isEmpty ? "." : folder, withIntermediateDirectories: true)
        let directory = open(folder.isEmpty ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw Fault(what: folder, code: errno) }
        defer { close(directory) }
        guard flock(directory, LOCK_EX) == 0 else { throw Fault(what: folder, code: errno) }
        var status = stat()
        let isThere = lstat(target, &status) == 0
        if !isThere, errno != ENOENT { throw Fault(what: target, code: errno) }
        if isThere, status.st_mode & S_IFMT != S_IFREG { throw Fault(what: target, code: EINVAL) }
        let old = isThere ? try String(contentsOfFile: target, encoding: .utf8) : nil
        let text = try change(old)
        try write(text, to: target, rights: isThere ? FileRights(status) : try rightsOfNew(directory), directory: directory)
    }

    /// Where a path leads, its last part followed through links, the file itself not needing to be there.
    private static func destination(_ path: String) throws -> String {
        var here = path
        for _ in 0..<16 {
            guard let next = try? FileManager.default.destinationOfSymbolicLink(atPath: here) else { return here }
            here = next.hasPrefix("/") ? next : ((here as NSString).deletingLastPathComponent as NSString).appendingPathComponent(next)
        }
        throw Fault(what: path, code: ELOOP)
    }

    /// A new file is for its folder's owner; where root makes it in a folder of root's and another group, that group reads it: it is how a service
    /// is given what it may not change.
    private static func rightsOfNew(_ directory: Int32) throws -> FileRights {
        var folder = stat()
        guard fstat(directory, &folder) == 0 else { throw Fault(what: ".", code: errno) }
        guard geteuid() == 0 else { return FileRights(owner: geteuid(), group: getegid(), mode: 0o600) }
        let isGroups = folder.st_uid == 0 && folder.st_gid != 0
        return FileRights(owner: folder.st_uid, group: folder.st_gid, mode: isGroups ? 0o640 : 0o600)
    }

    private static func write(_ text: String, to target: String, rights: FileRights, directory: Int32) throws {
        let fresh = "\(target).new-\(getpid())"
        let descriptor = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Fault(what: fresh, code: errno) }
        var isDone = false
        defer {
            close(descriptor)
            if !isDone { unlink(fresh) }
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Fault(what: fresh, code: errno) }
        if status.st_uid != rights.owner || status.st_gid != rights.group {
            guard fchown(descriptor, rights.owner, rights.group) == 0 else { throw Fault(what: "\(target): its owner and group cannot be kept", code: errno) }
        }
        guard fchmod(descriptor, rights.mode & 0o7777) == 0 else { throw Fault(what: fresh, code: errno) }
        let bytes = Array(text.utf8)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Fault(what: fresh, code: errno) }
            sent += count
        }
        guard fsync(descriptor) == 0, rename(fresh, target) == 0 else { throw Fault(what: target, code: errno) }
        isDone = true
        _ = fsync(directory)
    }
}
