import ArgumentParser
import DeviceProfiles
import Documents
import Fieldbus
import Foundation
import Gateway
import Telemetry
import Watchkeeping

/// `wellward meter`
struct MeterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "meter", abstract: Spoken.say("读一只水表。", "Read one meter."),
        discussion: Spoken.examples("wellward meter read --bus tcp://127.0.0.1:1502 --unit 17 --profile tuf-2000m"), subcommands: [Read.self, Watch.self])

    /// What both commands need.
    struct Target: ParsableArguments {
        @Option(
            help: .said(
                "总线地址：tcp://HOST:PORT、rtu:///dev/ttyUSB0?baud=9600&parity=none&stop_bits=1或rtu-over-tcp://HOST:PORT",
                "tcp://HOST:PORT, rtu:///dev/ttyUSB0?baud=9600&parity=none&stop_bits=1 or rtu-over-tcp://HOST:PORT")) var bus: String
        @Option(parsing: .unconditional, help: .said("从站地址，1到247。", "The unit address, 1 to 247.")) var unit: Int
        @Option(help: .said("设备档案：编号或文件。", "The device profile: its id, or a file.")) var profile: String
        @Option(help: .said("档案留给现场决定的参数：key=value，可写多个。", "What the profile leaves to the installation: key=value, several allowed.")) var parameter:
            [String] = []
        @Option(help: .said("等应答多久，如500ms。", "How long to wait for an answer, such as 500ms.")) var timeout = "1s"
        @Option(help: .said("输出格式：text、json或jsonl。", "text, json or jsonl.")) var format = OutputFormat.text

        func validate() throws {
            guard BusAddress(url: bus) != nil else {
                throw ValidationError(Spoken.say("--bus的`\(bus)`不是总线地址，应如tcp://127.0.0.1:502。", "--bus `\(bus)` is not a bus URL such as tcp://127.0.0.1:502."))
            }
            // Over TCP a gateway or a device may use the others.
            let isSerial = if case .tcp = BusAddress(url: bus) { false } else { true }
            guard isSerial ? (1...247).contains(unit) : (0...255).contains(unit) else {
                throw ValidationError(Spoken.say("--unit是1到247的数（TCP可用0到255）。", "--unit is a number from 1 to 247 (over TCP 0 to 255)."))
            }
            guard Interval(parsing: timeout) != nil else { throw ValidationError(Spoken.say("--timeout是时长，如500ms。", "--timeout is a duration such as 500ms.")) }
            for pair in parameter where !pair.contains("=") { throw ValidationError(Spoken.say("--parameter写成key=value。", "--parameter is key=value.")) }
        }

        func meterProfile() throws -> MeterProfile {
            let paths = profile.hasSuffix(".yaml") ? [profile] : try ProfileCommand.files([])
            for path in paths {
                let read = try ProfileCommand.read(path)
                if profile.hasSuffix(".yaml"), read.profile == nil { throw DocumentIssues(read.issues) }
                if let found = read.profile, profile.hasSuffix(".yaml") || found.id.rawValue == profile { return found }
            }
            throw CommandFault(
                Spoken.say("没有档案`\(profile)`；`wellward profile list`列出全部", "there is no profile `\(profile)`; `wellward profile list` names them all"))
        }
    }

    /// `wellward meter read`
    struct Read: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: Spoken.say("读一次：解码值、原始寄存器和质量。", "One reading, decoded, with raw words and quality."),
            discussion: Spoken.examples("wellward meter read --bus tcp://127.0.0.1:1502 --unit 17 --profile tuf-2000m"))
        @OptionGroup var target: Target

        func run() async throws {
            let reader = try MeterReader(target)
            let readings = await reader.read()
            reader.print(readings, format: target.format)
            if let notes = reader.lineNotes { FileHandle.standardError.write(Data("\(notes)\n".utf8)) }
            if let fault = reader.lastFault { throw CommandFault(fault) }
        }
    }

    /// `wellward meter watch`
    struct Watch: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: Spoken.say("持续读，直到按 Ctrl-C。", "The same, live, until interrupted."),
            discussion: Spoken.examples("wellward meter watch --bus rtu:///dev/ttyUSB0?baud=9600 --unit 17 --profile tuf-2000m --every 5s"))
        @OptionGroup var target: Target
        @Option(help: .said("多久读一次，如5s。", "How often, such as 5s.")) var every = "5s"

        func validate() throws {
            guard let interval = Interval(parsing: every), interval >= .seconds(1) else {
                throw ValidationError(Spoken.say("--every是一秒以上的时长。", "--every is a duration of a second or more."))
            }
        }

        func run() async throws {
            let reader = try MeterReader(target)
            while true {
                let readings = await reader.read()
                reader.print(readings, format: target.format == .json ? .jsonl : target.format)
                // Live, also into a file or a pipe.
                fflush(nil)
                if let notes = reader.lineNotes { FileHandle.standardError.write(Data("\(notes)\n".utf8)) }
                if let fault = reader.lastFault { FileHandle.standardError.write(Data("\(fault)\n".utf8)) }
                try await Task.sleep(for: .milliseconds(Interval(parsing: every)?.milliseconds ?? 5000))
            }
        }
    }
}

