import Glibc
import Synchronization
import Threads

/// Looks up host names within a deadline. The system's own call takes as long as the name servers let it, so it runs on a
/// thread of its own; at most a few hang at any time.
enum HostLookup {
    /// Where a host can be reached.
    struct Endpoint: Sendable {
        var family: Int32
        var bytes: [UInt8]
    }

    /// Lookups that may hang side by side.
    static let most = 8
    private static let running = Atomic(0)

    /// The endpoints of a host; nil when they are not known in time.
    static func endpoints(_ host: String, _ port: Int, until deadline: Int64, _ abandonment: BusAbandonment) -> [Endpoint]? {
        if let numeric = resolve(host, port, flags: AI_NUMERICHOST | AI_NUMERICSERV) { return numeric }
        guard running.wrappingAdd(1, ordering: .relaxed).newValue <= most else {
            running.wrappingSubtract(1, ordering: .relaxed)
            return nil
        }
        let found = BlockingQueue<[Endpoint]>(capacity: 1)
        let isStarted = OwnThread.tryStart {
            let endpoints = resolve(host, port, flags: AI_NUMERICSERV)
            running.wrappingSubtract(1, ordering: .relaxed)
            found.push(endpoints ?? [])
        }
        guard isStarted else {
            running.wrappingSubtract(1, ordering: .relaxed)
            return nil
        }
        while !abandonment.isAbandoned {
            let now = OwnThread.monotonicMilliseconds()
            if case .element(let endpoints) = found.pop(until: min(deadline, now + 100)) { return endpoints.isEmpty ? nil : endpoints }
            if now >= deadline { return nil }
        }
        return nil
    }

    private static func resolve(_ host: String, _ port: Int, flags: Int32) -> [Endpoint]? {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = flags
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &list) == 0, let list else { return nil }
        defer { freeaddrinfo(list) }
        var endpoints: [Endpoint] = []
        var entry: UnsafeMutablePointer<addrinfo>? = list
        while let info = entry?.pointee, endpoints.count < 4 {
            if let address = info.ai_addr {
                endpoints.append(
                    Endpoint(family: info.ai_family, bytes: Array(UnsafeRawBufferPointer(start: address, count: Int(info.ai_addrlen)))))
            }
            entry = info.ai_next
        }
        return endpoints.isEmpty ? nil : endpoints
    }
}
