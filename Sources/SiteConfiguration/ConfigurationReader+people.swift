import Casework
import Documents
import Phrasebook
import Safeguarding
import Telemetry

extension ConfigurationReader {
    // MARK: Policies

    func policies() -> [String: SafeguardingPolicy] {
        var result: [String: SafeguardingPolicy] = ["default": SafeguardingPolicy()]
        for (name, node) in root.child("policies")?.entries() ?? [] { result[name] = PolicyReader.policy(node) }
        return result
    }

    // MARK: Contacts, channels, ladders

    mutating func contact(_ node: DocumentNode) -> SiteConfiguration.Contact? {
        defer { node.finish() }
        let id = node.identifier("id", ContactID.self)
        let role = node.choice("role", Role.self, required: true)
        let name = node.words("name", .name)
        let phone = node.string("phone")
        let email = node.string("email")
        let shifts = node.strings("on_duty").compactMap { text -> Shift? in
            let shift = Shift(parsing: text)
            if shift == nil {
                node.child("on_duty")?.report(
                    .said("`\(text)`不是班次", "`\(text)` is no shift"), fix: .said("写成mon-fri 08:00-20:00这样", "write something like mon-fri 08:00-20:00"))
            }
            return shift
        }
        var quiet: Shift?
        if let text = node.string("quiet_hours") {
            quiet = Shift(parsing: text)
            if quiet == nil {
                node.child("quiet_hours")?.report(
                    .said("`\(text)`不是一段时间", "`\(text)` is no stretch of hours"), fix: .said("写成22:00-06:00这样", "write something like 22:00-06:00"))
            }
        }
        let grids = node.strings("grids")
        let elevators = node.strings("elevators").map { ElevatorID($0) }
        let channels = node.strings("channels").map { ChannelID($0) }
        let language = node.choice("language", Language.self)
        let substitute = node.identifier("substitute", ContactID.self, required: false)
        guard let id else { return nil }
        remember("contact", id, node)
        guard let role else { return nil }
        let card = ContactCard(
            id: id, role: role, grids: grids, elevators: elevators, channels: channels, language: language, onDuty: shifts,
            quietHours: quiet, substitute: substitute)
        return SiteConfiguration.Contact(card: card, name: name, phone: phone, email: email)
    }

    /// What each kind of channel needs, and what it may have besides.
    private static let channelKeys: [SiteConfiguration.Channel.Kind: (plain: [String], files: [String], oneOf: [String])] = [
        .file: (["path"], [], ["path"]),
        .webhook: (["url"], ["url_file", "secret_file"], ["url", "url_file"]),
        .mqtt: (["topic"], [], ["topic"]),
        .ntfy: (["server", "topic"], ["token_file"], ["topic"]),
        .smtp: (["host", "port", "tls", "username", "from", "ca_file"], ["password_file"], ["host"]),
        .wecom: (["keyword"], ["url_file", "secret_file"], ["url_file"]),
        .dingtalk: (["keyword"], ["url_file", "secret_file"], ["url_file"]),
        .feishu: (["keyword"], ["url_file", "secret_file"], ["url_file"]),
    ]

