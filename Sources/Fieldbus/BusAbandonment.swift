import Glibc
import Synchronization

/// A way to end whatever a bus's thread waits for, from any thread: bytes, a connection, a name. Once abandoned, a bus
/// answers every read at once with "not connected".
final class BusAbandonment: Sendable {
    /// Becomes readable when the bus is abandoned; -1 where the system has no descriptor left: then waits end by their own time.
    let descriptor: Int32
    private let writer: Int32
    private let flag = Atomic(false)

    init() {
        var ends: [Int32] = [-1, -1]
        if pipe(&ends) != 0 { ends = [-1, -1] }
        for end in ends where end >= 0 { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        (descriptor, writer) = (ends[0], ends[1])
    }

    deinit { for end in [descriptor, writer] where end >= 0 { close(end) } }

    var isAbandoned: Bool { flag.load(ordering: .acquiring) }

    func abandon() {
        guard !flag.exchange(true, ordering: .acquiringAndReleasing), writer >= 0 else { return }
        var one: UInt8 = 1
        _ = write(writer, &one, 1)
    }
}
