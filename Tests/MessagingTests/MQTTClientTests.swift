import Demonstration
import Foundation
import Messaging
import Simulation
import Synchronization
import TestSupport
import Testing

/// What a client heard.
final class Heard: Sendable {
    private let events = Mutex<[MQTTEvent]>([])
    func add(_ event: MQTTEvent) { events.withLock { $0.append(event) } }
    var messages: [MQTTMessage] { events.withLock { $0.compactMap { if case .message(let message) = $0 { message } else { nil } } } }
    var connections: Int { events.withLock { $0.filter { if case .connected = $0 { true } else { false } }.count } }
    var reasons: [String] { events.withLock { $0.compactMap { if case .disconnected(let reason) = $0 { reason } else { nil } } } }
    var disconnections: Int { events.withLock { $0.filter { if case .disconnected = $0 { true } else { false } }.count } }
}

@Suite(.serialized) struct MQTTClientTests {
    func folder() throws -> String {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("wellward-mqtt-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    @Test func `a message goes through a real broker, and a kept copy says that it is one`() async throws {
        let broker = try PrivateBroker(folder: try folder())
        defer { broker.stop() }
        let heard = Heard()
        let echo = Heard()
        let sender = try MQTTClient(.init(host: "127.0.0.1", port: broker.port, clientID: "s"), subscribe: [("t/#", 1)]) { echo.add($0) }
        defer { sender.close() }
        try await eventually { echo.connections == 1 }
        try sender.publish(Array("kept".utf8), to: "t/kept", retain: true)
        // Once the sender has heard it back, the broker has it.
        try await eventually { echo.messages.contains { $0.topic == "t/kept" } }
        let reader = try MQTTClient(.init(host: "127.0.0.1", port: broker.port, clientID: "r"), subscribe: [("t/#", 1)]) { heard.add($0) }
        defer { reader.close() }
        try await eventually { heard.messages.contains { $0.topic == "t/kept" && $0.retained } }
        try sender.publish(Array("fresh".utf8), to: "t/fresh")
        try await eventually { heard.messages.contains { $0.topic == "t/fresh" && !$0.retained && $0.payload == Array("fresh".utf8) } }
    }

    @Test func `a broker that comes up after the client is found`() async throws {
        let port = try LoopbackPort.free()
        let heard = Heard()
        let client = try MQTTClient(.init(host: "127.0.0.1", port: port, clientID: "early"), subscribe: [("t", 1)]) { heard.add($0) }
        defer { client.close() }
        let unwanted = try MQTTClient(.init(host: "127.0.0.1", port: port, clientID: "never"), subscribe: []) { _ in }
        unwanted.close()
        let broker = try PrivateBroker(folder: try folder(), port: port)
        defer { broker.stop() }
        try await eventually { heard.connections == 1 }
    }

    @Test func `a broker that dies is told, and a client comes back when there is one again`() async throws {
        let path = try folder()
        let broker = try PrivateBroker(folder: path)
        let heard = Heard()
        let client = try MQTTClient(.init(host: "127.0.0.1", port: broker.port, clientID: "c"), subscribe: [("t", 1)]) { heard.add($0) }
        defer { client.close() }
        try await eventually { heard.connections == 1 }
        broker.stop()
        try await eventually { heard.disconnections >= 1 }
        let again = try PrivateBroker(folder: path, port: broker.port)
        defer { again.stop() }
        try await eventually { heard.connections == 2 }
    }
}
