import ArgumentParser
import DeviceProfiles
import Fieldbus
import Foundation
import Telemetry

/// `wellward bus`
struct BusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bus", abstract: Spoken.say("查看整条总线。", "Look at a whole bus."),
        discussion: Spoken.examples("wellward bus scan --bus tcp://10.0.0.7:502 --units 1-32"), subcommands: [Scan.self])

    /// `wellward bus scan`
    struct Scan: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: Spoken.say("只读扫描一条总线，找出并认出水表。", "Find the meters on a bus, read-only, and name them."),
            discussion: Spoken.say(
                "向每个从站地址问一个寄存器；有应答的，按每个档案的读法读一遍，凭特征叫出名字，认不出的写`unknown`和最像的档案。什么都不写入。--resume FILE记下进度，扫描中断后从断处接着来。",
                """
                Asks every unit address for one register; whoever answers is read as each profile would read it, and named by its \
                fingerprint, or `unknown` with the nearest profiles. Nothing is written. --resume FILE keeps what was done, so that a \
                scan that was cut off goes on where it stopped.
                """)
                + "\n\n"
                + Spoken.examples(
                    "wellward bus scan --bus rtu:///dev/ttyUSB0 --bauds 9600,2400 --parities none,even --resume survey.jsonl",
                    "wellward bus scan --bus tcp://10.0.0.7:502 --units 1-32 --format html > acceptance.html"))

        @Option(
            help: .said("总线地址：tcp://HOST:PORT、rtu:///dev/ttyUSB0或rtu-over-tcp://HOST:PORT", "tcp://HOST:PORT, rtu:///dev/ttyUSB0 or rtu-over-tcp://HOST:PORT"))
        var bus: String
        @Option(parsing: .unconditional, help: .said("从站地址，如1-247或1,5,17-20。", "Unit addresses such as 1-247 or 1,5,17-20.")) var units = "1-247"
        @Option(parsing: .unconditional, help: .said("串口上要试的波特率，如9600,2400。", "Baud rates to try on a serial line, such as 9600,2400.")) var bauds: String?
        @Option(help: .said("串口上要试的校验：none,even,odd。", "Parities to try on a serial line: none,even,odd.")) var parities: String?
        @Option(help: .said("水表最多多久应答。", "How long a meter may take to answer.")) var timeout = "300ms"
        @Option(help: .said("两次询问之间歇多久，照顾慢的和电池供电的水表。", "Pause between two questions, for slow and battery meters.")) var pause = "20ms"
        @Option(parsing: .unconditional, help: .said("没有应答的地址问几次；电池表往往睡过第一次。", "How often a silent address is asked; battery meters sleep through the first."))
        var tries = 2
        @Option(help: .said("进度记在这个文件里，下次接着来。", "Keep progress in this file and go on from it.")) var resume: String?
        @Option(help: .said("输出格式：text、json、jsonl或html（可打印的验收单）。", "text, json, jsonl or html (a printable acceptance sheet).")) var format = Format.text

        /// How the survey is printed.
        enum Format: String, ExpressibleByArgument, CaseIterable { case text, json, jsonl, html }

        func validate() throws {
            guard BusAddress(url: bus) != nil else {
                throw ValidationError(Spoken.say("--bus的`\(bus)`不是总线地址，应如tcp://127.0.0.1:502。", "--bus `\(bus)` is not a bus URL such as tcp://127.0.0.1:502."))
            }
            guard Self.numbers(units).map({ !$0.isEmpty && $0.allSatisfy { (1...247).contains($0) } }) == true else {
                throw ValidationError(Spoken.say("--units是列表，如1-247或1,5,17-20。", "--units is a list such as 1-247 or 1,5,17-20."))
            }
            guard Interval(parsing: timeout) != nil, Interval(parsing: pause) != nil, (1...5).contains(tries) else {
                throw ValidationError(
                    Spoken.say("--timeout和--pause是时长，如300ms；--tries是1到5。", "--timeout and --pause are durations such as 300ms; --tries is 1 to 5."))
            }
            if let bauds, Self.numbers(bauds).map({ !$0.isEmpty && $0.allSatisfy(BusAddress.bauds.contains) }) != true {
                throw ValidationError(
                    Spoken.say("--bauds是50到4000000的列表，如9600,2400。", "--bauds is a list of numbers from 50 to 4000000, such as 9600,2400."))
            }
            if let parities, parities.split(separator: ",").contains(where: { Parity(rawValue: String($0)) == nil }) {
                throw ValidationError(Spoken.say("--parities是none、even、odd的列表。", "--parities is a list of none, even, odd."))
            }
        }

        /// One address under one line setting, done.
        struct Found: Codable {
            var line: String
            var unit: Int
            var answers: Bool
            var profile: String?
            var nearest: [Nearest] = []
            var readings: [Sample] = []
            /// The device answers whatever unit address is asked: it is one device, found once.
            var anyUnit: Bool?

            enum CodingKeys: String, CodingKey {
                case line, unit, answers, profile, nearest, readings
                case anyUnit = "any_unit"
            }

            struct Nearest: Codable {
                var profile: String
                var nearness: Double
            }

            struct Sample: Codable {
                var point: String
                var value: Double?
                var unit: String
                var quality: String

                /// What is not known is null, not left out.
                func encode(to encoder: any Encoder) throws {
                    var container = encoder.container(keyedBy: CodingKeys.self)
                    try container.encode(point, forKey: .point)
                    try container.encode(value, forKey: .value)
                    try container.encode(unit, forKey: .unit)
                    try container.encode(quality, forKey: .quality)
                }
            }

            /// What is not known is null, not left out.
            func encode(to encoder: any Encoder) throws {
                var container = encoder.container(keyedBy: CodingKeys.self)
                try container.encode(line, forKey: .line)
                try container.encode(unit, forKey: .unit)
                try container.encode(answers, forKey: .answers)
                try container.encode(profile, forKey: .profile)
                try container.encode(nearest, forKey: .nearest)
                try container.encode(readings, forKey: .readings)
                try container.encodeIfPresent(anyUnit, forKey: .anyUnit)
            }
        }

        func run() async throws {
            let profiles = try ProfileCommand.files([]).compactMap { try ProfileCommand.read($0).profile }
            let lines = try lines()
            let units = Self.numbers(units) ?? []
            var done = try resumed()
            var notes: [String] = []
            let progress = ProgressBar(total: lines.count * units.count)
            for (name, address) in lines {
                let bus = ModbusBus(
                    address, responseTimeout: Interval(parsing: timeout) ?? .milliseconds(300), betweenRequests: Interval(parsing: pause) ?? .zero)
                var line = ScannedLine(name: name, address: address, bus: bus, tries: tries)
                for unit in units {
                    let answering = done.count(where: \.answers)
                    progress.step(Spoken.say("从站\(unit)  已找到\(answering)只", "unit \(unit)  \(answering) found"))
                    guard !line.isOneDevice, !done.contains(where: { $0.line == name && $0.unit == unit }) else { continue }
                    let found = try await line.ask(unit, profiles)
                    if let found {
                        done.append(found)
                        try keep(found)
                    } else if let first = done.firstIndex(where: { $0.line == name && $0.answers }) {
                        done[first].anyUnit = true
                        try keep(done[first])
                    }
                }
                await bus.close()
                notes += line.notes
            }
            progress.end()
            for note in notes { InputTable.warn(note) }
            try print(done.filter(\.answers), profiles)
        }

        /// The reads that let every profile be compared, each once, no longer than the pickiest device takes.
        static func requests(_ profiles: [MeterProfile]) -> [ReadRequest] {
            var requests: Set<ReadRequest> = []
            for profile in profiles {
                requests.formUnion(
                    ReadPlanner.plan(profile.scanFields, rules: profile.reading, cost: .network(turnaround: .milliseconds(20), betweenRequests: .zero)))
            }
            return requests.sorted { ($0.function, $0.address, $0.count) < ($1.function, $1.address, $1.count) }
        }

        private func lines() throws -> [(String, BusAddress)] {
            guard let address = BusAddress(url: bus) else { throw CommandFault(Spoken.say("--bus的`\(bus)`不是总线地址", "--bus `\(bus)` is not a bus URL")) }
            guard case .rtu(let device, let baud, let parity, let stopBits) = address else { return [(bus, address)] }
            let bauds = self.bauds.flatMap(Self.numbers) ?? [baud]
            let parities = self.parities?.split(separator: ",").compactMap { Parity(rawValue: String($0)) } ?? [parity]
            return bauds.flatMap { baud in
                parities.map { parity in
                    (
                        "rtu://\(device)?baud=\(baud)&parity=\(parity.rawValue)&stop_bits=\(stopBits)",
                        BusAddress.rtu(device: device, baud: baud, parity: parity, stopBits: stopBits)
                    )
                }
            }
        }

        /// Numbers of a list with ranges; nil when it is none.
        static func numbers(_ text: String) -> [Int]? {
            var result: [Int] = []
            for part in text.split(separator: ",") {
                let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0.trimmingCharacters(in: .whitespaces)) }
                guard let first = ends.first ?? nil, ends.count <= 2, let last = ends.last ?? nil, first >= 0, first <= last,
                    last - first < 1000, result.count < 1000
                else { return nil }
                result += first...last
            }
            return result
        }

        private func resumed() throws -> [Found] {
            guard let resume, let text = try? String(contentsOfFile: resume, encoding: .utf8) else { return [] }
            // A line that was cut off is asked again.
            let lines = text.split(separator: "\n").compactMap { try? JSONDecoder().decode(Found.self, from: Data($0.utf8)) }
            // What was learnt of an address later stands instead of what was written first.
            return lines.enumerated().filter { item in
                !lines[(item.offset + 1)...].contains { $0.line == item.element.line && $0.unit == item.element.unit }
            }.map(\.element)
        }

        private func keep(_ found: Found) throws {
            guard let resume else { return }
            let line = Data((Self.json(found) + "\n").utf8)
            if !FileManager.default.fileExists(atPath: resume) { _ = FileManager.default.createFile(atPath: resume, contents: nil) }
            guard let file = FileHandle(forWritingAtPath: resume) else { throw CommandFault(Spoken.say("\(resume)写不了", "\(resume) cannot be written")) }
            try file.seekToEnd()
            try file.write(contentsOf: line)
            try file.close()
        }

        private static func json(_ value: some Encodable) -> String {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
        }

        private func print(_ found: [Found], _ profiles: [MeterProfile]) throws {
            switch format {
            case .json: Swift.print(Self.json(found))
            case .jsonl: for item in found { Swift.print(Self.json(item)) }
            case .html: Swift.print(AcceptanceSheet(bus: bus, found: found, profiles: profiles).html)
            case .text:
                for item in found {
                    let near = item.nearest.map { "\($0.profile) \(Int((max(0, min(1, $0.nearness)) * 100).rounded())) %" }.joined(separator: ", ")
                    let nearest = near.isEmpty ? Spoken.say("没有", "none") : near
                    var name = item.profile ?? Spoken.say("unknown，最像的：\(nearest)", "unknown; nearest \(nearest)")
                    if item.anyUnit == true {
                        name += Spoken.say("（不管问哪个从站地址都应答：这是一台设备）", " (one device: it answers at every unit address)")
                    }
                    Swift.print(Spoken.say("\(item.line) 从站\(item.unit)：\(name)", "\(item.line) unit \(item.unit): \(name)"))
                    for sample in item.readings.prefix(6) {
                        Swift.print("    \(sample.point): \(sample.value.map { "\($0) \(sample.unit)" } ?? "–") [\(sample.quality)]")
                    }
                }
                let meters = found.count == 1 ? "1 meter answered." : "\(found.count) meters answered."
                Swift.print(Spoken.say("\(found.count)只水表有应答。", meters))
            }
        }
    }
}

