import Glibc
import Synchronization
import Threads

/// A Modbus line whose every byte and delay a test dictates, over TCP, RTU through TCP or a pseudo-terminal: what comes back for a request is
/// a list of steps, and one device answers one request after the other.
///
///     let line = try ScriptedLine(.rtuOverTCP) { request in [.pause(700), .data([0, 1234])] }
///     defer { line.stop() }
public final class ScriptedLine: Sendable {
    /// How the frames travel.
    public enum Kind: String, Sendable, CaseIterable { case tcp, rtuOverTCP, serial }

    /// One read as it was asked for.
    public struct Request: Sendable {
        /// The bytes as they came.
        public var bytes: [UInt8]
        /// Which request of the line it is, counted from 1.
        public var number: Int
        /// Which connection it came over and which request of that connection it is, counted from 1.
        public var connection: Int
        public var numberOnConnection: Int
        public var unit: UInt8
        public var function: UInt8
        public var address: Int
        public var count: Int
    }

    /// What the device does, in order.
    public enum Step: Sendable {
        case pause(Int32)
        case bytes([UInt8])
        /// Registers in a right frame, under another unit if one is named.
        case data([UInt16], unit: UInt8? = nil)
        case exception(UInt8)
        /// The request itself, as a two-wire adapter returns it.
        case echo
        case hangUp
    }

    private let server: ScriptedServer?
    private let terminal: Terminal?
    private let numbers: Numbers

    private final class Numbers: Sendable {
        let requests = Mutex(0)
        let finished = Mutex(0)
        func next() -> Int {
            requests.withLock { count in
                count += 1
                return count
            }
        }
    }

    /// A line that serves.
    public init(_ kind: Kind, port: Int = 0, _ script: @escaping @Sendable (Request) -> [Step]) throws {
        let numbers = Numbers()
        self.numbers = numbers
        if kind == .serial {
            let terminal = Terminal { descriptor, number, isPlugged in
                let connection = ScriptedConnection(descriptor: descriptor, number: number)
                Self.serve(connection, kind, numbers, script) { Terminal.read(exactly: 8, from: descriptor, while: isPlugged) }
            }
            (server, self.terminal) = (nil, terminal)
            try terminal.plug()
        } else {
            server = try ScriptedServer(port: port) { connection in
                Self.serve(connection, kind, numbers, script) { connection.read(exactly: kind == .tcp ? 12 : 8) }
            }
            terminal = nil
        }
    }

    /// The port on 127.0.0.1, where it is one.
    public var port: Int { server?.port ?? 0 }
    /// The path of the device, where it is one; it stays the same when the adapter is plugged in again.
    public var path: String { terminal?.path ?? "" }
    /// How many connections it has taken.
    public var connections: Int { server?.connections ?? 0 }
    /// How many requests came.
    public var requests: Int { numbers.requests.withLock { $0 } }
    /// To how many of them everything has come back that comes.
    public var finished: Int { numbers.finished.withLock { $0 } }
    /// Pulls the adapter out.
    public func unplug() { terminal?.unplug() }
    /// Plugs it in again, under the same name and perhaps another number.
    public func plug() throws { try terminal?.plug() }
    /// Ends the line.
    public func stop() {
        server?.stop()
        terminal?.unplug()
    }