    mutating func channel(_ node: DocumentNode) -> SiteConfiguration.Channel? {
        defer { node.finish() }
        let id = node.identifier("id", ChannelID.self)
        let kind = node.choice("kind", SiteConfiguration.Channel.Kind.self, required: true)
        let names = node.flag("names")
        guard let id else { return nil }
        remember("channel", id, node)
        guard let kind, let keys = Self.channelKeys[kind] else { return nil }
        var settings: [String: String] = [:]
        var paths: [String: String] = [:]
        for key in keys.plain { settings[key] = node.string(key) }
        for key in keys.files { paths[key] = secretFile(node, key) }
        if keys.plain.contains("ca_file") { _ = secretFile(node, "ca_file") }
        for key in ["path", "ca_file"] { if let path = settings[key] { settings[key] = files.resolve(path) } }
        if kind == .file, let path = settings["path"] { checkNotices(path, node.child("path")) }
        if kind == .smtp { checkMail(node, &settings) }
        if let keyword = settings["keyword"], !(1...40).contains(keyword.unicodeScalars.count) || keyword.unicodeScalars.contains(where: { $0.value < 0x20 }) {
            node.report(
                .said("`keyword`要是一行，最多40个字", "`keyword` must be one line of at most 40 characters"),
                fix: .said("写机器人设置里的关键词", "write the keyword of the robot's settings"))
        }
        for address in [settings["url"], settings["server"], paths["url_file"].flatMap(files.read)].compactMap({ $0 }) { checkAddress(address, node) }
        if !keys.oneOf.contains(where: { settings[$0] != nil || paths[$0] != nil }) {
            node.report(
                .said(
                    "\(kind.rawValue)渠道要有\(keys.oneOf.map { "`\($0)`" }.joined(separator: "或"))",
                    "a \(kind.rawValue) channel needs \(keys.oneOf.map { "`\($0)`" }.joined(separator: " or "))"), fix: .said("加上它", "add it"))
        }
        // A topic without a token can be read by anybody who guesses its name, one at the gateway's broker by every controller that may listen.
        let isPublic = kind == .mqtt || kind == .ntfy && paths["token_file"] == nil
        let isRobot = kind == .wecom || kind == .dingtalk || kind == .feishu
        return SiteConfiguration.Channel(
            id: id, kind: kind, settings: settings, files: paths, names: names ?? !(isRobot || isPublic), line: node.line)
    }

    /// A notice says who lives alone: it leaves this machine encrypted or not at all.
    private func checkAddress(_ address: String, _ node: DocumentNode) {
        guard address.hasPrefix("http://") else { return }
        let host = address.dropFirst(7).prefix { $0 != "/" && $0 != ":" && !$0.isNewline }
        if host == "localhost" || host.hasPrefix("127.") || host == "[::1]" || host.hasPrefix("[") && address.hasPrefix("http://[::1]") { return }
        node.report(
            .said("发往\(host)的通知会不加密地离开本机", "notices to \(host) would leave this machine unencrypted"),
            fix: .said("地址要以https://开头", "write an address that begins with https://"))
    }

    /// Mail says who lives alone: it leaves this machine encrypted or not at all.
    private func checkMail(_ node: DocumentNode, _ settings: inout [String: String]) {
        let port = settings["port"].map { Int($0) ?? 0 }
        if let port, !(1...65535).contains(port) {
            node.child("port")?.report(
                .said("`\(settings["port"] ?? "")`不是端口", "`\(settings["port"] ?? "")` is no port"), fix: .said("写数字，如587", "write a number such as 587"))
        }
        let written = settings["tls"].map { $0 == "true" ? (port == 465 ? "tls" : "starttls") : $0 == "false" ? "none" : $0 }
        let security = written ?? (port == 465 ? "tls" : "starttls")
        settings["tls"] = security
        if !["tls", "starttls", "none"].contains(security) {
            node.child("tls")?.report(
                .said("没有`\(security)`这种加密", "`\(security)` is no kind of encryption"),
                fix: .said("写starttls、tls；本机中继可写none", "write starttls, tls, or none for a relay on this machine"))
        }
        if security == "none", let host = settings["host"], !["localhost", "127.0.0.1", "::1"].contains(host) {
            (node.child("tls") ?? node).report(
                .said("发往\(host)的邮件会不加密地离开本机", "mail to \(host) would leave this machine unencrypted"), fix: .said("写`tls: starttls`", "write `tls: starttls`"))
        }
    }

