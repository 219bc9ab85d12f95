import Foundation
import TestSupport

/// A little site with a token of every role; one grid worker for each of its two grids.
struct GuardedSite {
    static let roles = ["admin", "committee", "station", "worker-g", "worker-other", "auditor", "integrator", "technician", "property"]
    let site: LittleSite
    private let tokens: [String: String]
    var gateway: RunningGateway { site.gateway }

    /// - Parameter change: to the configuration; the second home is of the grid `other`
    init(load: Int = 0, change: (String) -> String = { $0 }) throws {
        site = try LittleSite(load: load) { text in
            change(
                text.replacingOccurrences(of: "public_url", with: "users_file: users.yaml, public_url")
                    .replacingOccurrences(of: "policy: calm, contacts: [family], grid: g}", with: "policy: calm, contacts: [fam-b], grid: other}")
                    .replacingOccurrences(of: "contacts:\n", with: "contacts:\n  - {id: fam-b, name: 王女士, role: family, channels: [out]}\n"))
        }
        var made: [String: String] = [:]
        for name in Self.roles {
            let grid = name.hasPrefix("worker-") ? ["--grid", String(name.dropFirst(7))] : []
            let role = name.hasPrefix("worker-") ? "grid_worker" : name
            let answer = try TechnicianCommandTests.run(["token", "add", name, "--role", role, "--users-file", "\(site.gateway.folder)/users.yaml"] + grid)
            made[name] = answer.out.split(whereSeparator: \.isWhitespace).last { $0.hasPrefix("ww_") }.map(String.init) ?? ""
        }
        tokens = made
    }

    func token(_ name: String) -> String { tokens[name] ?? "" }

    /// One request as somebody; nobody without a name.
    func ask(_ name: String, _ method: String, _ path: String, _ body: String? = nil) -> (status: Int, json: [String: Any], text: String) {
        gateway.http(method, path, body, headers: tokens[name].map { ["Authorization: Bearer \($0)"] } ?? [])
    }

    func get(_ name: String, _ path: String) -> (status: Int, json: [String: Any], text: String) { ask(name, "GET", path) }

    func cases(_ name: String = "admin", _ query: String = "state=open&limit=200") -> [[String: Any]] {
        get(name, "/api/v1/cases?\(query)").json["items"] as? [[String: Any]] ?? []
    }

    /// The id of an open case by the kind and the id of its subject.
    func open(_ kind: String, _ subject: String) -> String? {
        cases().first { $0["kind"] as? String == kind && ($0["subject"] as? [String: Any])?["id"] as? String == subject }?["id"] as? String
    }
}
