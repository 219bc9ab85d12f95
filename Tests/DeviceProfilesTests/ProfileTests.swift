import DeviceProfiles
import Foundation
import Simulation
import Telemetry
import TestSupport
import Testing

@Suite struct ProfileTests {
    static let shipped = ShippedProfiles.all

    @Test(arguments: shipped)
    func `a shipped profile has no lint error and decodes its golden frames`(profile: ShippedProfiles.Entry) throws {
        let read = ProfileReader.read(profile.text, file: profile.name)
        #expect(read.issues.filter { $0.severity == .error }.isEmpty, "\(read.issues)")
        let model = try #require(read.profile)
        for outcome in GoldenTest.run(model) { #expect(outcome.faults.isEmpty, "\(profile.name):\(outcome.line ?? 0)") }
    }

    /// The first hundred registers of a real TUF-2000M with a poor signal, as published with the TUF-2000M challenge of gambit-labs: number to
    /// value, zeros left out.
    static let recorded: [Int: UInt16] = [
        1: 7579, 2: 48_988, 3: 5064, 4: 48_142, 5: 37_967, 6: 48_877, 7: 63_814, 8: 17_575, 11: 24_224, 12: 15_965, 17: 87, 19: 9891, 20: 16_221, 21: 65_480,
        22: 65_535, 23: 39_041, 24: 48_994, 29: 144, 31: 48_777, 32: 16_191, 33: 15_568, 34: 16_611, 35: 28_424, 36: 16_534, 53: 6432, 54: 4386, 55: 5889,
        60: 255, 61: 120, 66: 4001, 67: 62_500, 70: 3, 71: 4, 72: 4, 92: 806, 93: 3501, 94: 3501, 96: 1, 97: 43_137, 98: 17_105, 99: 3374, 100: 17_839,
    ]

    @Test(arguments: [100, 2000]) func `a badly installed meter is named by what marks its model`(registers: Int) throws {
        // The dump ends at register 100; what lies behind it is refused, or zero.
        let words = (1...registers).map { Self.recorded[$0] ?? 0 }
        let image = RegisterImage(blocks: [.init(function: 3, address: 0, words: words)])
        let models = Self.shipped.compactMap { ProfileReader.read($0.text, file: $0.name).profile }
        let named = models.map { ProfileLikeness(of: image, to: $0) }.filter(\.isNamed).map(\.profile.rawValue)
        #expect(named == ["tuf-2000m"])
    }

    @Test func `registers of zeros, of ones and of noise are named by no fingerprint`() throws {
        let models = Self.shipped.compactMap { ProfileReader.read($0.text, file: $0.name).profile }
        var random = SeededRandom(seed: 3)
        for style in 0..<60 {
            let words = (0..<2000).map { _ in style == 0 ? 0 : style == 1 ? UInt16.max : UInt16(truncatingIfNeeded: random.next()) }
            let image = RegisterImage(blocks: [.init(function: 3, address: 0, words: words), .init(function: 4, address: 0, words: words)])
            #expect(models.map { ProfileLikeness(of: image, to: $0) }.filter(\.isNamed).isEmpty, "style \(style)")
        }
    }

    static func little(_ rest: String) -> String {
        "kind: meter\nid: made\ntitle: {zh-Hans: 甲, en: A}\ndocument: d\ntrust: structural\nfunction: 3\naddress_base: 0\nresolution_litres: 1\n"
            + "points:\n  - {id: volume_total, role: volume_total, unit: L, address: 0, type: uint32, order: CDAB\(rest)"
    }

    @Test(arguments: [
        ", scale: 0}\n", ", scale: 1e-300}\n", "}\nhistory:\n  - {period: hourly, count: 10000, unit: L, address: 60000, type: uint32, order: CDAB}\n",
        "}\nhistory:\n  - {period: daily, count: 2, unit: L, address: 65535, type: uint32, order: CDAB}\n",
        "}\nhistory:\n  - {period: daily, count: 2, unit: L, address: 0, type: ascii, registers: 60}\n",
        "}\n  - {id: clock, role: clock, address: 8, type: clock, per_register: true, layout: \"\(String(repeating: "-- ", count: 200))mm\"}\n",
    ]) func `a profile whose numbers cannot be is refused with a sentence`(rest: String) {
        let read = ProfileReader.read(Self.little(rest), file: "made.yaml")
        #expect(read.profile == nil && read.issues.contains { $0.severity == .error && !$0.fix.english.isEmpty }, "\(read.issues)")
    }

    @Test(arguments: ["9223372036854775807", "-9223372036854775808", "99999999999999999999", "13", "-4"]) func `an exponent out of reach is a missing value`(
        exponent: String
    ) throws {
        for law in ["10^n", "10^-n", "10^(n-9223372036854775808)", "10^(9223372036854775807-n)", "10^(n-3)"] {
            let text = Self.little(", scale_from: {parameter: exponent, expression: \"\(law)\"}}\n")
            guard let profile = ProfileReader.read(text, file: "made.yaml").profile else { continue }
            let decoder = MeterDecoder(profile: profile, parameters: InstanceParameters(["exponent": exponent]))
            var civil = CivilClock(zone: .gmt)
            let image = RegisterImage(blocks: [.init(function: 3, address: 0, words: [1, 2])])
            let value = decoder.readings(of: "wm", in: image, at: WallTime(unixSeconds: 0), civil: &civil).first?.value
            #expect(value?.isFinite ?? true)
            _ = RegisterEncoder(profile: profile, parameters: InstanceParameters(["exponent": exponent])).words(for: profile.points[0], value: 1e15)
        }
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity, 1e300, -1e300, 9.3e18, -1]) func `a simulated device holds whatever number it is given`(number: Double)
    {
        for type in [
            RegisterType.integer(registers: 1, signed: false), .integer(registers: 4, signed: true), .integer(registers: 4, signed: false), .bcd(registers: 4),
            .bits(registers: 2), .float(registers: 2),
        ] {
            let field = RegisterField(function: 3, address: 65_532, type: type, order: .bigEndian(registers: type.registerCount))
            let profile = ProfileReader.read(Self.little("}\n"), file: "made.yaml").profile
            #expect(profile.map { RegisterEncoder(profile: $0).encode(number, in: field).count } == type.registerCount)
        }
    }

