import Glibc
import Synchronization

/// A few threads for one kind of work that blocks or is dear, and a short queue before them. What comes beyond is refused at once: a flood of
/// such work costs no more threads and no more memory than the pool was given.
public final class BlockingPool: Sendable {
    /// All threads are at work and the queue is full.
    public struct Full: Error {}

    private struct State {
        var underWay = 0
        var threads = 0
    }

    private let workers: Int
    private let waiting: Int
    private let isPatient: Bool
    private let queue: BlockingQueue<@Sendable () -> Void>
    private let state = Mutex(State())

    /// A pool. Its threads are made when they are first needed and stay.
    /// - Parameters:
    ///   - workers: how many pieces of work are under way at a time
    ///   - waiting: how many more may wait for them
    ///   - isPatient: whether other threads of the program go first where processors are few
    public init(workers: Int, waiting: Int, isPatient: Bool = false) {
        self.workers = workers
        self.waiting = waiting
        self.isPatient = isPatient
        queue = BlockingQueue(capacity: workers + waiting)
    }

    deinit { queue.close() }

    /// Runs a body on one of the threads and waits for its value without holding a thread of the cooperative pool.
    /// - Throws: `Full` when the queue is full, or when the system allows not a single thread
    public func value<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async throws(Full) -> Value {
        guard enter() else { throw Full() }
        let value: Value? = await withCheckedContinuation { continuation in
            let isTaken = queue.push {
                let value = body()
                self.leave()
                continuation.resume(returning: value)
            }
            if !isTaken {
                leave()
                continuation.resume(returning: nil)
            }
        }
        guard let value else { throw Full() }
        return value
    }

    /// How many pieces of work are under way or wait.
    public var load: Int { state.withLock { $0.underWay } }

    private func leave() { state.withLock { $0.underWay -= 1 } }

    private func enter() -> Bool {
        state.withLock { state in
            guard state.underWay < workers + waiting else { return false }
            if state.threads < workers, state.threads <= state.underWay {
                let (queue, isPatient) = (queue, isPatient)
                let isMade = OwnThread.tryStart {
                    // Zero is the calling thread. Where the system refuses, all threads are alike.
                    if isPatient { setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10) }
                    while case .element(let work) = queue.pop() { work() }
                }
                if isMade { state.threads += 1 }
            }
            guard state.threads > 0 else { return false }
            state.underWay += 1
            return true
        }
    }
}
