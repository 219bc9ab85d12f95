import BoardingControl
import Casework
import DeviceProfiles
import Documents
import Safeguarding
import Telemetry

/// What a configuration says wrong although each value is well formed: references, doubles, impossible timings.
struct ConfigurationCheck {
    let configuration: SiteConfiguration
    let file: String
    let lines: [String: Int]
    let allProfiles: [ProfileID: MeterProfile]
    let elevatorProfiles: [ProfileID: ElevatorProfile]

    func run() -> (issues: [DocumentIssue], cycles: [BusID: Interval]) {
        var log = Log(file: file, lines: lines)
        references(&log)
        doubles(&log)
        homes(&log)
        lifts(&log)
        let cycles = timings(&log)
        return (log.issues, cycles)
    }

    private struct Log {
        let file: String
        let lines: [String: Int]
        var issues: [DocumentIssue] = []
        mutating func add(
            _ kind: String, _ id: some CustomStringConvertible, _ key: String, _ problem: String, _ fix: String, severity: DocumentIssue.Severity = .error
        ) {
            issues.append(
                DocumentIssue(
                    severity: severity, file: file, line: lines["\(kind) \(id)"], key: "\(kind) \(id)\(key.isEmpty ? "" : ".\(key)")",
                    problem: problem, fix: fix))
        }
    }

    private func references(_ log: inout Log) {
        for meter in configuration.meters {
            if !configuration.buses.contains(where: { $0.id == meter.bus }) {
                log.add("meter", meter.id, "bus", "there is no bus `\(meter.bus)`", "name one of: \(names(configuration.buses.map(\.id)))")
            }
            if allProfiles[meter.profile] == nil {
                log.add("meter", meter.id, "profile", "there is no device profile `\(meter.profile)`", "name one of: \(names(allProfiles.keys.sorted()))")
            }
        }
        for home in configuration.households {
            if let meter = home.meter, configuration.meter(meter) == nil {
                log.add("household", home.id, "meter", "there is no meter `\(meter)`", "name a meter of this file")
            }
            if configuration.policies[home.policy] == nil {
                log.add(
                    "household", home.id, "policy", "there is no policy `\(home.policy)`",
                    "name one of: \(configuration.policies.keys.sorted().joined(separator: ", "))")
            }
            contacts(home.contacts, "household", home.id.rawValue, &log)
        }
        for lift in configuration.elevators { contacts(lift.contacts, "elevator", lift.id.rawValue, &log) }
        for contact in configuration.contacts {
            for channel in contact.card.channels where !configuration.channels.contains(where: { $0.id == channel }) {
                log.add("contact", contact.card.id, "channels", "there is no channel `\(channel)`", "name one of: \(names(configuration.channels.map(\.id)))")
            }
            let working = contact.card.channels.filter { id in
                configuration.channels.contains { $0.id == id && ($0.kind != .smtp || contact.email != nil) }
            }
            if contact.email == nil, contact.card.channels.contains(where: { id in configuration.channels.contains { $0.id == id && $0.kind == .smtp } }) {
                log.add("contact", contact.card.id, "email", "a mail channel, but no mail address", "add `email:`", severity: .warning)
            }
            if working.isEmpty {
                log.add("contact", contact.card.id, "channels", "nothing can reach this contact", "add a channel that sends", severity: .warning)
            }
            if let substitute = contact.card.substitute, !configuration.contacts.contains(where: { $0.card.id == substitute }) {
                log.add("contact", contact.card.id, "substitute", "there is no contact `\(substitute)`", "name a contact of this file")
            }
        }
        for channel in configuration.channels where channel.kind == .mqtt && configuration.mqtt == nil {
            log.add("channel", channel.id, "", "an mqtt channel needs the `mqtt` section", "add `mqtt:` with host and port")
        }
    }

    private func names<Subject>(_ ids: [Identifier<Subject>]) -> String {
        ids.isEmpty ? "(none are configured)" : ids.prefix(12).map(\.rawValue).joined(separator: ", ")
    }

    private func contacts(_ ids: [ContactID], _ kind: String, _ owner: String, _ log: inout Log) {
        for id in ids where !configuration.contacts.contains(where: { $0.card.id == id }) {
            log.add(kind, owner, "contacts", "there is no contact `\(id)`", "name a contact of this file")
        }
    }

