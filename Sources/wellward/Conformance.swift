import ArgumentParser
import BoardingControl
import Foundation
import Messaging
import Synchronization
import Telemetry

/// `wellward elevator`
struct ElevatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "elevator", abstract: Spoken.say("检验电梯控制器。", "Examine an elevator's controller."),
        discussion: Spoken.examples("wellward elevator conformance --broker mqtt://127.0.0.1:1883 --elevator lift-3"), subcommands: [Conformance.self])

    /// `wellward elevator conformance`
    struct Conformance: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: Spoken.say("对真实控制器跑一遍核对表。", "Run the conformance checklist against a real controller."),
            discussion: Spoken.say(
                "让轿厢停在一层、正常服务、门开着，并保持这样：大约半分钟里门会被控住、放开几次。先停下管这部电梯的网关。检查项见Firmware-Notes/elevator-controller.md。",
                """
                Have the car stand at a floor in normal service with its door open and keep it so: for about half a minute the door is held and released \
                several times. Stop the gateway for this elevator first. The list is that of Firmware-Notes/elevator-controller.md.
                """)
                + "\n\n" + Spoken.examples("wellward elevator conformance --broker mqtt://127.0.0.1:1883 --elevator lift-3"))

        @Option(help: .said("消息服务器：mqtt://HOST:PORT，或mqtts://HOST:PORT加--ca-file。", "mqtt://HOST:PORT, or mqtts://HOST:PORT with --ca-file.")) var broker:
            String
        @Option(help: .said("主题里的电梯编号。", "The elevator's id in its topics.")) var elevator: String
        @Option(help: .said("消息服务器的用户名。", "User name at the broker.")) var username: String?
        @Option(help: .said("存密码的文件。", "A file with the password.")) var passwordFile: String?
        @Option(help: .said("消息服务器的证书颁发机构。", "The broker's certificate authority.")) var caFile: String?
        @Option(help: .said("输出格式：text、json或jsonl。", "text, json or jsonl.")) var format = OutputFormat.text

        func run() async throws {
            guard let url = URLComponents(string: broker), let host = url.host, ["mqtt", "mqtts"].contains(url.scheme ?? "") else {
                throw CommandFault(Spoken.say("--broker的`\(broker)`不是mqtt://HOST:PORT", "--broker `\(broker)` is not mqtt://HOST:PORT"))
            }
            guard (url.scheme == "mqtts") == (caFile != nil) else {
                throw CommandFault(Spoken.say("mqtts://要有--ca-file，mqtt://没有", "mqtts:// needs --ca-file, and mqtt:// has none"))
            }
            var password: String?
            if let passwordFile {
                guard let text = try? String(contentsOfFile: passwordFile, encoding: .utf8) else {
                    throw CommandFault(Spoken.say("\(passwordFile)读不了", "\(passwordFile) cannot be read"))
                }
                password = text.trimmingCharacters(in: .whitespacesAndNewlines)
            }
            let settings = MQTTSettings(
                host: host, port: url.port ?? (caFile == nil ? 1883 : 8883), clientID: "wellward-conformance-\(UInt32.random(in: 0...UInt32.max))",
                username: username,
                password: password, tls: caFile.map { MQTTSettings.TLS(authority: $0) })
            let examination = try ConformanceExamination(elevator: elevator, settings: settings)
            let results = await examination.run { if format == .text { Self.show($0) } }
            if format == .text {
                func count(_ verdict: ConformanceExamination.Result.Verdict) -> Int { results.count { $0.verdict == verdict } }
                print(
                    Spoken.say(
                        "通过\(count(.passed))项，不合格\(count(.failed))项，未检查\(count(.skipped))项。要人工检查的：遗嘱消息（切断控制器的网络）和轿厢内的放行。",
                        "\(count(.passed)) passed, \(count(.failed)) failed, \(count(.skipped)) not examined. By hand: the last will (cut the controller's network) and the release inside the car."
                    ))
            } else {
                try format.show(results) { _ in "" }
            }
            if results.contains(where: { $0.verdict == .failed }) { throw ExitCode(1) }
        }

        static func show(_ result: ConformanceExamination.Result) {
            let mark = result.verdict == .passed ? "ok  " : result.verdict == .failed ? "FAIL" : "skip"
            print("\(mark) \(result.number). \(result.promise)\(result.found.isEmpty ? "" : " – \(result.found)")")
        }
    }
}

/// Plays the gateway's part against one controller and writes down what it does.
final class ConformanceExamination: Sendable {
    /// One line of the checklist.
    struct Result: Encodable, Sendable {
        enum Verdict: String, Encodable, Sendable { case passed, failed, skipped }
        var number: Int
        var promise: String
        var verdict: Verdict
        var found: String
    }

