import BoardingControl
import Casework
import DeviceProfiles
import Documents
import Phrasebook
import Safeguarding
import Telemetry

/// What a configuration says wrong although each value is well formed: references, doubles, impossible timings.
struct ConfigurationCheck {
    let configuration: SiteConfiguration
    let file: String
    let lines: [String: Int]
    let tables: [String: String]
    let allProfiles: [ProfileID: MeterProfile]
    let elevatorProfiles: [ProfileID: ElevatorProfile]

    func run() -> (issues: [DocumentIssue], cycles: [BusID: Interval]) {
        var log = Log(file: file, lines: lines, tables: tables)
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
        let tables: [String: String]
        var issues: [DocumentIssue] = []
        mutating func add(
            _ kind: String, _ id: some CustomStringConvertible, _ key: String, _ problem: LocalizedText, _ fix: LocalizedText,
            severity: DocumentIssue.Severity = .error
        ) {
            issues.append(
                DocumentIssue(
                    severity: severity, file: tables["\(kind) \(id)"] ?? file, line: lines["\(kind) \(id)"],
                    key: "\(kind) \(id)\(key.isEmpty ? "" : ".\(key)")",
                    problem: problem, fix: fix))
        }
    }

    private func references(_ log: inout Log) {
        for meter in configuration.meters {
            if !configuration.buses.contains(where: { $0.id == meter.bus }) {
                log.add("meter", meter.id, "bus", .said("没有总线`\(meter.bus)`", "there is no bus `\(meter.bus)`"), oneOf(configuration.buses.map(\.id)))
            }
            if allProfiles[meter.profile] == nil {
                log.add(
                    "meter", meter.id, "profile", .said("没有设备档案`\(meter.profile)`", "there is no device profile `\(meter.profile)`"),
                    oneOf(allProfiles.keys.sorted()))
            }
        }
        for home in configuration.households {
            if let meter = home.meter, configuration.meter(meter) == nil {
                log.add("household", home.id, "meter", .said("没有水表`\(meter)`", "there is no meter `\(meter)`"), .said("写这份文件里的水表", "name a meter of this file"))
            }
            if configuration.policies[home.policy] == nil {
                log.add(
                    "household", home.id, "policy", .said("没有策略`\(home.policy)`", "there is no policy `\(home.policy)`"),
                    .said(
                        "写其中之一：\(configuration.policies.keys.sorted().joined(separator: "、"))",
                        "name one of: \(configuration.policies.keys.sorted().joined(separator: ", "))"))
            }
            contacts(home.contacts, "household", home.id.rawValue, &log)
        }
        for lift in configuration.elevators { contacts(lift.contacts, "elevator", lift.id.rawValue, &log) }
        for contact in configuration.contacts {
            for channel in contact.card.channels where !configuration.channels.contains(where: { $0.id == channel }) {
                log.add(
                    "contact", contact.card.id, "channels", .said("没有渠道`\(channel)`", "there is no channel `\(channel)`"),
                    oneOf(configuration.channels.map(\.id)))
            }
            let working = contact.card.channels.filter { id in
                configuration.channels.contains { $0.id == id && ($0.kind != .smtp || contact.email != nil) }
            }
            if contact.email == nil, contact.card.channels.contains(where: { id in configuration.channels.contains { $0.id == id && $0.kind == .smtp } }) {
                log.add(
                    "contact", contact.card.id, "email", .said("用邮件渠道，却没有邮箱", "a mail channel, but no mail address"), .said("加上`email:`", "add `email:`"),
                    severity: .warning)
            }
            if working.isEmpty {
                log.add(
                    "contact", contact.card.id, "channels", .said("没有办法通知到这个联系人", "nothing can reach this contact"),
                    .said("加一个能发出去的渠道", "add a channel that sends"), severity: .warning)
            }
            for lift in contact.card.elevators where !configuration.elevators.contains(where: { $0.id == lift }) {
                log.add(
                    "contact", contact.card.id, "elevators", .said("没有电梯`\(lift)`", "there is no elevator `\(lift)`"), oneOf(configuration.elevators.map(\.id)))
            }
            if contact.card.substitute == contact.card.id {
                log.add(
                    "contact", contact.card.id, "substitute", .said("代班人就是自己", "the substitute is the contact itself"), .said("写另一个联系人", "name another contact")
                )
            }
            if let substitute = contact.card.substitute, !configuration.contacts.contains(where: { $0.card.id == substitute }) {
                log.add(
                    "contact", contact.card.id, "substitute", .said("没有联系人`\(substitute)`", "there is no contact `\(substitute)`"),
                    .said("写这份文件里的联系人", "name a contact of this file"))
            }
        }
        for channel in configuration.channels where channel.kind == .mqtt && configuration.mqtt == nil {
            log.add(
                "channel", channel.id, "", .said("mqtt渠道要有`mqtt`一节", "an mqtt channel needs the `mqtt` section"),
                .said("加上`mqtt:`，写host和port", "add `mqtt:` with host and port"))
        }
    }

