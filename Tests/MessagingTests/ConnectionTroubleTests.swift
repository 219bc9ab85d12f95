import Demonstration
import Foundation
import Messaging
import ScriptedPeers
import Synchronization
import TestSupport
import Testing

/// The kinds of trouble that a connection was told of, in their order.
final class Troubles: Sendable {
    private let told = Mutex<[ConnectionHealth]>([])
    func add(_ health: ConnectionHealth) { told.withLock { $0.append(health) } }
    var kinds: Set<ConnectionTrouble.Kind> { Set(told.withLock { $0.flatMap { $0.troubles.map(\.kind) } }) }
    var details: [String] { told.withLock { $0.flatMap { $0.troubles.map(\.detail) } } }
}

/// Connections that are refused, broken and mended, on a real mosquitto and on a scripted broker.
@Suite(.serialized) struct ConnectionTroubleTests {
    private func connection(
        _ port: Int, user: String? = nil, passwordFile: String? = nil, tls: MQTTSettings.TLS? = nil, topics: [String] = ["t"], _ troubles: Troubles
    ) throws -> MQTTClient {
        let settings = MQTTSettings(host: "127.0.0.1", port: port, clientID: "c", username: user, passwordFile: passwordFile, tls: tls)
        return try MQTTClient(settings, subscribe: topics.map { ($0, 1) }, onHealth: troubles.add) { _ in }
    }

