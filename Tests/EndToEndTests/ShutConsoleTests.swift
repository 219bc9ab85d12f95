import Foundation
import TestSupport
import Testing

/// The console of the built program when its accounts cannot be known.
@Suite(.serialized) struct ShutConsoleTests {
    /// Whether every door is shut, without and with credentials.
    private func isShut(_ gateway: RunningGateway, _ header: String = "X: y") -> Bool {
        ["/", "/login", "/api/v1/households", "/api/v1/openapi.json", "/metrics", "/readyz", "/l/a.b", "/static/style.css"].allSatisfy { path in
            gateway.http("GET", path, headers: [header]).status == 503
        } && gateway.http("POST", "/login", "name=a&password=b", headers: [header]).status == 503 && gateway.http("GET", "/healthz").status == 200
    }

    private static func withUsersFile(_ text: String) -> String {
        text.replacingOccurrences(of: "open: true", with: "users_file: users.yaml")
    }

    private func addToken(_ gateway: RunningGateway, _ name: String, _ role: String = "admin") throws -> String {
        let made = try TechnicianCommandTests.run(["token", "add", name, "--role", role, "--users-file", "\(gateway.folder)/users.yaml"])
        return "Authorization: Bearer \(made.out.split(whereSeparator: \.isWhitespace).last { $0.hasPrefix("ww_") } ?? "")"
    }

    @Test func `without a users file the console is shut on loopback too, homes are watched, and the first account opens it without a restart`() async throws {
        let site = try LittleSite { Self.withUsersFile($0) }
        defer { site.end() }
        let gateway = site.gateway
        try gateway.start()
        try await eventually { gateway.http("GET", "/healthz").status == 200 }
        #expect(isShut(gateway))
        #expect(gateway.http("GET", "/api/v1/cases").text.contains("Homes are watched all the same"))
        let page = gateway.http("GET", "/", headers: ["Accept: text/html"])
        #expect(page.status == 503 && page.text.contains("The console is shut"))
        // The alarm goes out meanwhile.
        try await eventually { (try? String(contentsOfFile: "\(gateway.folder)/out.jsonl", encoding: .utf8))?.contains("inactivity") == true }
        #expect(gateway.log.contains("the console is shut until it can"))
        let header = try addToken(gateway, "hub")
        try await eventually { gateway.http("GET", "/api/v1/households", headers: [header]).status == 200 }
        #expect(gateway.http("GET", "/api/v1/households").status == 401)
    }

    @Test func `a users file that is moved away or hidden shuts the console, with or without a reload; a broken one keeps who was known`() async throws {
        let site = try LittleSite { Self.withUsersFile($0) }
        defer { site.end() }
        let gateway = site.gateway
        let header = try addToken(gateway, "hub")
        try gateway.start()
        @Sendable func status(_ header: String = "X: y", host: String? = nil) -> Int {
            gateway.http("GET", "/api/v1/households", headers: [header] + (host.map { ["Host: \($0)"] } ?? [])).status
        }
        try await eventually { status(header) == 200 }
        let (file, away) = ("\(gateway.folder)/users.yaml", "\(gateway.folder)/away.yaml")
        try FileManager.default.moveItem(atPath: file, toPath: away)
        #expect(isShut(gateway) && isShut(gateway, header))
        gateway.signal(SIGHUP)
        try await eventually { gateway.log.contains("the configuration was reloaded") }
        #expect(isShut(gateway) && isShut(gateway, header) && status(host: "localhost") == 503)
        #expect(gateway.log.contains("there is no file"), "a reload says its warnings")
        try FileManager.default.moveItem(atPath: away, toPath: file)
        #expect(status(header) == 200 && status() == 401)
        // Broken, and empty: who was known stays, and it is said.
        let good = try String(contentsOfFile: file, encoding: .utf8)
        for text in ["users: [", "", "nonsense: 1\n"] {
            try text.write(toFile: file, atomically: false, encoding: .utf8)
            #expect(status(header) == 200 && status() == 401, "\(text)")
        }
        try await eventually { gateway.log.contains("the accounts known so far stay") }
        try "users: []\ntokens: []\n".write(toFile: file, atomically: false, encoding: .utf8)
        #expect(status(header) == 401, "a file that says nobody means nobody")
        try good.write(toFile: file, atomically: false, encoding: .utf8)
        #expect(status(header) == 200)
        // Others may write it: no longer believed.
        #expect(chmod(file, 0o666) == 0 && status(header) == 503 && chmod(file, 0o600) == 0 && status(header) == 200)
        // A reload that would open the console is refused, and so is one to a file that is not there.
        for change in ["open: true", "users_file: gone.yaml"] {
            let before = gateway.log.components(separatedBy: "was not reloaded").count
            try gateway.write("wellward.yaml", site.text.replacingOccurrences(of: "users_file: users.yaml", with: change))
            gateway.signal(SIGHUP)
            try await eventually { gateway.log.components(separatedBy: "was not reloaded").count == before + 1 }
            #expect(status() == 401 && status(header) == 200, "\(change)")
        }
        // And one that takes the accounts out shuts it.
        try gateway.write("wellward.yaml", site.text.replacingOccurrences(of: "users_file: users.yaml, ", with: ""))
        gateway.signal(SIGHUP)
        try await eventually { status(header) == 503 }
        #expect(isShut(gateway))
    }

    @Test(.enabled(if: getuid() == 0, "another user is needed"))
    func `a users file in a folder that the gateway's user cannot enter shuts the console and opens nothing`() async throws {
        let gateway = try RunningGateway()
        defer { gateway.end() }
        for (folder, mode) in [("closed", 0o700), ("var", 0o777)] {
            try FileManager.default.createDirectory(atPath: "\(gateway.folder)/\(folder)", withIntermediateDirectories: false)
            #expect(chmod("\(gateway.folder)/\(folder)", mode_t(mode)) == 0)
        }
        #expect(chmod(gateway.folder, 0o755) == 0)
        try gateway.write("closed/users.yaml", "users: []\n")
        try gateway.write(
            "wellward.yaml",
            "site: {id: e2e}\nstorage: {path: var/w.sqlite}\nconsole: {listen: \"127.0.0.1:\(gateway.port)\", users_file: closed/users.yaml}\n")
        try gateway.start(through: ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"])
        try await eventually { gateway.http("GET", "/healthz").status == 200 }
        #expect(isShut(gateway) && gateway.log.contains("Permission denied"))
    }
}
