import DeviceProfiles
import Foundation
import Gateway
import Logging
import Messaging
import Safeguarding
import ServiceLifecycle
import Simulation
import SiteConfiguration
import Synchronization
import Telemetry
import TimeSeriesStore
import Watchkeeping

/// A whole neighbourhood on this machine, with real parts: a private mosquitto, Modbus over TCP and pseudo-terminals,
/// controllers on the broker, the gateway and its console.
public final class Demonstration: Sendable {
    /// What a demonstration needs.
    public struct Settings: Sendable {
        public var speed: Double
        public var port: Int
        public var version: String

        /// Settings.
        public init(speed: Double, port: Int, version: String) {
            self.speed = speed
            self.port = port
            self.version = version
        }
    }

    /// Why a demonstration cannot begin.
    public struct Fault: Error, CustomStringConvertible, Sendable {
        /// What is missing and what to do.
        public var description: String
    }

    /// The console's address.
    public let address: String
    private let folder: String
    private let broker: PrivateBroker
    private let lines: [SimulatedLine]
    private let lifts: [SimulatedElevator]
    private let gateway: GatewayService
    private let log: Logger

    /// Sets everything up: a temporary folder, a broker, devices, eight weeks of history.
    public init(_ settings: Settings, log: Logger, say: (String) -> Void) throws {
        self.log = log
        guard let profileFolder = ConfigurationLoader.profileFolder else {
            throw Fault(description: "the folder DeviceProfiles was not found; run the demonstration from the project's folder")
        }
        guard let civil = CivilClock(identifier: "Asia/Shanghai") else {
            throw Fault(description: "the time zone Asia/Shanghai is not known here; install tzdata")
        }
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("wellward-demo-\(UUID().uuidString.prefix(8))").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var clock = civil
        // A Thursday-like morning: the village gets up while the newcomer watches.
        let start = clock.startOfDay(at: GatewayClock.systemWall()) + .hours(7) + .minutes(30)
        say("writing eight weeks of history for 24 invented homes …")
        let site = DemoSite(start: start, civil: civil)
        broker = try PrivateBroker(folder: folder)
        let profiles = try Self.profiles(profileFolder)
        let ticking = DemoTime()
        lines = try Self.openLines(site, profiles, ticking, civil)
        let names = Self.lineNames
        var ports: [String: Int] = [:]
        var devices: [String: String] = [:]
        for (name, line) in zip(names, lines) {
            if line.port > 0 { ports[name] = line.port } else { devices[name] = line.devicePath }
        }
        let configuration = DemoConfiguration(
            site: site, folder: folder, brokerPort: broker.port, consolePort: settings.port, ports: ports, devices: devices,
            profileFolder: profileFolder)
        let path = "\(folder)/wellward.yaml"
        try configuration.text.write(toFile: path, atomically: true, encoding: .utf8)
        let loaded = try ConfigurationLoader.load(path)
        guard let checked = loaded.configuration else {
            throw Fault(description: loaded.issues.map(\.description).joined(separator: "\n"))
        }
        try DemoHistory.write(site, profiles, to: checked.storage.path)
        gateway = try GatewayService(
            checked, options: .init(path: path, speed: settings.speed, startAt: start, version: settings.version), log: log)
        ticking.follow(gateway.premises.clock)
        let brokerSettings = MQTTSettings(host: "127.0.0.1", port: broker.port, clientID: "")
        lifts = try ["lift-1", "lift-2"].map { try SimulatedElevator(ElevatorID($0), broker: brokerSettings) }
        address = "http://127.0.0.1:\(settings.port)/"
        for (line, home) in Self.placed(site, on: lines) where home.fate == .deadMeter { line.meter(home.unit)?.fault = .timeout }
        let away = site.homes.first { $0.fate == .away }
        if let away {
            gateway.premises.desk.tell(
                .presence(
                    HouseholdID(away.id), PresenceEntry(kind: .away, until: start + .days(3), by: "family-\(away.id)", note: "去女儿家")))
        }
    }

    private static let lineNames = ["block-1", "block-2", "block-3", "lane-1", "lane-2", "lane-3"]

