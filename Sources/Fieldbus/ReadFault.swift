import CModbus
import Phrasebook

/// Why a read gave no registers. Each becomes a quality, never a value.
public enum ReadFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// Nothing came in time.
    case timeout
    /// Bytes came, but their CRC is wrong.
    case badCRC
    /// The device refused, with the exception code of the Modbus application protocol (§7).
    case exception(Int)
    /// The answer carries another unit's number, this one.
    case wrongUnit(UInt8)
    /// The answer is short, long, late, or of another function.
    case garbled
    /// The line or the connection is not there.
    case notConnected(String)

    /// The fault behind an errno of opening a line, libmodbus's own numbers included.
    static func of(errno code: Int32) -> ReadFault { .notConnected(String(cString: modbus_strerror(code))) }

    /// Whether a gateway spoke for a device that did not: exception 10, no path to it, and 11, no answer from it (Modbus
    /// application protocol V1.1b3, §7).
    public var isGatewaysWord: Bool { self == .exception(10) || self == .exception(11) }

    /// Whether the device itself spoke. A gateway that says its device is silent is silence.
    public var isAnswer: Bool {
        switch self {
        case .timeout, .notConnected: false
        default: !isGatewaysWord
        }
    }

    /// The fault in words.
    public var description: String { text.english }

    /// What to do about it.
    public var remedy: LocalizedText {
        switch self {
        case .timeout: .said("检查供电、接线、从站地址和串口参数。", "Check power, wiring, unit address and line settings.")
        case .badCRC, .garbled: .said("检查接线、终端电阻和串口参数，看有没有干扰。", "Check wiring, termination and line settings, and whether something disturbs the line.")
        case .exception(5), .exception(6): .said("表正忙：过一会儿再读；若总是这样，把轮询放慢。", "The meter is busy: read again later; if it always is, poll it less often.")
        case .exception(4): .said("表自己有故障：断电重启后再读，仍然这样就换表。", "The meter has a fault of its own: restart it; if that does not help, replace it.")
        case .exception(10):
            .said(
                "网关没有通往这个从站的路：检查网关里给这个地址配的串口。",
                "The gateway has no way to this unit: check which serial port it is set to use for this address.")
        case .exception(11):
            .said(
                "网关在，但它后面的表没有应答：检查表的供电、485接线、从站地址，以及网关串口的波特率和校验。",
                "The gateway is there, but the meter behind it does not answer: check the meter's power, the RS-485 wiring, "
                    + "the unit address, and the baud rate and parity of the gateway's serial port.")
        case .exception: .said("检查档案合不合这只表。", "Check that the profile fits the meter.")
        case .wrongUnit(let unit):
            .said(
                "检查这只表的从站地址是不是\(unit)，或两只表用了同一个地址。",
                "Check whether the meter's own address is \(unit), or two meters have the same address.")
        case .notConnected: .said("检查地址：那里有没有设备，是不是被别的程序占用。", "Check the address: whether the device is there, and whether another program has it.")
        }
    }

    /// The fault in words of both languages.
    public var text: LocalizedText {
        switch self {
        case .timeout: .said("没有应答", "no reply")
        case .badCRC: .said("应答的CRC不对", "reply with a bad CRC")
        case .exception(10): .said("网关报告没有通往这个从站的路（异常10）", "the gateway has no path to this unit (exception 10)")
        case .exception(11): .said("网关报告这个从站没有应答（异常11）", "the gateway got no reply from this unit (exception 11)")
        case .exception(let code): .said("异常\(code)", "exception \(code)")
        case .wrongUnit(let unit): .said("以从站\(unit)的名义应答", "answers as unit \(unit)")
        case .garbled: .said("应答残缺或混乱", "garbled reply")
        case .notConnected(let why): .said("没有连上：\(why)", "not connected: \(why)")
        }
    }
}