    func ladders() -> Ladders {
        var result: [String: Ladder] = [:]
        for (name, node) in root.child("ladders")?.entries() ?? [] {
            if !Ladders.names.contains(name), !root.list("events").contains(where: { $0.string("ladder") == name }) {
                node.report(
                    .said("没有哪种工单用梯级`\(name)`", "no kind of case climbs a ladder `\(name)`"),
                    fix: .said("名字写其中之一：\(Ladders.names.sorted().joined(separator: "、"))", "name it one of: \(Ladders.names.sorted().joined(separator: ", "))"),
                    severity: .warning)
            }
            var every = Interval.minutes(15)
            var steps: [DocumentNode] = []
            if node.isMapping {
                every = node.interval("repeat", least: .seconds(1)) ?? every
                steps = node.list("steps")
                node.finish()
            } else {
                steps = node.elements()
            }
            let read = steps.compactMap { step -> LadderStep? in
                defer { step.finish() }
                let roles = step.child("notify").map { list in list.isSequence ? list.elements() : [list] } ?? []
                if roles.isEmpty { step.report(.said("这一级没有通知任何人", "the step notifies nobody"), fix: .said("加上`notify: [family]`", "add `notify: [family]`")) }
                return LadderStep(
                    after: step.interval("after", required: true) ?? .zero, notify: roles.compactMap { $0.choice(Role.self) },
                    acceptWithin: step.interval("accept_within", least: .seconds(1)),
                    arriveWithin: step.interval("arrive_within", least: .seconds(1)),
                    outcomeWithin: step.interval("outcome_within", least: .seconds(1)))
            }
            if read.isEmpty { node.report(.said("这个梯级表没有级", "the ladder has no steps"), fix: .said("至少写一级", "add at least one step")) }
            for (earlier, later) in zip(read, read.dropFirst()) where later.after < earlier.after {
                node.report(.said("有一级比上一级还早", "a step comes before the one above it"), fix: .said("按`after`排好顺序", "order the steps by `after`"))
            }
            result[name] = Ladder(steps: read, repeat: every)
        }
        return Ladders(result)
    }
}

/// Reads one safeguarding policy; the back-test reads such a file by itself.
public enum PolicyReader {
    /// The policy of a mapping, with defaults for what it does not say.
    public static func policy(_ node: DocumentNode) -> SafeguardingPolicy {
        defer { node.finish() }
        var policy = SafeguardingPolicy()
        if let rule = node.child("volume_rule") {
            policy.volumeRule = rule.isNull || rule.text == "off" ? nil : volumeRule(rule)
        }
        policy.longestSilence = node.interval("longest_silence", least: .seconds(1)) ?? policy.longestSilence
        policy.falseAlarmBudget = rate(node, "false_alarm_budget") ?? policy.falseAlarmBudget
        policy.attentionBudget = rate(node, "attention_budget") ?? policy.attentionBudget
        policy.continuousFlow = node.interval("continuous_flow", least: .seconds(1)) ?? policy.continuousFlow
        if let litres = node.number("daily_ceiling_litres", in: 1...1e9), let volume = Volume(litres: litres) { policy.dailyCeiling = volume }
        policy.noData = node.interval("no_data", least: .seconds(1)) ?? policy.noData
        policy.personal = node.flag("personal") ?? policy.personal
        return policy
    }

    private static func volumeRule(_ node: DocumentNode) -> VolumeRule {
        defer { node.finish() }
        var rule = VolumeRule()
        if let litres = node.number("below_litres", in: 0.001...1e6), let volume = Volume(litres: litres) { rule.below = volume }
        rule.within = node.interval("within", least: .seconds(1)) ?? rule.within
        rule.when = node.choice("when") ?? rule.when
        rule.severity = node.choice("severity") ?? rule.severity
        return rule
    }

    /// `0.5/month`; `/week` and `/year` are understood too.
    private static func rate(_ node: DocumentNode, _ key: String) -> Double? {
        guard let text = node.string(key) else { return nil }
        let parts = text.split(separator: "/").map(String.init)
        let months = ["month": 1.0, "week": 30.0 / 7, "year": 30.0 / 365.25]
        if let count = parts.first.flatMap(Double.init), count > 0, count <= 1000, parts.count <= 2,
            let factor = parts.count == 2 ? months[parts[1]] : 1
        {
            return count * factor
        }
        node.child(key)?.report(.said("`\(text)`不是频率", "`\(text)` is no rate"), fix: .said("写成0.5/month这样", "write something like 0.5/month"))
        return nil
    }
}

extension SafeguardingPolicy {
    /// Reads a policy file: the value that `policies:` holds for one policy.
    public static func parse(_ text: String, file: String) throws(DocumentIssues) -> SafeguardingPolicy {
        let root = try DocumentNode.parse(text, file: file)
        let policy = PolicyReader.policy(root)
        guard root.log.issues.allSatisfy({ $0.severity != .error }) else { throw DocumentIssues(root.log.issues) }
        return policy
    }
}