    private struct Heard: Sendable {
        var availability: String?
        var availabilityKept = false
        var statuses: [(status: ElevatorStatus, at: ContinuousClock.Instant)] = []
        var malformed = 0
        var answers: [(id: String, result: AcknowledgementResult)] = []
        var connected = false
    }

    private let heard: Box
    private let client: MQTTClient
    private let root: String
    private let boot = UUID().uuidString.lowercased()
    private let sequence = Mutex<Int64>(0)

    /// What arrived, shared with the client's thread.
    private final class Box: Sendable {
        let value = Mutex(Heard())
    }

    init(elevator: String, settings: MQTTSettings) throws {
        root = "wellward/v1/elevators/\(elevator)"
        let box = Box()
        heard = box
        client = try MQTTClient(settings, subscribe: ["status", "availability", "ack"].map { ("wellward/v1/elevators/\(elevator)/\($0)", 1) }) { event in
            box.value.withLock { heard in
                switch event {
                case .connected: heard.connected = true
                case .disconnected: heard.connected = false
                case .message(let message):
                    if message.topic.hasSuffix("/availability") {
                        heard.availability = String(decoding: message.payload, as: UTF8.self)
                        heard.availabilityKept = heard.availabilityKept || message.retained
                    } else if message.topic.hasSuffix("/status") {
                        guard !message.retained else { return }
                        if let status = try? NativeElevatorMessages.status(message.payload) {
                            heard.statuses.append((status, .now))
                        } else {
                            heard.malformed += 1
                        }
                    } else if let answer = try? NativeElevatorMessages.acknowledgement(message.payload) {
                        heard.answers.append((answer.id, answer.result))
                    } else {
                        heard.malformed += 1
                    }
                }
            }
        }
    }

