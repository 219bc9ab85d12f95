import Documents
import Foundation
import SiteConfiguration
import Telemetry
import TestSupport
import Testing

@Suite struct ConfigurationTests {
    static let good = """
        site: {id: demo, name: 演示, timezone: Asia/Shanghai}
        profiles: [DeviceProfiles]
        mqtt: {host: 127.0.0.1, port: 1883}
        buses:
          - {id: lane, transport: rtu, device: /dev/ttyUSB0}
          - {id: net, transport: tcp, host: 127.0.0.1, port: 1502}
        meters:
          - {id: wm-1, bus: lane, unit: 17, profile: tuf-2000m, poll: 5m}
          - {id: wm-2, bus: net, unit: 17, profile: tuf-2000m, poll: 5m}
        households:
          - {id: h-1, meter: wm-1, consent: {given: 2026-05-01, by: 本人}, contacts: [grid]}
        elevators:
          - {id: lift-1, boarding: hold, signed_by: 维保, signed_on: 2026-01-01}
        contacts:
          - {id: grid, role: grid_worker, channels: [out]}
        channels:
          - {id: out, kind: file, path: out.jsonl}
        """

    func read(_ text: String, extra: [String: String] = [:]) -> ConfigurationReader.Result {
        let root = ShippedProfiles.root.path
        let files = ConfigurationFiles(
            base: "/site", profileRoots: [root],
            read: { path in extra[path] ?? (try? String(contentsOfFile: path, encoding: .utf8)) },
            list: { folder, suffix in
                (try? FileManager.default.contentsOfDirectory(atPath: folder))?.filter { suffix.isEmpty || $0.hasSuffix(suffix) }.sorted().map {
                    "\(folder)/\($0)"
                }
            })
        return ConfigurationReader.read(text, file: "wellward.yaml", files: files)
    }

    @Test(arguments: ["/dev/ttyUSB0", "/dev/ttyACM12", "/dev/serial/by-id/usb-FTDI", "/dev/ttyS0", "/dev/ttyUSBmeters"])
    func `a serial adapter named by its number is asked for by its lasting name`(device: String) throws {
        let result = read(Self.good.replacingOccurrences(of: "/dev/ttyUSB0", with: device))
        let told = result.issues.filter { $0.fix.english.contains("/dev/serial/by-id/") }
        #expect(told.map(\.severity) == (device.last?.isNumber == true && !device.contains("ttyS") ? [.warning] : []))
        #expect(result.configuration != nil)
    }

    @Test func `close_after_round is read, and off unless written`() throws {
        let text = Self.good.replacingOccurrences(of: "port: 1502}", with: "port: 1502, close_after_round: true}")
        #expect(try #require(read(text).configuration).buses.map(\.closeAfterRound) == [false, true])
    }

    @Test func `whatever is wrong with the users file, the configuration is good: the console is shut and homes are watched`() throws {
        var files = ConfigurationFiles(base: "/site", read: { _ in nil }, list: { _, _ in nil })
        let text = "site: {id: s}\nconsole: {users_file: users.yaml, public_url: \"https://x.example\", listen: \"0.0.0.0:80\"}\n"
        for (presence, word) in [(FilePresence.missing, "no file"), (.unreadable, "cannot be read"), (.readable, "others may write")] {
            files.look = { _ in presence }
            files.mode = { _ in presence == .readable ? 0o666 : nil }
            let result = ConfigurationReader.read(text, file: "w.yaml", files: files)
            let issues = result.issues.filter { $0.description.contains("users.yaml") }
            #expect(issues.map(\.severity) == [.warning] && issues[0].description.contains(word) && issues[0].description.contains("shut"))
            let console = try #require(result.configuration).console
            #expect(console.usersFile == "/site/users.yaml" && console.host == "0.0.0.0" && !console.isOpenToThisMachine)
        }
    }

