import BoardingControl
import Casework
import DeviceProfiles
import Documents
import Phrasebook
import Safeguarding
import Telemetry

/// Reads and checks `wellward.yaml`. Everything wrong is found in one pass, each fault with file, line, key and fix.
public struct ConfigurationReader {
    let files: ConfigurationFiles
    let file: String
    let root: DocumentNode
    /// Lines of entries by kind and id, for faults found later.
    var lines: [String: Int] = [:]

    /// What reading gave.
    public struct Result: Sendable {
        /// The configuration, nil when an issue is an error.
        public var configuration: SiteConfiguration?
        /// Everything worth saying, errors and warnings.
        public var issues: [DocumentIssue]
        /// Predicted time for one round of each bus.
        public var cycles: [BusID: Interval]
    }

    /// Reads a configuration.
    /// - Parameters:
    ///   - text: the file's contents
    ///   - file: its name for messages
    public static func read(_ text: String, file: String, files: ConfigurationFiles) -> Result {
        do {
            let root = try DocumentNode.parse(text, file: file)
            var reader = ConfigurationReader(files: files, file: file, root: root)
            return reader.result()
        } catch {
            return Result(configuration: nil, issues: error.issues, cycles: [:])
        }
    }

    /// The tables that meters and homes stand in, where not in the file itself.
    var tables: [String: String] = [:]
    /// Homes that the meters' table names.
    var householdsOfTable: [(file: String, line: Int, household: String)] = []

    /// Elevator profiles that were found; the native one needs no file.
    var elevatorProfiles: [ProfileID: ElevatorProfile] = [ElevatorProfile.native.id: .native]

    private init(files: ConfigurationFiles, file: String, root: DocumentNode) {
        self.files = files
        self.file = file
        self.root = root
    }

    private mutating func result() -> Result {
        let (profiles, profileIssues) = readProfiles()
        guard var configuration = configuration(profiles) else {
            root.finish()
            return Result(configuration: nil, issues: root.log.issues, cycles: [:])
        }
        var issues = profileIssues
        let checks = ConfigurationCheck(
            configuration: configuration, file: file, lines: lines, tables: tables, allProfiles: profiles, elevatorProfiles: elevatorProfiles)
        for named in householdsOfTable where !configuration.households.contains(where: { $0.id.rawValue == named.household }) {
            report(
                named.file, named.line, "household", .said("没有住户`\(named.household)`", "there is no household `\(named.household)`"),
                .said("写配置里的住户", "name a household of the configuration"))
        }
        let found = checks.run()
        configuration.profiles = profiles.filter { id, _ in configuration.meters.contains { $0.profile == id } }
        issues += root.log.issues + found.issues
        let failed = issues.contains { $0.severity == .error }
        return Result(configuration: failed ? nil : configuration, issues: issues, cycles: found.cycles)
    }

    private mutating func configuration(_ profiles: [ProfileID: MeterProfile]) -> SiteConfiguration? {
        let site = root.child("site")
        if site == nil {
            root.report(
                .said("缺少`site`", "`site` is missing"),
                fix: .said("加上`site: {id: …, name: …, timezone: Asia/Shanghai}`", "add `site: {id: …, name: …, timezone: Asia/Shanghai}`"))
        }
        let siteID = site?.identifier("id", SiteID.self)
        if let siteID, siteID.rawValue.contains("_") {
            site?.child("id")?.report(
                .said("`\(siteID)`不能作站点编号", "`\(siteID)` is not an id of a site"),
                fix: .said("用1到40个字符：a-z、0-9和-", "use 1 to 40 of the characters a-z, 0-9 and -"))
        }
        let siteName = site?.words("name", .name) ?? ""
        let zone = site?.string("timezone") ?? "Asia/Shanghai"
        let clock = CivilClock(identifier: zone)
        if clock == nil {
            site?.child("timezone")?.report(
                .said("`\(zone)`不是时区", "`\(zone)` is not a time zone"), fix: .said("写IANA名称，如Asia/Shanghai", "write an IANA name such as Asia/Shanghai"))
        }
        site?.finish()
        let language = root.choice("language", Language.self) ?? .chinese
        let storage = storage()
        let console = console()
        let mqtt = broker()
        let buses = root.list("buses").compactMap { bus($0) }
        var meters = root.list("meters").compactMap { meter($0) }
        if let path = root.string("meters_file") { meters += metersFromFile(path) }
        checkTable("meters_file", isPrivate: false)
        checkTable("households_file", isPrivate: true)
        var households = root.list("households").compactMap { household($0) }
        if let path = root.string("households_file") { households += householdsFromFile(path) }
        let policies = policies()
        let elevators = root.list("elevators").compactMap { elevator($0) }
        let contacts = root.list("contacts").compactMap { contact($0) }
        let channels = root.list("channels").compactMap { channel($0) }
        let ladders = ladders()
        let links = links()
        let heartbeat = heartbeat()
        let upstream = upstream()
        let drill = drill()
        let events = root.list("events").compactMap { event($0) }
        root.finish()
        guard let siteID, let clock else { return nil }
        var configuration = SiteConfiguration(
            siteID: siteID, siteName: siteName, clock: clock, language: language, storage: storage, console: console,
            mqtt: mqtt, buses: buses, meters: meters, households: households, policies: policies, elevators: elevators,
            contacts: contacts, channels: channels, ladders: ladders, links: links, heartbeat: heartbeat, profiles: [:])
        (configuration.upstream, configuration.drill, configuration.events) = (upstream, drill, events)
        for event in events { configuration.ladders.byRule["event/\(event.id)"] = event.ladder }
        return configuration
    }

