import ArgumentParser
import DeviceProfiles
import Fieldbus
import Foundation
import Telemetry

/// `wellward profile solve`
struct ProfileSolve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "solve",
        abstract: Spoken.say("凭一次读取和表盘读数，找出地址、字序、类型和倍率。", "Find address, order, type and scale from one read and what the display shows."),
        discussion: Spoken.say(
            "只读一次寄存器，不写入；或者用录下的应答。请写全表盘上的所有数字，能写几个就写几个。",
            """
            Reads the registers once, read-only, or takes a recorded answer. Give what the display shows with all its digits, several if you can.
            """)
            + "\n\n"
            + Spoken.examples(
                "wellward profile solve --bus rtu:///dev/ttyUSB0?baud=9600 --unit 17 --start 0 --count 60 --display 123.456m3 --display flow=0.42m3/h",
                #"wellward profile solve --from-frame "01 03 04 E2 40 00 01 0C 5F" --start 8 --display 123.456m3 --write my-meter.yaml"#))

    @Option(
        help: .said(
            "总线地址：tcp://HOST:PORT、rtu:///dev/ttyUSB0?baud=9600或rtu-over-tcp://HOST:PORT",
            "tcp://HOST:PORT, rtu:///dev/ttyUSB0?baud=9600 or rtu-over-tcp://HOST:PORT")) var bus: String?
    @Option(parsing: .unconditional, help: .said("从站地址，1到247。", "The unit address, 1 to 247.")) var unit = 1
    @Option(parsing: .unconditional, help: .said("第一个寄存器的线上地址，从0数。", "The wire address of the first register, counted from 0.")) var start = 0
    @Option(parsing: .unconditional, help: .said("读多少个寄存器，1到125。", "How many registers, 1 to 125.")) var count = 60
    @Option(parsing: .unconditional, help: .said("3是保持寄存器，4是输入寄存器。", "3 holding registers, 4 input registers.")) var function = 3
    @Option(help: .said("不读总线，直接给一帧RTU应答的十六进制，含CRC。", "An RTU answer as hexadecimal bytes, CRC included, instead of a read.")) var fromFrame: String?
    @Option(
        parsing: .unconditionalSingleValue,
        help: .said(
            "表盘上显示什么：123.456m3、flow=0.42m3/h、serial=21040017，可写多个。", "What the display shows: 123.456m3, flow=0.42m3/h, serial=21040017; several allowed."))
    var display: [String]
    @Option(help: .said("把档案草稿写到这个文件。", "Write a draft profile to this file.")) var write: String?
    @Option(help: .said("等应答多久，如500ms。", "How long to wait for an answer, such as 500ms.")) var timeout = "1s"
    @Option(help: .said("输出格式：text、json或jsonl。", "text, json or jsonl.")) var format = OutputFormat.text

    func validate() throws {
        guard (bus != nil) != (fromFrame != nil) else {
            throw ValidationError(Spoken.say("--bus和--from-frame要给一个，只给一个。", "Give either --bus or --from-frame."))
        }
        if let bus, BusAddress(url: bus) == nil {
            throw ValidationError(Spoken.say("--bus的`\(bus)`不是总线地址，应如tcp://127.0.0.1:502。", "--bus `\(bus)` is not a bus URL such as tcp://127.0.0.1:502."))
        }
        guard !display.isEmpty else { throw ValidationError(Spoken.say("至少给一个--display，写全表盘上的数字。", "Give at least one --display, with all its digits.")) }
        guard (1...125).contains(count), (0...65_535).contains(start), (1...247).contains(unit), [3, 4].contains(function) else {
            throw ValidationError(
                Spoken.say(
                    "--count是1到125，--start是0到65535，--unit是1到247，--function是3或4。", "--count is 1 to 125, --start 0 to 65535, --unit 1 to 247, --function 3 or 4."
                ))
        }
        guard Interval(parsing: timeout) != nil else { throw ValidationError(Spoken.say("--timeout是时长，如500ms。", "--timeout is a duration such as 500ms.")) }
    }

    func run() async throws {
        let facts = try display.map { typed in
            guard let fact = DisplayFact(parsing: typed) else {
                let units = MeasureUnit.allCases.map(\.rawValue).filter { !$0.isEmpty }.joined(separator: " ")
                throw CommandFault(
                    Spoken.say(
                        "看不懂`\(typed)`；写数加单位（\(units)），或名字=值，如serial=21040017",
                        "`\(typed)` is not understood; write a number with its unit (\(units)), or name=value such as serial=21040017"))
            }
            return fact
        }
        let words = try await words()
        let solver = RegisterSolver(words: words)
        let numeric = facts.filter { $0.number != nil }
        let answers = solver.solve(numeric)
        let texts = facts.filter { $0.unit == .nothing }.flatMap { fact in
            solver.places(ofText: fact.text).map { (name: fact.name, offset: $0.offset, registers: $0.registers, perRegister: $0.perRegister) }
        }
        if format == .text { show(answers, texts, facts, words) } else { try showJSON(answers, texts) }
        let explained = answers.contains { !$0.tied.isEmpty } || !texts.isEmpty
        if let write {
            guard explained else { throw CommandFault(Spoken.say("没有一种读法能解释表盘，写不出草稿", "nothing explains the display, so there is no draft to write")) }
            let id = URL(fileURLWithPath: write).deletingPathExtension().lastPathComponent
            let used = Set(texts.map(\.name))
            let draft = DraftProfile(
                id: id, function: UInt8(function), start: start, answers: answers.filter { !used.contains($0.fact.name) },
                texts: Array(
                    texts.reduce(into: [String: (name: String, offset: Int, registers: Int, perRegister: Bool)]()) { $0[$1.name] = $0[$1.name] ?? $1 }.values))
            do { try draft.yaml.write(toFile: write, atomically: true, encoding: .utf8) } catch {
                throw CommandFault("\(write): \(error.localizedDescription)")
            }
            FileHandle.standardError.write(
                Data(Spoken.say("已写入\(write)。下一步：wellward profile lint \(write)\n", "\(write) written. Next: wellward profile lint \(write)\n").utf8))
        }
        if !explained { throw ExitCode(1) }
    }

    private func words() async throws -> [UInt16] {
        if let fromFrame {
            do {
                guard case .readResponse(_, _, let words) = try ModbusFrame.response(try ModbusFrame.bytes(hex: fromFrame)) else {
                    throw CommandFault(Spoken.say("这一帧是异常应答，里面没有寄存器", "the frame is an exception, not an answer with registers"))
                }
                return words
            } catch let fault as ModbusFrame.Fault { throw CommandFault(Spoken.say("--from-frame：\(fault.text.chinese)", "--from-frame: \(fault)")) }
        }
        guard let bus, let address = BusAddress(url: bus) else {
            throw CommandFault(
                Spoken.say("--bus的`\(self.bus ?? "")`不是总线地址，应如tcp://127.0.0.1:502", "--bus `\(self.bus ?? "")` is not a bus URL such as tcp://127.0.0.1:502"))
        }
        let line = ModbusBus(address, responseTimeout: Interval(parsing: timeout) ?? .seconds(1))
        let request = ReadRequest(function: UInt8(function), address: UInt16(start), count: count)
        let answer = await line.run(MeterPlan(unit: UInt8(unit), requests: [request]))
        if let fault = answer.faults.first {
            let isTooMuch = fault.fault == .exception(2) || fault.fault == .exception(3)
            let advice = isTooMuch ? Spoken.say("少读几个寄存器，或换一个起始地址。", "Try fewer registers, or another start.") : fault.fault.advice
            throw CommandFault(
                Spoken.say(
                    "\(bus)从站\(unit)：从线上地址\(start)读\(count)个寄存器，\(fault.fault.text.chinese)。",
                    "\(bus), unit \(unit): a read of \(count) registers at wire address \(start) failed: \(fault.fault). ") + advice)
        }
        return answer.image.blocks.flatMap(\.words)
    }

    // MARK: Saying it

    private func layout(_ hypothesis: RegisterHypothesis, _ unit: MeasureUnit) -> String {
        hypothesis.terms.map { term in
            let wire = start + term.offset
            let order = term.type.registerCount > 1 || term.order.description != "AB" ? " \(term.order)" : ""
            return
                Spoken.say(
                    "线上\(wire)（说明书从0数写\(wire)，从1数写\(wire + 1)） \(term.type.word)\(order) x \(Self.power(term.exponent)) \(unit.rawValue)",
                    "wire \(wire) (in a manual \(wire) if it counts from 0, \(wire + 1) from 1) \(term.type.word)\(order) x \(Self.power(term.exponent)) \(unit.rawValue)"
                )
        }.joined(separator: "  +  ")
    }

    private static func power(_ exponent: Int) -> String {
        exponent >= 0 ? "1" + String(repeating: "0", count: exponent) : "0." + String(repeating: "0", count: -exponent - 1) + "1"
    }

    private func show(
        _ answers: [RegisterSolver.Answer], _ texts: [(name: String, offset: Int, registers: Int, perRegister: Bool)], _ facts: [DisplayFact], _ words: [UInt16]
    ) {
        print(Spoken.say("从线上地址\(start)起\(words.count)个寄存器。", "\(words.count) registers from wire address \(start)."))
        for answer in answers {
            let fact = answer.fact
            print("\n\(fact.name) \(fact.text) \(fact.unit.rawValue)")
            for (rank, candidate) in answer.candidates.enumerated() {
                let mark = rank < answer.tied.count ? "*" : " "
                print(" \(mark) \(String(format: "%5.1f", candidate.score))  \(layout(candidate.hypothesis, fact.unit)) = \(Self.short(candidate.value))")
            }
            for candidate in answer.nearMisses {
                print(
                    Spoken.say(
                        "   相近   \(layout(candidate.hypothesis, fact.unit)) = \(Self.short(candidate.value))",
                        "   near   \(layout(candidate.hypothesis, fact.unit)) = \(Self.short(candidate.value))"))
            }
            print("  " + verdict(answer))
        }
        for text in texts {
            print(
                Spoken.say(
                    "\n\(text.name)：以文本写在线上\(start + text.offset)，\(text.registers)个寄存器，每个\(text.perRegister ? "一个字符" : "两个字符")",
                    "\n\(text.name): stands as text at wire \(start + text.offset), \(text.registers) registers, \(text.perRegister ? "one character each" : "two characters each")"
                )
            )
        }
        for fact in facts where fact.number == nil && !texts.contains(where: { $0.name == fact.name }) {
            print(Spoken.say("\n\(fact.name)：这些寄存器里没有文本`\(fact.text)`", "\n\(fact.name): `\(fact.text)` stands nowhere in these registers as text"))
        }
    }

    private func verdict(_ answer: RegisterSolver.Answer) -> String {
        if answer.tied.isEmpty {
            return
                Spoken.say(
                    "没有一种读法能解释每一位数字。多读一些寄存器，换另一个功能码（--function \(function == 3 ? 4 : 3)），或看看表盘是不是已经走了。",
                    "Nothing explains every digit. Read more registers, the other function code (--function \(function == 3 ? 4 : 3)), or check whether the display moved on."
                )
        }
        if answer.isDecided {
            return Spoken.say(
                "已确定：每一位都解释得通，没有别的读法接近（分数是证据的比特数）。", "Decided: every digit is explained, and no other layout comes close (scores are bits of evidence).")
        }
        let beyond =
            answer.decidedBeyond.map {
                Spoken.say(
                    "等表盘走过\(Self.short($0)) \(answer.fact.unit.rawValue)再读一次。",
                    "Read again when the display has passed \(Self.short($0)) \(answer.fact.unit.rawValue).")
            }
            ?? Spoken.say("再读一次同一表盘的另一个值会有帮助。", "A reading of another value on the same display would help.")
        return Spoken.say(
            "无法确定：标*的\(answer.tied.count)种读法都解释得通。\(beyond)", "Not decidable: the \(answer.tied.count) marked * all explain the display. \(beyond)")
    }

    private static func short(_ value: Double) -> String { String(format: "%.10g", value) }

    private struct Shown: Encodable {
        struct Place: Encodable {
            var wire: Int
            var type: String
            var order: String
            var scale: String
        }
        struct Ranked: Encodable {
            var score: Double
            var value: Double
            var layout: [Place]
        }
        var name: String
        var shown: String
        var unit: String
        var verdict: String
        var decided_beyond: Double?
        var candidates: [Ranked]
        var near_misses: [Ranked]
    }

    private func showJSON(_ answers: [RegisterSolver.Answer], _ texts: [(name: String, offset: Int, registers: Int, perRegister: Bool)]) throws {
        func ranked(_ candidate: RegisterSolver.Candidate) -> Shown.Ranked {
            Shown.Ranked(
                score: candidate.score, value: candidate.value,
                layout: candidate.hypothesis.terms.map {
                    .init(wire: start + $0.offset, type: $0.type.word, order: $0.order.description, scale: Self.power($0.exponent))
                })
        }
        let shown = answers.map { answer in
            Shown(
                name: answer.fact.name, shown: answer.fact.text, unit: answer.fact.unit.rawValue,
                verdict: answer.tied.isEmpty ? "unexplained" : answer.isDecided ? "decided" : "not decidable", decided_beyond: answer.decidedBeyond,
                candidates: answer.candidates.map(ranked), near_misses: answer.nearMisses.map(ranked))
        }
        try format.show(shown) { _ in "" }
    }
}
