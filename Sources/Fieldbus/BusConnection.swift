import CModbus
import Glibc
import Telemetry
import Threads

/// The open descriptor of a bus. libmodbus opens and sets up serial lines; sockets are opened here, so that neither a name nor
/// a host that is not there holds the thread longer than its time. Everything here belongs on the bus's own thread.
final class BusConnection {
    /// What came of waiting for bytes.
    enum Arrival {
        case bytes(Int)
        case nothing
        case ended(ReadFault)
    }

    private let address: BusAddress
    private let connectTimeout: Interval
    let abandonment: BusAbandonment
    private var serial: OpaquePointer?
    private var descriptor: Int32 = -1
    private(set) var bytes = [UInt8](repeating: 0, count: 1024)

    init(_ address: BusAddress, responseTimeout: Interval, _ abandonment: BusAbandonment) {
        self.address = address
        connectTimeout = max(responseTimeout, .seconds(1))
        self.abandonment = abandonment
    }

    deinit { close() }

    var isOpen: Bool { descriptor >= 0 }

    func close() {
        if let serial {
            // What still waits to be sent would hold the closing of a line that takes nothing.
            tcflush(descriptor, Int32(TCIOFLUSH))
            modbus_close(serial)
            modbus_free(serial)
            self.serial = nil
        } else if descriptor >= 0 {
            Glibc.close(descriptor)
        }
        descriptor = -1
    }

    func open() throws(ReadFault) {
        close()
        guard !abandonment.isAbandoned else { throw .notConnected("the bus is being closed") }
        switch address {
        case .rtu(let device, let baud, let parity, let stopBits):
            let letter: CChar = parity == .none ? 78 : parity == .even ? 69 : 79  // N, E, O
            guard let context = modbus_new_rtu(device, Int32(clamping: baud), letter, 8, Int32(clamping: stopBits)) else {
                throw .notConnected("libmodbus refuses these settings")
            }
            guard modbus_connect(context) == 0 else {
                let fault = ReadFault.of(errno: errno)
                modbus_free(context)
                throw fault
            }
            serial = context
            descriptor = modbus_get_socket(context)
        case .tcp(let host, let port), .rtuOverTCP(let host, let port):
            descriptor = try connectSocket(host, port, within: connectTimeout)
        }
    }

    /// Whether the device behind the path is no longer the one that was opened: an adapter that was re-plugged, or a name
    /// that now stands for another.
    var hasMoved: Bool {
        guard case .rtu(let device, _, _, _) = address, descriptor >= 0 else { return false }
        var (opened, present) = (stat(), stat())
        guard fstat(descriptor, &opened) == 0, stat(device, &present) == 0 else { return true }
        return opened.st_rdev != present.st_rdev || opened.st_ino != present.st_ino || opened.st_dev != present.st_dev
    }

    /// Waits for bytes; they stand in `bytes` then.
    func receive(until deadline: Int64) -> Arrival {
        while true {
            let left = deadline - OwnThread.monotonicMilliseconds()
            switch wait(Int16(POLLIN), milliseconds: left) {
            case .ready:
                let arrival = takeArrived()
                if case .nothing = arrival { continue }
                return arrival
            case .nothing: return .nothing
            case .abandoned: return .ended(.notConnected("the bus is being closed"))
            }
        }
    }

    /// Takes what has come, without waiting.
    func takeArrived() -> Arrival {
        guard descriptor >= 0 else { return .ended(.notConnected("closed")) }
        let count = bytes.withUnsafeMutableBytes { buffer in
            serial == nil
                ? recv(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT)) : read(descriptor, buffer.baseAddress, buffer.count)
        }
        if count > 0 { return .bytes(count) }
        if count < 0, errno == EAGAIN || errno == EINTR { return .nothing }
        if count < 0 { return .ended(.of(errno: errno)) }
        if serial == nil { return .ended(.notConnected("the other side closed the connection")) }
        // A terminal whose other end hung up reads as empty; so does one without bytes, where its settings say so.
        var state = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        let isGone = poll(&state, 1, 0) > 0 && state.revents & Int16(POLLHUP | POLLERR | POLLNVAL) != 0
        return isGone ? .ended(.notConnected("the device is gone")) : .nothing
    }

    /// Sends bytes, waiting at most a second for a line that takes none.
    func send(_ frame: [UInt8]) throws(ReadFault) {
        var sent = 0
        let deadline = OwnThread.monotonicMilliseconds() + 1000
        while sent < frame.count {
            let count = frame.withUnsafeBytes { buffer in
                let rest = UnsafeRawBufferPointer(rebasing: buffer[sent...])
                return serial == nil
                    ? Glibc.send(descriptor, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
                    : write(descriptor, rest.baseAddress, rest.count)
            }
            if count > 0 {
                sent += count
            } else if count < 0, errno == EAGAIN || errno == EINTR {
                guard wait(Int16(POLLOUT), milliseconds: deadline - OwnThread.monotonicMilliseconds()) == .ready else {
                    throw .notConnected("the line takes no bytes")
                }
            } else {
                throw .of(errno: errno)
            }
        }
    }

    /// Waits without a line.
    func pause(until deadline: Int64) {
        while !abandonment.isAbandoned {
            let left = deadline - OwnThread.monotonicMilliseconds()
            guard left > 0 else { return }
            var waits = pollfd(fd: abandonment.descriptor, events: Int16(POLLIN), revents: 0)
            poll(&waits, 1, Int32(clamping: left))
        }
    }

    private enum Wait { case ready, nothing, abandoned }

    private func wait(_ events: Int16, milliseconds: Int64) -> Wait {
        var waits = (
            pollfd(fd: descriptor, events: events, revents: 0), pollfd(fd: abandonment.descriptor, events: Int16(POLLIN), revents: 0)
        )
        let count = withUnsafeMutablePointer(to: &waits) { pointer in
            pointer.withMemoryRebound(to: pollfd.self, capacity: 2) { poll($0, 2, Int32(clamping: max(0, milliseconds))) }
        }
        if abandonment.isAbandoned { return .abandoned }
        return count > 0 && waits.0.revents != 0 ? .ready : .nothing
    }
}