    // MARK: Profiles

    private mutating func readProfiles() -> ([ProfileID: MeterProfile], [DocumentIssue]) {
        let named = root.strings("profiles")
        var found: [ProfileID: MeterProfile] = [:]
        var issues: [DocumentIssue] = []
        for folder in named.isEmpty ? ["DeviceProfiles"] : named {
            let places = folder.hasPrefix("/") ? [folder] : [files.resolve(folder)] + files.profileRoots.map { "\($0)/\(folder)" }
            guard let place = places.first(where: { files.list($0, "") != nil }) else {
                root.child("profiles")?.report(
                    .said("没有`\(folder)`这个文件夹", "there is no folder `\(folder)`"), fix: .said("写放设备档案的文件夹", "name a folder with device profiles"))
                continue
            }
            let paths = (files.list("\(place)/meters", ".yaml") ?? []) + (files.list(place, ".yaml") ?? [])
            for path in paths {
                guard let text = files.read(path) else { continue }
                let (profile, faults) = ProfileReader.read(text, file: path)
                issues += faults.filter { $0.severity == .error }
                if let profile { found[profile.id] = found[profile.id] ?? profile }
            }
            for path in files.list("\(place)/elevators", ".yaml") ?? [] {
                guard let text = files.read(path) else { continue }
                let (profile, faults) = ElevatorProfileReader.read(text, file: path)
                issues += faults.filter { $0.severity == .error }
                if let profile { elevatorProfiles[profile.id] = elevatorProfiles[profile.id] ?? profile }
            }
        }
        return (found, issues)
    }

    // MARK: Storage, console, broker

    private func storage() -> SiteConfiguration.Storage {
        let node = root.child("storage")
        defer { node?.finish() }
        var storage = SiteConfiguration.Storage(
            path: files.resolve(node?.string("path") ?? "var/wellward.sqlite"),
            retainReadings: node?.interval("retain_readings", least: .hours(1)) ?? .days(400),
            commitEvery: node?.interval("commit_every", least: .milliseconds(10)) ?? .seconds(2))
        storage.sealAfter = node?.interval("seal_after", least: .days(1)) ?? storage.sealAfter
        storage.sizeCapBytes = node?.bytes("size_cap", least: 32_000_000) ?? storage.sizeCapBytes
        storage.retainCases = node?.interval("retain_cases", least: .days(1)) ?? storage.retainCases
        storage.retainJournal = node?.interval("retain_journal", least: .days(1)) ?? storage.retainJournal
        if let thin = node?.child("thin") {
            storage.thinAfter = thin.interval("after", least: .days(2), required: true)
            storage.thinEvery = thin.interval("every", least: .minutes(1)) ?? storage.thinEvery
            thin.finish()
        }
        return storage
    }