    @Test func `a device clock on the 31st of February is a clock that tells nothing`() {
        let parts = ClockParts(year: 2026, month: 2, day: 31, hour: 0, minute: 0, second: 0)
        var civil = CivilClock(zone: .gmt)
        #expect(!parts.isPlausible && parts.wallTime(in: &civil) == nil)
    }

    @Test func `at least twelve profiles are shipped, and a real dump is among their proofs`() {
        let models = Self.shipped.compactMap { ProfileReader.read($0.text, file: $0.name).profile }
        #expect(models.count >= 12)
        #expect(models.contains { $0.golden.contains(where: \.isReal) })
        #expect(models.allSatisfy { $0.trust < .fieldVerified })
    }

    @Test(arguments: shipped)
    func `what a simulated device holds is what the decoder reads`(profile: ShippedProfiles.Entry) throws {
        let model = try #require(ProfileReader.read(profile.text, file: profile.name).profile)
        guard let total = model.volumeTotal, total.fields.allSatisfy({ $0.order != nil }) else { return }
        let parameters = InstanceParameters(["unit": "m3", "exponent": "0"])
        let words = RegisterEncoder(profile: model, parameters: parameters).words(for: total, value: 12_345)
        let image = RegisterImage(blocks: words.map { .init(function: $0.function, address: $0.address, words: [$0.value]) })
        let decoded = total.decode(merged(image), parameters: parameters)
        let value = try #require(decoded.number, "\(profile.name)")
        // Half a count of the coarsest totaliser among them, or a float's step.
        #expect(abs(value - 12_345) <= max(model.resolution.litres, 1), "\(profile.name) gives \(value)")
    }

    /// Joins neighbouring words into blocks, as a read brings them.
    private func merged(_ image: RegisterImage) -> RegisterImage {
        var blocks: [RegisterImage.Block] = []
        for block in image.blocks.sorted(by: { ($0.function, $0.address) < ($1.function, $1.address) }) {
            if let last = blocks.last, last.function == block.function, Int(last.address) + last.words.count == Int(block.address) {
                blocks[blocks.count - 1].words += block.words
            } else {
                blocks.append(block)
            }
        }
        return RegisterImage(blocks: blocks)
    }

    @Test func `an error is told with its file, line, key and fix`() throws {
        let text = """
            id: broken
            title: {zh-Hans: 坏, en: broken}
            address_base: 0
            trust: structural
            resolution_litres: 1
            pionts: []
            points:
              - {id: volume_total, role: volume_total, address: 0, type: uint32, unit: m3}
            """
        let issues = ProfileReader.read(text, file: "broken.yaml").issues
        let unknown = try #require(issues.first { $0.key == "pionts" })
        #expect(unknown.line == 6 && unknown.file == "broken.yaml" && unknown.fix.english.contains("points"))
        #expect(issues.contains { $0.problem.english.contains("order") && $0.line == 8 })
    }

    @Test func `an empty pipe makes the totaliser bad, and a status that did not arrive makes it suspect`() throws {
        let text = """
            id: judged
            title: {zh-Hans: 有状态, en: judged}
            address_base: 0
            trust: structural
            resolution_litres: 1
            points:
              - {id: volume_total, role: volume_total, address: 0, type: uint32, order: ABCD, unit: L}
              - {id: status, role: status, address: 10, type: bits16, bits: {3: {name: empty_pipe, bad: [volume_total]}}}
            """
        let profile = try #require(ProfileReader.read(text, file: "judged.yaml").profile)
        let decoder = MeterDecoder(profile: profile)
        var civil = CivilClock(zone: .gmt)
        func quality(_ blocks: [RegisterImage.Block]) -> Quality? {
            decoder.readings(of: "m", in: RegisterImage(blocks: blocks), at: WallTime(unixSeconds: 0), civil: &civil)
                .first { $0.point == "volume_total" }?.quality
        }
        let total = RegisterImage.Block(function: 3, address: 0, words: [0, 500])
        #expect(quality([total, .init(function: 3, address: 10, words: [0])]) == .good)
        #expect(quality([total, .init(function: 3, address: 10, words: [8])]) == .bad)
        #expect(quality([total]) == .suspect)
        #expect(quality([]) == .missing)
    }
}
