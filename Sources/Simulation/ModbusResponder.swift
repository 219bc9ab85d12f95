import DeviceProfiles
import Telemetry

/// What a simulated device puts on the wire for one request. Pure: bytes in, bytes and pauses out.
struct ModbusResponder {
    /// Pieces to send, each after a pause.
    struct Piece: Hashable {
        var after: Interval
        var bytes: [UInt8]
    }

    /// The answer to an RTU request; nothing when the device is silent.
    static func answerRTU(_ request: [UInt8], meter: SimulatedMeter) -> [Piece] {
        guard let body = answer(pdu: Array(request.dropFirst().dropLast(2)), meter: meter) else { return [] }
        let unit = meter.fault == .wrongUnit ? meter.unit &+ 1 : meter.unit
        var frame = ModbusFrame.sealed([unit] + body)
        if meter.fault == .crc { frame[frame.count - 1] ^= 0x5A }
        return paced(meter.fault == .garbage ? [0x5A, 0x00, 0xFF, 0x13, 0x37] : frame, meter.fault)
    }

    /// The answer to a Modbus TCP request.
    static func answerTCP(_ request: [UInt8], meter: SimulatedMeter) -> [Piece] {
        guard let body = answer(pdu: Array(request.dropFirst(7)), meter: meter) else { return [] }
        let unit = meter.fault == .wrongUnit ? meter.unit &+ 1 : meter.unit
        let length = body.count + 1
        var frame = Array(request[..<4]) + [UInt8(length >> 8), UInt8(length & 255), unit] + body
        // A network frame has no check sum of its own: the nearest fault is a broken protocol identifier.
        if meter.fault == .crc { frame[2] = 0x5A }
        return paced(meter.fault == .garbage ? [UInt8](repeating: 0x5A, count: 11) : frame, meter.fault)
    }

    private static func paced(_ frame: [UInt8], _ fault: DeviceFault?) -> [Piece] {
        switch fault {
        case .split:
            let cut = frame.count / 2
            return [Piece(after: .zero, bytes: Array(frame[..<cut])), Piece(after: .milliseconds(20), bytes: Array(frame[cut...]))]
        case .late: return [Piece(after: .milliseconds(1500), bytes: frame)]
        default: return [Piece(after: .zero, bytes: frame)]
        }
    }

    private static func answer(pdu: [UInt8], meter: SimulatedMeter) -> [UInt8]? {
        if meter.fault == .timeout { return nil }
        guard pdu.count == 5, pdu[0] == 3 || pdu[0] == 4 else { return [(pdu.first ?? 0) | 0x80, 1] }
        let address = UInt16(pdu[1]) << 8 | UInt16(pdu[2])
        let count = Int(pdu[3]) << 8 | Int(pdu[4])
        guard (1...125).contains(count) else { return [pdu[0] | 0x80, 3] }
        if meter.fault == .exception || meter.refuses(address: address, count: count) { return [pdu[0] | 0x80, 2] }
        let words = meter.words(function: pdu[0], address: address, count: count)
        return [pdu[0], UInt8(count * 2)] + words.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }
    }
}
