import Casework
import Foundation
import Glibc
import Hummingbird
import Messaging
import NIOCore
import Safeguarding
import Telemetry
import Threads
import Watchkeeping

/// `/healthz`, `/readyz`, `/metrics`.
struct HealthRoutes: Sendable {
    let premises: Premises

    func add(to router: Router<ConsoleContext>) {
        router.get("healthz") { _, _ in JSON.of(["status": "ok", "version": .string(premises.version)]) }
        router.get("readyz") { request, context in
            let reasons = await unready()
            let body = JSON.of(["status": reasons.isEmpty ? "ready" : "not ready", "reasons": .array(reasons.map { .string($0) })])
            var response = try body.response(from: request, context: context)
            if !reasons.isEmpty { response.status = .serviceUnavailable }
            return response
        }
        router.get("metrics") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: .init(byteBuffer: ByteBuffer(string: await MetricsText.make(premises))))
        }
    }

    private func unready() async -> [String] {
        var reasons: [String] = []
        if let why = premises.store.substitutes { reasons.append("store: the record is kept in memory only: \(why)") }
        if let fault = await premises.telemetry.counts.fault { reasons.append("store: \(fault)") }
        reasons += premises.connections().flatMap(\.reasons)
        for poller in premises.pollers where !poller.hasPolledAll { reasons.append("bus \(poller.id): not every meter was asked yet") }
        return reasons
    }
}

/// The gateway's figures as Prometheus text. Identifiers of buses and channels appear, never those of homes.
enum MetricsText {
    private struct Writer {
        var text = ""
        mutating func family(_ name: String, _ type: String, _ help: String, _ samples: [(labels: String, value: Double)]) {
            guard !samples.isEmpty else { return }
            text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
            for sample in samples {
                let value = sample.value == sample.value.rounded() && abs(sample.value) < 1e15 ? String(Int64(sample.value)) : String(sample.value)
                text += "\(name)\(sample.labels.isEmpty ? "" : "{\(sample.labels)}") \(value)\n"
            }
        }
    }

    static func make(_ premises: Premises) async -> String {
        var out = Writer()
        out.family("wellward_build_info", "gauge", "Version of the running gateway.", [("version=\"\(premises.version)\"", 1)])
        let tallies = premises.pollers.map { ("bus=\"\($0.id)\"", $0.tally) }
        out.family("wellward_polls_total", "counter", "Meter polls on a bus.", tallies.map { ($0.0, Double($0.1.polls)) })
        out.family("wellward_poll_failures_total", "counter", "Polls without an answer.", tallies.map { ($0.0, Double($0.1.failures)) })
        out.family("wellward_bus_busy_seconds_total", "counter", "Time a bus spent on polls.", tallies.map { ($0.0, $0.1.cycle.seconds) })
        out.family(
            "wellward_bus_silent_seconds_total", "counter", "Time a bus spent on meters that gave no answer.", tallies.map { ($0.0, $0.1.deadTime.seconds) })
        out.family(
            "wellward_bus_round_seconds", "gauge", "One round of all meters of a bus that answer, as measured; config check predicts it.",
            tallies.map { ($0.0, $0.1.round.seconds) })
        out.family(
            "wellward_bus_noise_bytes_total", "counter", "Bytes on a bus that belonged to no frame: bias, termination, disturbance.",
            tallies.map { ($0.0, Double($0.1.notes.noiseBytes)) })
        out.family(
            "wellward_bus_late_replies_total", "counter", "Replies that came after their request had been given up.",
            tallies.map { ($0.0, Double($0.1.notes.lateReplies)) })
        out.family(
            "wellward_registers_refused", "gauge", "Registers that meters of a bus were asked for and do not have.",
            tallies.map { ($0.0, Double($0.1.refused.values.reduce(0, +))) })
        out.family(
            "wellward_readings_backfilled_total", "counter", "Readings taken from meters' own logs after a gap.",
            tallies.map { ($0.0, Double($0.1.backfilled)) })
        let folder = URL(fileURLWithPath: premises.store.path).deletingLastPathComponent().path
        let (free, synchronised) = await OwnThread.value { () -> (Double?, Bool?) in
            var room = statvfs()
            let isKnown = statvfs(folder, &room) == 0
            return (isKnown ? Double(room.f_bavail) * Double(room.f_frsize) : nil, ClockSynchronisation.isSynchronised)
        }
        if let free { out.family("wellward_disk_free_bytes", "gauge", "Room left where the record lies.", [("", free)]) }
        if let isSynchronised = synchronised {
            out.family("wellward_clock_synchronised", "gauge", "Whether the clock is set by the network.", [("", isSynchronised ? 1 : 0)])
        }
        let counts = await premises.telemetry.counts
        out.family("wellward_readings_committed_total", "counter", "Readings written to the store.", [("", Double(counts.committed))])
        out.family("wellward_readings_dropped_total", "counter", "Readings dropped because the disk takes no more.", [("", Double(counts.dropped))])
        if let upstream = premises.upstream?.tally {
            out.family("wellward_upstream_spooled", "gauge", "Entries that wait to be sent upstream.", [("", Double(upstream.waiting))])
            out.family("wellward_upstream_spooled_bytes", "gauge", "Their size.", [("", Double(upstream.bytes))])
            let age = upstream.oldest.map { max(0, (GatewayClock.systemWall() - $0).seconds) } ?? 0
            out.family("wellward_upstream_oldest_seconds", "gauge", "Age of the oldest entry that waits.", [("", age)])
            out.family("wellward_upstream_sent_total", "counter", "Entries the hub's broker has taken.", [("", Double(upstream.sent))])
            out.family("wellward_upstream_dropped_total", "counter", "Entries given up because too much waited for too long.", [("", Double(upstream.dropped))])
            out.family("wellward_upstream_connected", "gauge", "Whether the hub's broker is reached.", [("", upstream.isConnected ? 1 : 0)])
        }
        await homes(premises, &out)
        await notices(premises, &out)
        brokers(premises, &out)
        if let boarding = premises.boarding {
            out.family("wellward_broker_connected", "gauge", "Whether the MQTT broker is reached.", [("", boarding.isConnected ? 1 : 0)])
            let refused = boarding.refusals
            out.family(
                "wellward_mqtt_messages_refused_total", "counter", "MQTT messages that could not be used.",
                [
                    ("reason=\"malformed\"", Double(refused.malformed)), ("reason=\"topic\"", Double(refused.unknownTopic)),
                    ("reason=\"elevator\"", Double(refused.unknownElevator)), ("reason=\"overflow\"", Double(refused.overflow)),
                    ("reason=\"retained_command\"", Double(refused.retainedCommand)),
                ])
            out.family(
                "wellward_elevator_messages_refused_total", "counter", "Messages of a lift that could not be used, by the field that is wrong.",
                refused.byElevator.sorted { $0.key < $1.key }.flatMap { id, fields in
                    fields.sorted { $0.key < $1.key }.map { ("elevator=\"\(id)\",field=\"\($0.key)\"", Double($0.value)) }
                })
            out.family(
                "wellward_elevators_holding", "gauge", "Elevator doors held now.", [("", Double(boarding.elevators.filter { $0.holdSince != nil }.count))])
        }
        return out.text
    }