    @Test func `a refused login is named, and the connection comes up by itself when the password file is right`() async throws {
        let folder = try BrokerAccessTests.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(try BrokerAccessTests.run("/usr/bin/mosquitto_passwd", ["-c", "-b", "passwd", "gateway", "right"], in: folder) == 0)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: "\(folder)/passwd")
        let broker = try PrivateBroker(folder: folder, access: "allow_anonymous false\npassword_file \(folder)/passwd")
        defer { broker.stop() }
        let file = "\(folder)/password"
        let troubles = Troubles()
        let client = try connection(broker.port, user: "gateway", passwordFile: file, troubles)
        defer { client.close() }
        try await eventually { troubles.kinds.contains(.file) }
        try "wrong\n".write(toFile: file, atomically: true, encoding: .utf8)
        try await eventually(within: 30) { troubles.kinds.contains(.loginRefused) }
        #expect(!client.health.isConnected)
        try "right\n".write(toFile: file, atomically: true, encoding: .utf8)
        try await eventually(within: 30) { client.health.isGood }
        // A dozen attempts at the most: a refusal is no reason to run in circles.
        #expect(client.health.attempts < 20)
    }

    @Test func `a certificate that has expired or is another authority's is named, and its mending is found`() async throws {
        let folder = try BrokerAccessTests.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let certificates = try Certificates(folder)
        func access(_ name: String) -> String { "allow_anonymous true\ncafile \(folder)/ca.crt\ncertfile \(folder)/\(name).crt\nkeyfile \(folder)/\(name).key" }
        try certificates.sign("good")
        try certificates.sign("old", at: "2001-01-01 00:00:00")
        try certificates.selfSign("strange")
        var broker = try PrivateBroker(folder: folder, access: access("old"))
        let port = broker.port
        defer { broker.stop() }
        let troubles = Troubles()
        let client = try connection(port, tls: .init(authority: "\(folder)/ca.crt"), troubles)
        defer { client.close() }
        try await eventually(within: 20) { troubles.kinds.contains(.certificate) }
        #expect(troubles.details.contains { $0.contains("expired") && $0.contains("clock") }, "\(troubles.details)")
        broker.stop()
        broker = try PrivateBroker(folder: folder, port: port, access: access("strange"))
        try await eventually(within: 30) { troubles.details.contains { $0.contains("self") } }
        broker.stop()
        broker = try PrivateBroker(folder: folder, port: port, access: access("good"))
        try await eventually(within: 30) { client.health.isGood }
        // At work, too.
        broker.stop()
        broker = try PrivateBroker(folder: folder, port: port, access: access("old"))
        try await eventually(within: 30) { client.health.troubles.contains { $0.kind == .certificate } }
        broker.stop()
        broker = try PrivateBroker(folder: folder, port: port, access: access("good"))
        try await eventually(within: 30) { client.health.isGood }
        #expect(client.health.attempts < 60)
    }

    @Test func `a publication that the access list forbids is heard, and its permission too`() async throws {
        let folder = try BrokerAccessTests.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func allow(_ topic: String) throws { try "topic read t\ntopic write \(topic)\n".write(toFile: "\(folder)/acl", atomically: true, encoding: .utf8) }
        try allow("other")
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: "\(folder)/acl")
        let access = "allow_anonymous true\nacl_file \(folder)/acl"
        var broker = try PrivateBroker(folder: folder, access: access)
        defer { broker.stop() }
        let port = broker.port
        let publisher = try AcknowledgedPublisher(MQTTSettings(host: "127.0.0.1", port: port, clientID: "c"))
        defer { publisher.close() }
        try await eventually { publisher.isConnected }
        let refused = await publisher.publish([1], to: "notices", within: .seconds(10))
        guard case .failure(let fault) = refused else {
            Issue.record("\(refused)")
            return
        }
        #expect(fault.description.contains("notices") && fault.description.lowercased().contains("not authorized"), "\(fault)")
        try await eventually { publisher.health.troubles.map(\.kind) == [.publicationRefused] }
        try allow("notices")
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: "\(folder)/acl")
        broker.stop()
        broker = try PrivateBroker(folder: folder, port: port, access: access)
        let deadline = ContinuousClock.now + .seconds(30)
        var isTaken = false
        while !isTaken, ContinuousClock.now < deadline {
            if case .success(true) = await publisher.publish([1], to: "notices", within: .seconds(10)) { isTaken = true }
        }
        #expect(isTaken)
        try await eventually { publisher.health.isGood }
    }

    @Test func `a twin under our user name is named where the broker makes names of users, and nobody runs in circles`() async throws {
        let folder = try BrokerAccessTests.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let broker = try PrivateBroker(folder: folder, access: "allow_anonymous true\nuse_username_as_clientid true")
        defer { broker.stop() }
        let (first, second) = (Troubles(), Troubles())
        let ours = try connection(broker.port, user: "same", first)
        defer { ours.close() }
        try await eventually { ours.health.isGood }
        let twin = try connection(broker.port, user: "same", second)
        defer { twin.close() }
        // This mosquitto hangs up without a word; others say that our place was taken.
        try await eventually(within: 30) { [first, second].allSatisfy { $0.kinds.contains(.takenOver) || $0.kinds.contains(.unstable) } }
        #expect(ours.health.attempts + twin.health.attempts < 40)
        twin.close()
        try await eventually(within: 40) { ours.health.isGood }
    }

    @Test func `a broker that says that our place was taken is heard, and we come again under another name`() async throws {
        var script = ScriptedBroker.Script(level: 5)
        (script.hangsUpAfter, script.goodbye) = (50, 0x8E)
        let broker = try ScriptedBroker(script)
        defer { broker.stop() }
        let troubles = Troubles()
        let client = try connection(broker.port, topics: [], troubles)
        defer { client.close() }
        try await eventually { troubles.kinds.contains(.takenOver) }
        broker.change { $0.hangsUpAfter = nil }
        try await eventually(within: 40) { client.health.isGood }
        #expect(Set(broker.asked.logins.map(\.name)).count >= 2)
    }

    @Test func `nobody can know our client identifier beforehand`() async throws {
        let broker = try ScriptedBroker()
        defer { broker.stop() }
        let troubles = Troubles()
        for _ in 0..<2 {
            let client = try connection(broker.port, troubles)
            try await eventually { client.health.isGood }
            client.close()
        }
        let names = Set(broker.asked.logins.map(\.name))
        #expect(names.count == 2 && names.allSatisfy { $0.hasPrefix("c-") && $0.utf8.count >= 14 }, "\(names)")
    }

    @Test func `a broker that is stopped in its tracks is noticed, and found again when it goes on`() async throws {
        let folder = try BrokerAccessTests.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let broker = try PrivateBroker(folder: folder)
        defer { broker.stop() }
        let troubles = Troubles()
        let client = try connection(broker.port, troubles)
        defer { client.close() }
        try await eventually { client.health.isGood }
        broker.signal(SIGSTOP)
        try await eventually(within: 30) { client.health.troubles.contains { $0.kind == .silent } && !client.health.isConnected }
        broker.signal(SIGCONT)
        try await eventually(within: 30) { client.health.isGood }
    }

    @Test func `an old broker that refuses login and subscription is understood, and its change of mind found`() async throws {
        let broker = try ScriptedBroker(.init(login: 5) { _ in 0x80 })
        defer { broker.stop() }
        let troubles = Troubles()
        let client = try connection(broker.port, troubles)
        defer { client.close() }
        try await eventually { troubles.kinds.contains(.loginRefused) }
        broker.change { $0.login = 0 }
        try await eventually(within: 30) { client.health.isConnected && client.health.troubles.map(\.kind) == [.subscriptionRefused] }
        broker.change { $0.subscription = { _ in 1 } }
        try await eventually(within: 30) { client.health.isGood }
    }

    @Test func `a broker that answers in 3_1_1 whatever it is asked is understood`() async throws {
        var script = ScriptedBroker.Script()
        script.ignoresLevel = true
        let broker = try ScriptedBroker(script)
        defer { broker.stop() }
        let troubles = Troubles()
        let client = try connection(broker.port, troubles)
        defer { client.close() }
        try await eventually(within: 20) { client.health.isGood }
    }

    @Test func `a broker that says nothing is given up in its time and named`() async throws {
        let broker = try ScriptedBroker(.init(login: nil))
        defer { broker.stop() }
        let troubles = Troubles()
        let client = try connection(broker.port, troubles)
        defer { client.close() }
        try await eventually(within: 30) { troubles.kinds.contains(.silent) }
        broker.change { $0.login = 0 }
        try await eventually(within: 30) { client.health.isGood }
    }
}