    private static func openLines(
        _ site: DemoSite, _ profiles: [ProfileID: MeterProfile], _ time: DemoTime, _ civil: CivilClock
    ) throws -> [SimulatedLine] {
        try lineNames.map { name in
            let line = try SimulatedLine(name.hasPrefix("lane") ? .serial(baud: 9600) : .tcp(port: 0))
            for home in site.homes where home.bus == name {
                guard let profile = profiles[home.profile] else { continue }
                let life = Mutex(home.life)
                line.add(
                    SimulatedMeter(
                        unit: home.unit, profile: profile, civil: civil, now: { time.now },
                        volume: { moment in life.withLock { $0.register(at: moment) } }))
            }
            return line
        }
    }

    private static func placed(_ site: DemoSite, on lines: [SimulatedLine]) -> [(SimulatedLine, DemoSite.Home)] {
        site.homes.compactMap { home in lineNames.firstIndex(of: home.bus).map { (lines[$0], home) } }
    }

    static func profiles(_ folder: String) throws -> [ProfileID: MeterProfile] {
        var found: [ProfileID: MeterProfile] = [:]
        for name in ["tuf-2000m", "bove-ultrasonic", "generic-two-register"] {
            let path = "\(folder)/meters/\(name).yaml"
            let read = ProfileReader.read(try String(contentsOfFile: path, encoding: .utf8), file: path)
            guard let profile = read.profile else { throw Fault(description: read.issues.map(\.description).joined(separator: "\n")) }
            found[profile.id] = profile
        }
        return found
    }

    /// Runs until interrupted; takes everything away with it.
    public func run() async throws {
        let scenes = Task { await playScenes() }
        defer {
            scenes.cancel()
            cleanUp()
        }
        let server = gateway.console()
        let group = ServiceGroup(
            configuration: .init(
                services: [.init(service: gateway), .init(service: server)], gracefulShutdownSignals: [.sigterm, .sigint], logger: log))
        try await group.run()
    }

    private func cleanUp() {
        for lift in lifts { lift.stop() }
        for line in lines { line.stop() }
        broker.stop()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// In real time, as lifts are: an e-bike that is held and leaves, a wheelchair that passes, now and then again.
    private func playScenes() async {
        let lift = lifts[0]
        try? await Task.sleep(for: .seconds(8))
        while !Task.isCancelled {
            await show(.wheelchair, lift, seconds: 4, "wheel")
            try? await Task.sleep(for: .seconds(6))
            // The veto lasts until the car is seen empty.
            lift.change {
                $0.passenger = false; $0.loadKilograms = 0
            }
            try? await Task.sleep(for: .seconds(2))
            await show(.ebike, lift, seconds: 12, "bike")
            try? await Task.sleep(for: .seconds(25))
            await show(.ebike, lifts[1], seconds: 3, "bike")
            await ride(lift)
            try? await Task.sleep(for: .seconds(90))
        }
    }

    private func show(_ kind: SimulatedKind, _ lift: SimulatedElevator, seconds: Int, _ prefix: String) async {
        let track = "\(prefix)-\(UInt16.random(in: 0...UInt16.max))"
        lift.change {
            $0.passenger = true; $0.loadKilograms = 90; $0.door = .open; $0.motion = .stopped; $0.floor = "1"
        }
        for _ in 0..<(seconds * 3) {
            guard !Task.isCancelled else { return }
            lift.detect(kind == .ebike ? .ebike : .wheelchair, track: track, confidence: 0.9)
            try? await Task.sleep(for: .milliseconds(333))
        }
    }

    private enum SimulatedKind { case ebike, wheelchair }

    private func ride(_ lift: SimulatedElevator) async {
        lift.change {
            $0.door = .closed; $0.motion = .up; $0.doorZone = false; $0.passenger = true
        }
        for floor in 2...5 {
            try? await Task.sleep(for: .seconds(2))
            lift.change { $0.floor = "\(floor)" }
        }
        lift.change {
            $0.motion = .stopped; $0.doorZone = true; $0.door = .open; $0.passenger = false; $0.loadKilograms = 0
        }
        try? await Task.sleep(for: .seconds(5))
        lift.change { $0.floor = "1" }
    }
}

/// The demonstration's time for the simulated meters: the gateway's clock once there is one.
final class DemoTime: Sendable {
    private let clock = Mutex<GatewayClock?>(nil)
    func follow(_ other: GatewayClock) { clock.withLock { $0 = other } }
    var now: WallTime { clock.withLock { $0 }?.now().wall ?? GatewayClock.systemWall() }
}
