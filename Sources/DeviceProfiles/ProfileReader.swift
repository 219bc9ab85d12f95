import Documents
import Phrasebook
import Telemetry

/// Reads a meter profile from YAML. Every fault is written down with its line; a profile with an error is not used.
public enum ProfileReader {
    /// Reads one profile.
    /// - Parameters:
    ///   - text: the file's contents
    ///   - file: its name, for messages
    /// - Returns: the profile, when no fault is an error, and all faults.
    public static func read(_ text: String, file: String) -> (profile: MeterProfile?, issues: [DocumentIssue]) {
        let root: DocumentNode
        do {
            root = try DocumentNode.parse(text, file: file)
        } catch {
            return (nil, error.issues)
        }
        let profile = meterProfile(root)
        let issues = root.log.issues + (profile.map { ProfileLint.check($0, file: file) } ?? [])
        return (issues.contains { $0.severity == .error } ? nil : profile, issues)
    }

    private static func meterProfile(_ root: DocumentNode) -> MeterProfile? {
        _ = root.string("kind")
        guard let id = root.identifier("id", ProfileID.self) else {
            root.finish()
            return nil
        }
        let function = UInt8(root.integer("function", in: 3...4) ?? 3)
        let base = root.integer("address_base", in: 0...1, required: true) ?? 0
        let context = FieldContext(function: function, base: base)
        var profile = MeterProfile(
            id: id, title: localized(root.child("title"), in: root, key: "title"),
            manufacturer: root.string("manufacturer") ?? "", models: root.strings("models"),
            document: root.string("document") ?? "", firmwareNote: root.string("firmware_note"),
            trust: root.choice("trust", TrustRung.self, required: true) ?? .structural,
            serial: serial(root.child("serial")), addressBase: base,
            reading: reading(root, context), timing: timing(root.child("timing")),
            resolution: Volume(litres: root.number("resolution_litres", in: 0.001...1_000_000, required: true) ?? 1) ?? .litres(1),
            rollover: root.number("rollover_litres", in: 1...1e12).flatMap { Volume(litres: $0) },
            points: [], histories: [], fingerprint: [], danger: [], golden: [],
            requirements: root.child("requirements").map { localized($0, in: root, key: "requirements") })
        profile.points = root.list("points").compactMap { PointReader.point($0, context) }
        profile.histories = root.list("history").compactMap { PointReader.history($0, context) }
        profile.fingerprint = root.list("fingerprint").compactMap { PointReader.fingerprint($0, context) }
        profile.danger = root.list("danger").compactMap { danger($0, context) }
        profile.golden = root.list("golden").compactMap(golden)
        root.finish()
        return profile
    }

    static func localized(_ node: DocumentNode?, in parent: DocumentNode, key: String) -> LocalizedText {
        guard let node else {
            parent.report(.said("缺少`\(key)`", "`\(key)` is missing"), fix: .said("加上`\(key): {zh-Hans: …, en: …}`", "add `\(key): {zh-Hans: …, en: …}`"))
            return LocalizedText(chinese: "", english: "")
        }
        defer { node.finish() }
        return LocalizedText(
            chinese: node.string("zh-Hans", required: true) ?? "", english: node.string("en", required: true) ?? "")
    }

    private static func serial(_ node: DocumentNode?) -> SerialDefaults? {
        guard let node else { return nil }
        defer { node.finish() }
        return SerialDefaults(
            baud: node.integer("baud", in: 300...921_600) ?? 9600, parity: node.choice("parity") ?? .none,
            stopBits: node.integer("stop_bits", in: 1...2) ?? 1)
    }

    private static func timing(_ node: DocumentNode?) -> DeviceTiming {
        guard let node else { return DeviceTiming() }
        defer { node.finish() }
        return DeviceTiming(
            turnaround: node.interval("turnaround"), pauseAfterConnect: node.interval("pause_after_connect") ?? .zero,
            retries: node.integer("retries", in: 0...10) ?? 2, discardFirst: node.flag("discard_first") ?? false,
            sleepsAfter: node.interval("sleep_after"))
    }

    private static func reading(_ root: DocumentNode, _ context: FieldContext) -> ReadingRules {
        let blocks = root.list("blocks").compactMap { node -> ReadRequest? in
            defer { node.finish() }
            guard let address = context.wireAddress(node),
                let count = node.integer("count", in: 1...125, required: true)
            else { return nil }
            let function = UInt8(node.integer("function", in: 3...4) ?? Int(context.function))
            return ReadRequest(function: function, address: address, count: count)
        }
        return ReadingRules(
            mostRegisters: root.integer("max_registers_per_read", in: 1...125) ?? 125,
            coalesces: root.flag("coalesce") ?? true, largestGap: root.integer("largest_gap", in: 0...124),
            fixedBlocks: blocks)
    }

    private static func danger(_ node: DocumentNode, _ context: FieldContext) -> DangerousRegisters? {
        defer { node.finish() }
        let why = node.string("why", required: true) ?? ""
        guard let address = context.wireAddress(node) else { return nil }
        return DangerousRegisters(address: address, count: node.integer("count", in: 1...65_536) ?? 1, why: why)
    }

    private static func golden(_ node: DocumentNode) -> GoldenFrame? {
        defer { node.finish() }
        func bytes(_ key: String) -> [UInt8]? {
            guard let text = node.string(key, required: true) else { return nil }
            do {
                return try ModbusFrame.bytes(hex: text)
            } catch {
                node.child(key)?.report(error.text, fix: .said("把帧写成十六进制字节", "write the frame as hexadecimal bytes"))
                return nil
            }
        }
        var expected: [String: Double] = [:]
        var texts: [String: String] = [:]
        for (key, value) in node.child("expect")?.entries() ?? [] {
            guard let text = value.scalarText() else { continue }
            if let number = Double(text) { expected[key] = number } else { texts[key] = text }
        }
        let isReal = node.flag("real") ?? false
        let source = node.string("source", required: true) ?? ""
        guard let request = bytes("request"), let response = bytes("response") else { return nil }
        return GoldenFrame(
            request: request, response: response, expected: expected, expectedTexts: texts, isReal: isReal,
            source: source, line: node.line)
    }
}

/// What fields inherit from their profile.
struct FieldContext {
    var function: UInt8
    var base: Int

    /// The wire address of a node's `address`, which is written as the manual numbers it.
    func wireAddress(_ node: DocumentNode) -> UInt16? {
        guard let number = node.integer("address", in: base...65_535 + base, required: true) else { return nil }
        return UInt16(number - base)
    }
}
