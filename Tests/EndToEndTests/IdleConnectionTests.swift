import Foundation
import TestSupport
import Testing

/// Connections on which nobody says anything.
@Suite struct IdleConnectionTests {
    @Test func `three hundred connections that say nothing hold up neither meters nor, for long, the console`() async throws {
        let site = try LittleSite()
        defer { site.end() }
        let gateway = site.gateway
        try gateway.start()
        try await eventually { !gateway.items("/api/v1/meters/wm-1/readings").isEmpty }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(gateway.port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let sockets = (0..<300).map { _ in socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0) }
        defer { for socket in sockets { close(socket) } }
        for socket in sockets {
            let code = withUnsafePointer(to: &address) { $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(socket, $0, size) } }
            #expect(code == 0)
            // Half of them begin a request and never end it.
            if socket % 2 == 0 { _ = send(socket, "GET / HT", 8, Int32(MSG_NOSIGNAL)) }
        }
        // While all of them are open: half a minute later they are hung up on.
        try await eventually(within: 90) { gateway.http("GET", "/healthz").status == 200 }
        try await eventually(within: 30) { gateway.http("GET", "/readyz").status == 200 }
        let asked = Date()
        try await eventually {
            gateway.items("/api/v1/meters/wm-1/readings").compactMap { $0["at"] as? String }.max().map {
                $0 > ISO8601DateFormatter().string(from: asked - 3600)
            }
                ?? false
        }
        try await eventually(within: 60) {
            var bytes = [UInt8](repeating: 0, count: 512)
            return sockets.allSatisfy { recv($0, &bytes, 512, Int32(MSG_DONTWAIT)) != -1 || errno != EAGAIN }
        }
    }
}
