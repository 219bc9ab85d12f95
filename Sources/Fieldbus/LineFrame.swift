import DeviceProfiles

/// How frames stand on a line.
public enum LineFraming: Sendable, Hashable {
    /// Unit, function, data, CRC (Modbus over serial line V1.02, §2.5.1), on a serial line or through a converter.
    case rtu
    /// Transaction, protocol 0, length, unit, function, data (Modbus messaging on TCP/IP V1.0b, §3.1.3).
    case tcp
}

/// A whole frame found among the bytes of a line. A pure value.
struct LineFrame: Hashable {
    /// What it says.
    enum Body: Hashable {
        case words([UInt16])
        case exception(UInt8)
        /// Our own request, heard again through a two-wire adapter.
        case echo
    }

    /// Where it stands in the bytes.
    var place: Range<Int>
    /// The transaction it answers, over Modbus TCP.
    var transaction: UInt16?
    var unit: UInt8
    /// The function without the exception's bit.
    var function: UInt8
    var body: Body

    /// The bytes of a request.
    static func request(_ framing: LineFraming, transaction: UInt16, unit: UInt8, _ request: ReadRequest) -> [UInt8] {
        let count = UInt16(request.count)
        switch framing {
        case .rtu: return ModbusFrame.encodeRequest(unit: unit, function: request.function, address: request.address, count: count)
        case .tcp:
            return [
                UInt8(transaction >> 8), UInt8(transaction & 255), 0, 0, 0, 6, unit, request.function,
                UInt8(request.address >> 8), UInt8(request.address & 255), UInt8(count >> 8), UInt8(count & 255),
            ]
        }
    }

    /// The first whole frame at or behind a place. Bytes before it belong to none.
    /// - Parameter request: the request on the line, to know its echo
    static func first(in bytes: [UInt8], from start: Int, _ framing: LineFraming, request: [UInt8]) -> LineFrame? {
        var place = start
        while place + 5 <= bytes.count {
            if let frame = framing == .rtu ? serial(bytes, at: place, request) : network(bytes, at: place) { return frame }
            place += 1
        }
        return nil
    }

    private static func serial(_ bytes: [UInt8], at place: Int, _ request: [UInt8]) -> LineFrame? {
        let left = bytes.count - place
        let (unit, function) = (bytes[place], bytes[place + 1])
        if left >= 8, request.count == 8, unit == request[0], function == request[1], bytes[place..<(place + 8)].elementsEqual(request) {
            return LineFrame(place: place..<(place + 8), unit: unit, function: function, body: .echo)
        }
        switch function {
        case 3, 4:
            let count = Int(bytes[place + 2])
            guard count > 0, count <= 250, count % 2 == 0, left >= count + 5, isSealed(bytes, place, count + 5) else { return nil }
            return LineFrame(
                place: place..<(place + count + 5), unit: unit, function: function, body: .words(words(bytes, place + 3, count)))
        case 0x83, 0x84:
            guard isSealed(bytes, place, 5) else { return nil }
            return LineFrame(place: place..<(place + 5), unit: unit, function: function & 0x7F, body: .exception(bytes[place + 2]))
        default: return nil
        }
    }

    private static func network(_ bytes: [UInt8], at place: Int) -> LineFrame? {
        let left = bytes.count - place
        guard left >= 9, bytes[place + 2] == 0, bytes[place + 3] == 0, bytes[place + 4] == 0 else { return nil }
        let length = Int(bytes[place + 5])
        guard length >= 3, left >= length + 6 else { return nil }
        let (unit, function) = (bytes[place + 6], bytes[place + 7])
        let transaction = UInt16(bytes[place]) << 8 | UInt16(bytes[place + 1])
        switch function {
        case 3, 4:
            let count = Int(bytes[place + 8])
            guard count > 0, count % 2 == 0, length == count + 3 else { return nil }
            return LineFrame(
                place: place..<(place + length + 6), transaction: transaction, unit: unit, function: function,
                body: .words(words(bytes, place + 9, count)))
        case 0x83, 0x84:
            guard length == 3 else { return nil }
            return LineFrame(
                place: place..<(place + 9), transaction: transaction, unit: unit, function: function & 0x7F,
                body: .exception(bytes[place + 8]))
        default: return nil
        }
    }

    /// Whether an answer to a read has begun in these bytes and is not whole yet.
    static func isBegun(in bytes: [UInt8], _ framing: LineFraming, transaction: UInt16, unit: UInt8, _ request: ReadRequest) -> Bool {
        header(in: bytes, framing, transaction, unit, request) { left, whole in left < whole }
    }

    /// Whether bytes of the right length stand where an answer should, so that only their check sum can be wrong.
    static func isDamaged(in bytes: [UInt8], _ framing: LineFraming, unit: UInt8, _ request: ReadRequest) -> Bool {
        framing == .rtu && header(in: bytes, framing, 0, unit, request) { left, whole in left >= whole }
    }

    private static func header(
        in bytes: [UInt8], _ framing: LineFraming, _ transaction: UInt16, _ unit: UInt8, _ request: ReadRequest, _ fits: (Int, Int) -> Bool
    ) -> Bool {
        let (start, whole): ([UInt8], Int) =
            switch framing {
            case .rtu: ([unit, request.function, UInt8(request.count * 2)], request.count * 2 + 5)
            case .tcp: ([UInt8(transaction >> 8), UInt8(transaction & 255), 0, 0], request.count * 2 + 9)
            }
        return bytes.indices.contains { place in
            let left = bytes.count - place
            return bytes[place...].prefix(start.count).elementsEqual(start.prefix(left)) && fits(left, whole)
        }
    }

    private static func isSealed(_ bytes: [UInt8], _ place: Int, _ count: Int) -> Bool {
        let crc = ModbusCRC.of(bytes[place..<(place + count - 2)])
        return bytes[place + count - 2] == UInt8(crc & 255) && bytes[place + count - 1] == UInt8(crc >> 8)
    }

    private static func words(_ bytes: [UInt8], _ place: Int, _ count: Int) -> [UInt16] {
        [UInt16](unsafeUninitializedCapacity: count / 2) { words, filled in
            for index in 0..<(count / 2) { words[index] = UInt16(bytes[place + 2 * index]) << 8 | UInt16(bytes[place + 2 * index + 1]) }
            filled = count / 2
        }
    }
}
