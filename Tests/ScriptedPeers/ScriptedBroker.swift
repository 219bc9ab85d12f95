import Synchronization

/// An MQTT broker that refuses, stays silent or hangs up as a test says, on top of `ScriptedServer`. It speaks 3.1.1, or
/// 5 as well, and carries messages to nobody but their sender, where a test wants it; it notes what it was asked.
///
///     let broker = try ScriptedBroker(.init(login: 5))
///     defer { broker.stop() }
///     broker.change { $0.login = 0 }
public final class ScriptedBroker: Sendable {
    /// How it answers; every new packet is answered by the script of that moment.
    public struct Script: Sendable {
        /// The code of CONNACK; nil says nothing at all.
        public var login: UInt8?
        /// The highest protocol level it speaks: 4 is MQTT 3.1.1. To a higher one it answers that it does not speak it.
        public var level: UInt8
        /// Whether it answers in 3.1.1 whatever it was asked, as brokers do that look at nothing.
        public var ignoresLevel = false
        /// The code of SUBACK for each topic; nil says nothing.
        public var subscription: @Sendable (String) -> UInt8?
        /// The code of PUBACK (MQTT 5); nil says nothing.
        public var publication: UInt8? = 0
        /// Whether it passes a publication on to its sender, who has subscribed to the very topic.
        public var passesOn = false
        /// Hangs up so many milliseconds after each login.
        public var hangsUpAfter: Int32?
        /// What it says then to clients of MQTT 5 (table 3-10), such as 0x8E: another one has taken this client's place.
        public var goodbye: UInt8?

        /// A broker that lets everybody in.
        public init(login: UInt8? = 0, level: UInt8 = 4, subscription: @escaping @Sendable (String) -> UInt8? = { _ in 1 }) {
            self.login = login
            self.level = level
            self.subscription = subscription
        }
    }

    /// What it was asked so far.
    public struct Asked: Sendable {
        public var logins: [(level: UInt8, name: String)] = []
        public var topics: [String] = []
        public var unsubscribed: [String] = []
        public var published: [(topic: String, payload: [UInt8])] = []
    }

    private final class Memory: Sendable {
        let script: Mutex<Script>
        let asked = Mutex(Asked())
        init(_ script: Script) { self.script = Mutex(script) }
    }

    private let memory: Memory
    private let server: ScriptedServer

    /// A broker that listens on loopback.
    public init(_ script: Script = Script(), port: Int = 0) throws {
        let memory = Memory(script)
        self.memory = memory
        server = try ScriptedServer(port: port) { connection in Self.serve(connection, memory) }
    }

    /// Where it listens.
    public var port: Int { server.port }
    /// How often somebody came.
    public var connections: Int { server.connections }
    /// What it was asked so far.
    public var asked: Asked { memory.asked.withLock { $0 } }
    /// Changes the script.
    public func change(_ body: (inout Script) -> Void) { memory.script.withLock { body(&$0) } }
    /// Hangs up and listens no more.
    public func stop() { server.stop() }

    // MARK: Packets (MQTT 3.1.1, chapter 2)

