import Glibc

/// An address on loopback that swallows whoever knocks: no answer, no refusal, as a machine that is switched off does. The queue of a listener
/// that never accepts is full, and the kernel drops what comes after.
public final class SwallowingPort: Sendable {
    /// The port on 127.0.0.1.
    public let port: Int
    private let descriptors: [Int32]

    /// A port that swallows from now on.
    public init() throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard listener >= 0 else { throw ScriptedServer.NotListening(code: errno) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        var open = [listener]
        let isFull = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                guard bind(listener, raw, length) == 0, listen(listener, 0) == 0, getsockname(listener, raw, &length) == 0 else { return false }
                for _ in 0..<8 {
                    let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
                    guard client >= 0 else { return false }
                    open.append(client)
                    _ = connect(client, raw, length)
                }
                return true
            }
        }
        descriptors = open
        port = Int(UInt16(bigEndian: address.sin_port))
        guard isFull else { throw ScriptedServer.NotListening(code: errno) }
    }

    deinit { for descriptor in descriptors { close(descriptor) } }
}
