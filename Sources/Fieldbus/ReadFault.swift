import CModbus
import Glibc

/// Why a read gave no registers. Each becomes a quality, never a value.
public enum ReadFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// Nothing came in time.
    case timeout
    /// Bytes came, but their CRC is wrong.
    case badCRC
    /// The device refused, with the exception code of the Modbus application protocol (§7).
    case exception(Int)
    /// The answer is another unit's.
    case wrongUnit
    /// The answer is short, long, late, or of another function.
    case garbled
    /// The line or the connection is not there.
    case notConnected(String)

    /// The fault behind libmodbus's errno.
    static func of(errno code: Int32) -> ReadFault {
        // libmodbus numbers its own errors from MODBUS_ENOBASE: 1…11 are the protocol's exceptions, then bad CRC, bad
        // data, bad exception, unknown exception, too much data, bad slave (modbus.h).
        let base: Int32 = 112_345_678
        switch code - base {
        case 1...11: return .exception(Int(code - base))
        case 12: return .badCRC
        case 17: return .wrongUnit
        case 13...16: return .garbled
        default: break
        }
        switch code {
        case ETIMEDOUT, EAGAIN: return .timeout
        default: return .notConnected(String(cString: modbus_strerror(code)))
        }
    }

    /// Whether the device itself spoke.
    public var isAnswer: Bool {
        switch self {
        case .timeout, .notConnected: false
        default: true
        }
    }

    /// The fault in words.
    public var description: String {
        switch self {
        case .timeout: "no reply"
        case .badCRC: "reply with a bad CRC"
        case .exception(let code): "exception \(code)"
        case .wrongUnit: "reply from another unit"
        case .garbled: "garbled reply"
        case .notConnected(let why): "not connected: \(why)"
        }
    }
}
