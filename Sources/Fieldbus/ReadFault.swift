import CModbus
import Glibc
import Phrasebook

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
    public var description: String { text.english }

    /// What to do about it.
    public var remedy: LocalizedText {
        switch self {
        case .timeout: .said("检查供电、接线、从站地址和串口参数。", "Check power, wiring, unit address and line settings.")
        case .badCRC, .garbled: .said("检查接线、终端电阻和串口参数，看有没有干扰。", "Check wiring, termination and line settings, and whether something disturbs the line.")
        case .exception: .said("检查档案合不合这只表。", "Check that the profile fits the meter.")
        case .wrongUnit: .said("检查是不是有两只表用了同一个地址。", "Check whether two meters have the same address.")
        case .notConnected: .said("检查地址：那里有没有设备，是不是被别的程序占用。", "Check the address: whether the device is there, and whether another program has it.")
        }
    }

    /// The fault in words of both languages.
    public var text: LocalizedText {
        switch self {
        case .timeout: .said("没有应答", "no reply")
        case .badCRC: .said("应答的CRC不对", "reply with a bad CRC")
        case .exception(let code): .said("异常\(code)", "exception \(code)")
        case .wrongUnit: .said("应答的是另一个从站", "reply from another unit")
        case .garbled: .said("应答残缺或混乱", "garbled reply")
        case .notConnected(let why): .said("没有连上：\(why)", "not connected: \(why)")
        }
    }
}
