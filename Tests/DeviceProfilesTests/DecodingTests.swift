import DeviceProfiles
import Telemetry
import Testing

@Suite struct DecodingTests {
    func decode(_ type: RegisterType, _ order: String, _ words: [UInt16]) -> Double? {
        let field = RegisterField(function: 3, address: 0, type: type, order: WordOrder(letters: order))
        let point = MeterPoint(id: "p", role: .other, unit: .nothing, fields: [field])
        return point.decode(RegisterImage(blocks: [.init(function: 3, address: 0, words: words)])).number
    }

    @Test(
        arguments: [("ABCD", [0x1234, 0x5678]), ("CDAB", [0x5678, 0x1234]), ("BADC", [0x3412, 0x7856]), ("DCBA", [0x7856, 0x3412])] as [(String, [UInt16])])
    func `each order of two registers gives the same number`(order: String, words: [UInt16]) {
        #expect(decode(.integer(registers: 2, signed: false), order, words) == Double(0x1234_5678))
    }

    @Test func `a real dump of a TUF-2000M decodes to physics`() throws {
        let flow = try #require(decode(.float(registers: 2), "CDAB", [0xF89F, 0x3DE6]))
        #expect(abs(flow - 0.112779) < 1e-6)
        let velocity = try #require(decode(.float(registers: 2), "CDAB", [0x4BCF, 0x3D79]))
        // Flow over velocity is the pipe's area: an inner diameter of 25.6 mm, which the installer had set.
        let diameter = (flow / 3600 / velocity * 4 / Double.pi).squareRoot() * 1000
        #expect(abs(diameter - 25.6) < 0.001)
    }

    @Test func `sixty-four bits in any order, signs, and decimal digits`() {
        #expect(decode(.float(registers: 4), "HGFEDCBA", WordOrder(letters: "HGFEDCBA")!.disassemble((12.5).bitPattern)) == 12.5)
        #expect(decode(.integer(registers: 2, signed: true), "ABCD", [0xFFFF, 0xFFFE]) == -2)
        #expect(decode(.integer(registers: 3, signed: true), "ABCDEF", [0xFFFF, 0xFFFF, 0xFFFF]) == -1)
        #expect(decode(.bcd(registers: 2), "ABCD", [0x1234, 0x5678]) == 12_345_678)
        #expect(decode(.bcd(registers: 2), "ABCD", [0x12A4, 0x5678]) == nil)
    }

    @Test func `NaN and infinity are no numbers`() {
        #expect(decode(.float(registers: 2), "ABCD", [0x7FC0, 0]) == nil)
        #expect(decode(.float(registers: 2), "ABCD", [0x7F80, 0]) == nil)
    }

    @Test(arguments: ["AB", "ABCD", "CDAB", "DCBA", "EFABCD", "GHEFCDAB", "BADCFEHG"])
    func `disassembling is the inverse of assembling`(letters: String) throws {
        let order = try #require(WordOrder(letters: letters))
        #expect(order.description == letters)
        #expect(WordOrder(letters: "AAB") == nil && WordOrder(letters: "ABCE") == nil)
    }

    @Test func `a wrong CRC is a fault that shows both sums`() {
        #expect(throws: ModbusFrame.Fault.wrongCRC(found: 0x0000, computed: 0xCDC5)) {
            try ModbusFrame.request([1, 3, 0, 0, 0, 10, 0, 0])
        }
        // The manual's own example of the TUF-2000 family.
        #expect(ModbusFrame.encodeRequest(unit: 1, function: 3, address: 0, count: 10) == [1, 3, 0, 0, 0, 0x0A, 0xC5, 0xCD])
    }
}
