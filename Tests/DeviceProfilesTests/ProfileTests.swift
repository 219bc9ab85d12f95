import DeviceProfiles
import Foundation
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
