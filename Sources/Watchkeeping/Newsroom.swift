import Foundation
import Synchronization

/// Passes news to every open page; a page that does not read loses old news, nobody waits for it.
public final class Newsroom: Sendable {
    private struct Reader {
        var name: String
        var news: AsyncStream<SiteDesk.News>.Continuation
    }

    private let readers = Mutex<[UUID: Reader]>([:])
    /// At most so many open pages.
    public static let mostReaders = 200
    /// Of these one account has at most so many: there are always some left for others.
    public static let mostOfOne = 16

    /// News from now on; nil when too many pages are open, of this account or of all.
    public func subscribe(_ name: String) -> AsyncStream<SiteDesk.News>? {
        let id = UUID()
        let (stream, continuation) = AsyncStream<SiteDesk.News>.makeStream(bufferingPolicy: .bufferingNewest(64))
        let accepted = readers.withLock { readers in
            guard readers.count < Self.mostReaders, readers.values.count(where: { $0.name == name }) < Self.mostOfOne else { return false }
            readers[id] = Reader(name: name, news: continuation)
            return true
        }
        guard accepted else { return nil }
        continuation.onTermination = { [weak self] _ in self?.readers.withLock { $0[id] = nil } }
        return stream
    }

    /// Tells every open page.
    public func publish(_ news: SiteDesk.News) {
        for reader in readers.withLock({ Array($0.values) }) { reader.news.yield(news) }
    }

    /// Ends every page's stream.
    public func close() {
        for reader in readers.withLock({ Array($0.values) }) { reader.news.finish() }
    }
}