    private func console() -> SiteConfiguration.Console {
        let node = root.child("console")
        defer { node?.finish() }
        let listen = node?.string("listen") ?? "127.0.0.1:8080"
        var (host, port) = ("127.0.0.1", 8080)
        if let colon = listen.lastIndex(of: ":"), let number = Int(listen[listen.index(after: colon)...]), (0...65_535).contains(number) {
            host = String(listen[..<colon])
            port = number
            if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        } else {
            node?.child("listen")?.report(
                .said("`\(listen)`不是HOST:PORT", "`\(listen)` is not HOST:PORT"), fix: .said("写成127.0.0.1:8080这样", "write something like 127.0.0.1:8080"))
        }
        let users = node?.string("users_file").map(files.resolve)
        let open = node?.flag("open") ?? false
        // Nothing here stops the gateway: while accounts cannot be known the console is shut, and homes are watched.
        if let path = users { lookAtUsersFile(path, node?.child("users_file")) }
        if open, users != nil {
            node?.child("open")?.report(
                .said("写了账号文件，`open`就不起作用", "with a users file `open` says nothing: accounts are asked for"), fix: .said("去掉其中一个", "take one of the two out"),
                severity: .warning)
        } else if users == nil, !open {
            (node ?? root).report(
                .said("没有账号文件，控制台不开放", "there is no users file: the console is shut"),
                fix: .said(
                    "运行`wellward user add`并写上`users_file`；只想本机人人可用，写`open: true`",
                    "run `wellward user add` and name the file in `console.users_file`; where everybody on this machine may do everything, write `open: true`"),
                severity: .warning)
        }
        var console = SiteConfiguration.Console(host: host, port: port, usersFile: users, open: open, publicURL: node?.string("public_url"))
        if users == nil, !console.isOnLoopback {
            node?.child("listen")?.report(
                .said("没有账号文件，控制台只在本机监听", "without a users file the console listens on loopback only"),
                fix: .said("运行`wellward user add`，或在127.0.0.1监听", "run `wellward user add`, or listen on 127.0.0.1"), severity: .warning)
            console.host = "127.0.0.1"
        }
        return console
    }

    private func lookAtUsersFile(_ path: String, _ node: DocumentNode?) {
        switch files.presence(path) {
        case .missing:
            node?.report(
                .said("没有`\(path)`这个文件：控制台不开放", "there is no file `\(path)`: the console is shut"),
                fix: .said("运行`wellward user add`", "run `wellward user add`"), severity: .warning)
        case .unreadable:
            node?.report(
                .said("`\(path)`读不了：控制台不开放", "`\(path)` cannot be read: the console is shut"),
                fix: .said("让网关的用户能读它，也能进它所在的文件夹", "let the gateway's user read it and enter its folder"), severity: .warning)
        case .readable:
            guard let mode = files.mode(path) else { return }
            if mode & 0o022 != 0 {
                node?.report(
                    .said("别人能改写`\(path)`，从而给自己开账号：控制台不开放", "others may write `\(path)`, and with it make themselves accounts: the console is shut"),
                    fix: run("chmod 600 \(path)"), severity: .warning)
            } else if mode & 0o004 != 0 {
                node?.report(
                    .said("本机上谁都能读`\(path)`里的密码哈希", "everybody on this machine may read the password hashes in `\(path)`"), fix: run("chmod 640 \(path)"),
                    severity: .warning)
            }
        }
    }

    private func broker() -> SiteConfiguration.Broker? {
        guard let node = root.child("mqtt") else { return nil }
        defer { node.finish() }
        let broker = broker(node)
        if broker.authorityFile == nil, !broker.isLoopback, node.child("tls") == nil {
            let what: LocalizedText =
                broker.passwordFile == nil
                ? .said("控门命令和通知", "door commands and notices") : .said("密码、控门命令和通知", "the password, door commands and notices")
            node.report(
                .said("\(what.chinese)不加密地发往\(broker.host)", "\(what.english) go to \(broker.host) unencrypted"),
                fix: .said("加上`tls: {ca_file: …}`", "add `tls: {ca_file: …}`"), severity: .warning)
        }
        return broker
    }

    private func upstream() -> SiteConfiguration.Upstream? {
        guard let node = root.child("upstream") else { return nil }
        defer { node.finish() }
        if let kind = node.string("kind"), kind != "mqtt" {
            node.child("kind")?.report(.said("这里没有`\(kind)`", "`\(kind)` is not known here"), fix: .said("写`kind: mqtt`", "write `kind: mqtt`"))
        }
        let broker = broker(node)
        // Pseudonyms or not: when somebody's taps run is told to nobody on the way.
        if broker.authorityFile == nil, !broker.isLoopback, node.child("tls") == nil {
            node.report(
                .said("发往\(broker.host)的内容会不加密地离开本机", "what is sent to \(broker.host) would leave this machine unencrypted"),
                fix: .said("加上`tls: {ca_file: …}`", "add `tls: {ca_file: …}`"))
        }
        return SiteConfiguration.Upstream(
            broker: broker, topic: node.string("topic") ?? "wellward/v1/upstream", mostBytes: node.bytes("max_bytes", least: 1_000_000) ?? 200_000_000,
            longest: node.interval("max_age", least: .hours(1)) ?? .days(30), deflates: node.flag("deflate") ?? false)
    }

