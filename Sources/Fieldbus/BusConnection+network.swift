import Glibc
import Telemetry
import Threads

extension BusConnection {
    /// A connection whose silence the system notices too: keep-alive and user time-out lie below the usual poll.
    func connectSocket(_ host: String, _ port: Int, within limit: Interval) throws(ReadFault) -> Int32 {
        let deadline = OwnThread.monotonicMilliseconds() + limit.milliseconds
        // Name servers may take longer than a host in the same building.
        guard let endpoints = HostLookup.endpoints(host, port, until: deadline + 2000, abandonment) else {
            throw .notConnected("the host name is not known")
        }
        var last = "no connection in time"
        for endpoint in endpoints {
            let descriptor = socket(
                endpoint.family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
            guard descriptor >= 0 else {
                last = String(cString: strerror(errno))
                continue
            }
            set(descriptor)
            let started = endpoint.bytes.withUnsafeBytes { raw -> Int32 in
                guard let base = raw.baseAddress else { return EINVAL }
                return connect(descriptor, base.assumingMemoryBound(to: sockaddr.self), socklen_t(raw.count)) == 0 ? 0 : errno
            }
            let code = started == EINPROGRESS ? connected(descriptor, until: max(deadline, OwnThread.monotonicMilliseconds() + 250)) : started
            if code == 0 { return descriptor }
            last = String(cString: strerror(code))
            Glibc.close(descriptor)
            if abandonment.isAbandoned { break }
        }
        throw .notConnected(last)
    }

    /// Waits until a connection stands.
    /// - Returns: 0, or why it does not
    private func connected(_ descriptor: Int32, until deadline: Int64) -> Int32 {
        var waits = [
            pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0), pollfd(fd: abandonment.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        while !abandonment.isAbandoned {
            let left = deadline - OwnThread.monotonicMilliseconds()
            guard left > 0 else { return ETIMEDOUT }
            guard poll(&waits, 2, Int32(clamping: left)) > 0, waits[0].revents != 0 else { continue }
            var code: Int32 = 0
            var size = socklen_t(MemoryLayout<Int32>.size)
            return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size) == 0 ? code : errno
        }
        return ECANCELED
    }

    private func set(_ descriptor: Int32) {
        func option(_ level: Int32, _ name: Int32, _ value: Int32) {
            var value = value
            setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
        }
        let tcp = Int32(IPPROTO_TCP)
        option(tcp, TCP_NODELAY, 1)
        option(SOL_SOCKET, SO_KEEPALIVE, 1)
        option(tcp, TCP_KEEPIDLE, 10)
        option(tcp, TCP_KEEPINTVL, 5)
        option(tcp, TCP_KEEPCNT, 3)
        option(tcp, TCP_USER_TIMEOUT, 10_000)
    }
}