    @Test func `the console is open without accounts only where the configuration says so, and on this machine`() throws {
        let files = ConfigurationFiles(base: "/site", read: { _ in nil }, list: { _, _ in nil })
        func console(_ text: String) throws -> (SiteConfiguration.Console, [String]) {
            let result = ConfigurationReader.read("site: {id: s}\n\(text)", file: "w.yaml", files: files)
            return (try #require(result.configuration).console, result.issues.map(\.description))
        }
        #expect(try !console("").0.isOpenToThisMachine)
        #expect(try console("").1.contains { $0.contains("the console is shut") })
        #expect(try console("console: {open: true}\n").0.isOpenToThisMachine)
        #expect(try console("console: {open: true, listen: \"0.0.0.0:80\"}\n").0.host == "127.0.0.1")
        let both = try console("console: {open: true, users_file: u}\n")
        #expect(!both.0.isOpenToThisMachine && both.1.contains { $0.contains("accounts are asked for") })
        #expect(!SiteConfiguration.Console(host: "127.evil.example", port: 1, open: true).isOpenToThisMachine)
    }

    @Test(
        arguments: [
            ("mqtt: {host: 127.0.0.1, password_file: f}", 0o644, "read the secret"), ("mqtt: {host: 127.0.0.1, password_file: f}", 0o660, "others may write"),
            ("mqtt: {host: b, tls: {ca_file: f}}", 0o666, "others may write"), ("mqtt: {host: b, tls: {ca_file: f}}", 0o644, nil),
            ("mqtt: {host: b, tls: {ca_file: f, certificate_file: f, key_file: f}}", 0o644, "read the secret"),
            ("links: {secret_file: f}", 0o644, "read the secret"), ("heartbeat: {url_file: f}", 0o644, "read the secret"),
            ("console: {users_file: f}", 0o644, "password hashes"), ("console: {users_file: f}", 0o660, "make themselves accounts"),
            ("meters_file: f", 0o666, "may write"), ("meters_file: f", 0o644, nil), ("households_file: f", 0o644, "who lives alone"),
            ("households_file: f", 0o640, nil), ("channels: [{id: c, kind: webhook, url_file: f, secret_file: f}]", 0o644, "read the secret"),
            ("channels: [{id: c, kind: ntfy, topic: t, token_file: f}]", 0o644, "read the secret"),
            ("channels: [{id: c, kind: smtp, host: m, from: a@b, username: u, password_file: f}]", 0o644, "read the secret"),
            ("channels: [{id: c, kind: smtp, host: m, from: a@b, ca_file: f}]", 0o666, "others may write"),
            ("channels: [{id: c, kind: wecom, url_file: f}]", 0o604, "read the secret"),
        ] as [(String, Int, String?)])
    func `a file that others may write, or read where it is secret, is told for every key that names one`(part: String, mode: Int, told: String?) {
        var files = ConfigurationFiles(base: "/site", read: { _ in "https://x.example/y" }, list: { _, _ in nil })
        files.mode = { _ in mode }
        let issues = ConfigurationReader.read("site: {id: s}\n\(part)\n", file: "w.yaml", files: files).issues.map(\.description)
        let about = issues.filter { $0.contains("/site/f") }
        #expect(told.map { word in about.contains { $0.contains(word) && $0.contains("chmod") } } ?? about.isEmpty, "\(part): \(issues)")
    }

    @Test func `a broker beyond this machine without TLS is told, and gets no names`() {
        func issues(_ mqtt: String) -> [DocumentIssue] {
            let text = "site: {id: s}\nmqtt: \(mqtt)\nchannels: [{id: c, kind: mqtt, topic: t, names: true}]\n"
            let files = ConfigurationFiles(base: "/site", read: { _ in "x" }, list: { _, _ in nil })
            return ConfigurationReader.read(text, file: "w.yaml", files: files).issues.filter { $0.problem.english.contains("unencrypted") }
        }
        #expect(issues("{host: 127.0.0.1}").isEmpty)
        #expect(issues("{host: b.example, password_file: p}").map(\.severity) == [.warning, .error])
        #expect(issues("{host: b.example, tls: {ca_file: c}}").isEmpty)
    }

    @Test func `a home without an owner at some hour of the week is named with that hour, however short it is`() {
        func warnings(_ shifts: String) -> [String] {
            let text = Self.good.replacingOccurrences(
                of: "{id: grid, role: grid_worker, channels: [out]}", with: "{id: grid, role: grid_worker, channels: [out], on_duty: [\(shifts)]}")
            return read(text).issues.map(\.description).filter { $0.contains("on duty") }
        }
        #expect(warnings("\"00:00-24:00\"").isEmpty)
        #expect(warnings("\"00:00-08:05\", \"08:15-24:00\"").contains { $0.contains("mon 08:05") })
        #expect(warnings("\"mon-sat 00:00-24:00\"").contains { $0.contains("sun 00:00") })
    }

    @Test func `a good configuration is read, with a predicted round for each bus`() throws {
        let result = read(Self.good)
        let configuration = try #require(result.configuration, "\(result.issues)")
        #expect(configuration.meters.count == 2 && configuration.storage.commitEvery == .seconds(2))
        let lane = try #require(result.cycles["lane"])
        // Eight bytes out and some dozens back at 9600 baud take tens of milliseconds, not seconds.
        #expect(lane > .milliseconds(50) && lane < .seconds(1))
    }

    static let faults: [(change: @Sendable (String) -> String, problem: String, line: Int?)] = [
        (
            {
                $0.replacingOccurrences(
                    of: "unit: 17, profile: tuf-2000m, poll: 5m}\n  - {id: wm-2, bus: net",
                    with: "unit: 17, profile: tuf-2000m, poll: 5m}\n  - {id: wm-2, bus: lane")
            }, "same bus and unit", 9
        ),
        ({ $0.replacingOccurrences(of: "bus: net, unit", with: "bus: nett, unit") }, "no bus `nett`", 9),
        ({ $0.replacingOccurrences(of: "meter: wm-1", with: "meter: wm-9") }, "no meter `wm-9`", 11),
        ({ $0.replacingOccurrences(of: "channels: [out]", with: "channels: [owt]") }, "no channel `owt`", 15),
        ({ $0.replacingOccurrences(of: "poll: 5m}\n  - {id: wm-2", with: "poll: 40m}\n  - {id: wm-2") }, "longer than half of no_data", 8),
        (
            {
                $0.replacingOccurrences(
                    of: "unit: 17, profile: tuf-2000m, poll: 5m}\n  - {id: wm-2", with: "unit: 300, profile: tuf-2000m, poll: 5m}\n  - {id: wm-2")
            }, "300", 8
        ),
        ({ $0.replacingOccurrences(of: "boarding: hold", with: "lease: 11s, boarding: hold") }, "too long", 13),
        ({ $0.replacingOccurrences(of: "boarding: hold", with: "longest_hold: 200s, boarding: hold") }, "trap", 13),
        ({ $0.replacingOccurrences(of: "mqtt: {host: 127.0.0.1", with: "mqtt: {hots: 127.0.0.1") }, "unknown key `hots`", 3),
        ({ $0.replacingOccurrences(of: "timezone: Asia/Shanghai", with: "timezone: Asia/Shanghay") }, "not a time zone", 1),
        ({ $0.replacingOccurrences(of: "profile: tuf-2000m", with: "profile: tuf-3000") }, "no device profile", 8),
        ({ $0 + "buses: [\n" }, "not YAML", nil),
        ({ $0.replacingOccurrences(of: "given: 2026-05-01", with: "given: 2026-02-30") }, "is no date", nil),
        ({ $0.replacingOccurrences(of: "id: demo", with: "id: de_mo") }, "not an id of a site", 1),
        ({ $0 + "heartbeat: {every: 5m}\n" }, "no `url_file`", 18),
        ({ $0 + "links: {secret_file: /nowhere/secret}\n" }, "cannot be read", 18),
        ({ $0 + "language: &a en\n" }, "anchors", 18),
    ]

    @Test func `a parameter that the profile does not know is said`() throws {
        let result = read(Self.good.replacingOccurrences(of: "poll: 5m}\n  - {id: wm-2", with: "poll: 5m, parameters: {zzz: 1}}\n  - {id: wm-2"))
        let issue = try #require(result.issues.first { $0.problem.english.contains("no parameter `zzz`") })
        #expect(result.configuration != nil && issue.severity == .warning && issue.line == 8)
    }

    @Test func `without a users file the console listens on loopback only, whatever was written, and that is said`() throws {
        let result = read(Self.good + "\nconsole: {listen: \"0.0.0.0:80\"}\n")
        #expect(result.configuration?.console.host == "127.0.0.1" && result.configuration?.console.port == 80)
        let issue = try #require(result.issues.first { $0.problem.english.contains("loopback") })
        #expect(issue.severity == .warning && issue.line == 18 && issue.key == "console.listen")
    }

    @Test(arguments: faults.indices)
    func `a fault names file, line, problem and fix`(index: Int) throws {
        let fault = Self.faults[index]
        let result = read(fault.change(Self.good + "\n"))
        #expect(result.configuration == nil)
        let issue = try #require(result.issues.first { $0.problem.english.contains(fault.problem) }, "\(result.issues)")
        #expect(issue.file == "wellward.yaml" && !issue.fix.english.isEmpty && !issue.fix.chinese.isEmpty)
        if let line = fault.line { #expect(issue.line == line, "\(issue)") }
    }

    @Test func `a hold without a signature is an error unless the broker is on this machine`() {
        let unsigned = Self.good.replacingOccurrences(of: ", signed_by: 维保, signed_on: 2026-01-01", with: "")
        #expect(read(unsigned).configuration != nil)
        #expect(read(unsigned.replacingOccurrences(of: "mqtt: {host: 127.0.0.1", with: "mqtt: {host: broker.example")).configuration == nil)
    }

    @Test func `tables add meters and homes, and each bad row is told`() throws {
        let text = Self.good + "\nmeters_file: meters.csv\nhouseholds_file: homes.csv\n"
        let meters = "id,bus,unit,profile,poll,household,parameters\nwm-3,net,18,tuf-2000m,5m,,unit=m3;exponent=0\nwm-4,net,999,tuf-2000m,5m,,\n"
        let homes = "id,name,address,meter,lives_alone,policy,grid,contacts,consent_given,consent_by\nh-3,\"甲, 乙\",,wm-3,true,,g,grid,2026-01-01,本人\n"
        let broken = read(text, extra: ["/site/meters.csv": meters, "/site/homes.csv": homes])
        #expect(broken.issues.contains { $0.file == "meters.csv" && $0.line == 3 })
        let fixed = read(text, extra: ["/site/meters.csv": meters.replacingOccurrences(of: "999", with: "19"), "/site/homes.csv": homes])
        let configuration = try #require(fixed.configuration, "\(fixed.issues)")
        #expect(configuration.households.last?.name == "甲, 乙")
        #expect(configuration.meters.first { $0.id == "wm-3" }?.parameters == ["unit": "m3", "exponent": "0"])
    }

    @Test func `a table as a spreadsheet saves it, with CR LF and a byte order mark, reads like any other`() throws {
        let text = Self.good + "\nmeters_file: meters.csv\n"
        let meters = "\u{FEFF}id,bus,unit,profile\r\nwm-3,net,18,tuf-2000m\r\nwm-4,net,19,tuf-2000m\r\n"
        let read = read(text, extra: ["/site/meters.csv": meters])
        let configuration = try #require(read.configuration, "\(read.issues)")
        #expect(configuration.meters.map(\.id).suffix(2) == ["wm-3", "wm-4"])
    }

    @Test func `the schema is JSON`() throws {
        let object = try JSONSerialization.jsonObject(with: Data(ConfigurationSchema.text.utf8)) as? [String: Any]
        #expect(object?["properties"] != nil)
    }
}
