/// A Modbus TCP server whose every answer a test dictates, unit by unit: a gateway with meters behind it, or a device that does not care
/// for the unit byte. It frames; the closure says what comes back for one read.
///
///     let gateway = try ScriptedGateway { read in read.unit == 17 ? .words([0, 1234]) : .exception(11) }
///     defer { gateway.stop() }
public final class ScriptedGateway: Sendable {
    /// One read as it was asked for.
    public struct Read: Sendable {
        /// The connection it came over, counted from 1.
        public var connection: Int
        public var unit: UInt8
        public var function: UInt8
        public var address: Int
        public var count: Int
    }

    /// What comes back.
    public enum Reply: Sendable {
        /// These registers; as many as were asked for, filled up with zeros.
        case words([UInt16])
        /// An exception.
        case exception(UInt8)
        /// Registers under another unit address than the one that was asked.
        case otherUnit(UInt8, [UInt16])
        /// Nothing.
        case silence
        /// The connection ends.
        case hangUp
    }

    private let server: ScriptedServer
    /// The port on 127.0.0.1 where it listens.
    public var port: Int { server.port }
    /// How many connections it has taken.
    public var connections: Int { server.connections }

    /// A gateway that listens.
    /// - Parameters:
    ///   - pause: milliseconds before each answer
    ///   - answer: what comes back for a read
    public init(port: Int = 0, pause: @escaping @Sendable (Read) -> Int32 = { _ in 0 }, _ answer: @escaping @Sendable (Read) -> Reply) throws {
        server = try ScriptedServer(port: port) { connection in
            while let head = connection.read(exactly: 12) {
                let read = Read(
                    connection: connection.number, unit: head[6], function: head[7], address: Int(head[8]) << 8 | Int(head[9]),
                    count: Int(head[10]) << 8 | Int(head[11]))
                func send(_ unit: UInt8, _ body: [UInt8]) {
                    let length = body.count + 1
                    connection.write(Array(head[..<4]) + [UInt8(truncatingIfNeeded: length >> 8), UInt8(truncatingIfNeeded: length), unit] + body)
                }
                func data(_ words: [UInt16]) -> [UInt8] {
                    let all = words.prefix(read.count) + Array(repeating: 0, count: max(0, read.count - words.count))
                    return [read.function, UInt8(truncatingIfNeeded: read.count * 2)]
                        + all.flatMap { [UInt8(truncatingIfNeeded: $0 >> 8), UInt8(truncatingIfNeeded: $0)] }
                }
                let wait = pause(read)
                if wait > 0 { connection.pause(milliseconds: wait) }
                switch answer(read) {
                case .words(let words): send(read.unit, data(words))
                case .exception(let code): send(read.unit, [read.function | 0x80, code])
                case .otherUnit(let unit, let words): send(unit, data(words))
                case .silence: continue
                case .hangUp: return
                }
            }
        }
    }

    /// Hangs up on everybody and listens no more.
    public func stop() { server.stop() }
}
