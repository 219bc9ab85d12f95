import Foundation
import GRDB
import Telemetry

/// How long what is kept, and in which form.
public struct StoragePolicy: Sendable, Hashable {
    /// Readings older than this are deleted.
    public var retainReadings: Interval
    /// Days that ended so long ago are packed.
    public var sealAfter: Interval
    /// Packed days older than `after` keep one reading in `every`; nil keeps all.
    public var thin: Thinning?
    /// The file holds no more than this; the oldest readings give way, never cases, notices or audit.
    public var sizeCapBytes: Int64
    /// Closed cases and their notices are kept so long.
    public var retainCases: Interval
    /// Journal lines are kept so long. Audit lines are kept for good: each rests on the one before.
    public var retainJournal: Interval

    /// Fewer readings of days long past.
    public struct Thinning: Sendable, Hashable {
        public var after: Interval
        public var every: Interval

        /// One reading in `every` for days older than `after`.
        public init(after: Interval, every: Interval) {
            self.after = after
            self.every = every
        }
    }

    /// The defaults of the configuration page: 400 days, packed after two, 4 GB; cases three years, the journal two.
    public init(
        retainReadings: Interval = .days(400), sealAfter: Interval = .days(2), thin: Thinning? = nil, sizeCapBytes: Int64 = 4_000_000_000,
        retainCases: Interval = .days(1096), retainJournal: Interval = .days(731)
    ) {
        self.retainReadings = retainReadings
        self.sealAfter = sealAfter
        self.thin = thin
        self.sizeCapBytes = sizeCapBytes
        self.retainCases = retainCases
        self.retainJournal = retainJournal
    }
}

/// The hourly care of the store: packing, thinning, retention, the size cap. Every step is a transaction of its own and short, so that a
/// case waits at most for one of them.
public struct StoreUpkeep: Sendable {
    /// What a round did.
    public struct Report: Sendable, Hashable {
        public var sealedReadings = 0
        public var thinnedBlocks = 0
        /// The oldest days that gave way to the cap, in days.
        public var droppedForSpace = 0
        /// Bytes in use, of which the cap speaks.
        public var bytes: Int64 = 0
    }

    private let store: Store
    private let policy: StoragePolicy
    /// Blocks in one transaction.
    private static let step = 64
    /// Pages given back in one transaction: 4 MB.
    private static let pages = 1000
    /// Lines or packed days deleted in one transaction.
    private static let piece = 2000

    /// Care of a store under a policy.
    public init(_ store: Store, _ policy: StoragePolicy) {
        self.store = store
        self.policy = policy
    }

    /// One round.
    /// - Parameter mayForget: whether the wall clock is believed (`RetentionClock`); if not, only the size cap is kept, which goes by order
    /// - Throws: `StoreFault`; what was done before stays done
    public func round(at now: WallTime, mayForget: Bool = true) async throws(StoreFault) -> Report {
        var report = Report()
        if mayForget { try await tidy(at: now, &report) }
        report.bytes = try await bytesHeld()
        var days: Set<WallTime> = []
        while report.bytes > policy.sizeCapBytes, !Task.isCancelled {
            guard let (count, day) = try await store.write({ try $0.dropOldest(most: Self.piece) }), count > 0 else { break }
            days.insert(day)
            report.bytes = try await bytesHeld()
        }
        report.droppedForSpace = days.count
        // What is free is used again before the file grows; only a file above the cap gives pages back.
        while try await store.read({ try $0.bytesOfFile() }) > policy.sizeCapBytes, !Task.isCancelled {
            guard try await store.write({ try $0.givePagesBack(Self.pages) }) else { break }
        }
        return report
    }

    /// Does a piece of work until none is left, a transaction each.
    private func repeated(_ piece: @escaping @Sendable (StoreWriter) throws -> Int) async throws(StoreFault) {
        while !Task.isCancelled { guard try await store.write(piece) > 0 else { return } }
    }

    /// Bytes in use, with what the log holds beyond what it may: a reader that stays long keeps it from being used again.
    private func bytesHeld() async throws(StoreFault) -> Int64 {
        if store.bytesOfLog > Store.mostLogBytes { try? await store.writeLogBackSoon() }
        return try await store.read { try $0.bytesInUse() } + store.bytesOfLog
    }

