import Dispatch
import Foundation
import Glibc
import Logging
import Synchronization
import Telemetry
import Threads
import Watchkeeping

/// The one owner of a gateway's end: hears that it is to stop, gives each part its time, and ends the process at the deadline whatever hangs.
///
/// It hears signals and counts time on threads of its own, so that neither a blocked cooperative pool nor a log that nobody reads can hold it up.
public final class Shutdown: Sendable {
    private struct State {
        var plan: ShutdownPlan?
        var isServing = false
        var isTold = false
        var code: Int32 = 0
        var listeners: [CheckedContinuation<Void, Never>] = []
    }

    /// What the system's signals come in through; they live as long as the process.
    // Safe: written once, under the lock, and never read.
    private struct Sources: @unchecked Sendable { var kept: [any DispatchSourceSignal] = [] }

    private let state = Mutex(State())
    private let sources = Mutex(Sources())
    private let bell = BlockingQueue<Void>(capacity: 1)
    private let log: Logger

    /// An owner that hears nothing yet.
    public init(log: Logger) { self.log = log }

    /// From here on SIGTERM and SIGINT begin the end, and the process is gone within the limit. For a process that is one gateway.
    public func ownProcess() {
        // There before it is needed: the day it is needed no thread may be had.
        OwnThread.start { [self] in
            guard case .element = bell.pop() else { return }
            watch()
        }
        let queue = DispatchQueue(label: "wellward.shutdown")
        for number in [SIGTERM, SIGINT] {
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { [self] in
                // While starting there is nothing yet that could be ended in order; whatever was committed is on disk.
                if state.withLock({ !$0.isServing }) { leave("told to stop while starting") }
                state.withLock { $0.isTold = true }
                begin()
            }
            source.resume()
            sources.withLock { $0.kept.append(source) }
        }
    }

    /// From here on a signal is not the end at once: there are parts that must end in order.
    public func serving() { state.withLock { $0.isServing = true } }

    /// Whether somebody told the process to end, whatever else it ends for.
    public var isTold: Bool { state.withLock { $0.isTold } }

    /// Begins the end, once.
    /// - Parameter code: what the process answers with if it has to be ended at the deadline
    public func begin(code: Int32 = 0) {
        let listeners = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            guard state.plan == nil else { return [] }
            state.plan = ShutdownPlan(at: Self.now())
            state.code = code
            defer { state.listeners = [] }
            return state.listeners
        }
        for listener in listeners { listener.resume() }
        bell.push(())
    }

    /// Waits until the end has begun.
    func begun() async {
        await withCheckedContinuation { continuation in
            let isBegun = state.withLock { state in
                if state.plan == nil { state.listeners.append(continuation) }
                return state.plan != nil
            }
            if isBegun { continuation.resume() }
        }
    }

    /// Ends a part within its time; one that takes longer is left behind.
    /// - Returns: whether it has ended
    @discardableResult
    func end(_ part: ShutdownPlan.Part, _ body: @escaping @Sendable () async -> Void) async -> Bool {
        let budget = state.withLock { $0.plan?.budget(for: part, at: Self.now()) } ?? .zero
        let (first, finish) = AsyncStream<Bool>.makeStream(bufferingPolicy: .bufferingOldest(1))
        // Tasks of their own: a group would wait for the one that hangs.
        let work = Task {
            await body()
            finish.yield(true)
        }
        let timer = Task {
            try? await Task.sleep(for: .milliseconds(budget.milliseconds))
            finish.yield(false)
        }
        var hasEnded = false
        for await ended in first {
            hasEnded = ended
            break
        }
        timer.cancel()
        if hasEnded {
            ended(part)
        } else {
            work.cancel()
            log.warning("a part did not end in time and is left behind", metadata: ["part": "\(part.rawValue)"])
        }
        return hasEnded
    }

    /// A part that somebody else ended.
    public func ended(_ part: ShutdownPlan.Part) { state.withLock { $0.plan?.ended(part) } }

    /// On the thread of its own: until the process is gone or the deadline is there.
    private func watch() {
        while let plan = state.withLock({ $0.plan }), !plan.isOver(at: Self.now()) {
            poll(nil, 0, 20)
        }
        let left = state.withLock { $0.plan?.unended } ?? []
        leave("the deadline of a stop is there; not ended: \(left.map(\.rawValue).joined(separator: ", "))")
    }

    /// Ends the process without asking anybody. The line is written on another thread: a log that nobody reads must not keep the process.
    private func leave(_ why: String) -> Never {
        let (log, written) = (log, BlockingQueue<Void>(capacity: 1))
        OwnThread.start {
            log.warning("\(why)")
            written.push(())
        }
        _ = written.pop(until: OwnThread.monotonicMilliseconds() + 200)
        _exit(state.withLock { $0.code })
    }

    private static func now() -> Interval { .milliseconds(OwnThread.monotonicMilliseconds()) }
}
