import BoardingControl
import Casework
import DeviceProfiles
import Documents
import Phrasebook
import Safeguarding
import Telemetry

extension ConfigurationReader {
    mutating func remember<Subject>(_ kind: String, _ id: Identifier<Subject>, _ node: DocumentNode) {
        let key = "\(kind) \(id)"
        if lines[key] != nil {
            node.report(.said("编号`\(id)`用了两次", "the id `\(id)` is used twice"), fix: .said("每个\(kind)要有自己的编号", "give each \(kind) its own id"))
        }
        lines[key] = node.line ?? 0
    }

    mutating func bus(_ node: DocumentNode) -> SiteConfiguration.Bus? {
        defer { node.finish() }
        let transport = node.choice("transport", SiteConfiguration.Bus.Transport.self, required: true)
        let device = node.string("device") ?? ""
        let host = node.string("host") ?? ""
        let bus = node.identifier("id", BusID.self).map { id in
            SiteConfiguration.Bus(
                id: id, transport: transport ?? .tcp, device: device, baud: node.integer("baud", in: 300...921_600) ?? 9600,
                parity: node.choice("parity") ?? .none, stopBits: node.integer("stop_bits", in: 1...2) ?? 1, host: host,
                port: node.integer("port", in: 1...65_535) ?? 502,
                responseTimeout: node.interval("response_timeout", least: .milliseconds(10)) ?? .milliseconds(500),
                betweenRequests: node.interval("between_requests") ?? .milliseconds(transport == .tcp ? 0 : 20),
                closeAfterRound: node.flag("close_after_round") ?? false)
        }
        guard let bus, let transport else { return nil }
        if transport == .rtu, device.isEmpty {
            node.report(.said("rtu总线要写`device`", "an rtu bus needs `device`"), fix: .said("加上`device: /dev/ttyUSB0`", "add `device: /dev/ttyUSB0`"))
        }
        if transport != .rtu, host.isEmpty {
            node.report(
                .said("\(transport.rawValue)总线要写`host`", "a \(transport.rawValue) bus needs `host`"), fix: .said("加上`host:`和`port:`", "add `host:` and `port:`")
            )
        }
        remember("bus", bus.id, node)
        return bus
    }

    mutating func meter(_ node: DocumentNode) -> SiteConfiguration.Meter? {
        defer { node.finish() }
        let id = node.identifier("id", MeterID.self)
        let bus = node.identifier("bus", BusID.self)
        let unit = node.integer("unit", in: 0...255, required: true)
        let profile = node.identifier("profile", ProfileID.self)
        let poll = node.interval("poll", least: .seconds(1)) ?? .minutes(5)
        let disabled = node.flag("disabled") ?? false
        var parameters: [String: String] = [:]
        for (key, value) in node.child("parameters")?.entries() ?? [] {
            guard DocumentNode.isIdentifier(key) else {
                let (problem, fix) = DocumentNode.noIdentifier(key)
                value.report(problem, fix: fix)
                continue
            }
            parameters[key] = value.scalarText()
        }
        guard let id else { return nil }
        remember("meter", id, node)
        guard let bus, let unit, let profile else { return nil }
        return SiteConfiguration.Meter(
            id: id, bus: bus, unit: unit, profile: profile, poll: poll, parameters: parameters, disabled: disabled)
    }

    mutating func household(_ node: DocumentNode) -> SiteConfiguration.Household? {
        defer { node.finish() }
        let id = node.identifier("id", HouseholdID.self)
        var consent: SiteConfiguration.Consent?
        if let entry = node.child("consent") {
            let given = entry.string("given", required: true) ?? ""
            if !given.isEmpty, !Self.isDate(given) { entry.child("given")?.report(Self.noDate(given), fix: Self.writeDate) }
            consent = SiteConfiguration.Consent(given: given, by: entry.words("by", .name))
            entry.finish()
        }
        let name = node.words("name", .name)
        let address = node.words("address", .address)
        let meter = node.identifier("meter", MeterID.self, required: false)
        let alone = node.flag("lives_alone") ?? true
        let policy = node.string("policy") ?? "default"
        let grid = node.string("grid")
        let contacts = node.strings("contacts").map { ContactID($0) }
        guard let id else { return nil }
        remember("household", id, node)
        return SiteConfiguration.Household(
            id: id, name: name, address: address, meter: meter, livesAlone: alone, policy: policy, grid: grid,
            contacts: contacts, consent: consent)
    }