    private func now() -> WallTime { WallTime(unixMilliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }

    private func wait(_ seconds: Double, until isThere: (Heard) -> Bool) async -> Bool {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < deadline {
            if heard.value.withLock({ isThere($0) }) { return true }
            try? await Task.sleep(for: .milliseconds(20))
        }
        return heard.value.withLock { isThere($0) }
    }

    /// Sends a command; what is nil is as it should be.
    private func send(
        _ action: BoardingCommand.Action, id: String = UUID().uuidString.lowercased(), lease: Int64 = 3000, statusSequence: Int64? = nil, age: Interval = .zero,
        sequence fixed: Int64? = nil
    ) -> String {
        let number =
            fixed
            ?? sequence.withLock { value in
                value += 1; return value
            }
        var clock = CivilClock(zone: .gmt)
        let newest = heard.value.withLock { $0.statuses.last?.status.sequence }
        let text = """
            {"id":"\(id)","seq":\(number),"boot":"\(boot)","action":"\(action.rawValue)","issued_at":"\(clock.rfc3339(now() - age))","lease_ms":\(action == .holdDoor ? lease : 0),"reason":"conformance","status_seq":\((statusSequence ?? newest).map(String.init) ?? "null"),"case":null,"announce":null}
            """
        // A publication that fails shows as a missing answer.
        try? client.publish(Array(text.utf8), to: "\(root)/command")
        return id
    }

    private func answer(to id: String, within seconds: Double = 1.5) async -> AcknowledgementResult? {
        _ = await wait(seconds) { heard in heard.answers.contains { $0.id == id } }
        return heard.value.withLock { heard in heard.answers.last { $0.id == id }?.result }
    }

    private func first(_ id: String) -> AcknowledgementResult? { heard.value.withLock { heard in heard.answers.first { $0.id == id }?.result } }

    /// Runs the whole list.
    func run(_ tell: (Result) -> Void) async -> [Result] {
        defer { client.close() }
        var results: [Result] = []
        func note(_ promise: String, _ verdict: Result.Verdict, _ found: String = "") {
            results.append(Result(number: results.count + 1, promise: promise, verdict: verdict, found: found))
            tell(results[results.count - 1])
        }
        func check(_ promise: String, _ holds: Bool, _ found: @autoclosure () -> String) { note(promise, holds ? .passed : .failed, holds ? "" : found()) }
        guard await wait(5, until: \.connected) else {
            note(Spoken.say("连上消息服务器", "the broker is reached"), .failed, Spoken.say("没有连接", "no connection"))
            return results
        }
        _ = await wait(4) { $0.statuses.count >= 4 }
        let seen = heard.value.withLock { $0 }
        check(
            Spoken.say("在线状态由服务器保留，写着online", "availability is kept by the broker and says online"), seen.availabilityKept && seen.availability == "online",
            Spoken.say(
                "看到\(seen.availability ?? "什么也没有")\(seen.availabilityKept ? "" : "，没有保留")",
                "found \(seen.availability ?? "nothing")\(seen.availabilityKept ? "" : ", not kept")"))
        let gaps = zip(seen.statuses, seen.statuses.dropFirst()).map { $1.at - $0.at }
        check(
            Spoken.say("状态至少每秒来一次", "a status comes at least every second"), seen.statuses.count >= 3 && gaps.allSatisfy { $0 <= .milliseconds(1250) },
            Spoken.say("四秒里\(seen.statuses.count)次", "\(seen.statuses.count) in four seconds"))
        check(
            Spoken.say("每条状态都能读，序号递增，带有启动号", "every status can be read, its number grows, and it carries a boot"),
            seen.malformed == 0 && zip(seen.statuses, seen.statuses.dropFirst()).allSatisfy { $1.status.sequence > $0.status.sequence }
                && seen.statuses.allSatisfy { $0.status.boot != nil }, Spoken.say("\(seen.malformed)条读不了", "\(seen.malformed) unreadable"))
        let ready =
            seen.statuses.last.map { $0.status.serviceMode == .normal && $0.status.motion == .stopped && $0.status.doorZone == true && $0.status.door == .open }
            ?? false
        let said = send(.announce)
        check(
            Spoken.say("播报有应答", "announce is answered"), await answer(to: said) == .accepted,
            Spoken.say("看到\(first(said)?.rawValue ?? "没有应答")", "found \(first(said)?.rawValue ?? "no answer")"))
        let held = [
            Spoken.say("正常服务、门开着时，hold_door一秒内被接受", "hold_door in normal service with the door open is accepted within a second"),
            Spoken.say("同一条命令再发一次，算重复", "the same command once more is a duplicate"),
            Spoken.say("租约到期，控门自己结束", "the hold ends by itself when its lease runs out"), Spoken.say("序号更小的命令被拒绝", "a command with a lower number is refused"),
            Spoken.say("迟于租约的命令被拒绝", "a command later than its lease is refused"),
            Spoken.say("依据两秒前状态的命令被拒绝", "a command resting on a status older than two seconds is refused"),
            Spoken.say("超过十秒的租约被拒绝", "a lease longer than ten seconds is refused"),
            Spoken.say("release结束控门，并被接受", "release ends a hold and is accepted"),
        ]
        guard ready else {
            for promise in held { note(promise, .skipped, Spoken.say("轿厢没有开着门停在正常服务中", "the car does not stand open in normal service")) }
            return results
        }
        await holds(held, check)
        try? client.publish(Array("{\"id\":7,".utf8), to: "\(root)/command")
        try? client.publish([UInt8](repeating: 0xFF, count: 9000), to: "\(root)/command")
        let alive = send(.announce)
        check(
            Spoken.say("命令主题上来了垃圾也不出错", "garbage on the command topic is survived"), await answer(to: alive) == .accepted,
            Spoken.say("之后没有应答", "no answer afterwards"))
        return results
    }

    private func holds(_ promise: [String], _ check: (String, Bool, @autoclosure () -> String) -> Void) async {
        func found(_ id: String) -> String { Spoken.say("看到\(first(id)?.rawValue ?? "没有应答")", "found \(first(id)?.rawValue ?? "no answer")") }
        let hold = send(
            .holdDoor,
            sequence: sequence.withLock { value in
                value += 10; return value
            })
        _ = await answer(to: hold, within: 1)
        check(promise[0], first(hold) == .accepted, found(hold))
        _ = send(.holdDoor, id: hold)
        let doubled = await wait(1.5) { heard in heard.answers.contains { $0.id == hold && $0.result == .duplicate } }
        check(promise[1], doubled, Spoken.say("没有应答`duplicate`", "no answer `duplicate`"))
        let ended = await wait(4.5) { heard in heard.answers.contains { $0.id == hold && $0.result == .completed } }
        check(promise[2], ended, Spoken.say("租约加一秒内没有应答`completed`", "no answer `completed` within the lease and a second"))
        let low = send(.holdDoor, sequence: 1)
        check(promise[3], await answer(to: low) == .rejected, found(low))
        let late = send(.holdDoor, age: .seconds(20))
        check(promise[4], [.expired, .rejected].contains(await answer(to: late)), found(late))
        let old = heard.value.withLock { heard in heard.statuses.last { ContinuousClock.now - $0.at > .milliseconds(2600) }?.status.sequence }
        let stale = send(.holdDoor, statusSequence: old ?? 0)
        check(promise[5], await answer(to: stale) == .rejected, found(stale))
        let long = send(.holdDoor, lease: 60_000)
        check(promise[6], await answer(to: long) == .rejected, found(long))
        let again = send(.holdDoor)
        let accepted = await answer(to: again) == .accepted
        let release = send(.release)
        let released = await answer(to: release) == .accepted
        let both = [again, release].map { first($0)?.rawValue ?? Spoken.say("没有应答", "no answer") }
        check(promise[7], accepted && released, "hold_door \(both[0]), release \(both[1])")
    }
}