    private func oneOf<Subject>(_ ids: [Identifier<Subject>]) -> LocalizedText {
        let names = ids.prefix(12).map(\.rawValue)
        return names.isEmpty
            ? .said("先加上它：现在一个也没有", "add it: none is configured")
            : .said("写其中之一：\(names.joined(separator: "、"))", "name one of: \(names.joined(separator: ", "))")
    }

    private func contacts(_ ids: [ContactID], _ kind: String, _ owner: String, _ log: inout Log) {
        for id in ids where !configuration.contacts.contains(where: { $0.card.id == id }) {
            log.add(kind, owner, "contacts", .said("没有联系人`\(id)`", "there is no contact `\(id)`"), .said("写这份文件里的联系人", "name a contact of this file"))
        }
    }

    /// What a profile leaves to the installation, and nothing else.
    private func parameters(_ meter: SiteConfiguration.Meter, _ profile: MeterProfile, _ log: inout Log) {
        let known = Set(
            profile.points.flatMap { point -> [String] in
                [point.scaleRule?.origin, point.unitRule?.origin].compactMap { if case .parameter(let name)? = $0 { name } else { nil } }
            })
        for name in meter.parameters.keys.sorted() where !known.contains(name) {
            log.add(
                "meter", meter.id, "parameters", .said("档案`\(profile.id)`没有`\(name)`这个参数", "profile `\(profile.id)` has no parameter `\(name)`"),
                known.isEmpty
                    ? .said("去掉它", "remove it") : .said("可以写：\(known.sorted().joined(separator: "、"))", "known: \(known.sorted().joined(separator: ", "))"),
                severity: .warning)
        }
        for name in known.sorted() where meter.parameters[name] == nil {
            log.add(
                "meter", meter.id, "parameters", .said("没有写`\(name)`：没有它就读不出数", "`\(name)` is not written: without it nothing can be read"),
                .said("加上`parameters: { \(name): … }`", "add `parameters: { \(name): … }`"), severity: .warning)
        }
    }

