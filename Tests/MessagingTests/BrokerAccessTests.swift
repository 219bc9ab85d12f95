import Demonstration
import Foundation
import Messaging
import TestSupport
import Testing

/// The shipped access list and TLS, on a real mosquitto.
@Suite(.serialized) struct BrokerAccessTests {
    static func folder() throws -> String {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("wellward-mqtt-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        // mosquitto gives up root's rights and must still read what it is given.
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        return path
    }

    @discardableResult
    static func run(_ program: String, _ arguments: [String], in folder: String) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }

    @Test func `with the shipped access list a controller touches its own topics only, and only the gateway commands`() async throws {
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (index, user) in ["wellward", "lift-1", "lift-2"].enumerated() {
            let made = try Self.run("/usr/bin/mosquitto_passwd", (index == 0 ? ["-c"] : []) + ["-b", "passwd", user, "secret-\(user)"], in: folder)
            #expect(made == 0)
        }
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: "\(folder)/passwd")
        try FileManager.default.copyItem(atPath: ShippedProfiles.root.appendingPathComponent("Deploy/mosquitto.acl").path, toPath: "\(folder)/acl")
        let broker = try PrivateBroker(folder: folder, access: "allow_anonymous false\npassword_file \(folder)/passwd\nacl_file \(folder)/acl")
        defer { broker.stop() }
        func client(_ user: String, _ topics: [String], _ heard: Heard) throws -> MQTTClient {
            try MQTTClient(
                .init(host: "127.0.0.1", port: broker.port, clientID: user, username: user, password: "secret-\(user)"), subscribe: topics.map { ($0, 1) }
            ) { heard.add($0) }
        }
        let (gateway, first, second) = (Heard(), Heard(), Heard())
        let root = "wellward/v1/elevators"
        let desk = try client("wellward", ["\(root)/+/status", "\(root)/+/command"], gateway)
        defer { desk.close() }
        let lift = try client("lift-1", ["\(root)/+/command", "\(root)/lift-2/status"], first)
        defer { lift.close() }
        let other = try client("lift-2", ["\(root)/lift-2/command"], second)
        defer { other.close() }
        try await eventually { gateway.connections == 1 && first.connections == 1 && second.connections == 1 }
        // Forbidden first, allowed behind it on the same connection: once the allowed one is there, the others never come.
        try lift.publish(Array("forged".utf8), to: "\(root)/lift-2/status")
        try lift.publish(Array("forged".utf8), to: "\(root)/lift-1/command")
        try lift.publish(Array("own".utf8), to: "\(root)/lift-1/status")
        try await eventually { gateway.messages.contains { $0.payload == Array("own".utf8) } }
        try desk.publish(Array("for two".utf8), to: "\(root)/lift-2/command")
        try desk.publish(Array("for one".utf8), to: "\(root)/lift-1/command")
        try await eventually {
            second.messages.contains { $0.payload == Array("for two".utf8) } && first.messages.contains { $0.payload == Array("for one".utf8) }
        }
        #expect(!gateway.messages.contains { $0.payload == Array("forged".utf8) })
        #expect(!first.messages.contains { $0.payload == Array("for two".utf8) })
    }

    @Test func `a broker that asks for certificates lets in who has one, and nobody else`() async throws {
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try "subjectAltName=IP:127.0.0.1".write(toFile: "\(folder)/san", atomically: true, encoding: .utf8)
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        var made: [Int32] = []
        made.append(
            try Self.run(
                "/usr/bin/openssl", ["req", "-x509"] + key + ["-keyout", "ca.key", "-out", "ca.crt", "-days", "2", "-subj", "/CN=test authority"], in: folder))
        for name in ["server", "wellward"] {
            made.append(
                try Self.run(
                    "/usr/bin/openssl", ["req", "-new"] + key + ["-keyout", "\(name).key", "-out", "\(name).csr", "-subj", "/CN=\(name)"], in: folder))
            made.append(
                try Self.run(
                    "/usr/bin/openssl",
                    [
                        "x509", "-req", "-in", "\(name).csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-out", "\(name).crt", "-days", "2",
                        "-extfile", "san",
                    ],
                    in: folder))
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: "\(folder)/\(name).key")
        }
        #expect(made.allSatisfy { $0 == 0 })
        let access = """
            allow_anonymous true
            cafile \(folder)/ca.crt
            certfile \(folder)/server.crt
            keyfile \(folder)/server.key
            require_certificate true
            """
        let broker = try PrivateBroker(folder: folder, access: access)
        defer { broker.stop() }
        let (known, stranger, plain) = (Heard(), Heard(), Heard())
        let tls = MQTTSettings.TLS(authority: "\(folder)/ca.crt", certificate: "\(folder)/wellward.crt", key: "\(folder)/wellward.key")
        let good = try MQTTClient(.init(host: "127.0.0.1", port: broker.port, clientID: "good", tls: tls), subscribe: [("t", 1)]) { known.add($0) }
        defer { good.close() }
        try await eventually { known.connections == 1 }
        let bare = try MQTTClient(
            .init(host: "127.0.0.1", port: broker.port, clientID: "bare", tls: .init(authority: "\(folder)/ca.crt")), subscribe: [("t", 1)]
        ) { stranger.add($0) }
        defer { bare.close() }
        let open = try MQTTClient(.init(host: "127.0.0.1", port: broker.port, clientID: "open"), subscribe: [("t", 1)]) { plain.add($0) }
        defer { open.close() }
        // A third one with a certificate, begun after the two without, is in and hears a message: the two had their chance.
        let later = Heard()
        let third = try MQTTClient(.init(host: "127.0.0.1", port: broker.port, clientID: "third", tls: tls), subscribe: [("t", 1)]) { later.add($0) }
        defer { third.close() }
        try await eventually { later.connections == 1 }
        try good.publish(Array("hello".utf8), to: "t")
        try await eventually { later.messages.contains { $0.payload == Array("hello".utf8) } }
        #expect(stranger.connections == 0 && plain.connections == 0)
        #expect(stranger.messages.isEmpty && plain.messages.isEmpty)
    }
}
