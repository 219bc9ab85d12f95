import Foundation
import Glibc

/// Holds a store for one gateway: a second one on the same file, or a restore beneath a running one, would mix two memories.
///
/// The kernel lets go of the lock when the process ends, however it ends (flock(2)).
public final class StoreLock: Sendable {
    private let descriptor: Int32

    /// Takes the lock of a store's file.
    /// - Throws: `StoreFault` when another process holds it, or the folder cannot be written
    public init(path: String) throws(StoreFault) {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        // Kept only once the lock is held: an initialiser that throws with everything set runs `deinit`, which would close it again.
        var opened = open(path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o600)
        let code = errno
        // On a disk that became read-only under another gateway, its lock still holds.
        if opened < 0 { opened = open(path + ".lock", O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
        guard opened >= 0 else { throw .unwritable("\(path).lock cannot be made: \(String(cString: strerror(code)))") }
        guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
            Glibc.close(opened)
            throw .failed("another gateway is at work on this file; stop it first")
        }
        descriptor = opened
    }

    deinit { Glibc.close(descriptor) }
}
