import Foundation
import Glibc

/// Sixteen megabytes set aside beside the record for the day the disk is full: given back, they let cases and acts be written while readings
/// no longer can. Kept as a file with real blocks, since a sparse one would reserve nothing.
public struct DiskReserve: Sendable {
    /// Its size in bytes.
    public static let size: off_t = 16 << 20
    private let path: String

    /// The reserve of a record.
    public init(besides record: String) { path = record + ".reserve" }

    /// Whether it is there, whole.
    public var isKept: Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_size >= Self.size
    }

    /// Sets it aside, where there is room for it and as much again.
    /// - Returns: whether it is there
    @discardableResult
    public func keep() -> Bool {
        guard !isKept else { return true }
        var room = statvfs()
        guard statvfs(URL(fileURLWithPath: path).deletingLastPathComponent().path, &room) == 0,
            Int64(room.f_bavail) * Int64(room.f_frsize) > 2 * Int64(Self.size)
        else { return false }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return false }
        let isAllocated = posix_fallocate(descriptor, 0, Self.size) == 0
        close(descriptor)
        if !isAllocated { unlink(path) }
        return isAllocated
    }

    /// Gives it back.
    /// - Returns: false when there was none
    public func release() -> Bool { unlink(path) == 0 }
}
