import Foundation
import Telemetry

/// Writes the demonstration's configuration file, as a person would.
struct DemoConfiguration {
    let site: DemoSite
    let folder: String
    let brokerPort: Int
    let consolePort: Int
    let ports: [String: Int]
    let devices: [String: String]
    let profileFolder: String

    var text: String {
        var lines = [
            "site: {id: demo, name: 演示小区, timezone: Asia/Shanghai}", "language: zh-Hans",
            "storage: {path: wellward.sqlite, commit_every: 1s}",
            "console: {listen: \"127.0.0.1:\(consolePort)\", open: true, public_url: \"http://127.0.0.1:\(consolePort)\"}",
            "mqtt: {host: 127.0.0.1, port: \(brokerPort)}", "profiles: [\"\(profileFolder)\"]", "buses:",
        ]
        for (bus, port) in ports.sorted(by: { $0.key < $1.key }) {
            lines.append("  - {id: \(bus), transport: tcp, host: 127.0.0.1, port: \(port), response_timeout: 300ms}")
        }
        for (bus, device) in devices.sorted(by: { $0.key < $1.key }) {
            lines.append("  - {id: \(bus), transport: rtu, device: \(device), baud: 9600, response_timeout: 300ms, between_requests: 5ms}")
        }
        lines.append("meters:")
        for home in site.homes {
            lines.append("  - {id: \(home.meterID), bus: \(home.bus), unit: \(home.unit), profile: \(home.profile), poll: 5m}")
        }
        lines.append("households:")
        for home in site.homes {
            lines.append(
                "  - {id: \(home.id), name: \(home.name), address: \(home.address), meter: \(home.meterID), lives_alone: true, "
                    + "consent: {given: 2026-05-01, by: 本人}, contacts: [family-\(home.id)], grid: grid-\(home.id.dropFirst(2).first ?? "1")}")
        }
        lines += [
            "elevators:",
            "  - {id: lift-1, boarding: hold, served_floors: [\"1\"], cool_down: 5s, longest_hold: 30s}",
            "  - {id: lift-2, boarding: alarm}", "contacts:",
        ]
        for home in site.homes {
            lines.append("  - {id: family-\(home.id), name: \(home.name)的家人, role: family, channels: [outbox]}")
        }
        for (id, role, name) in Self.staff {
            lines.append("  - {id: \(id), name: \(name), role: \(role), channels: [outbox]}")
        }
        lines += ["channels:", "  - {id: outbox, kind: file, path: notices.jsonl, names: true}", ""]
        return lines.joined(separator: "\n")
    }

    private static let staff = [
        ("grid-wang", "grid_worker", "王网格员"), ("committee-wang", "committee", "居委会王阿姨"), ("station-1", "station", "联勤联动站"),
        ("town-1", "town", "街镇城运中心"), ("property-1", "property", "物业值班室"), ("tech-1", "technician", "维修小李"),
    ]
}

extension DemoSite.Home {
    /// The home's meter.
    var meterID: String { "wm-\(id.dropFirst(2))" }
}
