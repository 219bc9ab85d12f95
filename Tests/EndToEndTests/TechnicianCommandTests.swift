import DeviceProfiles
import Foundation
import Simulation
import Telemetry
import TestSupport
import Testing

/// What a technician with an unknown meter types, through the built program.
@Suite struct TechnicianCommandTests {
    /// Runs the program to its end.
    static func run(_ arguments: [String], in folder: String = ShippedProfiles.root.path, language: String = "en_US.UTF-8") throws -> (
        code: Int32, out: String, err: String
    ) {
        let process = Process()
        process.executableURL = RunningGateway.program
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.environment = ProcessInfo.processInfo.environment.merging(["LANG": language]) { $1 }
        let (out, err) = (Pipe(), Pipe())
        process.standardOutput = out
        process.standardError = err
        try process.run()
        let text = String(decoding: out.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let faults = String(decoding: err.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, text, faults)
    }

    /// Runs any program: its path, then its arguments.
    static func shell(_ words: [String]) throws -> (code: Int32, out: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: words[0])
        process.arguments = Array(words.dropFirst())
        let out = Pipe()
        process.standardOutput = out
        try process.run()
        let text = String(decoding: out.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, text)
    }

    static func lines(_ text: String) -> [[String: Any]] {
        text.split(separator: "\n").compactMap { try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
    }

    @Test func `a scan names what its fingerprint names, calls the rest unknown with the nearest, and goes on where it stopped`() throws {
        let known = try #require(ShippedProfiles.model("tuf-2000m"))
        let plain = try #require(ShippedProfiles.model("bove-ultrasonic"))
        let now = WallTime(unixSeconds: 1_700_006_400)
        let meters = [(UInt8(3), known), (UInt8(9), plain)].map { unit, profile in
            SimulatedMeter(unit: unit, profile: profile, civil: CivilClock(zone: .gmt), now: { now }, volume: { _ in .litres(43_210) })
        }
        let line = try SimulatedLine(.tcp(port: 0), meters: meters)
        defer { line.stop() }
        let state = FileManager.default.temporaryDirectory.appendingPathComponent("wellward-scan-\(UUID().uuidString).jsonl").path
        defer { try? FileManager.default.removeItem(atPath: state) }
        let command = [
            "bus", "scan", "--bus", "tcp://127.0.0.1:\(line.port)", "--timeout", "40ms", "--pause", "0ms", "--tries", "1", "--resume", state, "--format",
            "jsonl",
        ]
        let first = try Self.run(command + ["--units", "1-4"])
        #expect(first.code == 0, "\(first.err)")
        #expect(Self.lines(first.out).map { $0["profile"] as? String } == ["tuf-2000m"])
        let asked = line.requestCount
        let second = try Self.run(command + ["--units", "1-10"])
        let found = Self.lines(second.out)
        #expect(found.map { $0["unit"] as? Int } == [3, 9])
        #expect(found.last?["profile"] == nil)
        #expect((found.last?["nearest"] as? [[String: Any]])?.isEmpty == false)
        // The four addresses done before were not asked again: two were silent, the others' reads would double.
        #expect(line.requestCount - asked < asked * 3)
        let sheet = try Self.run(Array(command.dropLast()) + ["html", "--units", "1-10"])
        #expect(sheet.out.contains("tuf-2000m") && sheet.out.contains("验收单"))
    }

    @Test func `solve reads a live meter, writes a draft that lints, and says when it cannot decide`() throws {
        let profile = try #require(ShippedProfiles.model("bove-ultrasonic"))
        let now = WallTime(unixSeconds: 1_700_006_400)
        let meter = SimulatedMeter(unit: 5, profile: profile, civil: CivilClock(zone: .gmt), now: { now }, volume: { _ in .litres(7_654_321) })
        let line = try SimulatedLine(.tcp(port: 0), meters: [meter])
        defer { line.stop() }
        let field = try #require(profile.volumeTotal?.fields.first)
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("wellward-solve-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let draft = "\(folder)/draft.yaml"
        let solved = try Self.run([
            "profile", "solve", "--bus", "tcp://127.0.0.1:\(line.port)", "--unit", "5", "--function", "\(field.function)", "--start",
            "\(max(0, Int(field.address) - 4))",
            "--count", "16", "--display", "7654.321m3", "--write", draft,
        ])
        #expect(solved.code == 0 && solved.out.contains("Decided"), "\(solved.out)\(solved.err)")
        let lint = try Self.run(["profile", "lint", draft])
        #expect(lint.code == 0, "\(lint.out)")
        let text = try String(contentsOfFile: draft, encoding: .utf8)
        #expect(text.contains("address: \(field.address)") && text.contains("order: \(field.order?.description ?? "?")"), "\(text)")

        // 12.345 in the low word, nothing above it: 16 or 32 bits.
        let frame = ModbusFrame.encodeResponse(unit: 1, function: 3, words: [0x5151, 0, 12_345, 0x7171])
        let hex = frame.map { String(format: "%02X", $0) }.joined(separator: " ")
        let open = try Self.run(["profile", "solve", "--from-frame", hex, "--display", "12.345m3"])
        #expect(open.code == 0 && open.out.contains("Not decidable") && open.out.contains("Read again"))
        let broken = try Self.run(["profile", "solve", "--from-frame", hex.replacingOccurrences(of: "71 71", with: "71 72"), "--display", "12.345m3"])
        #expect(broken.code == 1 && broken.err.contains("CRC"))
    }

    @Test func `the catalogue is made in both languages and names every shipped profile`() throws {
        for language in ["zh", "en"] {
            let page = try Self.run(["profile", "docs", "--language", language])
            #expect(page.code == 0)
            for entry in ShippedProfiles.all { #expect(page.out.contains("## \(entry.name.dropLast(5))")) }
        }
        let schema = try Self.run(["profile", "schema"])
        #expect((try? JSONSerialization.jsonObject(with: Data(schema.out.utf8))) is [String: Any])
    }
}

@Suite struct SpokenCommandTests {
    @Test func `help speaks the language of LANG`() throws {
        let chinese = try TechnicianCommandTests.run(["--help"], language: "zh_CN.UTF-8")
        let english = try TechnicianCommandTests.run(["--help"])
        #expect(chinese.out.contains("凭水表看护独居的人") && chinese.out.contains("运行网关"))
        #expect(english.out.contains("Run the gateway.") && !english.out.contains("运行网关"))
    }
}