/// A page to print and take along: each meter with its reading, room for the display's number, and signatures.
struct AcceptanceSheet {
    let bus: String
    let found: [BusCommand.Scan.Found]
    let profiles: [MeterProfile]

    private func escape(_ text: String) -> String {
        text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;").replacingOccurrences(of: "\"", with: "&quot;")
    }

    var html: String {
        let rows = found.map { item -> String in
            let total = profiles.first { $0.id.rawValue == item.profile ?? item.nearest.first?.profile }?.volumeTotal?.id
            let sample = item.readings.first { $0.point == total } ?? item.readings.first
            let reading = sample?.value.map { "\($0) \(sample?.unit ?? "")" } ?? "–"
            let name = item.profile ?? "unknown / 未识别" + (item.nearest.first.map { " (≈ \($0.profile))" } ?? "")
            return
                "<tr><td>\(item.unit)</td><td>\(escape(item.line))</td><td>\(escape(name))</td><td>\(escape(reading))</td><td></td><td>☐ 一致 same<br>☐ 不一致 differs</td><td></td></tr>"
        }
        return """
            <!doctype html><html lang="zh-Hans"><head><meta charset="utf-8"><title>水表验收单 · Acceptance sheet</title><style>
            body{font:15px/1.5 system-ui,"PingFang SC","Noto Sans CJK SC",sans-serif;margin:1.5rem}table{border-collapse:collapse;width:100%}th,td{border:1px solid #888;padding:.4rem .6rem;text-align:left;vertical-align:top}
            td:nth-child(5),td:nth-child(7){min-width:8rem}.sign{display:flex;gap:3rem;margin-top:2.5rem}.sign div{border-top:1px solid #333;flex:1;padding-top:.3rem}
            </style></head><body><h1>水表验收单 · Acceptance sheet</h1><p>\(escape(bus)) · \(found.count) 只表应答 · meters answered</p>
            <table><thead><tr><th>地址<br>Unit</th><th>线路<br>Line</th><th>型号<br>Profile</th><th>远程读数<br>Reading</th><th>表盘读数<br>Display</th><th>核对<br>Compare</th><th>住户/备注<br>Home, note</th></tr></thead>
            <tbody>\(rows.joined(separator: "\n"))</tbody></table>
            <div class="sign"><div>安装人员 · Technician</div><div>居委会 · Committee</div><div>日期 · Date</div></div></body></html>
            """
    }
}