    mutating func elevator(_ node: DocumentNode) -> SiteConfiguration.Elevator? {
        defer { node.finish() }
        let id = node.identifier("id", ElevatorID.self)
        let profile = node.identifier("profile", ProfileID.self, required: false) ?? "wellward-elevator"
        var policy = BoardingPolicy()
        policy.mode = node.choice("boarding", BoardingMode.self) ?? .alarm
        policy.servedFloors = node.strings("served_floors")
        if let confirm = node.child("confirm") {
            policy.confirmation = BoardingPolicy.Confirmation(
                within: confirm.interval("within", least: .milliseconds(100)) ?? .milliseconds(2400),
                frames: confirm.integer("frames", in: 2...20) ?? 2, confidence: confirm.number("confidence", in: 0.3...1) ?? 0.55)
            confirm.finish()
        }
        policy.lease = node.interval("lease", least: .seconds(1)) ?? policy.lease
        policy.longestHold = node.interval("longest_hold", least: .seconds(1)) ?? policy.longestHold
        policy.clearAfter = node.interval("clear_after", least: .seconds(1)) ?? policy.clearAfter
        policy.coolDown = node.interval("cool_down", least: .seconds(1)) ?? policy.coolDown
        if policy.lease > BoardingPolicy.greatestLease {
            node.child("lease")?.report(.said("租约\(policy.lease)太长", "a lease of \(policy.lease) is too long"), fix: .said("最多写10s", "write at most 10s"))
        }
        if policy.longestHold > BoardingPolicy.greatestHold {
            node.child("longest_hold")?.report(
                .said("控门\(policy.longestHold)会把人困住", "a hold of \(policy.longestHold) can trap someone"), fix: .said("最多写120s", "write at most 120s"))
        }
        if policy.lease > policy.longestHold {
            node.child("lease")?.report(.said("租约比longest_hold还长", "the lease is longer than longest_hold"), fix: .said("缩短租约", "shorten the lease"))
        }
        let contacts = node.strings("contacts").map { ContactID($0) }
        let signedBy = node.string("signed_by")
        let signedOn = node.string("signed_on")
        if let signedOn, !Self.isDate(signedOn) { node.child("signed_on")?.report(Self.noDate(signedOn), fix: Self.writeDate) }
        let address = node.string("address")
        guard let id else { return nil }
        if let address, address.isEmpty || address.contains(where: { "/+#".contains($0) }) {
            node.child("address")?.report(
                .said("`\(address)`不能写进主题", "`\(address)` cannot stand in a topic"),
                fix: .said("控制器地址里不要有/ + #", "write the controller's address without / + #"))
        }
        remember("elevator", id, node)
        return SiteConfiguration.Elevator(
            id: id, profile: profile, speech: elevatorProfiles[profile] ?? .native, address: address ?? id.rawValue, policy: policy, contacts: contacts,
            signedBy: signedBy, signedOn: signedOn)
    }

    // MARK: Dates

