import Glibc

/// A bounded queue between threads: producers never wait, the one consumer blocks until something comes, a deadline
/// passes, or the queue is closed.
///
/// For dedicated threads only; nothing on the cooperative pool may call `pop`.
public final class BlockingQueue<Element: Sendable>: @unchecked Sendable {
    // Safe: `items`, `closed` and `dropped` are touched only between lock and unlock of `mutex`; the two pthread
    // objects live on the heap at fixed addresses from init to deinit.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private let capacity: Int
    private var items: [Element] = []
    private var head = 0
    private var closed = false
    private var refused = 0

    /// What `pop` came back with.
    public enum Result: Sendable {
        case element(Element)
        case timedOut
        case closed
    }

    /// A queue that holds at most `capacity` elements.
    public init(capacity: Int) {
        self.capacity = capacity
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Adds an element.
    /// - Returns: false when the queue is full or closed; the element is refused and counted then.
    @discardableResult
    public func push(_ element: Element) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        guard !closed, items.count - head < capacity else {
            refused += 1
            return false
        }
        items.append(element)
        pthread_cond_signal(condition)
        return true
    }

    /// Takes the oldest element, waiting for one until a deadline.
    /// - Parameter deadline: milliseconds on CLOCK_MONOTONIC; nil waits for ever
    public func pop(until deadline: Int64? = nil) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while head == items.count {
            if closed { return .closed }
            guard let deadline else {
                pthread_cond_wait(condition, mutex)
                continue
            }
            var moment = timespec(tv_sec: Int(deadline / 1000), tv_nsec: Int(deadline % 1000) * 1_000_000)
            if pthread_cond_timedwait(condition, mutex, &moment) == ETIMEDOUT, head == items.count {
                return closed ? .closed : .timedOut
            }
        }
        let element = items[head]
        head += 1
        if head == items.count {
            items.removeAll(keepingCapacity: true)
            head = 0
        } else if head > 1024 {
            items.removeFirst(head)
            head = 0
        }
        return .element(element)
    }

    /// Ends the queue: what is in it can still be taken, nothing new comes in.
    public func close() {
        pthread_mutex_lock(mutex)
        closed = true
        pthread_cond_broadcast(condition)
        pthread_mutex_unlock(mutex)
    }

    /// How many elements were refused so far.
    public var refusals: Int {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return refused
    }
}
