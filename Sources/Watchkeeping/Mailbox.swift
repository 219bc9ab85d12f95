import Synchronization

/// What waits to be decided, in order; put in from anywhere, taken out in handfuls by one reader.
///
/// What polls, people and the clock put in is bounded by what they are. What a stranger's messages put in is counted by its source, and what
/// one source has no room for is not taken.
final class Mailbox<Item: Sendable>: Sendable {
    private struct Content {
        var items: [(item: Item, source: String?, bytes: Int)] = []
        var waiting: [String: (count: Int, bytes: Int)] = [:]
        var isClosed = false
    }

    /// The most items of one source that wait, and their bytes.
    static var mostOfASource: Int { 64 }
    static var mostBytesOfASource: Int { 64 << 10 }

    private let content = Mutex(Content())
    /// Rings when something has come in; ends when the box is closed.
    let bell: AsyncStream<Void>
    private let ring: AsyncStream<Void>.Continuation

    /// An empty box.
    init() { (bell, ring) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    /// Puts an item in.
    /// - Parameters:
    ///   - source: who sent it, where it came from outside
    ///   - bytes: how much of it the sender chose
    /// - Returns: false when the box is closed, or the source has no room left
    @discardableResult
    func put(_ item: Item, from source: String? = nil, bytes: Int = 0) -> Bool {
        let taken = content.withLock { content in
            guard !content.isClosed else { return false }
            if let source {
                let waiting = content.waiting[source] ?? (0, 0)
                guard waiting.count < Self.mostOfASource, waiting.bytes + bytes <= Self.mostBytesOfASource else { return false }
                content.waiting[source] = (waiting.count + 1, waiting.bytes + bytes)
            }
            content.items.append((item, source, bytes))
            return true
        }
        if taken { ring.yield() }
        return taken
    }

    /// Takes the oldest items, at most so many.
    func take(_ most: Int) -> [Item] {
        content.withLock { content in
            let taken = content.items.prefix(most)
            for entry in taken {
                guard let source = entry.source, let waiting = content.waiting[source] else { continue }
                content.waiting[source] = waiting.count > 1 ? (waiting.count - 1, waiting.bytes - entry.bytes) : nil
            }
            let items = taken.map(\.item)
            content.items.removeFirst(items.count)
            return items
        }
    }

    /// Nothing new comes in; what is there can still be taken.
    func close() {
        content.withLock { $0.isClosed = true }
        ring.finish()
    }
}
