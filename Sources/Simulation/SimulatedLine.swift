import DeviceProfiles
import Glibc
import Synchronization
import Telemetry
import Threads

/// A line with simulated meters: a TCP endpoint or a pseudo-terminal, served by a thread of its own.
public final class SimulatedLine: Sendable {
    /// What kind of line.
    public enum Kind: Sendable, Hashable {
        /// Modbus TCP on a loopback port; 0 takes a free one.
        case tcp(port: Int)
        /// RTU frames over TCP on a loopback port.
        case rtuOverTCP(port: Int)
        /// A pseudo-terminal, paced as a serial line of so many bits a second; 0 is not paced.
        case serial(baud: Int)
    }

    /// Why a line could not be opened.
    public struct Fault: Error, Sendable, CustomStringConvertible {
        /// What was tried, and the system's word.
        public var description: String
    }

    private let meters: Mutex<[UInt8: SimulatedMeter]>
    private let stopped = Mutex(false)
    private let kind: Kind
    private let descriptor: Int32
    /// A terminal's other end, kept open on purpose: while nobody reads, the line would otherwise see a hang-up.
    private let otherEnd: Int32?
    /// The device that a reader opens, for a serial line.
    public let devicePath: String
    /// The address and port that a reader connects to, for a network line.
    public let host: String
    /// See `host`.
    public let port: Int
    /// How many requests came so far.
    private let requests = Mutex(0)

    /// Opens a line and begins to serve.
    /// - Parameter host: for a network line an IPv4 address of loopback (127.…); anything else stands for 127.0.0.1
    public init(_ kind: Kind, meters: [SimulatedMeter] = [], on host: String = "127.0.0.1") throws(Fault) {
        self.kind = kind
        var own = in_addr()
        let isLoopback = inet_pton(AF_INET, host, &own) == 1 && UInt32(bigEndian: own.s_addr) >> 24 == 127
        self.host = isLoopback ? host : "127.0.0.1"
        if !isLoopback { own.s_addr = UInt32(0x7F00_0001).bigEndian }
        self.meters = Mutex(Dictionary(meters.map { ($0.unit, $0) }, uniquingKeysWith: { first, _ in first }))
        switch kind {
        case .tcp(let wanted), .rtuOverTCP(let wanted):
            (descriptor, port) = try Self.listen(wanted, own, self.host)
            (devicePath, otherEnd) = ("", nil)
        case .serial:
            (descriptor, devicePath, otherEnd) = try Self.openTerminal()
            port = 0
        }
        let line = self
        OwnThread.start { line.serve() }
    }

    /// Adds a meter.
    public func add(_ meter: SimulatedMeter) { meters.withLock { $0[meter.unit] = meter } }
    /// The meter at a unit address.
    public func meter(_ unit: UInt8) -> SimulatedMeter? { meters.withLock { $0[unit] } }
    /// How many requests came so far.
    public var requestCount: Int { requests.withLock { $0 } }
    /// Ends the line; its thread closes it within a tenth of a second.
    public func stop() { stopped.withLock { $0 = true } }
    private var isStopped: Bool { stopped.withLock { $0 } }

