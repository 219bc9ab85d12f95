import Glibc

/// Starts a thread of its own for work that blocks: a bus, the elevators' fast path, a simulated device.
public enum OwnThread {
    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Runs a body on a new detached thread. Where the system allows no more threads for the moment, the body runs as soon as it does.
    public static func start(_ body: @escaping @Sendable () -> Void) {
        guard !tryStart(body) else { return }
        Task {
            // A limit on threads is the system's and passes; the watch must not end over it.
            repeat { try? await Task.sleep(for: .milliseconds(100)) } while !tryStart(body)
        }
    }

    /// Runs a body on a new detached thread, if the system allows one now.
    /// - Returns: false when it does not; the body does not run then
    public static func tryStart(_ body: @escaping @Sendable () -> Void) -> Bool {
        let box = Unmanaged.passRetained(Body(body))
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        // Half a megabyte is ample for C calls and keeps many buses small.
        pthread_attr_setstacksize(&attributes, 512 << 10)
        var thread = pthread_t()
        let code = pthread_create(
            &thread, &attributes,
            { raw in
                guard let raw else { return nil }
                Unmanaged<Body>.fromOpaque(raw).takeRetainedValue().run()
                return nil
            }, box.toOpaque())
        pthread_attr_destroy(&attributes)
        guard code == 0 else {
            box.release()
            return false
        }
        return true
    }

    /// Runs a body that blocks on a thread of its own and waits for its value, so that no thread of the cooperative pool waits.
    public static func value<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in start { continuation.resume(returning: body()) } }
    }

    /// Milliseconds on CLOCK_MONOTONIC, the axis of `BlockingQueue.pop(until:)`.
    public static func monotonicMilliseconds() -> Int64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
    }
}

/// Runs the jobs of one actor on one thread of its own, so that the actor may call C that blocks.
public final class ThreadExecutor: SerialExecutor {
    private let queue = BlockingQueue<UnownedJob>(capacity: .max)

    /// An executor with a new thread.
    public init() {
        let queue = queue
        let box = Box()
        OwnThread.start {
            while case .element(let job) = queue.pop() {
                guard let executor = box.executor else { continue }
                job.runSynchronously(on: executor.asUnownedSerialExecutor())
            }
        }
        box.executor = self
    }

    /// The executor reaches its thread through this, so that the thread does not keep it alive.
    private final class Box: @unchecked Sendable {
        // Safe: written once in init before any job can be enqueued; the queue's lock orders that before every read.
        weak var executor: ThreadExecutor?
    }

    deinit { queue.close() }

    /// Takes a job.
    public func enqueue(_ job: consuming ExecutorJob) { queue.push(UnownedJob(job)) }
}