    private func tidy(at now: WallTime, _ report: inout Report) async throws(StoreFault) {
        let policy = policy
        let piece = Self.piece
        // In pieces: after a long sleep, or a shorter policy, years of readings may have to go.
        try await repeated { try $0.dropReadings(before: now - policy.retainReadings, most: piece) }
        try await repeated { try $0.dropClosedCases(before: now - policy.retainCases, most: 200) }
        try await repeated { try $0.dropJournal(before: now - policy.retainJournal, most: piece) }
        try await store.write { try $0.dropLeftovers(at: now, corrections: now - policy.retainCases) }
        while !Task.isCancelled {
            let done = try await store.write { try $0.seal(before: now - policy.sealAfter, most: Self.step) }
            report.sealedReadings += done.readings
            if done.blocks < Self.step { break }
        }
        while let thin = policy.thin, !Task.isCancelled {
            let count = try await store.write { try $0.thin(before: now - thin.after, every: thin.every, most: Self.step) }
            report.thinnedBlocks += count
            if count < Self.step { break }
        }
    }
}

extension StoreReader {
    /// Bytes of the pages in use; free pages are used again before the file grows.
    public func bytesInUse() throws -> Int64 {
        func pragma(_ name: String) throws -> Int64 { try Int64.fetchOne(database, sql: "PRAGMA \(name)") ?? 0 }
        return try (pragma("page_count") - pragma("freelist_count")) * pragma("page_size")
    }

    /// Bytes of the file, free pages included.
    public func bytesOfFile() throws -> Int64 {
        try (Int64.fetchOne(database, sql: "PRAGMA page_count") ?? 0) * (Int64.fetchOne(database, sql: "PRAGMA page_size") ?? 0)
    }
}

extension StoreWriter {
    /// Forgets closed cases that were opened before a moment, with their notices; the oldest first, at most so many.
    /// - Returns: how many went
    public func dropClosedCases(before moment: WallTime, most: Int) throws -> Int {
        // The newest stays: the next case's number follows from it.
        let old = try String.fetchAll(
            database,
            sql: """
                SELECT id FROM cases WHERE opened < ? AND is_open = 0 AND number < (SELECT max(number) FROM cases) ORDER BY opened LIMIT ?
                """, arguments: [moment.unixMilliseconds, most])
        for id in old {
            try database.execute(sql: "DELETE FROM notices WHERE case_id = ?", arguments: [id])
            try database.execute(sql: "DELETE FROM cases WHERE id = ?", arguments: [id])
        }
        return old.count
    }

    /// Forgets the habits of homes that are watched no more, which nobody has saved for a month, and disputes before a moment.
    func dropLeftovers(at now: WallTime, corrections moment: WallTime) throws {
        // A wall clock that stood at 1970 when a watch was saved must not cost a home its habits: they are saved anew every hour.
        try database.execute(sql: "DELETE FROM watches WHERE at < ? AND at > 86400000000", arguments: [(now - .days(30)).unixMilliseconds])
        try database.execute(sql: "DELETE FROM corrections WHERE at < ? AND state <> 'open'", arguments: [moment.unixMilliseconds])
    }

    /// Gives free pages at the end of the file back to the disk, some at a time. The file itself shrinks at the next checkpoint.
    /// - Returns: whether any were given; false also for a file from before it could
    func givePagesBack(_ most: Int) throws -> Bool {
        let before = try reader.bytesOfFile()
        // The pragma works row by row.
        _ = try Row.fetchAll(database, sql: "PRAGMA incremental_vacuum(\(most))")
        return try reader.bytesOfFile() < before
    }

    /// Forgets journal lines before a moment, the oldest first, at most so many.
    /// - Returns: how many went
    public func dropJournal(before moment: WallTime, most: Int) throws -> Int {
        try database.execute(
            sql: "DELETE FROM journal WHERE id IN (SELECT id FROM journal WHERE at < ? ORDER BY at LIMIT ?)", arguments: [moment.unixMilliseconds, most])
        return database.changesCount
    }
}
