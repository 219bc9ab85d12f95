import Foundation
import Gateway
import Glibc

/// Starts the program anew in its own place: the same process for whoever started it, with the same arguments.
enum FreshStart {
    /// Does not return, unless the system refuses; then the supervisor starts the program again.
    static func again() throws -> Never {
        // Nothing that is open now belongs to the new life, but what the process was given.
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? [] {
            if let descriptor = Int32(name), descriptor > 2 { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        }
        for number in [SIGTERM, SIGINT, SIGHUP] { signal(number, SIG_DFL) }
        var words = CommandLine.arguments.map { strdup($0) } + [nil]
        execv("/proc/self/exe", &words)
        throw WritableRecord()
    }
}
