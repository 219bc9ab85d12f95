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
    private let spools: Bool
    /// The tally so far.
    public private(set) var counts = Counts()

    /// A writer that holds back at most so many readings while the disk refuses.
    /// - Parameter spools: whether each group is put into the spool as well, in the same transaction
    public init(store: Store, capacity: Int = 50_000, spools: Bool = false) {
        self.spools = spools
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

    /// Commits what is waiting at a stop, behind a commit under way.
    public func finish() async {
        while isFlushing, !Task.isCancelled { try? await Task.sleep(for: .milliseconds(10)) }
        await flush()
    }

    /// Commits what is waiting.
    /// - Returns: the tally after it.
    @discardableResult
    public func flush() async -> Counts {
        guard !waiting.isEmpty, !isFlushing else { return counts }
        isFlushing = true
        defer { isFlushing = false }
        let group = waiting
        let spools = spools
        waiting.removeAll(keepingCapacity: true)
        do {
            try await store.write { writer in
                try writer.append(group)
                guard spools else { return }
                let erased = try writer.erasedMeters()
                let told = erased.isEmpty ? group : group.filter { !erased.contains($0.meter.rawValue) }
                if let entry = SpoolEntry(readings: told) { try writer.spool(entry) }
            }
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

extension SpoolEntry {
    /// A group of readings in few bytes: `[meter, point, Unix milliseconds, value or null, quality]` each.
    init?(readings: [Reading]) {
        guard let last = readings.last else { return nil }
        let rows = readings.map { reading in
            JSONText.list([
                .text("\(reading.meter)"), .text("\(reading.point)"), .integer(reading.at.unixMilliseconds), reading.value.map { .number($0) } ?? .null,
                .text(reading.quality.rawValue),
            ])
        }
        self.init(kind: .readings, subject: "readings", at: last.at, body: JSONText.object([("readings", .list(rows))]).text)
    }
}