    private static func brokers(_ premises: Premises, _ out: inout Writer) {
        let connections = premises.connections()
        out.family(
            "wellward_broker_connection_up", "gauge", "Whether a connection to a broker is up and nothing is known to be wrong with it.",
            connections.map { ("connection=\"\($0.user)\"", $0.health.isGood ? 1 : 0) })
        out.family(
            "wellward_broker_connection_attempts_total", "counter", "Connections that were tried.",
            connections.map { ("connection=\"\($0.user)\"", Double($0.health.attempts)) })
        out.family(
            "wellward_broker_trouble", "gauge", "What is known to be wrong with a connection to a broker.",
            connections.flatMap { connection in
                ConnectionTrouble.Kind.allCases.map { kind in
                    (
                        "connection=\"\(connection.user)\",kind=\"\(kind.rawValue)\"",
                        connection.health.troubles.contains { $0.kind == kind } ? 1 : 0
                    )
                }
            })
    }

    private static func homes(_ premises: Premises, _ out: inout Writer) async {
        let core = await premises.desk.snapshot
        let now = premises.clock.now()
        let states = Dictionary(grouping: core.homes.values, by: { $0.watch.state(at: now) }).mapValues(\.count)
        out.family("wellward_homes", "gauge", "Homes by state.", HomeState.allCases.map { ("state=\"\($0.rawValue)\"", Double(states[$0] ?? 0)) })
        let open = Dictionary(grouping: core.book.cases.values.filter(\.isOpen), by: \.kind).mapValues(\.count)
        out.family(
            "wellward_cases_open", "gauge", "Open cases by kind.",
            FindingKind.allCases.filter { $0 != .meterEvent }.map { ("kind=\"\($0.rawValue)\"", Double(open[$0] ?? 0)) })
    }

    private static func notices(_ premises: Premises, _ out: inout Writer) async {
        let tally = await premises.delivery.tally.sorted { $0.key < $1.key }
        out.family("wellward_notices_sent_total", "counter", "Notices delivered by a channel.", tally.map { ("channel=\"\($0.key)\"", Double($0.value.sent)) })
        out.family(
            "wellward_notice_failures_total", "counter", "Tries that failed on a channel.", tally.map { ("channel=\"\($0.key)\"", Double($0.value.failed)) })
        out.family(
            "wellward_notices_dead_total", "counter", "Notices that were given up.", tally.map { ("channel=\"\($0.key)\"", Double($0.value.dead)) })
        let waiting = await premises.delivery.waiting.sorted { $0.key < $1.key }
        out.family("wellward_notices_waiting", "gauge", "Notices that wait for a channel.", waiting.map { ("channel=\"\($0.key)\"", Double($0.value)) })
    }
}