    private func doubles(_ log: inout Log) {
        var seen: [String: MeterID] = [:]
        for meter in configuration.meters {
            if let other = seen.updateValue(meter.id, forKey: "\(meter.bus) \(meter.unit)") {
                log.add("meter", meter.id, "unit", "`\(other)` has the same bus and unit \(meter.unit)", "give each meter on a bus its own unit")
            }
            let serial = configuration.buses.first { $0.id == meter.bus }?.transport != .tcp
            if serial, !(1...247).contains(meter.unit) {
                log.add("meter", meter.id, "unit", "\(meter.unit) is no unit address on a serial line", "write a number from 1 to 247")
            }
        }
        var owners: [MeterID: HouseholdID] = [:]
        for home in configuration.households {
            guard let meter = home.meter else { continue }
            if let other = owners.updateValue(home.id, forKey: meter) {
                log.add("household", home.id, "meter", "`\(other)` has the same meter", "give each home its own meter")
            }
        }
    }

    private func homes(_ log: inout Log) {
        let directory = configuration.directory
        for home in configuration.households {
            if home.consent == nil {
                log.add("household", home.id, "consent", "no consent is recorded: the home is not polled", "record who agreed and when", severity: .warning)
            }
            guard let meter = home.meter.flatMap(configuration.meter), let policy = configuration.policies[home.policy] else { continue }
            if meter.poll * 2 > policy.noData {
                log.add(
                    "meter", meter.id, "poll", "a poll every \(meter.poll) is longer than half of no_data (\(policy.noData))",
                    "poll at least every \(policy.noData / 2)")
            }
            if let profile = allProfiles[meter.profile], !Coverage(resolution: profile.resolution).volume {
                log.add(
                    "household", home.id, "meter", "`\(meter.id)` counts in steps of \(profile.resolution): silence cannot be judged, the home shows DEGRADED",
                    "use a meter that counts 10 L or less", severity: .warning)
            }
            let subject = Subject(.household, home.id.rawValue)
            guard directory.hasSomebodyToGo(for: subject) else {
                log.add("household", home.id, "", "nobody who could go belongs to this home", "add a grid worker or a committee contact", severity: .warning)
                continue
            }
            if let gap = directory.hourWithoutOwner(for: subject) {
                log.add(
                    "household", home.id, "", "nobody who could go is on duty \(gap); then all of them are told, off duty or not",
                    "fill the shifts of grid worker, committee or station, or add a substitute", severity: .warning)
            }
        }
    }

    private func lifts(_ log: inout Log) {
        if !configuration.elevators.isEmpty, configuration.mqtt == nil {
            log.add("elevator", configuration.elevators[0].id, "", "elevators need the `mqtt` section", "add `mqtt:` with host and port")
        }
        if let broker = configuration.mqtt, broker.authorityFile == nil, !broker.isLoopback {
            for channel in configuration.channels where channel.kind == .mqtt && channel.names {
                log.add(
                    "channel", channel.id, "names", "names would go to \(broker.host) unencrypted", "add `tls: {ca_file: …}` to `mqtt`, or write `names: false`"
                )
            }
        }
        for lift in configuration.elevators where lift.policy.mode == .hold && (lift.signedBy == nil || lift.signedOn == nil) {
            log.add(
                "elevator", lift.id, "boarding", "`boarding: hold` needs `signed_by` and `signed_on` of the maintenance company",
                "have it signed, or write `boarding: alarm`", severity: configuration.mqtt?.isLoopback == true ? .warning : .error)
        }
        for lift in configuration.elevators {
            guard elevatorProfiles[lift.profile] != nil else {
                log.add(
                    "elevator", lift.id, "profile", "there is no elevator profile `\(lift.profile)`",
                    "name one of: \(names(elevatorProfiles.keys.sorted()))")
                continue
            }
            if lift.policy.mode == .hold, !lift.speech.leases || lift.speech.isNative == false && lift.speech.actions[.holdDoor] == nil {
                log.add(
                    "elevator", lift.id, "boarding", "controllers of profile `\(lift.profile)` keep no lease: a hold could outlive this gateway",
                    "write `boarding: alarm`, or have the controller's firmware count a lease (Firmware-Notes/elevator-controller.md)")
            }
        }
        for (first, second) in zip(configuration.elevators, configuration.elevators.dropFirst())
        where first.address == second.address && first.profile == second.profile {
            log.add("elevator", second.id, "address", "has the same address as `\(first.id)`", "give each controller an address of its own")
        }
    }

