import Foundation
import ScriptedPeers
import Synchronization
import TestSupport
import Testing

/// What meters and the gateways before them say in the field, against the built program.
@Suite struct MeterTroubleTests {
    /// Reads counted by unit.
    final class Reads: Sendable {
        private let counts = Mutex<[UInt8: Int]>([:])
        func count(_ unit: UInt8) -> Int {
            counts.withLock { counts in
                counts[unit, default: 0] += 1; return counts[unit] ?? 0
            }
        }
        var fewest: Int { counts.withLock { $0.values.min() ?? 0 } }
        var units: Int { counts.withLock(\.count) }
    }

    /// A gateway of ours with meters of two registers on one network bus, each in a home.
    static func start(port: Int, units: ClosedRange<Int>) throws -> RunningGateway {
        let gateway = try RunningGateway()
        let meters = units.map { "  - {id: wm-\($0), bus: net, unit: \($0), profile: generic-two-register, poll: 1s}\n" }.joined()
        let homes = units.map { "  - {id: h-\($0), name: 甲, meter: wm-\($0), consent: {given: 2026-05-01, by: 本人}, policy: calm}\n" }.joined()
        try gateway.write(
            "wellward.yaml",
            """
            site: {id: e2e, name: 测试, timezone: Asia/Shanghai}
            language: en
            storage: {path: w.sqlite, commit_every: 200ms}
            console: {listen: "127.0.0.1:\(gateway.port)", public_url: "http://127.0.0.1:\(gateway.port)", open: true}
            profiles: ["\(ShippedProfiles.root.path)/DeviceProfiles"]
            buses:
              - {id: net, transport: tcp, host: 127.0.0.1, port: \(port), response_timeout: 500ms}
            policies:
              calm: {no_data: 60s}
            contacts:
              - {id: tech, role: technician, channels: [out]}
            channels:
              - {id: out, kind: file, path: out.jsonl}
            meters:
            \(meters)households:
            \(homes)
            """)
        try gateway.start()
        return gateway
    }

    @Test(arguments: [2, 4, 6, 11] as [UInt8]) func `a meter that answers one poll with an exception is read again`(code: UInt8) async throws {
        let reads = Reads()
        let meter = try ScriptedGateway { reads.count($0.unit) == 3 ? .exception(code) : .words([0, 100]) }
        defer { meter.stop() }
        let gateway = try Self.start(port: meter.port, units: 1...1)
        defer { gateway.end() }
        try await eventually(within: 60) { reads.fewest >= 6 }
        #expect(!gateway.http("GET", "/metrics").text.contains("registers_refused{bus=\"net\"} 1"))
    }

    @Test func `twelve meters a gateway reports silent are one case of their bus, and go on being asked`() async throws {
        let reads = Reads()
        let dead = try ScriptedGateway {
            _ = reads.count($0.unit)
            return .exception(11)
        }
        defer { dead.stop() }
        let gateway = try Self.start(port: dead.port, units: 1...12)
        defer { gateway.end() }
        try await eventually(within: 60) { reads.units == 12 && reads.fewest >= 6 }
        try await eventually(within: 20) { !gateway.items("/api/v1/cases?state=open").isEmpty }
        let cases = gateway.items("/api/v1/cases?state=open").filter { $0["kind"] as? String == "equipment" }
        #expect(cases.count == 1 && "\(cases)".contains("bus"), "\(cases)")
    }
}
