import Demonstration
import DeviceProfiles
import Foundation
import Simulation
import Telemetry
import TestSupport
import Testing

/// The built program with real parts around it: a broker, a meter over TCP, a meter on a pseudo-terminal. The first home's water has stopped
/// under a rule rehearsed in seconds.
final class LittleSite: Sendable {
    let gateway: RunningGateway
    let broker: PrivateBroker
    let tcp: SimulatedLine
    let serial: SimulatedLine
    /// The configuration as written.
    let text: String

    /// Puts everything in place; the gateway is not started yet.
    /// - Parameter load: so many meters more on the first bus, read every second, and three lifts more
    init(spareUnit: Bool = false, load: Int = 0, change: (String) -> String = { $0 }) throws {
        let gateway = try RunningGateway()
        self.gateway = gateway
        broker = try PrivateBroker(folder: gateway.folder)
        let more = try (0..<load).map { try Self.meter(UInt8(10 + $0), "tuf-2000m") }
        tcp = try SimulatedLine(.tcp(port: 0), meters: [try Self.meter(1, "tuf-2000m")] + (spareUnit ? [try Self.meter(3, "tuf-2000m")] : []) + more)
        serial = try SimulatedLine(.serial(baud: 0), meters: [try Self.meter(2, "bove-ultrasonic")])
        var text = Self.configuration(gateway, tcp: tcp, serial: serial, broker: broker)
        if load > 0 {
            let meters = (0..<load).map { "  - {id: wm-load-\($0), bus: net, unit: \(10 + $0), profile: tuf-2000m, poll: 1s}\n" }.joined()
            let lifts = (2...4).map { "  - {id: lift-\($0), boarding: hold, cool_down: 1s, clear_after: 2s}\n" }.joined()
            text = text.replacingOccurrences(of: "households:\n", with: meters + "households:\n")
                .replacingOccurrences(of: "contacts:\n", with: lifts + "contacts:\n")
        }
        text = change(text)
        self.text = text
        try gateway.write("wellward.yaml", text)
    }

    func end() {
        gateway.end()
        broker.stop()
        tcp.stop()
        serial.stop()
    }

    static func meter(_ unit: UInt8, _ profile: String) throws -> SimulatedMeter {
        let model = try #require(ShippedProfiles.model(profile))
        return SimulatedMeter(
            unit: unit, profile: model, civil: CivilClock(zone: .gmt), now: { WallTime(unixMilliseconds: Int64(Date().timeIntervalSince1970 * 1000)) },
            volume: { _ in .litres(4321) })
    }

    private static func configuration(_ gateway: RunningGateway, tcp: SimulatedLine, serial: SimulatedLine, broker: PrivateBroker) -> String {
        """
        site: {id: e2e, name: 测试, timezone: Asia/Shanghai}
        language: en
        storage: {path: w.sqlite, commit_every: 200ms}
        console: {listen: "127.0.0.1:\(gateway.port)", open: true, public_url: "http://127.0.0.1:\(gateway.port)"}
        mqtt: {host: 127.0.0.1, port: \(broker.port)}
        profiles: ["\(ShippedProfiles.root.path)/DeviceProfiles"]
        buses:
          - {id: net, transport: tcp, host: 127.0.0.1, port: \(tcp.port), response_timeout: 200ms}
          - {id: lane, transport: rtu, device: \(serial.devicePath), response_timeout: 200ms}
        meters:
          - {id: wm-1, bus: net, unit: 1, profile: tuf-2000m, poll: 1s}
          - {id: wm-2, bus: lane, unit: 2, profile: bove-ultrasonic, poll: 1s}
        households:
          - {id: h-1, name: 张阿婆, address: 3号楼101, meter: wm-1, consent: {given: 2026-05-01, by: 本人}, policy: quick, contacts: [family], grid: g}
          - {id: h-2, name: 王大爷, address: 3号楼102, meter: wm-2, consent: {given: 2026-05-01, by: 本人}, policy: calm, contacts: [family], grid: g}
        policies:
          quick: {volume_rule: {below_litres: 10, within: 3s, when: always, severity: alarm}, no_data: 60s, longest_silence: 1h}
          calm: {no_data: 60s}
        elevators:
          - {id: lift-1, boarding: hold, cool_down: 1s, clear_after: 2s}
        contacts:
          - {id: family, name: 张女士, role: family, channels: [out]}
          - {id: grid, name: 小李, role: grid_worker, channels: [out]}
          - {id: property, name: 物业, role: property, channels: [out]}
        channels:
          - {id: out, kind: file, path: out.jsonl, names: true}
        ladders:
          elder:
            - {after: 0s, notify: [family], accept_within: 2s}
            - {after: 2s, notify: [grid_worker], accept_within: 60s}
        """
    }
}
