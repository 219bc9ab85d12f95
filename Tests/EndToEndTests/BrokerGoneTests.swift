import Foundation
import Simulation
import TestSupport
import Testing

/// A broker that goes away under a gateway at work.
@Suite struct BrokerGoneTests {
    @Test func `without the broker no lift is said to be there`() async throws {
        let site = try LittleSite()
        defer { site.end() }
        let lift = try SimulatedElevator("lift-1", broker: .init(host: "127.0.0.1", port: site.broker.port, clientID: ""))
        defer { lift.stop() }
        let gateway = site.gateway
        try gateway.start()
        @Sendable func isOnline() -> Bool? { gateway.items("/api/v1/elevators").first { $0["id"] as? String == "lift-1" }?["online"] as? Bool }
        try await eventually(within: 30) { isOnline() == true }
        site.broker.stop()
        try await eventually(within: 30) { isOnline() == false }
        #expect(gateway.http("GET", "/readyz").status == 503)
    }
}