/// Reads one meter for the command line.
final class MeterReader {
    private let target: MeterCommand.Target
    private let bus: ModbusBus
    private let decoder: MeterDecoder
    private let plan: MeterPlan
    private var civil = CivilClock(zone: .current)
    private(set) var lastFault: String?
    /// What the line had to say beside the answer, for a technician.
    private(set) var lineNotes: String?

    init(_ target: MeterCommand.Target) throws {
        self.target = target
        let profile = try target.meterProfile()
        guard let address = BusAddress(url: target.bus) else { throw CommandFault(Spoken.say("`\(target.bus)`不是总线地址", "`\(target.bus)` is not a bus URL")) }
        let pairs = target.parameter.map { $0.split(separator: "=", maxSplits: 1).map(String.init) }.filter { $0.count == 2 }
        let parameters = InstanceParameters(Dictionary(pairs.map { ($0[0], $0[1]) }, uniquingKeysWith: { $1 }))
        decoder = MeterDecoder(profile: profile, parameters: parameters)
        bus = ModbusBus(address, responseTimeout: Interval(parsing: target.timeout) ?? .seconds(1))
        let cost = BusCost.network(turnaround: .milliseconds(20), betweenRequests: .zero)
        plan = MeterPlan(
            unit: UInt8(target.unit), requests: ReadPlanner.plan(decoder.wantedFields, rules: profile.reading, cost: cost),
            timing: profile.timing)
    }

    func read() async -> [Reading] {
        let answer = await bus.run(plan)
        lastFault = nil
        if let fault = answer.faults.first {
            let (address, count) = (fault.request.address, fault.request.count)
            let what = Spoken.say(
                "\(target.bus)从站\(target.unit)：从线上地址\(address)读\(count)个寄存器，\(fault.fault.text.chinese)。",
                "\(target.bus), unit \(target.unit): a read of \(count) registers at wire address \(address) failed: \(fault.fault). ")
            lastFault = what + fault.fault.advice
        }
        lineNotes = answer.notes.text.map { $0[Spoken.language] }
        return decoder.readings(of: "meter", in: answer.image, at: GatewayClock.systemWall(), civil: &civil)
    }

    func print(_ readings: [Reading], format: OutputFormat) {
        switch format {
        case .text:
            for reading in readings {
                let value = reading.value.map { "\($0) \(reading.unit)" } ?? "–"
                let raw = reading.raw.map { String($0, radix: 16, uppercase: true) }.map { String(repeating: "0", count: 4 - $0.count) + $0 }
                Swift.print("\(reading.point): \(value)  [\(reading.quality.rawValue)]  \(raw.joined(separator: " "))")
            }
        case .json: Swift.print("[\(readings.map(json).joined(separator: ","))]")
        case .jsonl: for reading in readings { Swift.print(json(reading)) }
        }
    }

    private struct Line: Encodable {
        var at: String
        var point: String
        var value: Double?
        var unit: String
        var quality: String
        var raw: [String]
        var device_at: String?

        /// What is not known is null, not left out.
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(at, forKey: .at)
            try container.encode(point, forKey: .point)
            try container.encode(value, forKey: .value)
            try container.encode(unit, forKey: .unit)
            try container.encode(quality, forKey: .quality)
            try container.encode(raw, forKey: .raw)
            try container.encode(device_at, forKey: .device_at)
        }

        enum CodingKeys: String, CodingKey { case at, point, value, unit, quality, raw, device_at }
    }

    private func json(_ reading: Reading) -> String {
        let raw = reading.raw.map { String($0, radix: 16, uppercase: true) }.map { String(repeating: "0", count: 4 - $0.count) + $0 }
        let line = Line(
            at: civil.rfc3339(reading.at), point: reading.point, value: reading.value, unit: reading.unit, quality: reading.quality.rawValue,
            raw: raw, device_at: reading.deviceAt.map { civil.rfc3339($0) })
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(line)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}