    private func doubles(_ log: inout Log) {
        var devices: [String: BusID] = [:]
        for bus in configuration.buses where bus.transport == .rtu {
            if let other = devices.updateValue(bus.id, forKey: bus.device) {
                log.add(
                    "bus", bus.id, "device", .said("`\(other)`用的是同一个串口", "`\(other)` has the same device"), .said("一个串口只写一条总线", "write one bus for one device"))
            }
        }
        for bus in configuration.buses where bus.transport == .rtu && bus.hasNumberedDevice {
            log.add(
                "bus", bus.id, "device",
                .said(
                    "`\(bus.device)`这个号码随插拔顺序而变：重新插上后可能换了号，或者成了另一条线",
                    "the number in `\(bus.device)` follows the order of plugging: after a re-plug it may be another one, or another line"),
                .said("写`/dev/serial/by-id/`下的名字（`ls /dev/serial/by-id`）", "write its name under `/dev/serial/by-id/` (`ls /dev/serial/by-id`)"),
                severity: .warning)
        }
        var seen: [String: MeterID] = [:]
        for meter in configuration.meters {
            if let other = seen.updateValue(meter.id, forKey: "\(meter.bus) \(meter.unit)") {
                log.add(
                    "meter", meter.id, "unit", .said("`\(other)`在同一条总线上也是从站\(meter.unit)", "`\(other)` has the same bus and unit \(meter.unit)"),
                    .said("同一条总线上每只表要有自己的从站地址", "give each meter on a bus its own unit"))
            }
            if let profile = allProfiles[meter.profile] { parameters(meter, profile, &log) }
            let serial = configuration.buses.first { $0.id == meter.bus }?.transport != .tcp
            if serial, !(1...247).contains(meter.unit) {
                log.add(
                    "meter", meter.id, "unit", .said("\(meter.unit)不能作串口上的从站地址", "\(meter.unit) is no unit address on a serial line"),
                    .said("写1到247的数", "write a number from 1 to 247"))
            }
        }
        var owners: [MeterID: HouseholdID] = [:]
        for home in configuration.households {
            guard let meter = home.meter else { continue }
            if let other = owners.updateValue(home.id, forKey: meter) {
                log.add(
                    "household", home.id, "meter", .said("`\(other)`用的是同一只表", "`\(other)` has the same meter"),
                    .said("每户要有自己的表", "give each home its own meter"))
            }
        }
    }

    private func homes(_ log: inout Log) {
        let directory = configuration.directory
        for home in configuration.households {
            if home.consent == nil {
                log.add(
                    "household", home.id, "consent", .said("没有同意记录：不读这一户的表", "no consent is recorded: the home is not polled"),
                    .said("记下谁在什么时候同意的", "record who agreed and when"), severity: .warning)
            }
            guard let meter = home.meter.flatMap(configuration.meter), let policy = configuration.policies[home.policy] else { continue }
            if meter.poll * 2 > policy.noData {
                log.add(
                    "meter", meter.id, "poll",
                    .said("每\(meter.poll)读一次，超过no_data（\(policy.noData)）的一半", "a poll every \(meter.poll) is longer than half of no_data (\(policy.noData))"),
                    .said("至少每\(policy.noData / 2)读一次", "poll at least every \(policy.noData / 2)"))
            }
            if let profile = allProfiles[meter.profile], !Coverage(resolution: profile.resolution).volume {
                log.add(
                    "household", home.id, "meter",
                    .said(
                        "`\(meter.id)`一个字是\(profile.resolution)：无法判断安静了多久，这一户显示DEGRADED",
                        "`\(meter.id)` counts in steps of \(profile.resolution): silence cannot be judged, the home shows DEGRADED"),
                    .said("换一个字不超过10 L的表", "use a meter that counts 10 L or less"), severity: .warning)
            }
            let subject = Subject(.household, home.id.rawValue)
            guard directory.hasSomebodyToGo(for: subject) else {
                log.add(
                    "household", home.id, "", .said("这一户没有能上门的人", "nobody who could go belongs to this home"),
                    .said("加一个网格员或居委会联系人", "add a grid worker or a committee contact"), severity: .warning)
                continue
            }
            if let gap = directory.hourWithoutOwner(for: subject) {
                log.add(
                    "household", home.id, "",
                    .said("\(gap)没有能上门的人当班；那时不论当不当班都会通知所有人", "nobody who could go is on duty \(gap); then all of them are told, off duty or not"),
                    .said("把网格员、居委会或派出所的班排满，或写一个代班人", "fill the shifts of grid worker, committee or station, or add a substitute"), severity: .warning)
            }
        }
    }