    private static func listen(_ port: Int, _ own: in_addr, _ host: String) throws(Fault) -> (Int32, Int) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(clamping: port).bigEndian
        address.sin_addr = own
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
        }
        guard bound == 0, Glibc.listen(descriptor, 64) == 0 else {
            throw Fault(description: "listening on \(host):\(port): \(String(cString: strerror(errno)))")
        }
        var length = size
        _ = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
    }

    private static func openTerminal() throws(Fault) -> (Int32, String, Int32) {
        // Linux's own way (pts(4)): the multiplexer, unlocked, says the number of its other end.
        let master = open("/dev/ptmx", O_RDWR | O_NOCTTY)
        var unlock: CInt = 0
        var number: CInt = 0
        let unlockRequest: UInt = 0x4004_5431  // TIOCSPTLCK
        let numberRequest: UInt = 0x8004_5430  // TIOCGPTN
        guard master >= 0, ioctl(master, unlockRequest, &unlock) == 0, ioctl(master, numberRequest, &number) == 0 else {
            throw Fault(description: "opening a pseudo-terminal: \(String(cString: strerror(errno)))")
        }
        let path = "/dev/pts/\(number)"
        let slave = open(path, O_RDWR | O_NOCTTY)
        var settings = termios()
        tcgetattr(slave, &settings)
        cfmakeraw(&settings)
        tcsetattr(slave, TCSANOW, &settings)
        return (master, path, slave)
    }

    // MARK: The thread

    private func serve() {
        var clients: [Int32: [UInt8]] = [:]
        if case .serial = kind { clients[descriptor] = [] }
        while !isStopped {
            var waits = clients.keys.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            if port > 0 { waits.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)) }
            guard poll(&waits, nfds_t(waits.count), 100) > 0 else { continue }
            for wait in waits where wait.revents != 0 {
                if wait.fd == descriptor, port > 0 {
                    let client = accept(descriptor, nil, nil)
                    var on: Int32 = 1
                    setsockopt(client, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
                    if client >= 0 { clients[client] = [] }
                } else if !take(from: wait.fd, &clients) {
                    // The terminal itself is closed once, at the end.
                    if wait.fd != descriptor { close(wait.fd) }
                    clients[wait.fd] = nil
                }
            }
        }
        for client in clients.keys where client != descriptor { close(client) }
        close(descriptor)
        if let otherEnd { close(otherEnd) }
    }

    private func take(from client: Int32, _ clients: inout [Int32: [UInt8]]) -> Bool {
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = read(client, &bytes, bytes.count)
        guard count > 0 else { return count < 0 && errno == EAGAIN }
        var waiting = (clients[client] ?? []) + bytes[..<count]
        while let request = nextRequest(&waiting) { answer(request, to: client) }
        clients[client] = waiting.count > 1024 ? [] : waiting
        return true
    }

    /// Cuts one request from what has come; an RTU read is eight bytes, a TCP one says its length.
    private func nextRequest(_ waiting: inout [UInt8]) -> [UInt8]? {
        if case .tcp = kind {
            guard waiting.count >= 8 else { return nil }
            let length = 6 + Int(waiting[4]) << 8 + Int(waiting[5])
            guard waiting.count >= length, length >= 8 else { return nil }
            defer { waiting.removeFirst(length) }
            return Array(waiting[..<length])
        }
        while waiting.count >= 8 {
            let frame = Array(waiting[..<8])
            if (try? ModbusFrame.request(frame)) != nil {
                waiting.removeFirst(8)
                return frame
            }
            waiting.removeFirst()
        }
        return nil
    }

    private func answer(_ request: [UInt8], to client: Int32) {
        requests.withLock { $0 += 1 }
        let isTCP: Bool
        if case .tcp = kind { isTCP = true } else { isTCP = false }
        guard let meter = meter(isTCP ? request[6] : request[0]) else { return }
        let pieces = isTCP ? ModbusResponder.answerTCP(request, meter: meter) : ModbusResponder.answerRTU(request, meter: meter)
        for piece in pieces {
            pause(piece.after)
            if case .serial(let baud) = kind, baud > 0 {
                // Ten bits a character, for the request that came and the answer that goes, and 3.5 silent ones each; the meter thinks
                // in between.
                pause(meter.turnaround + .milliseconds(Int64((Double(request.count + piece.bytes.count) + 7) * 10_000 / Double(baud))))
            }
            _ = piece.bytes.withUnsafeBytes { write(client, $0.baseAddress, $0.count) }
        }
    }

    private func pause(_ interval: Interval) {
        guard interval > .zero else { return }
        var time = timespec(tv_sec: Int(interval.milliseconds / 1000), tv_nsec: Int(interval.milliseconds % 1000) * 1_000_000)
        var rest = timespec()
        while nanosleep(&time, &rest) != 0, errno == EINTR { time = rest }
    }
}
