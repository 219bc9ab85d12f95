import CModbus
import DeviceProfiles
import Glibc
import Telemetry

/// Owns one libmodbus context. Everything here blocks and must happen on the bus's own thread.
final class ModbusContext {
    private let address: BusAddress
    private let responseTimeout: Interval
    private var context: OpaquePointer?
    private(set) var isConnected = false
    /// How often the line was connected so far.
    private(set) var connections = 0
    private var buffer = [UInt16](repeating: 0, count: 128)
    private var bytes = [UInt8](repeating: 0, count: Int(MODBUS_MAX_ADU_LENGTH))
    private var transaction: UInt16 = 0

    init(_ address: BusAddress, responseTimeout: Interval) {
        self.address = address
        self.responseTimeout = responseTimeout
    }

    deinit { close() }

    func close() {
        guard let context else { return }
        modbus_close(context)
        modbus_free(context)
        self.context = nil
        isConnected = false
    }

    func connect() throws(ReadFault) {
        guard !isConnected else { return }
        close()
        switch address {
        case .rtu(let device, let baud, let parity, let stopBits):
            let letter: CChar = parity == .none ? 78 : parity == .even ? 69 : 79  // N, E, O
            context = modbus_new_rtu(device, Int32(baud), letter, 8, Int32(stopBits))
        case .tcp(let host, let port):
            context = modbus_new_tcp_pi(host, String(port))
        case .rtuOverTCP:
            // The RTU backend frames and checks; its descriptor is a socket we open. The device name is never opened.
            context = modbus_new_rtu("/dev/null", 9600, 78, 8, 1)
        }
        guard let context else { throw .notConnected("libmodbus refuses these settings") }
        setTimeout(responseTimeout)
        if case .rtuOverTCP(let host, let port) = address {
            let socket = try openSocket(host, port)
            modbus_set_socket(context, socket)
        } else if modbus_connect(context) != 0 {
            let fault = ReadFault.of(errno: errno)
            close()
            if case .timeout = fault { throw .notConnected("no connection in time") }
            throw fault
        }
        isConnected = true
        connections += 1
    }

    private func setTimeout(_ interval: Interval) {
        guard let context else { return }
        let milliseconds = UInt32(clamping: max(1, interval.milliseconds))
        modbus_set_response_timeout(context, milliseconds / 1000, milliseconds % 1000 * 1000)
        modbus_set_byte_timeout(context, 0, 200_000)
    }

    /// Reads registers once.
    func read(unit: UInt8, _ request: ReadRequest) throws(ReadFault) -> [UInt16] {
        guard let context else { throw .notConnected("closed") }
        precondition((1...125).contains(request.count), "a read asks for 1 to 125 registers")
        if case .tcp = address { return try readTCP(context, unit, request) }
        modbus_set_slave(context, Int32(unit))
        let got =
            request.function == 4
            ? modbus_read_input_registers(context, Int32(request.address), Int32(request.count), &buffer)
            : modbus_read_registers(context, Int32(request.address), Int32(request.count), &buffer)
        guard got == Int32(request.count) else {
            let fault = got < 0 ? ReadFault.of(errno: errno) : .garbled
            if case .notConnected = fault { close() }
            throw fault
        }
        return Array(buffer[..<request.count])
    }

    /// Reads once over Modbus TCP, checking transaction, protocol and unit of the answer ourselves: libmodbus connects,
    /// waits and cuts frames, but its own check of a TCP answer leaves protocol and unit out (modbus-tcp.c, 3.1.6).
    private func readTCP(_ context: OpaquePointer, _ unit: UInt8, _ request: ReadRequest) throws(ReadFault) -> [UInt16] {
        transaction &+= 1
        let (address, count) = (request.address, UInt16(request.count))
        let frame: [UInt8] = [
            UInt8(transaction >> 8), UInt8(transaction & 255), 0, 0, 0, 6, unit, request.function, UInt8(address >> 8),
            UInt8(address & 255), UInt8(count >> 8), UInt8(count & 255),
        ]
        guard send(modbus_get_socket(context), frame, frame.count, Int32(MSG_NOSIGNAL)) == frame.count else {
            let fault = ReadFault.notConnected(String(cString: strerror(errno)))
            close()
            throw fault
        }
        // An answer to an earlier request that came late is passed over, a few times at most.
        for _ in 0..<4 {
            let length = Int(modbus_receive_confirmation(context, &bytes))
            guard length > 0 else {
                let fault = length < 0 ? ReadFault.of(errno: errno) : .garbled
                if case .notConnected = fault { close() }
                throw fault
            }
            guard length >= 9, bytes[2] == 0, bytes[3] == 0 else { throw .garbled }
            let answered = UInt16(bytes[0]) << 8 | UInt16(bytes[1])
            guard answered == transaction else { continue }
            guard bytes[6] == unit else { throw .wrongUnit }
            if bytes[7] == request.function | 0x80 { throw .exception(Int(bytes[8])) }
            guard bytes[7] == request.function, Int(bytes[8]) == request.count * 2, length >= 9 + request.count * 2 else { throw .garbled }
            return (0..<request.count).map { UInt16(bytes[9 + 2 * $0]) << 8 | UInt16(bytes[10 + 2 * $0]) }
        }
        throw .timeout
    }

    /// Throws away what came too late, so that it is not taken for the next answer.
    func flush() {
        guard let context, isConnected else { return }
        if case .rtuOverTCP = address {
            var scrap = [UInt8](repeating: 0, count: 512)
            while recv(modbus_get_socket(context), &scrap, scrap.count, Int32(MSG_DONTWAIT)) > 0 {}
        } else {
            modbus_flush(context)
        }
    }

    private func openSocket(_ host: String, _ port: Int) throws(ReadFault) -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &list) == 0, let list else {
            throw .notConnected("the host name is not known")
        }
        defer { freeaddrinfo(list) }
        var entry: UnsafeMutablePointer<addrinfo>? = list
        while let info = entry?.pointee {
            let descriptor = socket(info.ai_family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            if descriptor >= 0 {
                var limit = timeval(
                    tv_sec: Int(responseTimeout.milliseconds / 1000),
                    tv_usec: Int(responseTimeout.milliseconds % 1000) * 1000)
                setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
                var on: Int32 = 1
                setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
                if Glibc.connect(descriptor, info.ai_addr, info.ai_addrlen) == 0 { return descriptor }
                Glibc.close(descriptor)
            }
            entry = info.ai_next
        }
        throw .notConnected(String(cString: strerror(errno)))
    }
}
