import DeviceProfiles
import Simulation
import Telemetry
import TestSupport
import Testing

@Suite struct RegisterSolverTests {
    @Test func `what is typed from a display is read with its digits and unit`() throws {
        let total = try #require(DisplayFact(parsing: "123.456m3"))
        #expect(total.number == 123.456 && total.decimals == 3 && total.unit == .cubicMetre && total.name == "volume_total")
        #expect(abs(total.step - 0.001) < 1e-12)
        #expect(DisplayFact(parsing: "flow=0.42 m³/h")?.unit == .cubicMetrePerHour)
        #expect(DisplayFact(parsing: "0.42m3/h")?.name == "flow")
        let serial = try #require(DisplayFact(parsing: "serial=AB71"))
        #expect(serial.number == nil && serial.text == "AB71")
        for bad in ["", "=", "m3", "12.3furlongs", "=12"] { #expect(DisplayFact(parsing: bad) == nil, "\(bad)") }
    }

    /// A block of other numbers with the value written somewhere in it.
    static func block(_ words: [UInt16], at place: Int, seed: UInt64) -> [UInt16] {
        var random = SeededRandom(seed: seed)
        var block = (0..<20).map { _ in UInt16(truncatingIfNeeded: random.next()) | 0x0101 }
        block.replaceSubrange(place..<place + words.count, with: words)
        return block
    }

    @Test(arguments: ["ABCD", "CDAB", "BADC", "DCBA"]) func `a total is found in every order, as a whole number and as a float`(letters: String) throws {
        let order = try #require(WordOrder(letters: letters))
        let fact = try #require(DisplayFact(parsing: "12345.678m3"))
        for (type, bits, exponent) in [("uint32", UInt64(12_345_678), -3), ("float64", (12345.678).bitPattern, 0)] {
            let wide =
                type == "float64"
                ? try #require(WordOrder(letters: ["ABCD": "ABCDEFGH", "CDAB": "GHEFCDAB", "BADC": "BADCFEHG", "DCBA": "HGFEDCBA"][letters]!)) : order
            let words = Self.block(wide.disassemble(bits), at: 7, seed: 3)
            let answer = try #require(RegisterSolver(words: words).solve([fact]).first)
            #expect(answer.isDecided, "\(letters) \(type)")
            let term = try #require(answer.tied.first?.hypothesis.terms.first)
            #expect(term.offset == 7 && term.type.word == type && term.order == wide && term.exponent == exponent)
        }
    }

    @Test func `two layouts that explain everything are not decided between, and the reading that would decide does decide`() throws {
        let fact = try #require(DisplayFact(parsing: "12.345m3"))
        let words: [UInt16] = [0x5151, 0, 12_345, 0x7171]
        let answer = try #require(RegisterSolver(words: words).solve([fact]).first)
        #expect(!answer.isDecided && answer.tied.count == 2)
        let beyond = try #require(answer.decidedBeyond)
        #expect(beyond > 65.535)
        // The meter counts on in 32 bits; the same display then leaves one.
        let count = UInt32((beyond * 1000).rounded())
        let later: [UInt16] = [0x5151, UInt16(count >> 16), UInt16(count & 0xFFFF), 0x7171]
        let then = try #require(DisplayFact(parsing: "\(Double(count) / 1000)m3"))
        #expect(RegisterSolver(words: later).solve([then]).first?.isDecided == true)
    }

    @Test func `a second fact decides the order for the first`() throws {
        // 0x00020002: the same in both word orders; the flow is not.
        let flow = Float(0.5347).bitPattern
        let words: [UInt16] = [0x4141, 2, 2, 0x4242, UInt16(flow & 0xFFFF), UInt16(flow >> 16), 0x4343]
        let facts = try [#require(DisplayFact(parsing: "131.074m3")), #require(DisplayFact(parsing: "0.5347m3/h"))]
        let answers = RegisterSolver(words: words).solve(facts)
        #expect(answers[0].tied.first?.hypothesis.terms.first?.order.description == "CDAB")
        #expect(answers[1].isDecided)
    }

    @Test func `a display nothing explains is said to be unexplained`() throws {
        let fact = try #require(DisplayFact(parsing: "88888.888m3"))
        let answer = try #require(RegisterSolver(words: Self.block([1, 2], at: 3, seed: 9)).solve([fact]).first)
        #expect(answer.tied.isEmpty && answer.candidates.isEmpty)
    }

    @Test func `a real dump of a TUF-2000M is solved as whole cubic metres and a fraction, as its profile says`() throws {
        let profile = try #require(ShippedProfiles.model("tuf-2000m"))
        let frame = try #require(profile.golden.first { $0.isReal && $0.expected["volume_total"] != nil })
        guard case .readRequest(_, _, let start, _) = try ModbusFrame.request(frame.request),
            case .readResponse(_, _, let words) = try ModbusFrame.response(frame.response)
        else {
            Issue.record("the golden frame is no read")
            return
        }
        let shown = try #require(frame.expected["volume_total"]) / 1000
        let fact = try #require(DisplayFact(parsing: "\((shown * 1000).rounded() / 1000)m3"))
        let answer = try #require(RegisterSolver(words: words).solve([fact]).first)
        let point = try #require(profile.volumeTotal)
        let places = answer.tied.map { candidate in candidate.hypothesis.terms.map { Int(start) + $0.offset } }
        #expect(places.contains { $0.contains(Int(point.fields[0].address)) || $0.contains(Int(point.fields[1].address)) }, "\(places)")
    }

    @Test func `a draft reads back without an error, and its total decodes to the display`() throws {
        let words = Self.block([0xE240, 0x0001], at: 4, seed: 5)
        let fact = try #require(DisplayFact(parsing: "123.456m3"))
        let draft = DraftProfile(id: "my-meter", function: 3, start: 100, answers: RegisterSolver(words: words).solve([fact]))
        let read = ProfileReader.read(draft.yaml, file: "my-meter.yaml")
        let profile = try #require(read.profile, "\(read.issues)")
        #expect(profile.trust == .structural)
        let image = RegisterImage(blocks: [.init(function: 3, address: 100, words: words)])
        #expect(profile.volumeTotal?.decode(image).number == 123_456)
    }
}
