import Glibc
import Synchronization
import Threads

/// A TCP server on loopback whose every byte and delay a test dictates: the common ground of the scripted Modbus servers, relays, robots and
/// brokers. A test hands in a closure that serves one connection; it runs on a thread of that connection's own, so it may wait as a real peer would.
///
///     let server = try ScriptedServer { connection in
///         guard let request = connection.read() else { return }
///         connection.pause(milliseconds: 700)
///         connection.write(request)
///     }
///     defer { server.stop() }
public final class ScriptedServer: Sendable {
    /// The server found no port.
    public struct NotListening: Error {
        /// `errno` of the call that failed.
        public var code: Int32
    }

    /// The port on 127.0.0.1 where it listens.
    public let port: Int
    private let listener: Int32
    private let state = Mutex(State())

    private struct State {
        var stopped = false
        var accepted = 0
        var open: [Int32] = []
    }

    /// A server that listens.
    /// - Parameters:
    ///   - port: where to listen; 0 lets the system choose
    ///   - serve: serves one connection; the connection is closed when it returns
    public init(port: Int = 0, _ serve: @escaping @Sendable (ScriptedConnection) -> Void) throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard listener >= 0 else { throw NotListening(code: errno) }
        var one: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let socket = listener
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                bind(socket, raw, length) == 0 && listen(socket, 64) == 0 && getsockname(socket, raw, &length) == 0
            }
        }
        guard bound else {
            let code = errno
            close(listener)
            throw NotListening(code: code)
        }
        self.port = Int(UInt16(bigEndian: address.sin_port))
        let server = self
        OwnThread.start { server.acceptAll(serve) }
    }

    /// How many connections it has taken since it listens.
    public var connections: Int { state.withLock { $0.accepted } }

    /// Hangs up on everybody and listens no more.
    public func stop() {
        let open = state.withLock { state -> [Int32]? in
            guard !state.stopped else { return nil }
            state.stopped = true
            return state.open
        }
        guard let open else { return }
        for descriptor in open { shutdown(descriptor, Int32(SHUT_RDWR)) }
        shutdown(listener, Int32(SHUT_RDWR))
    }

    private func acceptAll(_ serve: @escaping @Sendable (ScriptedConnection) -> Void) {
        while true {
            let descriptor = accept(listener, nil, nil)
            if descriptor < 0 {
                if errno == EINTR || errno == ECONNABORTED { continue }
                break
            }
            let number = state.withLock { state -> Int? in
                guard !state.stopped else { return nil }
                state.accepted += 1
                state.open.append(descriptor)
                return state.accepted
            }
            guard let number else {
                close(descriptor)
                break
            }
            OwnThread.start {
                serve(ScriptedConnection(descriptor: descriptor, number: number))
                self.state.withLock { state in state.open.removeAll { $0 == descriptor } }
                close(descriptor)
            }
        }
        close(listener)
    }
}