    /// Predicts each bus's round from the plans and the bus's speed; more work than time is an error.
    private func timings(_ log: inout Log) -> [BusID: Interval] {
        var cycles: [BusID: Interval] = [:]
        for bus in configuration.buses {
            var cycle = 0.0
            var load = 0.0
            for meter in configuration.meters where meter.bus == bus.id && !meter.disabled {
                guard let profile = allProfiles[meter.profile] else { continue }
                let cost = bus.cost(profile)
                let fields = MeterDecoder(profile: profile, parameters: InstanceParameters(meter.parameters)).wantedFields
                let time = ReadPlanner.plan(fields, rules: profile.reading, cost: cost).reduce(0.0) { $0 + cost.time(ofRead: $1.count) }
                cycle += time
                load += time / (Double(meter.poll.milliseconds) * 1000)
            }
            cycles[bus.id] = .milliseconds(Int64((cycle / 1000).rounded(.up)))
            if load > 1 {
                log.add("bus", bus.id, "", "its meters need \(Int((load * 100).rounded())) % of its time", "poll less often, or put some meters on another bus")
            } else if load > 0.7 {
                log.add(
                    "bus", bus.id, "", "its meters need \(Int((load * 100).rounded())) % of its time", "poll less often to leave room for retries",
                    severity: .warning)
            }
        }
        return cycles
    }
}

extension SiteConfiguration.Bus {
    /// What reads cost on this bus for a model; a meter is taken to think for 20 ms unless its profile says.
    public func cost(_ profile: MeterProfile) -> BusCost {
        let turnaround = profile.timing.turnaround ?? .milliseconds(transport == .tcp ? 5 : 20)
        switch transport {
        case .tcp: return .network(turnaround: turnaround, betweenRequests: betweenRequests)
        case .rtu, .rtuOverTCP:
            let bits = 9 + stopBits + (parity == .none ? 0 : 1)
            return .serial(baud: baud, bitsPerCharacter: bits, turnaround: turnaround, betweenRequests: betweenRequests)
        }
    }
}

extension Directory {
    private static let owners: [Role] = [.gridWorker, .committee, .station]

    /// Whether anybody who could go belongs to a subject, on duty or not.
    func hasSomebodyToGo(for subject: Subject) -> Bool {
        Self.owners.contains { !people($0, for: subject, weekday: 0, minute: 0).isEmpty }
    }

    /// The first moment of the week from which nobody who could go is on duty, as `sun 22:00`; nil when there is none.
    func hourWithoutOwner(for subject: Subject) -> String? {
        momentWithoutOwner(for: subject).map { Shift.written(weekday: $0.weekday, minute: $0.minute) }
    }

    /// The first moment of the week (0 = Monday, minutes after midnight) from which nobody who could go is on duty; nil when there is none. Only
    /// where a shift begins or ends can that change.
    public func momentWithoutOwner(for subject: Subject) -> (weekday: Int, minute: Int)? {
        let edges = Set([0] + contacts.flatMap(\.onDuty).flatMap { [$0.from, $0.until % 1440] }).sorted()
        for (weekday, minute) in (0..<7).flatMap({ day in edges.map { (day, $0) } }) {
            let isCovered = Self.owners.contains { role in
                people(role, for: subject, weekday: weekday, minute: minute).contains { $0.isOnDuty(weekday: weekday, minute: minute) }
            }
            if !isCovered { return (weekday, minute) }
        }
        return nil
    }
}

extension SiteConfiguration {
    /// Who belongs to whom, without names.
    public var directory: Directory {
        var ties: [Subject: Directory.Tie] = [:]
        for home in households { ties[Subject(.household, home.id.rawValue)] = .init(contacts: home.contacts, grid: home.grid) }
        for lift in elevators { ties[Subject(.elevator, lift.id.rawValue)] = .init(contacts: lift.contacts) }
        return Directory(contacts: contacts.map(\.card), ties: ties)
    }
}
