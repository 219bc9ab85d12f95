import Foundation
import Synchronization

/// Passes news to every open page; a page that does not read loses old news, nobody waits for it.
public final class Newsroom: Sendable {
    private let readers = Mutex<[UUID: AsyncStream<SiteDesk.News>.Continuation]>([:])
    /// At most so many open pages.
    public static let mostReaders = 200

    /// News from now on; nil when too many pages are open.
    public func subscribe() -> AsyncStream<SiteDesk.News>? {
        let id = UUID()
        let (stream, continuation) = AsyncStream<SiteDesk.News>.makeStream(bufferingPolicy: .bufferingNewest(64))
        let accepted = readers.withLock { readers in
            guard readers.count < Self.mostReaders else { return false }
            readers[id] = continuation
            return true
        }
        guard accepted else { return nil }
        continuation.onTermination = { [weak self] _ in self?.readers.withLock { $0[id] = nil } }
        return stream
    }

    /// Tells every open page.
    public func publish(_ news: SiteDesk.News) {
        for reader in readers.withLock({ Array($0.values) }) { reader.yield(news) }
    }

    /// Ends every page's stream.
    public func close() {
        for reader in readers.withLock({ Array($0.values) }) { reader.finish() }
    }
}
