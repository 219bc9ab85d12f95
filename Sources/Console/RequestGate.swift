import Synchronization

/// So many requests are worked on at a time, so many more wait, and of both one account has only a share: whatever pages cost, they cost no more
/// memory and no more of the processor than that.
final class RequestGate: Sendable {
    private struct State {
        var working = 0
        var waiting: [CheckedContinuation<Bool, Never>] = []
        var shares: [String: Int] = [:]
    }

    private let workers: Int
    private let waiting: Int
    private let share: Int
    private let state = Mutex(State())

    /// A gate.
    /// - Parameters:
    ///   - workers: requests that are worked on at a time
    ///   - waiting: requests that may wait
    ///   - share: how many of both one account may have
    init(workers: Int, waiting: Int, share: Int) {
        self.workers = workers
        self.waiting = waiting
        self.share = share
    }

    /// Works on a request when it is its turn.
    /// - Throws: `Problem` 503 when too many wait
    func pass<Value>(_ name: String, _ body: () async throws -> Value) async throws -> Value {
        let mayPass = await withCheckedContinuation { continuation in
            let now = state.withLock { state -> Bool? in
                guard state.shares[name, default: 0] < share, state.waiting.count < waiting || state.working < workers else { return false }
                state.shares[name, default: 0] += 1
                if state.working < workers {
                    state.working += 1
                    return true
                }
                state.waiting.append(continuation)
                return nil
            }
            if let now { continuation.resume(returning: now) }
        }
        guard mayPass else { throw Problem.busy("Too much is asked at once.") }
        defer { leave(name) }
        return try await body()
    }

    private func leave(_ name: String) {
        let next = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            state.shares[name, default: 0] -= 1
            if state.shares[name] == 0 { state.shares[name] = nil }
            guard !state.waiting.isEmpty else {
                state.working -= 1
                return nil
            }
            // The place is handed on.
            return state.waiting.removeFirst()
        }
        next?.resume(returning: true)
    }
}