    /// A day that exists, as 2026-05-01.
    static func isDate(_ text: String) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) ?? -1 }
        guard text.utf8.count == 10, parts.count == 3, parts[0] > 1900, (1...12).contains(parts[1]) else { return false }
        let isLeap = parts[0] % 4 == 0 && parts[0] % 100 != 0 || parts[0] % 400 == 0
        let days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        return (1...days[parts[1] - 1]).contains(parts[2])
    }

    static func noDate(_ text: String) -> LocalizedText { .said("`\(text)`不是日期", "`\(text)` is no date") }
    static let writeDate = LocalizedText.said("写成2026-05-01这样", "write something like 2026-05-01")

    // MARK: Tables

    private func table(_ path: String, required: [String], known: [String]) -> CSVTable? {
        guard let text = files.read(files.resolve(path)) else {
            root.report(
                .said("文件`\(path)`读不了", "the file `\(path)` cannot be read"),
                fix: .said(
                    "检查路径（从配置所在的文件夹算起），并确认是UTF-8：电子表格里叫“CSV UTF-8”",
                    "check the path, counted from the configuration's folder, and that it is UTF-8: a spreadsheet calls that CSV UTF-8"))
            return nil
        }
        let table = CSVTable(text)
        for column in required where !table.header.contains(column) {
            report(path, 1, column, .said("缺少`\(column)`这一列", "the column `\(column)` is missing"), .said("在表头里加上", "add it to the header line"))
        }
        for column in table.header where !known.contains(column) {
            report(
                path, 1, column, .said("没有`\(column)`这一列", "unknown column `\(column)`"),
                .said("可以有的列：\(known.joined(separator: "、"))", "known columns: \(known.joined(separator: ", "))"))
        }
        return table
    }

    func report(_ file: String, _ line: Int, _ key: String, _ problem: LocalizedText, _ fix: LocalizedText) {
        root.log.add(DocumentIssue(file: file, line: line, key: key, problem: problem, fix: fix))
    }

    /// Whether every cell of a row that names something is an identifier; what is not is reported with its line.
    private func namesAreIdentifiers(_ row: CSVTable.Row, _ path: String, _ columns: [String], required: Set<String>) -> Bool {
        var isGood = true
        for column in columns {
            for text in (row.fields[column] ?? "").split(separator: ";", omittingEmptySubsequences: true).map(String.init)
            where !DocumentNode.isIdentifier(text) {
                let (problem, fix) = DocumentNode.noIdentifier(text)
                report(path, row.line, column, problem, fix)
                isGood = false
            }
            if required.contains(column), (row.fields[column] ?? "").isEmpty {
                report(path, row.line, column, .said("编号是空的", "the id is empty"), .said("写上编号", "write an identifier"))
                isGood = false
            }
        }
        return isGood
    }

    mutating func metersFromFile(_ path: String) -> [SiteConfiguration.Meter] {
        let known = ["id", "bus", "unit", "profile", "poll", "household", "parameters"]
        guard let table = table(path, required: ["id", "bus", "unit", "profile"], known: known) else { return [] }
        return table.rows.compactMap { row in
            let value = { (key: String) in row.fields[key] ?? "" }
            guard namesAreIdentifiers(row, path, ["id", "bus", "profile", "household"], required: ["id", "bus", "profile"]) else { return nil }
            guard let unit = Int(value("unit")), (0...255).contains(unit) else {
                report(
                    path, row.line, "unit", .said("`\(value("unit"))`不是从站地址", "`\(value("unit"))` is no unit address"),
                    .said("写1到247的数", "write a number from 1 to 247"))
                return nil
            }
            let poll = value("poll").isEmpty ? .minutes(5) : Interval(parsing: value("poll"))
            guard let poll, poll >= .seconds(1) else {
                report(
                    path, row.line, "poll", .said("`\(value("poll"))`不是一秒以上的时长", "`\(value("poll"))` is no duration of a second or more"),
                    .said("写成5m这样", "write something like 5m"))
                return nil
            }
            var parameters: [String: String] = [:]
            for pair in value("parameters").split(separator: ";") {
                let words = pair.split(separator: "=", maxSplits: 1).map(String.init)
                if words.count == 2, DocumentNode.isIdentifier(words[0]) {
                    parameters[words[0]] = words[1]
                } else {
                    report(
                        path, row.line, "parameters", .said("`\(pair)`不是key=value", "`\(pair)` is not key=value"),
                        .said("写成key=value;key=value", "write key=value;key=value"))
                }
            }
            if lines["meter \(value("id"))"] != nil {
                report(
                    path, row.line, "id", .said("编号`\(value("id"))`用了两次", "the id `\(value("id"))` is used twice"),
                    .said("每只水表要有自己的编号", "give each meter its own id"))
            }
            lines["meter \(value("id"))"] = row.line
            tables["meter \(value("id"))"] = path
            if !value("household").isEmpty { householdsOfTable.append((path, row.line, value("household"))) }
            return SiteConfiguration.Meter(
                id: MeterID(value("id")), bus: BusID(value("bus")), unit: unit, profile: ProfileID(value("profile")), poll: poll,
                parameters: parameters, disabled: false)
        }
    }

    mutating func householdsFromFile(_ path: String) -> [SiteConfiguration.Household] {
        let known = ["id", "name", "address", "meter", "lives_alone", "policy", "grid", "contacts", "consent_given", "consent_by"]
        guard let table = table(path, required: ["id"], known: known) else { return [] }
        return table.rows.compactMap { row in
            let value = { (key: String) in row.fields[key].flatMap { $0.isEmpty ? nil : $0 } }
            guard namesAreIdentifiers(row, path, ["id", "meter", "contacts"], required: ["id"]) else { return nil }
            let id = HouseholdID(value("id") ?? "")
            if let given = value("consent_given"), !Self.isDate(given) { report(path, row.line, "consent_given", Self.noDate(given), Self.writeDate) }
            if let alone = value("lives_alone"), !["true", "yes", "1", "false", "no", "0"].contains(alone.lowercased()) {
                report(
                    path, row.line, "lives_alone", .said("`\(alone)`不是true或false", "`\(alone)` is not true or false"),
                    .said("写true或false", "write true or false"))
            }
            if lines["household \(id)"] != nil {
                report(path, row.line, "id", .said("编号`\(id)`用了两次", "the id `\(id)` is used twice"), .said("每户要有自己的编号", "give each household its own id"))
            }
            lines["household \(id)"] = row.line
            tables["household \(id)"] = path
            return SiteConfiguration.Household(
                id: id, name: (value("name") ?? "").bounded(.name), address: (value("address") ?? "").bounded(.address),
                meter: value("meter").map { MeterID($0) },
                livesAlone: value("lives_alone").map { ["true", "yes", "1"].contains($0.lowercased()) } ?? true,
                policy: value("policy") ?? "default", grid: value("grid"),
                contacts: (value("contacts") ?? "").split(separator: ";").map { ContactID(String($0)) },
                consent: value("consent_given").map { SiteConfiguration.Consent(given: $0, by: (value("consent_by") ?? "").bounded(.name)) })
        }
    }
}