    private func drill() -> SiteConfiguration.Drill? {
        guard let node = root.child("drill") else { return nil }
        defer { node.finish() }
        let at = node.string("at") ?? "10:00"
        let parts = at.split(separator: ":").compactMap { Int($0) }
        guard parts.count == 2, (0...23).contains(parts[0]), (0...59).contains(parts[1]) else {
            node.child("at")?.report(.said("`\(at)`不是钟点", "`\(at)` is no clock time"), fix: .said("写成10:00这样", "write something like 10:00"))
            return nil
        }
        return SiteConfiguration.Drill(day: node.integer("day", in: 1...28) ?? 1, minute: parts[0] * 60 + parts[1])
    }

    private func event(_ node: DocumentNode) -> SiteConfiguration.EventSource? {
        defer { node.finish() }
        let id = node.identifier("id", SiteID.self)?.rawValue
        let topic = node.string("topic", required: true)
        let titles = node.child("title")
        let title = titles.map { LocalizedText(chinese: $0.words("zh-Hans", .device), english: $0.words("en", .device)) }
        titles?.finish()
        let ladder = node.string("ladder") ?? "incident"
        if !Ladders.names.contains(ladder), root.child("ladders")?.child(ladder) == nil {
            node.child("ladder")?.report(
                .said("没有梯级`\(ladder)`", "there is no ladder `\(ladder)`"),
                fix: .said(
                    "在`ladders:`下加上它，或写其中之一：\(Ladders.names.sorted().joined(separator: "、"))",
                    "add it under `ladders:`, or name one of: \(Ladders.names.sorted().joined(separator: ", "))"))
        }
        for key in ["text", "subject", "match"] {
            if let pointer = node.string(key), !pointer.hasPrefix("/") {
                node.child(key)?.report(
                    .said("`\(pointer)`不是JSON Pointer", "`\(pointer)` is no JSON Pointer"), fix: .said("写成/body/type这样", "write something like /body/type"))
            }
        }
        let event = SiteConfiguration.EventSource(
            id: id ?? "", topic: topic ?? "", text: node.string("text"), subject: node.string("subject"), match: node.string("match"),
            when: node.strings("when"),
            clears: node.strings("clears"), severity: node.choice("severity") ?? .attention, ladder: ladder,
            title: title ?? LocalizedText(chinese: "其他设备的消息", english: "a message of another device"))
        return id == nil || topic == nil ? nil : event
    }

    private func broker(_ node: DocumentNode) -> SiteConfiguration.Broker {
        let tls = node.child("tls")
        defer { tls?.finish() }
        // Without an authority the connection would silently be in the clear.
        if let tls, tls.child("ca_file") == nil {
            tls.report(
                .said("只有`tls`没有`ca_file`，就不会核对任何证书", "`tls` without `ca_file` checks nobody's certificate"),
                fix: .said("加上`ca_file`；服务器不加密就去掉`tls`", "add `ca_file`, or remove `tls` on a broker that speaks in the clear"))
        }
        return SiteConfiguration.Broker(
            host: node.string("host") ?? "127.0.0.1", port: node.integer("port", in: 1...65_535) ?? (tls == nil ? 1883 : 8883),
            username: node.string("username"), passwordFile: secretFile(node, "password_file"),
            authorityFile: secretFile(tls, "ca_file"), certificateFile: secretFile(tls, "certificate_file"),
            keyFile: secretFile(tls, "key_file"))
    }

    private func links() -> SiteConfiguration.Links {
        let node = root.child("links")
        defer { node?.finish() }
        return SiteConfiguration.Links(
            validFor: node?.interval("valid_for", least: .seconds(1)) ?? .hours(24), secretFile: secretFile(node, "secret_file"))
    }

    private func heartbeat() -> SiteConfiguration.Heartbeat? {
        guard let node = root.child("heartbeat") else { return nil }
        defer { node.finish() }
        let every = node.interval("every", least: .seconds(1)) ?? .minutes(5)
        if node.child("url_file") == nil {
            node.report(
                .said("heartbeat缺少`url_file`", "`heartbeat` has no `url_file`"), fix: .said("加上`url_file:`，写存网址的文件", "add `url_file:`, a file with the address")
            )
        }
        return secretFile(node, "url_file").map { SiteConfiguration.Heartbeat(urlFile: $0, every: every) }
    }
}
