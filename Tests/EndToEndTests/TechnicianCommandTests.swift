import DeviceProfiles
import Foundation
import ScriptedPeers
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
        process.environment = ProcessInfo.processInfo.environment.merging(["LANG": language, "LC_ALL": language]) { $1 }
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
        #expect(found.last?["profile"] is NSNull)
        #expect((found.last?["nearest"] as? [[String: Any]])?.isEmpty == false)
        // The four addresses done before were not asked again: two were silent, the others' reads would double.
        #expect(line.requestCount - asked < asked * 3)
        let sheet = try Self.run(Array(command.dropLast()) + ["html", "--units", "1-10"])
        #expect(sheet.out.contains("tuf-2000m") && sheet.out.contains("验收单"))
    }

    /// What `bus scan` of units 1 to 21 finds behind a peer.
    static func scan(_ answer: @escaping @Sendable (ScriptedGateway.Read) -> ScriptedGateway.Reply) throws -> (units: [Int], out: String, err: String) {
        let gateway = try ScriptedGateway(answer)
        defer { gateway.stop() }
        let command = ["bus", "scan", "--bus", "tcp://127.0.0.1:\(gateway.port)", "--timeout", "300ms", "--pause", "0ms", "--tries", "1", "--units", "1-21"]
        let json = try run(command + ["--format", "jsonl"])
        #expect(json.code == 0, "\(json.err)")
        let text = try run(command)
        return (lines(json.out).compactMap { $0["unit"] as? Int }, text.out, text.err)
    }

    @Test(arguments: [10, 11, 4] as [UInt8]) func `a scan behind a gateway finds those who answer, not those it answers for`(code: UInt8) throws {
        let found = try Self.scan { $0.unit == 5 || $0.unit == 9 ? .words([7, 8]) : .exception(code) }
        #expect(found.units == [5, 9] && found.out.contains("2 meters answered."), "\(found)")
        let none = try Self.scan { _ in .exception(code) }
        #expect(none.units.isEmpty && none.out.contains("0 meters answered."), "\(none)")
    }

    @Test func `a device that does not care for the unit address is found once, and the scan says so`() throws {
        let same = try Self.scan { .words([1, 2, UInt16($0.address)]) }
        #expect(same.units == [1] && same.out.contains("one device"), "\(same)")
        let named = try Self.scan { .otherUnit(1, [1, 2, UInt16($0.address)]) }
        #expect(named.units == [1] && named.err.contains("another address"), "\(named)")
    }

    /// Words that once ended in a crash, or in a sentence about something else.
    @Test(arguments: [
        (["meter", "read", "--bus", "rtu:///dev/ttyUSB0?baud=3000000000", "--unit", "1", "--profile", "tuf-2000m"], 2, "is not a bus URL"),
        (["meter", "read", "--bus", "tcp://[::1]:1", "--unit", "1", "--profile", "tuf-2000m", "--timeout", "300ms"], 1, "tcp://[::1]:1"),
        (["meter", "read", "--bus", "tcp://127.0.0.1:1", "--unit", "-1", "--profile", "tuf-2000m"], 2, "--unit is a number"),
        (["meter", "read", "--bus", "tcp://127.0.0.1:1", "--unit", "99999999999999999999", "--profile", "tuf-2000m"], 2, "--unit"),
        (["bus", "scan", "--bus", "rtu:///dev/none", "--bauds", "3000000000"], 2, "--bauds is a list"),
        (["bus", "scan", "--bus", "tcp://127.0.0.1:1", "--units", "1-9223372036854775807"], 2, "--units is a list"),
        (["bus", "scan", "--bus", "tcp://127.0.0.1:1", "--units", "-5"], 2, "--units is a list"),
        (["profile", "solve", "--bus", "rtu:///dev/none?baud=-1", "--display", "1m3"], 2, "is not a bus URL"),
        (["profile", "solve", "--from-frame", "01 03 04 E2 40 00 01 0C 5F", "--start", "-8", "--display", "1m3"], 2, "--start 0 to 65535"),
        (["profile", "solve", "--from-frame", "01 03 04 E2 40 00 01 0C 5F", "--display", "-"], 1, "`-` is not understood"),
        (["backtest", "none.csv", "--resolution-litres", "-12.5"], 1, "--resolution-litres takes litres"),
        (["evaluate", "--days", "9223372036854775807"], 1, "--days 60 to 3660"), (["evaluate", "--homes", "-3"], 1, "--homes is 1 to 10000"),
        (["rehearse", "--days", "9223372036854775807", "--seeds", "9223372036854775807"], 2, "--days is 1 to 3660"),
        (["rehearse", "--intensity", "-1e400"], 2, "--intensity"), (["demo", "--port", "-80"], 2, "--port is a number"),
        (["demo", "--speed", "nan"], 2, "--speed is a number"),
    ]) func `a number that cannot be ends in a sentence`(words: [String], code: Int32, told: String) throws {
        let done = try Self.run(words)
        #expect(done.code == code && done.err.contains(told), "\(words): \(done.code) \(done.err)")
    }

    @Test func `what a display shows below zero is a value`() throws {
        // -12.5 as a binary32 in two registers.
        let frame = ModbusFrame.encodeResponse(unit: 1, function: 3, words: [0xC148, 0x0000])
        let hex = frame.map { String(format: "%02X", $0) }.joined(separator: " ")
        for display in [["--display", "-12.5m3/h"], ["--display=-12.5m3/h"], ["--display", "-12.5"]] {
            let done = try Self.run(["profile", "solve", "--from-frame", hex] + display)
            #expect(done.code == 0 && done.out.contains("float32") && done.out.contains("-12.5"), "\(done)")
        }
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

    /// The words after `SUBCOMMANDS:` of a help page.
    private func subcommands(_ page: String, after heading: String) -> [String] {
        guard let start = page.range(of: "\(heading)\n") else { return [] }
        let lines = page[start.upperBound...].split(separator: "\n", omittingEmptySubsequences: false).prefix { !$0.isEmpty }
        // Every command stands two columns in; what follows further in belongs to the one above.
        return lines.filter { !$0.hasPrefix("   ") }.compactMap { $0.split(separator: " ").first.map(String.init) }
    }

    @Test func `every command explains itself in both languages, each option with it, with an example to copy`() throws {
        let isChinese = /\p{Han}/
        var waiting: [[String]] = [[]]
        var commands = 0
        while let path = waiting.popLast() {
            let chinese = try TechnicianCommandTests.run(path + ["--help"], language: "zh_CN.UTF-8")
            let english = try TechnicianCommandTests.run(path + ["--help"])
            #expect(chinese.code == 0 && english.code == 0, "\(path)")
            for word in ["OVERVIEW", "USAGE", "OPTIONS", "ARGUMENTS", "Show "] { #expect(!chinese.out.contains(word), "\(path): \(word)") }
            let below = subcommands(chinese.out, after: "子命令：")
            #expect(below == subcommands(english.out, after: "SUBCOMMANDS:"), "\(path)")
            waiting += below.map { path + [$0] }
            commands += 1
            #expect(!english.out.contains(isChinese), "\(path)")
            if !path.isEmpty { #expect(chinese.out.contains("例：") && english.out.contains("Example"), "\(path) shows no example") }
            // An option and what it means, which may begin on the next line.
            let body = chinese.out.replacing(/\n {20,}/, with: " ")
            for line in body.split(separator: "\n") where line.firstMatch(of: /^ {2}(--|<|-h)/) != nil {
                #expect(line.contains(isChinese), "\(path): \(line)")
            }
        }
        #expect(commands > 40)
    }

    @Test(arguments: [
        (["backtest"], "缺少参数"), (["backtest", "x.csv", "--nonsense"], "没有'--nonsense'这个选项"), (["nonsense"], "多出了"),
        (["backtest", "x.csv", "--format", "foo"], "可以是'text', 'json'或'jsonl'"), (["run", "--config"], "没有写值"),
        (["meter", "read", "--bus", "foo", "--unit", "1", "--profile", "a"], "不是总线地址"), (["rehearse", "--days", "x"], "不能是'x'"),
        (["user", "add", "--role", "king", "n"], "可以是：\n  - technician"), (["config", "check", "a", "b"], "多出了"),
    ]) func `a wrong word on the command line is told in Chinese, and ends with 2`(words: [String], told: String) throws {
        let answer = try TechnicianCommandTests.run(words, language: "zh_CN.UTF-8")
        #expect(answer.code == 2)
        #expect(answer.err.hasPrefix("错误：") && answer.err.contains(told) && answer.err.contains("用法："), "\(answer.err)")
        #expect(!answer.err.contains("Error") && !answer.err.contains("Usage"))
        #expect(try TechnicianCommandTests.run(words).err.hasPrefix("Error: "))
    }

    @Test func `elevator profiles are in the library: listed, shown, linted by their own rules, and in the catalogue`() throws {
        #expect(try TechnicianCommandTests.run(["profile", "list"]).out.contains("door-blocking-board"))
        let shown = try TechnicianCommandTests.run(["profile", "show", "door-blocking-board"])
        #expect(shown.code == 0 && shown.out.contains("never asked to hold") && shown.out.contains("board/{elevator}/elenet/inbox"))
        let lint = try TechnicianCommandTests.run(["profile", "lint", "DeviceProfiles/elevators"])
        #expect(lint.code == 0 && !lint.out.contains("volume_total"), "\(lint.out)")
        #expect(try TechnicianCommandTests.run(["profile", "docs", "--language", "en"]).out.contains("| gbt24476-numeric |"))
    }

    @Test func `a bus that is not there is an error with what to do, not a bus without meters`() throws {
        let scan = try TechnicianCommandTests.run(["bus", "scan", "--bus", "tcp://127.0.0.1:1", "--units", "1-3"])
        #expect(scan.code == 1 && scan.err.contains("not connected") && scan.err.contains("Check the address") && scan.out.isEmpty)
    }

    @Test func `the help's own example of solve works`() throws {
        let help = try TechnicianCommandTests.run(["profile", "solve", "--help"]).out
        let example = try #require(help.split(separator: "\n").first { $0.contains("--from-frame \"") && $0.contains("wellward") })
        let frame = try #require(example.split(separator: "\"").dropFirst().first)
        let solved = try TechnicianCommandTests.run(["profile", "solve", "--from-frame", String(frame), "--start", "8", "--display", "123.456m3"])
        #expect(solved.code == 0 && solved.out.contains("123.456"), "\(solved.err)")
    }

    @Test(arguments: [["profile", "list"], ["profile", "show", "emdcb"], ["profile", "test"], ["profile", "lint"]])
    func `what a command prints as text it prints as JSON too, one value or one a line`(words: [String]) throws {
        let json = try TechnicianCommandTests.run(words + ["--format", "json"])
        let whole = try JSONSerialization.jsonObject(with: Data(json.out.utf8), options: .fragmentsAllowed)
        let lines = try TechnicianCommandTests.run(words + ["--format", "jsonl"]).out.split(separator: "\n")
        let each = try lines.map { try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? NSDictionary) }
        #expect(!each.isEmpty && json.code == 0)
        let all = (whole as? [NSDictionary]) ?? (whole as? NSDictionary).map { [$0] }
        #expect(all == each)
        #expect(try !TechnicianCommandTests.run(words).out.hasPrefix("{"))
    }

    @Test func `what is wrong with a configuration is told in the language of LANG, as text and as JSON`() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("spoken-\(UUID().uuidString).yaml")
        try Data("site: {id: x}\nmeterz: []\n".utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let chinese = try TechnicianCommandTests.run(["config", "check", file.path], language: "zh_CN.UTF-8")
        #expect(chinese.code == 1 && chinese.err.contains(":2: meterz: 错误：没有`meterz`这个键；是不是`meters`？"), "\(chinese.err)")
        let english = try TechnicianCommandTests.run(["config", "check", file.path])
        #expect(english.code == 1 && english.err.contains(":2: meterz: error: unknown key `meterz`; did you mean `meters`?"), "\(english.err)")
        let json = try TechnicianCommandTests.run(["config", "check", file.path, "--format", "json"], language: "zh_CN.UTF-8")
        #expect(json.out.contains(#""problem":"没有`meterz`这个键""#) && json.out.contains(#""fix":"是不是`meters`？""#), "\(json.out)")
    }
}
