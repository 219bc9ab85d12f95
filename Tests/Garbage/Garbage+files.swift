import Console
import Evaluation
import Foundation
import Safeguarding
import Simulation
import SiteConfiguration
import Telemetry
import TestSupport

extension Garbage {
    /// What people write: configuration, tables, accounts, recorded registers.
    static let files: [Garbage] = [
        Garbage("configuration", few: 1) { random in
            // The whole example is dear to read; its parts reach the same lines of the reader.
            let whole = random.below(3000) == 0
            let text = whole ? example : site + random.one(of: sections)
            return verdict(String(decoding: random.broken(text.utf8), as: UTF8.self), files: noFiles)
        },
        Garbage("tables", few: 1) { random in
            let isHomes = random.below(2) == 0
            let table = String(decoding: random.broken((isHomes ? homesTable : metersTable).utf8), as: UTF8.self)
            let files = ConfigurationFiles(base: "/none", profileRoots: [], read: { _ in table }, list: { _, _ in [] })
            return verdict(site + (isHomes ? "households_file: t.csv\n" : "meters_file: t.csv\n"), files: files)
        },
        Garbage("elevator-profiles", few: 1) { random in
            let read = ElevatorProfileReader.read(String(decoding: random.broken(random.one(of: elevatorProfiles).utf8), as: UTF8.self), file: "e.yaml")
            return read.profile != nil || read.issues.contains { $0.severity == .error } ? nil : "a profile was neither read nor refused"
        },
        Garbage("accounts", few: 1) { random in
            _ = try? AccountFile(parsing: String(decoding: random.broken(accounts.utf8), as: UTF8.self), file: "users.yaml")
            return nil
        },
        Garbage("policies", few: 1) { random in
            _ = try? SafeguardingPolicy.parse(String(decoding: random.broken(policy.utf8), as: UTF8.self), file: "p.yaml")
            return nil
        },
        Garbage("registers-csv", few: 3) { random in
            let read = try? RegisterHistory(household: "h", csv: String(decoding: random.broken(registers.utf8), as: UTF8.self))
            return read.map { $0.rows.count > 200 } ?? false ? "more rows than lines" : nil
        },
    ]

    /// What garbage is made from must itself be good, or it would be turned away at the first letter. What is not.
    public static var poorSeeds: [String] {
        var poor: [String] = []
        if ConfigurationReader.read(example, file: "w.yaml", files: noFiles).issues.contains(where: { $0.key == "" || $0.line == 0 }) { poor.append("example") }
        if sections.count < 8 { poor.append("sections") }
        if elevatorProfiles.contains(where: { ElevatorProfileReader.read($0, file: "e.yaml").profile == nil }) || elevatorProfiles.count != 3 {
            poor.append("elevator profiles")
        }
        if (try? AccountFile(parsing: accounts, file: "users.yaml")) == nil { poor.append("accounts") }
        if (try? SafeguardingPolicy.parse(policy, file: "p.yaml")) == nil { poor.append("policy") }
        if (try? RegisterHistory(household: "h", csv: registers))?.rows.count != 2 { poor.append("registers") }
        return poor + poorDeviceSeeds + poorMessageSeeds
    }

    /// A configuration is read, or refused with a line and what to do.
    private static func verdict(_ text: String, files: ConfigurationFiles) -> String? {
        let result = ConfigurationReader.read(text, file: "w.yaml", files: files)
        let isTold = result.issues.contains { $0.severity == .error && !$0.fix.english.isEmpty && !$0.fix.chinese.isEmpty }
        return result.configuration != nil || isTold ? nil : "a configuration was neither read nor refused with a way out"
    }

    static let noFiles = ConfigurationFiles(base: "/none", profileRoots: [], read: { _ in "secret" }, list: { _, _ in [] })

    /// The shipped example.
    static let example: String = (try? String(contentsOf: ShippedProfiles.root.appendingPathComponent("Deploy/wellward.example.yaml"), encoding: .utf8)) ?? ""

    private static let site = "site: {id: g, name: 甲, timezone: Asia/Shanghai}\nstorage: {path: w.sqlite}\n"

    /// The example's parts, without comments, but for those that `site` has.
    private static let sections: [String] = {
        var parts: [String] = []
        for line in example.split(separator: "\n") where !line.trimmingCharacters(in: .whitespaces).hasPrefix("#") {
            if line.first?.isLetter == true { parts.append("") }
            if let last = parts.indices.last { parts[last] += line + "\n" }
        }
        return parts.filter { !$0.hasPrefix("site:") && !$0.hasPrefix("storage:") }
    }()

    private static let homesTable = """
        id,name,address,meter,lives_alone,policy,grid,contacts,consent_given,consent_by
        h-1,张,"3号楼,101",wm-1,true,p,g,a;b,2026-01-01,x
        h-2,"王""大",3号楼,wm-2,false,p,g,a,2026-01-01,x

        """
    private static let metersTable = "id,bus,unit,profile,poll\nwm-1,net,1,tuf-2000m,5m\nwm-2,net,2,tuf-2000m,\n"

    private static let registers = "unix_seconds,litres_cumulative\r\n1700000000,12.5\r\n1700000900,13\r\n"
    private static let policy = "volume_rule: {below_litres: 10, within: 12h, when: always, severity: alarm}\nfalse_alarm_budget: 0.5/month\nno_data: 60m\n"

    private static let accounts = """
        users:
          - {name: "li", role: grid_worker, grid: "g-3", password_hash: "$5$rounds=1000$abc$def"}
        tokens:
          - {name: "hub", role: integrator, token_hash: "00ff"}

        """

    private static let elevatorProfiles: [String] = ["door-blocking-board", "gbt24476-numeric", "wellward-elevator"].compactMap {
        try? String(contentsOf: ShippedProfiles.root.appendingPathComponent("DeviceProfiles/elevators/\($0).yaml"), encoding: .utf8)
    }
}
