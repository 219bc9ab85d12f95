import Synchronization

/// What waits to be decided, in order; put in from anywhere, taken out in handfuls by one reader.
final class Mailbox<Item: Sendable>: Sendable {
    private struct Content {
        var items: [Item] = []
        var isClosed = false
    }

    private let content = Mutex(Content())
    /// Rings when something has come in; ends when the box is closed.
    let bell: AsyncStream<Void>
    private let ring: AsyncStream<Void>.Continuation

    /// An empty box.
    init() { (bell, ring) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    /// Puts an item in.
    /// - Returns: false when the box is closed
    @discardableResult
    func put(_ item: Item) -> Bool {
        let taken = content.withLock { content in
            guard !content.isClosed else { return false }
            content.items.append(item)
            return true
        }
        if taken { ring.yield() }
        return taken
    }

    /// Takes the oldest items, at most so many.
    func take(_ most: Int) -> [Item] {
        content.withLock { content in
            let taken = Array(content.items.prefix(most))
            content.items.removeFirst(taken.count)
            return taken
        }
    }

    /// Nothing new comes in; what is there can still be taken.
    func close() {
        content.withLock { $0.isClosed = true }
        ring.finish()
    }
}
