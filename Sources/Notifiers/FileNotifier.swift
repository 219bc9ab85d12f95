import Casework
import Foundation
import Synchronization
import Threads

#if canImport(Glibc)
    import Glibc
#endif

/// Appends each letter as one CloudEvent a line: for tests and for screens. Files can hang – a pipe nobody reads, a share that went away – so one
/// thread of the channel's own writes, and whoever waits for it waits no longer than ten seconds.
public final class FileNotifier: Notifier {
    /// A line to be written, and whoever waits for it.
    private final class Job: Sendable {
        let line: Data
        private let done: Mutex<CheckedContinuation<DeliverySchedule.Attempt, Never>?>

        init(_ line: Data, _ done: CheckedContinuation<DeliverySchedule.Attempt, Never>) {
            self.line = line
            self.done = Mutex(done)
        }

        var isWaitedFor: Bool { done.withLock { $0 != nil } }

        func end(_ attempt: DeliverySchedule.Attempt) {
            let waiting = done.withLock { done in
                defer { done = nil }
                return done
            }
            waiting?.resume(returning: attempt)
        }
    }

    /// The longest that a file may take for one line.
    private static let patience = Duration.seconds(10)
    /// The longest that a pipe may take no more bytes, in milliseconds.
    private static let pipePatience: Int32 = 5000
    private let path: String
    private let jobs = BlockingQueue<Job>(capacity: 64)
    private let isStarted = Mutex(false)

    /// Writes to a file that is created when needed.
    public init(path: String) { self.path = path }

    deinit { jobs.close() }

    /// Appends one line.
    public func deliver(_ letter: Letter) async -> DeliverySchedule.Attempt {
        let line: Data
        do { line = try letter.cloudEvent() + Data([10]) } catch { return .failed("\(error)", retryAfter: nil) }
        let isFirst = isStarted.withLock { started in
            defer { started = true }
            return !started
        }
        if isFirst {
            let (path, jobs) = (path, jobs)
            OwnThread.start { Self.work(path, jobs) }
        }
        return await withCheckedContinuation { continuation in
            let job = Job(line, continuation)
            guard jobs.push(job) else { return job.end(.failed("too many lines wait for the file", retryAfter: nil)) }
            Task {
                try? await Task.sleep(for: Self.patience)
                job.end(.failed("the file took nothing within 10 s", retryAfter: nil))
            }
        }
    }

    private static func work(_ path: String, _ jobs: BlockingQueue<Job>) {
        var endsInALine = false
        while case .element(let job) = jobs.pop() {
            // Nobody waits any more: it is tried again, and would be there twice.
            guard job.isWaitedFor else { continue }
            job.end(append(job.line, to: path, &endsInALine))
        }
    }

    private static func append(_ line: Data, to path: String, _ endsInALine: inout Bool) -> DeliverySchedule.Attempt {
        func failed(_ what: String) -> DeliverySchedule.Attempt { .failed("\(what): \(String(cString: strerror(errno)))", retryAfter: nil) }
        // Without O_NONBLOCK a pipe that nobody reads holds whoever opens it.
        let flags = O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC | O_NOCTTY
        var descriptor = open(path, flags, 0o600)
        if descriptor < 0, errno == ENOENT {
            let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
            try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            descriptor = open(path, flags, 0o600)
        }
        guard descriptor >= 0 else { return errno == ENXIO ? .failed("nobody reads the pipe", retryAfter: nil) : failed("opening the file") }
        defer { close(descriptor) }
        var kind = stat()
        guard fstat(descriptor, &kind) == 0 else { return failed("looking at the file") }
        let isFile = kind.st_mode & S_IFMT == S_IFREG
        // What a pipe took of an earlier line is ended first.
        let bytes = (endsInALine ? [10] : []) + Array(line)
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                written += count
                continue
            }
            let code = errno
            if code == EINTR { continue }
            var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            if code == EAGAIN, poll(&waiting, 1, pipePatience) > 0, waiting.revents & Int16(POLLOUT) != 0 { continue }
            // Half a line in a file would spoil the next one too.
            if isFile { _ = ftruncate(descriptor, kind.st_size) } else { endsInALine = endsInALine || written > 0 }
            errno = code
            return code == EAGAIN ? .failed("whoever reads the pipe does not read on", retryAfter: nil) : failed("writing to the file")
        }
        endsInALine = false
        return .delivered
    }
}
