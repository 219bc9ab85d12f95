import Foundation
import GRDB
import Synchronization

/// The check of every page, index and packed day of a record, beside the work: on a connection of its own, so that it can be broken off without
/// touching anybody else's reading.
public final class StoreCheck: Sendable {
    private enum State {
        case idle
        case running(DatabaseQueue)
        case done
        case stopped
    }

    private let path: String
    private let state = Mutex(State.idle)

    /// A check of a file; it is made when asked for.
    public init(path: String) { self.path = path }

    /// Checks; with years of history that takes minutes.
    /// - Returns: what is wrong with the file, and which packed days cannot be read; both empty when all is well; nil when it was broken off
    public func run() throws(StoreFault) -> (file: [String], days: [String])? {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.prepareDatabase { try $0.execute(sql: "PRAGMA cache_size = -1024") }
        do {
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            let mayRun = state.withLock { state in
                if case .stopped = state { return false }
                state = .running(queue)
                return true
            }
            guard mayRun else { return nil }
            let faults = try queue.read { database in
                let reader = StoreReader(database: database)
                let file = try reader.fileFaults()
                return (file, file.isEmpty ? try reader.dayFaults() : [])
            }
            state.withLock { if case .running = $0 { $0 = .done } }
            return faults
        } catch let error as DatabaseError where error.resultCode == .SQLITE_INTERRUPT {
            return nil
        } catch { throw StoreFault(error) }
    }

    /// Breaks a check off that is under way.
    /// - Returns: false when there was one and it had not seen everything
    public func stop() -> Bool {
        state.withLock { state in
            switch state {
            case .idle, .done: return true
            case .stopped: return false
            case .running(let queue):
                queue.interrupt()
                state = .stopped
                return false
            }
        }
    }
}

extension StoreReader {
    /// What is wrong with the file's pages and indexes; empty when all is well.
    func fileFaults() throws -> [String] {
        let lines = try String.fetchAll(database, sql: "PRAGMA integrity_check(20)")
        return lines == ["ok"] ? [] : lines
    }

    /// Which packed days cannot be read: each is missing data, and no reason to set the record aside.
    func dayFaults() throws -> [String] {
        var damaged: [String] = []
        let blocks = try Row.fetchCursor(database, sql: "SELECT series, day, body FROM blocks")
        while let row = try blocks.next(), damaged.count < 20 {
            do { _ = try ReadingBlock(row["body"] as Data) } catch {
                damaged.append("series \(row["series"] as Int64), day \(row["day"] as Int64): \(error)")
            }
        }
        return damaged
    }
}
