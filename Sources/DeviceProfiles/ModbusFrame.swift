import Phrasebook

/// The CRC of Modbus RTU: polynomial 0xA001 reflected, start 0xFFFF, low byte first on the wire
/// (Modbus over serial line V1.02, §2.5.1.2).
public enum ModbusCRC {
    @usableFromInline static let table: [UInt16] = (0..<256).map { index in
        var crc = UInt16(index)
        for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xA001 : crc >> 1 }
        return crc
    }

    /// The CRC of some bytes.
    @inlinable public static func of(_ bytes: some Sequence<UInt8>) -> UInt16 {
        var crc: UInt16 = 0xFFFF
        for byte in bytes { crc = crc >> 8 ^ table[Int((crc ^ UInt16(byte)) & 255)] }
        return crc
    }
}

/// A frame of Modbus RTU taken apart, for golden frames and the offline solver.
public enum ModbusFrame: Hashable, Sendable {
    /// A request to read registers.
    case readRequest(unit: UInt8, function: UInt8, address: UInt16, count: UInt16)
    /// The words of an answer.
    case readResponse(unit: UInt8, function: UInt8, words: [UInt16])
    /// The device said no.
    case exception(unit: UInt8, function: UInt8, code: UInt8)

    /// What can be wrong with a frame.
    public enum Fault: Error, Hashable, Sendable, CustomStringConvertible {
        case notHexadecimal(String)
        case tooShort(Int)
        case wrongCRC(found: UInt16, computed: UInt16)
        case wrongLength(expected: Int, found: Int)
        case unknownFunction(UInt8)

        /// The fault in words.
        public var description: String { text.english }

        /// The fault in words of both languages.
        public var text: LocalizedText {
            switch self {
            case .notHexadecimal(let text): .said("`\(text)`不是十六进制字节", "`\(text)` is not a hexadecimal byte")
            case .tooShort(let count): .said("\(count)个字节不够一帧", "\(count) bytes are too few for a frame")
            case .wrongCRC(let found, let computed):
                .said(
                    "CRC是\(hex(found))，算出来是\(hex(computed))（低字节在前，和线上一样）",
                    "the CRC is \(hex(found)) where \(hex(computed)) was computed (shown as the wire's low byte first)")
            case .wrongLength(let expected, let found): .said("说有\(expected)个字节，只有\(found)个", "\(expected) bytes were announced and \(found) found")
            case .unknownFunction(let function): .said("功能码\(function)不是读寄存器", "function \(function) does not read registers")
            }
        }
    }

    /// Bytes from text such as `01 03 00 00` or `01030000`.
    public static func bytes(hex text: String) throws(Fault) -> [UInt8] {
        let digits = text.filter { !$0.isWhitespace }
        guard digits.count % 2 == 0 else { throw .notHexadecimal(text) }
        var bytes: [UInt8] = []
        var rest = digits[...]
        while !rest.isEmpty {
            let pair = rest.prefix(2)
            guard let byte = UInt8(pair, radix: 16) else { throw .notHexadecimal(String(pair)) }
            bytes.append(byte)
            rest = rest.dropFirst(2)
        }
        return bytes
    }

    /// Takes an answer apart, checking length and CRC.
    public static func response(_ bytes: [UInt8]) throws(Fault) -> ModbusFrame {
        try check(bytes)
        let function = bytes[1]
        if function & 0x80 != 0 { return .exception(unit: bytes[0], function: function & 0x7F, code: bytes[2]) }
        guard function == 3 || function == 4 else { throw .unknownFunction(function) }
        let count = Int(bytes[2])
        guard count % 2 == 0, bytes.count == count + 5 else { throw .wrongLength(expected: count + 5, found: bytes.count) }
        let words = stride(from: 3, to: 3 + count, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
        return .readResponse(unit: bytes[0], function: function, words: words)
    }

    /// Takes a request apart, checking length and CRC.
    public static func request(_ bytes: [UInt8]) throws(Fault) -> ModbusFrame {
        try check(bytes)
        guard bytes[1] == 3 || bytes[1] == 4 else { throw .unknownFunction(bytes[1]) }
        guard bytes.count == 8 else { throw .wrongLength(expected: 8, found: bytes.count) }
        return .readRequest(
            unit: bytes[0], function: bytes[1], address: UInt16(bytes[2]) << 8 | UInt16(bytes[3]),
            count: UInt16(bytes[4]) << 8 | UInt16(bytes[5]))
    }

    private static func check(_ bytes: [UInt8]) throws(Fault) {
        guard bytes.count >= 5 else { throw .tooShort(bytes.count) }
        let found = UInt16(bytes[bytes.count - 2]) | UInt16(bytes[bytes.count - 1]) << 8
        let computed = ModbusCRC.of(bytes.dropLast(2))
        guard found == computed else { throw .wrongCRC(found: found, computed: computed) }
    }

    /// The bytes of a read request with its CRC.
    public static func encodeRequest(unit: UInt8, function: UInt8, address: UInt16, count: UInt16) -> [UInt8] {
        sealed([unit, function, UInt8(address >> 8), UInt8(address & 255), UInt8(count >> 8), UInt8(count & 255)])
    }

    /// The bytes of an answer with its CRC.
    public static func encodeResponse(unit: UInt8, function: UInt8, words: [UInt16]) -> [UInt8] {
        sealed([unit, function, UInt8(truncatingIfNeeded: words.count * 2)] + words.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] })
    }

    /// The bytes with their CRC behind them.
    public static func sealed(_ bytes: [UInt8]) -> [UInt8] {
        let crc = ModbusCRC.of(bytes)
        return bytes + [UInt8(crc & 255), UInt8(crc >> 8)]
    }
}

private func hex(_ crc: UInt16) -> String {
    [UInt8(crc & 255), UInt8(crc >> 8)].map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }
        .joined(separator: " ")
}
