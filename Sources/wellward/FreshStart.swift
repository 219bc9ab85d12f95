import Foundation
import Gateway
import Glibc

/// Starts the program anew in its own place: the same process for whoever started it, with the same arguments.
enum FreshStart {
    /// What the process was given when it started; whoever gave it may take its end for the process's.
    private static let given = open()

    /// To be called before anything is opened.
    static func noteGiven() { _ = given }

    private static func open() -> Set<Int32> {
        Set(((try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []).compactMap { Int32($0) })
    }

    /// Does not return, unless the system refuses; then the supervisor starts the program again.
    static func again() throws -> Never {
        // Nothing that is open now belongs to the new life, but what the process was given.
        for descriptor in open().subtracting(given) where descriptor > 2 { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        for number in [SIGTERM, SIGINT, SIGHUP] { signal(number, SIG_DFL) }
        var words = CommandLine.arguments.map { strdup($0) } + [nil]
        execv("/proc/self/exe", &words)
        throw WritableRecord()
    }
}
