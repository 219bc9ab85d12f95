import Foundation
import ScriptedPeers
import TestSupport
import Testing

/// A gateway whose broker refuses it.
@Suite struct BrokerTroubleTests {
    @Test func `a refused login and a refused subscription are named in log, metrics and readyz, and heal by themselves`() async throws {
        let broker = try ScriptedBroker(.init(login: 5))
        defer { broker.stop() }
        let site = try LittleSite { text in
            text.replacingOccurrences(
                of: "mqtt: {host: 127.0.0.1, port:", with: "mqtt: {username: gateway, password_file: pw, host: 127.0.0.1, port: \(broker.port)} #")
        }
        defer { site.end() }
        let gateway = site.gateway
        try gateway.write("pw", "secret-of-the-broker\n")
        try gateway.start()
        @Sendable func ready() -> (status: Int, text: String) {
            let answer = gateway.http("GET", "/readyz")
            return (answer.status, answer.text)
        }
        @Sendable func metric(_ kind: String) -> Bool {
            gateway.http("GET", "/metrics").text.contains("wellward_broker_trouble{connection=\"boarding\",kind=\"\(kind)\"} 1\n")
        }
        try await eventually(within: 30) { ready().status == 503 && ready().text.contains("refuses the login") && metric("login_refused") }
        #expect(gateway.log.contains("the broker refuses the login"))
        broker.change { script in
            script.login = 0
            script.subscription = { $0.hasSuffix("/status") ? 0x80 : 1 }
        }
        try await eventually(within: 40) {
            ready().status == 503 && ready().text.contains("refuses a subscription") && !ready().text.contains("login") && metric("subscription_refused")
        }
        #expect(ready().text.contains("/status") && !ready().text.contains("detection"))
        broker.change { $0.subscription = { _ in 1 } }
        try await eventually(within: 40) { ready().status == 200 }
        #expect(gateway.log.contains("the broker is reached again"))
        #expect(!gateway.log.contains("secret-of-the-broker") && !ready().text.contains("secret-of-the-broker"))
    }
}