    private static func serve(_ connection: ScriptedConnection, _ memory: Memory) {
        var speaksFive = false
        var granted: Set<String> = []
        while let first = connection.read(exactly: 1)?.first, let length = remainingLength(connection), let body = connection.read(exactly: length) {
            let script = memory.script.withLock { $0 }
            switch first >> 4 {
            case 1:
                let level = body.count > 6 ? body[6] : 0
                memory.asked.withLock { $0.logins.append((level, name(in: body, level))) }
                guard let login = script.login else { continue }
                if level > script.level, !script.ignoresLevel {
                    connection.write([0x20, 2, 0, 1])
                    return
                }
                speaksFive = level >= 5 && !script.ignoresLevel
                connection.write(speaksFive ? [0x20, 3, 0, login, 0] : [0x20, 2, 0, login])
                if login != 0 { return }
                if let pause = script.hangsUpAfter {
                    connection.pause(milliseconds: pause)
                    if speaksFive, let goodbye = script.goodbye { connection.write([0xE0, 1, goodbye]) }
                    return connection.hangUp()
                }
            case 8:
                guard let topic = topic(in: body, at: speaksFive ? 3 : 2) else { return }
                memory.asked.withLock { $0.topics.append(topic) }
                guard let code = script.subscription(topic) else { continue }
                if code < 0x80 { granted.insert(topic) }
                connection.write([0x90, speaksFive ? 4 : 3, body[0], body[1]] + (speaksFive ? [0] : []) + [code])
            case 10:
                guard let topic = topic(in: body, at: speaksFive ? 3 : 2) else { return }
                memory.asked.withLock { $0.unsubscribed.append(topic) }
                granted.remove(topic)
                connection.write(speaksFive ? [0xB0, 4, body[0], body[1], 0, 0] : [0xB0, 2, body[0], body[1]])
            case 3:
                guard let (topic, payload) = take(first, body, speaksFive, connection, script, memory) else { continue }
                if script.passesOn, granted.contains(topic) { send(payload, topic, speaksFive, connection) }
            case 12: connection.write([0xD0, 0])
            case 14: return
            default: continue
            }
        }
    }

    /// Acknowledges a publication at QoS 1; nil of any other.
    private static func take(
        _ first: UInt8, _ body: [UInt8], _ speaksFive: Bool, _ connection: ScriptedConnection, _ script: Script, _ memory: Memory
    ) -> (topic: String, payload: [UInt8])? {
        guard let topic = topic(in: body, at: 0) else { return nil }
        var rest = body.dropFirst(2 + topic.utf8.count)
        guard (first >> 1) & 3 > 0 else { return nil }
        let packet = Array(rest.prefix(2))
        rest = rest.dropFirst(speaksFive ? 3 : 2)
        memory.asked.withLock { $0.published.append((topic, Array(rest))) }
        if let code = script.publication, packet.count == 2 {
            connection.write(speaksFive ? [0x40, 4] + packet + [code, 0] : [0x40, 2] + packet)
        }
        return (topic, Array(rest))
    }

    /// Publishes at QoS 0.
    private static func send(
        _ payload: [UInt8], _ topic: String, _ speaksFive: Bool, _ connection: ScriptedConnection
    ) {
        let name = Array(topic.utf8)
        let body = [UInt8(name.count >> 8), UInt8(name.count & 0xFF)] + name + (speaksFive ? [0] : []) + payload
        var length: [UInt8] = []
        var left = body.count
        repeat {
            length.append(UInt8(left & 0x7F) | (left > 0x7F ? 0x80 : 0))
            left >>= 7
        } while left > 0
        connection.write([0x30] + length + body)
    }

    static func remainingLength(_ connection: ScriptedConnection) -> Int? {
        var value = 0
        for step in 0..<4 {
            guard let byte = connection.read(exactly: 1)?.first else { return nil }
            value |= Int(byte & 0x7F) << (7 * step)
            if byte & 0x80 == 0 { return value }
        }
        return nil
    }

    private static func topic(in body: [UInt8], at offset: Int) -> String? {
        guard body.count >= offset + 2 else { return nil }
        let length = Int(body[offset]) << 8 | Int(body[offset + 1])
        guard body.count >= offset + 2 + length else { return nil }
        return String(decoding: body[(offset + 2)..<(offset + 2 + length)], as: UTF8.self)
    }

    /// The client identifier: the first field behind the ten bytes of the header, and behind the properties of MQTT 5.
    private static func name(in body: [UInt8], _ level: UInt8) -> String {
        let properties = level >= 5 && body.count > 10 ? 1 + Int(body[10]) : 0
        return topic(in: body, at: 10 + properties) ?? ""
    }
}
