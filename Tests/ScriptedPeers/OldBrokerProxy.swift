import Glibc

/// A port on loopback that makes a real broker an old one: it refuses logins in MQTT 5 as a broker of 3.1.1 does, and
/// carries every other connection to the broker behind it, byte by byte.
public final class OldBrokerProxy: Sendable {
    private let server: ScriptedServer

    /// Before the broker that listens on a port of this machine.
    public init(brokerPort: Int) throws {
        server = try ScriptedServer { Self.serve($0, brokerPort) }
    }

    /// Where it listens.
    public var port: Int { server.port }
    /// Hangs up on everybody and listens no more.
    public func stop() { server.stop() }

    private static func serve(_ client: ScriptedConnection, _ brokerPort: Int) {
        guard let first = client.read(exactly: 1), let length = ScriptedBroker.remainingLength(client), length < 128,
            let body = client.read(exactly: length), body.count > 6
        else { return }
        guard body[6] <= 4 else {
            client.write([0x20, 2, 0, 1])
            return
        }
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(brokerPort).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let isReached = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isReached else { return }
        let broker = ScriptedConnection(descriptor: descriptor, number: client.number)
        broker.write(first + [UInt8(length)] + body)
        while true {
            var waiting = [client, broker].map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
            guard poll(&waiting, 2, -1) > 0 else { return }
            for (index, (from, to)) in [(client, broker), (broker, client)].enumerated() where waiting[index].revents != 0 {
                guard let bytes = from.read(), to.write(bytes) else { return }
            }
        }
    }
}
