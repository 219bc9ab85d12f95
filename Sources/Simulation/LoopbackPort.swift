import Glibc
import Synchronization

/// Free ports on the loopback interface for servers that must be told theirs before they listen (a broker, a gateway).
///
/// Below the range from which the kernel hands out ports by itself (`ip_local_port_range`, from 32768 on Linux): there nobody's
/// outgoing connection can take the port between finding it and listening on it. No port is handed out twice in one process.
public enum LoopbackPort {
    /// No port was free.
    public struct NoneFree: Error, CustomStringConvertible {
        public let description = "no free port between 20000 and 32767 on the loopback interface"
    }

    private static let range = 20_000..<32_768
    private static let handedOut = Mutex<Set<Int>>([])

    /// A port that nobody listens on at this moment and that nobody in this process was given before.
    public static func free() throws -> Int {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let port = Int.random(in: range, using: &random)
            guard handedOut.withLock({ $0.insert(port).inserted }) else { continue }
            if isFree(port) { return port }
        }
        throw NoneFree()
    }

    private static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
        }
    }
}
