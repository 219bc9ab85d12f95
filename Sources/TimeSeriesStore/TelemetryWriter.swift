import Telemetry

/// Gathers readings and commits them in groups: at most one group is lost when the power goes. When the disk takes no
/// more, the oldest readings are dropped and counted; nothing else waits for them.
public actor TelemetryWriter {
    /// What happened since the start.
    public struct Counts: Sendable, Hashable {
        public var committed = 0
        public var dropped = 0
        /// The fault of the last commit, nil when it went well.
        public var fault: String?
    }

    private let store: Store
    private let capacity: Int
    private var waiting: [Reading] = []
    private var isFlushing = false
    /// The tally so far.
    public private(set) var counts = Counts()

    /// A writer that holds back at most so many readings while the disk refuses.
    public init(store: Store, capacity: Int = 50_000) {
        self.store = store
        self.capacity = capacity
    }

    /// Takes readings for the next commit.
    public func add(_ readings: [Reading]) {
        waiting += readings
        trim()
    }

    private func trim() {
        guard waiting.count > capacity else { return }
        counts.dropped += waiting.count - capacity
        waiting.removeFirst(waiting.count - capacity)
    }

    /// Commits what is waiting.
    /// - Returns: the tally after it.
    @discardableResult
    public func flush() async -> Counts {
        guard !waiting.isEmpty, !isFlushing else { return counts }
        isFlushing = true
        defer { isFlushing = false }
        let group = waiting
        waiting.removeAll(keepingCapacity: true)
        do {
            try await store.write { try $0.append(group) }
            counts.committed += group.count
            counts.fault = nil
        } catch {
            waiting = group + waiting
            trim()
            counts.fault = error.description
        }
        return counts
    }
}