    private func lifts(_ log: inout Log) {
        if !configuration.elevators.isEmpty, configuration.mqtt == nil {
            log.add(
                "elevator", configuration.elevators[0].id, "", .said("电梯要有`mqtt`一节", "elevators need the `mqtt` section"),
                .said("加上`mqtt:`，写host和port", "add `mqtt:` with host and port"))
        }
        if let broker = configuration.mqtt, broker.authorityFile == nil, !broker.isLoopback {
            for channel in configuration.channels where channel.kind == .mqtt && channel.names {
                log.add(
                    "channel", channel.id, "names", .said("姓名会不加密地发往\(broker.host)", "names would go to \(broker.host) unencrypted"),
                    .said("给`mqtt`加上`tls: {ca_file: …}`，或写`names: false`", "add `tls: {ca_file: …}` to `mqtt`, or write `names: false`")
                )
            }
        }
        for lift in configuration.elevators where lift.policy.mode == .hold && (lift.signedBy == nil || lift.signedOn == nil) {
            log.add(
                "elevator", lift.id, "boarding",
                .said("`boarding: hold`要有维保公司的`signed_by`和`signed_on`", "`boarding: hold` needs `signed_by` and `signed_on` of the maintenance company"),
                .said("请他们签字，或写`boarding: alarm`", "have it signed, or write `boarding: alarm`"),
                severity: configuration.mqtt?.isLoopback == true ? .warning : .error)
        }
        for lift in configuration.elevators {
            guard elevatorProfiles[lift.profile] != nil else {
                log.add(
                    "elevator", lift.id, "profile", .said("没有电梯档案`\(lift.profile)`", "there is no elevator profile `\(lift.profile)`"),
                    oneOf(elevatorProfiles.keys.sorted()))
                continue
            }
            if lift.policy.mode == .hold, !lift.speech.leases || lift.speech.isNative == false && lift.speech.actions[.holdDoor] == nil {
                log.add(
                    "elevator", lift.id, "boarding",
                    .said(
                        "档案`\(lift.profile)`的控制器不认租约：网关停了，门还可能被控着", "controllers of profile `\(lift.profile)` keep no lease: a hold could outlive this gateway"),
                    .said(
                        "写`boarding: alarm`，或让控制器固件支持租约（Firmware-Notes/elevator-controller.md）",
                        "write `boarding: alarm`, or have the controller's firmware count a lease (Firmware-Notes/elevator-controller.md)"))
            }
        }
        // All native controllers share their topics, whatever their profile is called.
        var owners: [String: ElevatorID] = [:]
        for second in configuration.elevators {
            let key = "\(second.speech.isNative ? "native" : second.profile.rawValue)/\(second.address)"
            guard let first = owners[key] else {
                owners[key] = second.id
                continue
            }
            log.add(
                "elevator", second.id, "address", .said("地址和`\(first)`相同", "has the same address as `\(first)`"),
                .said("每台控制器要有自己的地址", "give each controller an address of its own"))
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
                log.add(
                    "bus", bus.id, "", .said("这条总线的水表要占它\(Int((load * 100).rounded()))%的时间", "its meters need \(Int((load * 100).rounded())) % of its time"),
                    .said("少读几次，或把一些表移到另一条总线", "poll less often, or put some meters on another bus"))
            } else if load > 0.7 {
                log.add(
                    "bus", bus.id, "", .said("这条总线的水表要占它\(Int((load * 100).rounded()))%的时间", "its meters need \(Int((load * 100).rounded())) % of its time"),
                    .said("少读几次，给重试留出时间", "poll less often to leave room for retries"),
                    severity: .warning)
            }
        }
        return cycles
    }
}

extension SiteConfiguration.Bus {
    /// Whether its device is named by a number that the kernel hands out in the order of plugging.
    var hasNumberedDevice: Bool {
        ["/dev/ttyUSB", "/dev/ttyACM"].contains { device.hasPrefix($0) && device.dropFirst($0.count).allSatisfy(\.isNumber) }
    }

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
