import Glibc
import Synchronization
import Threads

/// Floods a server of HTTP on loopback as strangers and careless programs do: each kind on threads of its own, from addresses of its own, until it
/// is stopped.
///
///     let flood = Flood(port: gateway.port)
///     flood.signIns(threads: 24)
///     flood.slowBodies(300)
///     defer { flood.stop() }
public final class Flood: Sendable {
    private let port: Int
    private let isStopped = Mutex(false)
    private let counts = Mutex<[Int: Int]>([:])

    /// A flood that does nothing yet.
    public init(port: Int) { self.port = port }

    /// Answers so far, by status; 0 stands for connections that got none.
    public var answers: [Int: Int] { counts.withLock { $0 } }

    /// Ends it; threads end at their next breath.
    public func stop() { isStopped.withLock { $0 = true } }

    private var goesOn: Bool { isStopped.withLock { !$0 } }
    private func count(_ status: Int) { counts.withLock { $0[status, default: 0] += 1 } }

    /// Sign-ins with names that nobody has, one after another on each thread.
    /// - Parameter addresses: how many addresses of loopback they come from
    public func signIns(threads: Int, addresses: Int = 5) {
        for thread in 0..<threads {
            OwnThread.start {
                var number = 0
                while self.goesOn {
                    number += 1
                    let body = "name=nobody-\(thread)-\(number)&password=x"
                    self.count(self.ask(Self.post(body, length: body.utf8.count), from: UInt32(2 + thread % addresses)))
                }
            }
        }
    }

    /// Connections on each of which a body comes a byte every few seconds; one that is hung up on is opened again.
    public func slowBodies(_ most: Int) {
        OwnThread.start {
            var open: [Int32] = []
            var waited = 0
            while self.goesOn {
                while open.count < most, let socket = self.connected(from: 9) {
                    _ = self.sent(socket, Self.post("name=", length: 60_000))
                    open.append(socket)
                }
                poll(nil, 0, 100)
                waited += 1
                var byte: UInt8 = 0
                open.removeAll { socket in
                    let read = recv(socket, &byte, 1, Int32(MSG_DONTWAIT))
                    let isGone = read == 0 || read < 0 && errno != EAGAIN
                    let isRefused = !isGone && waited % 20 == 0 && !self.sent(socket, "a")
                    if isGone || isRefused { close(socket) }
                    return isGone || isRefused
                }
            }
            for socket in open { close(socket) }
        }
    }

    /// Streams of server-sent events of one account, never read.
    public func streams(_ most: Int, header: String) {
        OwnThread.start {
            var open: [Int32] = []
            while self.goesOn {
                if open.count < most, let socket = self.connected(from: 8) {
                    _ = self.sent(socket, "GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\(header)\r\n\r\n")
                    open.append(socket)
                }
                poll(nil, 0, open.count < most ? 5 : 200)
            }
            for socket in open { close(socket) }
        }
    }

    /// Bodies whose chunks are none.
    public func brokenChunks() {
        OwnThread.start {
            while self.goesOn {
                let text = "POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nname\r\n"
                self.count(self.ask(text, from: 7))
            }
        }
    }

    private static func post(_ body: String, length: Int) -> String {
        "POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: \(length)\r\n\r\n\(body)"
    }

    /// One request on a connection of its own; its answer's status.
    public func ask(_ text: String, from host: UInt32 = 1, within seconds: Int = 10) -> Int {
        guard let socket = connected(from: host) else {
            // Nobody takes connections: not faster than a few hundred tries a second.
            poll(nil, 0, 5)
            return 0
        }
        defer { close(socket) }
        var patience = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        guard sent(socket, text) else { return 0 }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = recv(socket, &bytes, 64, 0)
        let words = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split(separator: " ")
        return words.count > 1 ? Int(words[1]) ?? 0 : 0
    }

    private func sent(_ socket: Int32, _ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
    }

    private func connected(from host: UInt32) -> Int32? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        func address(_ host: UInt32, _ port: Int) -> sockaddr_in {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = in_port_t(UInt16(port).bigEndian)
            address.sin_addr.s_addr = (0x7F00_0000 + host).bigEndian
            return address
        }
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        var (own, other) = (address(host, 0), address(1, port))
        let isOpen =
            withUnsafePointer(to: &own) { $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) == 0 } }
            && withUnsafePointer(to: &other) { $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) == 0 } }
        guard isOpen else {
            close(descriptor)
            return nil
        }
        return descriptor
    }
}