    private static func serve(
        _ connection: ScriptedConnection, _ kind: Kind, _ numbers: Numbers, _ script: (Request) -> [Step], _ next: () -> [UInt8]?
    ) {
        var count = 0
        let head = kind == .tcp ? 6 : 0
        while let bytes = next() {
            count += 1
            let request = Request(
                bytes: bytes, number: numbers.next(), connection: connection.number, numberOnConnection: count, unit: bytes[head],
                function: bytes[head + 1], address: Int(bytes[head + 2]) << 8 | Int(bytes[head + 3]), count: Int(bytes[head + 4]) << 8 | Int(bytes[head + 5]))
            for step in script(request) {
                switch step {
                case .pause(let milliseconds): connection.pause(milliseconds: milliseconds)
                case .bytes(let bytes): send(connection, kind, bytes)
                case .data(let words, let unit):
                    let data = words.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }
                    send(connection, kind, frame(request, kind, unit: unit, [request.function, UInt8(truncatingIfNeeded: data.count)] + data))
                case .exception(let code): send(connection, kind, frame(request, kind, unit: nil, [request.function | 0x80, code]))
                case .echo: send(connection, kind, request.bytes)
                case .hangUp: return
                }
            }
            numbers.finished.withLock { $0 += 1 }
        }
    }

    private static func send(_ connection: ScriptedConnection, _ kind: Kind, _ bytes: [UInt8]) {
        if kind == .serial {
            _ = bytes.withUnsafeBytes { write(connection.descriptor, $0.baseAddress, $0.count) }
        } else {
            connection.write(bytes)
        }
    }

    /// A frame for the request's line.
    private static func frame(_ request: Request, _ kind: Kind, unit: UInt8?, _ body: [UInt8]) -> [UInt8] {
        let frame = [unit ?? request.unit] + body
        return kind == .tcp ? Array(request.bytes[..<4]) + [0, UInt8(truncatingIfNeeded: frame.count)] + frame : sealed(frame)
    }

    /// Bytes with their CRC behind them, computed bit by bit: a second opinion on the project's own table.
    public static func sealed(_ bytes: [UInt8]) -> [UInt8] {
        var crc: UInt16 = 0xFFFF
        for byte in bytes {
            crc ^= UInt16(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xA001 : crc >> 1 }
        }
        return bytes + [UInt8(crc & 255), UInt8(crc >> 8)]
    }
}

/// A pseudo-terminal behind a name that outlives it, as udev's names outlive an adapter.
final class Terminal: Sendable {
    let path: String
    private let folder: String
    private let serve: @Sendable (Int32, Int, @Sendable () -> Bool) -> Void
    private let state = Mutex((plugged: 0, isPlugged: false))
    private let ended = BlockingQueue<Int>(capacity: 64)

    /// - Parameter serve: serves a plugged terminal: its descriptor, how often it was plugged, and whether it still is
    init(_ serve: @escaping @Sendable (Int32, Int, @Sendable () -> Bool) -> Void) {
        var template = Array("/tmp/wellward-line-XXXXXX".utf8CString)
        _ = mkdtemp(&template)
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        path = folder + "/adapter"
        self.serve = serve
    }

    deinit {
        unlink(path)
        rmdir(folder)
    }

    func plug() throws {
        // Linux's own way (pts(4)): the multiplexer, unlocked (TIOCSPTLCK), says the number of its other end (TIOCGPTN).
        let master = open("/dev/ptmx", O_RDWR | O_NOCTTY)
        var (unlock, number): (CInt, CInt) = (0, 0)
        guard master >= 0, ioctl(master, UInt(0x4004_5431), &unlock) == 0, ioctl(master, UInt(0x8004_5430), &number) == 0 else {
            throw ScriptedServer.NotListening(code: errno)
        }
        let device = "/dev/pts/\(number)"
        // Kept open, so that the line has no end while nobody reads.
        let slave = open(device, O_RDWR | O_NOCTTY)
        var settings = termios()
        tcgetattr(slave, &settings)
        cfmakeraw(&settings)
        tcsetattr(slave, TCSANOW, &settings)
        unlink(path)
        symlink(device, path)
        let count = state.withLock { state in
            state = (state.plugged + 1, true)
            return state.plugged
        }
        OwnThread.start { [self] in
            serve(master, count) { self.state.withLock { $0.isPlugged && $0.plugged == count } }
            close(slave)
            // Hangs up on whoever has the line open, as a pulled adapter does.
            close(master)
            ended.push(count)
        }
    }

    /// Pulls it out, and waits until it is gone.
    func unplug() {
        unlink(path)
        let was = state.withLock { state in
            defer { state.isPlugged = false }
            return state.isPlugged
        }
        if was { _ = ended.pop(until: OwnThread.monotonicMilliseconds() + 5000) }
    }

    static func read(exactly count: Int, from descriptor: Int32, while isPlugged: () -> Bool) -> [UInt8]? {
        var bytes: [UInt8] = []
        while isPlugged() {
            var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, 10) > 0 else { continue }
            var more = [UInt8](repeating: 0, count: count - bytes.count)
            let got = Glibc.read(descriptor, &more, more.count)
            if got <= 0 {
                poll(nil, 0, 5)
                continue
            }
            bytes += more.prefix(got)
            if bytes.count == count { return bytes }
        }
        return nil
    }
}
