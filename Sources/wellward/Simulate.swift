import ArgumentParser
import DeviceProfiles
import Documents
import Foundation
import Gateway
import Messaging
import Simulation
import SiteConfiguration
import Synchronization
import Telemetry
import Watchkeeping

/// `wellward simulate`
struct Simulate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: Spoken.say("只运行配置里的模拟设备。", "Run only the simulated devices of a configuration."),
        discussion: Spoken.say(
            "TCP总线在配置的本机端口上应答；串口总线得到一个伪终端，配置的设备路径空着时就链接到那里。电梯在配置的消息服务器上。每条总线打印一行。",
            """
            TCP buses listen on their configured loopback port; serial buses get a pseudo-terminal, linked at the configured
            device path when nothing is there. Elevators live on the configured broker. Prints one line a bus.
            """)
            + "\n\n" + Spoken.examples("wellward simulate --config wellward.yaml --fault wm-0101=timeout"))

    @Option(help: .said("配置文件。", "The configuration file.")) var config: String
    @Option(
        help: .said(
            "水表编号=timeout|crc|exception|garbage|stale|freeze|wrong_unit|split|late，电梯编号=silent|doubled|stale|garbage|late，可写多个。",
            "meter=timeout|crc|exception|garbage|stale|freeze|wrong_unit|split|late, elevator=silent|doubled|stale|garbage|late; several allowed."))
    var fault: [String] = []

    func run() async throws {
        let result = try ConfigurationLoader.load(config)
        guard let configuration = result.configuration else { throw DocumentIssues(result.issues.filter { $0.severity == .error }) }
        let (faults, liftFaults) = try parseFaults(configuration)
        var links: [String] = []
        var lines: [SimulatedLine] = []
        defer { for link in links { try? FileManager.default.removeItem(atPath: link) } }
        for bus in configuration.buses {
            let line = try open(bus)
            for meter in configuration.meters where meter.bus == bus.id {
                guard let device = device(meter, configuration) else { continue }
                device.fault = faults[meter.id]
                line.add(device)
            }
            if !line.devicePath.isEmpty, bus.device != line.devicePath {
                if (try? FileManager.default.createSymbolicLink(atPath: bus.device, withDestinationPath: line.devicePath)) != nil { links.append(bus.device) }
            }
            lines.append(line)
            print("\(bus.id) \(line.devicePath.isEmpty ? "\(line.host):\(line.port)" : line.devicePath)")
        }
        var lifts: [SimulatedElevator] = []
        if let broker = configuration.mqtt {
            let settings = broker.settings(clientID: "")
            for elevator in configuration.elevators {
                let lift = try SimulatedElevator(elevator.id, address: elevator.address, broker: settings)
                lift.fault = liftFaults[elevator.id]
                lifts.append(lift)
                print("\(elevator.id) mqtt://\(broker.host):\(broker.port)")
            }
        }
        fflush(nil)
        await untilInterrupted()
        for lift in lifts { lift.stop() }
        for line in lines { line.stop() }
    }

    private func parseFaults(_ configuration: SiteConfiguration) throws -> ([MeterID: DeviceFault], [ElevatorID: ControllerFault]) {
        var meters: [MeterID: DeviceFault] = [:]
        var lifts: [ElevatorID: ControllerFault] = [:]
        for text in fault {
            let parts = text.split(separator: "=").map(String.init)
            if parts.count == 2, configuration.elevators.contains(where: { $0.id.rawValue == parts[0] }) {
                guard let word = ControllerFault(rawValue: parts[1]) else {
                    throw ValidationError(
                        Spoken.say(
                            "电梯的--fault写成电梯编号=\(ControllerFault.allCases.map(\.rawValue).joined(separator: "|"))。",
                            "--fault of an elevator is ID=\(ControllerFault.allCases.map(\.rawValue).joined(separator: "|"))."))
                }
                lifts[ElevatorID(parts[0])] = word
                continue
            }
            guard parts.count == 2, let word = DeviceFault(rawValue: parts[1]) else {
                throw ValidationError(
                    Spoken.say(
                        "--fault写成水表编号=\(DeviceFault.allCases.map(\.rawValue).joined(separator: "|"))。",
                        "--fault is METER=\(DeviceFault.allCases.map(\.rawValue).joined(separator: "|"))."))
            }
            guard configuration.meter(MeterID(parts[0])) != nil else {
                throw CommandFault(Spoken.say("--fault写了没有的水表`\(parts[0])`", "--fault names the unknown meter `\(parts[0])`"))
            }
            meters[MeterID(parts[0])] = word
        }
        return (meters, lifts)
    }

    private func open(_ bus: SiteConfiguration.Bus) throws -> SimulatedLine {
        do throws(SimulatedLine.Fault) {
            switch bus.transport {
            case .tcp: return try SimulatedLine(.tcp(port: bus.port), on: bus.host)
            case .rtuOverTCP: return try SimulatedLine(.rtuOverTCP(port: bus.port), on: bus.host)
            case .rtu: return try SimulatedLine(.serial(baud: bus.baud))
            }
        } catch {
            throw CommandFault(Spoken.say("总线\(bus.id)：\(error.description)", "bus \(bus.id): \(error.description)"))
        }
    }

    private func device(_ meter: SiteConfiguration.Meter, _ configuration: SiteConfiguration) -> SimulatedMeter? {
        guard let profile = configuration.profiles[meter.profile] else { return nil }
        let seed = meter.id.rawValue.utf8.reduce(UInt64(17)) { $0 &* 31 &+ UInt64($1) }
        let life = Mutex(SimulatedHome(seed: seed, from: GatewayClock.systemWall() - .days(2), civil: configuration.clock))
        return SimulatedMeter(
            unit: UInt8(clamping: meter.unit), profile: profile, parameters: InstanceParameters(meter.parameters), civil: configuration.clock,
            now: { GatewayClock.systemWall() }, volume: { time in life.withLock { $0.register(at: time) } })
    }

    private func untilInterrupted() async {
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        let sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { continuation.yield() }
            source.resume()
            return source
        }
        for await _ in stream { break }
        for source in sources { source.cancel() }
    }
}
