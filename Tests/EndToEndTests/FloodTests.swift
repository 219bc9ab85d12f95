import Foundation
import ScriptedPeers
import TestSupport
import Testing

/// What strangers and careless programs can do to the built program's console at once, and what it costs the watch.
@Suite(.serialized) struct FloodTests {
    /// Resident bytes of a process at their highest.
    static func peak(_ process: Int32) -> Int {
        let text = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return line.flatMap { Int($0.filter(\.isNumber)) }.map { $0 << 10 } ?? 0
    }

    /// A site with accounts of two roles.
    static func guarded(_ gateway: RunningGateway) throws {
        try "correct horse battery".write(toFile: "\(gateway.folder)/pw", atomically: true, encoding: .utf8)
        for (name, role) in [("wang", "committee"), ("porter", "property")] {
            _ = try TechnicianCommandTests.run(
                ["user", "add", name, "--role", role, "--users-file", "\(gateway.folder)/users.yaml", "--password-file", "\(gateway.folder)/pw"])
        }
    }

    static func token(_ gateway: RunningGateway, _ name: String, _ role: String) throws -> String {
        let made = try TechnicianCommandTests.run(["token", "add", name, "--role", role, "--users-file", "\(gateway.folder)/users.yaml"])
        return "Authorization: Bearer \(made.out.split(whereSeparator: \.isWhitespace).last { $0.hasPrefix("ww_") } ?? "")"
    }

    @Test func `sixty sign-ins at once cost less than a hundred megabytes, are answered or sent away, and each is in the audit`() async throws {
        let site = try LittleSite { $0.replacingOccurrences(of: "open: true", with: "users_file: users.yaml") }
        defer { site.end() }
        let gateway = site.gateway
        try Self.guarded(gateway)
        let header = try Self.token(gateway, "hub", "admin")
        try gateway.start()
        try await eventually { gateway.http("GET", "/readyz", headers: [header]).status == 200 }
        let before = Self.peak(gateway.processID)
        let answers = await withTaskGroup(of: Int.self) { group in
            for number in 0..<60 {
                group.addTask {
                    gateway.http("POST", "/login", "name=n\(number)&password=x", headers: ["Content-Type: application/x-www-form-urlencoded"]).status
                }
            }
            return await group.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
        }
        #expect(Set(answers.keys).isSubset(of: [200, 503]) && answers[200, default: 0] > 0, "\(answers)")
        let cost = Self.peak(gateway.processID) - before
        #expect(cost < 100 << 20, "\(cost >> 20) MB")
        // Beyond the sixty of five minutes.
        #expect(gateway.http("POST", "/login", "name=wang&password=x").status == 429)
        let audit = gateway.http("GET", "/api/v1/audit", headers: [header]).text
        #expect(audit.contains("sign-in refused") && audit.contains("127.0.0.1"))
    }

    @Test func `one account's streams leave room for others', and end with their token, their session and their account`() async throws {
        let site = try LittleSite { $0.replacingOccurrences(of: "open: true", with: "users_file: users.yaml") }
        defer { site.end() }
        let gateway = site.gateway
        try Self.guarded(gateway)
        let (greedy, header) = (try Self.token(gateway, "greedy", "property"), try Self.token(gateway, "hub", "admin"))
        let file = "\(gateway.folder)/users.yaml"
        try gateway.start()
        try await eventually { gateway.http("GET", "/healthz").status == 200 }
        var streams: [Process] = []
        defer { for stream in streams where stream.isRunning { stream.terminate() } }
        func listen(_ header: String) throws -> Process {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/curl")
            process.arguments = ["-s", "-N", "--fail", "-H", header, "http://127.0.0.1:\(gateway.port)/api/v1/events"]
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            streams.append(process)
            return process
        }
        for _ in 0..<30 { _ = try listen(greedy) }
        let all = streams
        // Those beyond the account's share are sent away.
        try await eventually { all.filter { !$0.isRunning && $0.terminationStatus == 22 }.count >= 14 }
        #expect(all.filter(\.isRunning).count == 16)
        let another = try listen(header)
        #expect(gateway.http("GET", "/api/v1/households", headers: [header]).status == 200)
        // A browser of the committee.
        let jar = "\(gateway.folder)/cookies"
        let base = "http://127.0.0.1:\(gateway.port)"
        func signIn() throws -> String {
            _ = try TechnicianCommandTests.shell(
                ["/usr/bin/curl", "-s", "-m", "10", "-c", jar, "-d", "name=wang&password=correct%20horse%20battery", "\(base)/login"])
            let text = try String(contentsOfFile: jar, encoding: .utf8)
            return "Cookie: wellward_session=\(text.split(whereSeparator: \.isWhitespace).last ?? "")"
        }
        let cookie = try signIn()
        #expect(gateway.http("GET", "/api/v1/households", headers: [cookie]).status == 200)
        let browser = try listen(cookie)
        // The tokens of the greedy go; the password of the committee changes.
        let text = try String(contentsOfFile: file, encoding: .utf8)
        let without = text.components(separatedBy: "  - name: ").filter { !$0.hasPrefix("\"greedy\"") }.joined(separator: "  - name: ")
        try without.write(toFile: file, atomically: false, encoding: .utf8)
        try await eventually { all.allSatisfy { !$0.isRunning } }
        #expect(another.isRunning && browser.isRunning)
        _ = try TechnicianCommandTests.run(
            ["user", "add", "wang", "--role", "committee", "--users-file", file, "--password-file", "\(gateway.folder)/pw"])
        #expect(gateway.http("GET", "/api/v1/households", headers: [cookie]).status == 401, "an old session with the old password")
        try await eventually { !browser.isRunning }
        #expect(another.isRunning)
        // The file as it was before: what has ended stays ended.
        try text.write(toFile: file, atomically: false, encoding: .utf8)
        #expect(gateway.http("GET", "/api/v1/households", headers: [cookie]).status == 401)
    }

    @Test func `slow bodies are hung up on, and leave places for everybody else meanwhile`() async throws {
        let site = try LittleSite { $0.replacingOccurrences(of: "open: true", with: "users_file: users.yaml") }
        defer { site.end() }
        let gateway = site.gateway
        let header = try Self.token(gateway, "hub", "admin")
        try gateway.start()
        try await eventually { gateway.http("GET", "/healthz").status == 200 }
        let flood = Flood(port: gateway.port)
        defer { flood.stop() }
        flood.slowBodies(256)
        let head = "POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 60000\r\n\r\nname="
        // One of another address that nobody pushes out: it ends by its own time, long before it would have by its bytes.
        let began = ContinuousClock.now
        async let ended = Task.detached { flood.ask(head, from: 77, within: 300) }.value
        for _ in 0..<20 {
            #expect(gateway.http("GET", "/healthz").status == 200)
            #expect(gateway.http("GET", "/api/v1/households", headers: [header]).status == 200)
        }
        #expect(await ended == 0 || ContinuousClock.now - began < .seconds(200))
        #expect(ContinuousClock.now - began < .seconds(200))
    }

    @Test func `a request without an end is the sender's fault: 400, and not a line in the log`() async throws {
        let site = try LittleSite()
        defer { site.end() }
        let gateway = site.gateway
        try gateway.start()
        try await eventually { gateway.http("GET", "/healthz").status == 200 }
        let flood = Flood(port: gateway.port)
        for path in ["/login", "/l/a.b", "/api/v1/cases/c-1/accept"] {
            let text = "POST \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
            #expect(flood.ask(text) == 400 || path != "/login", "\(path)")
        }
        #expect(!gateway.log.contains("a request failed"))
        for path in ["/healthz", "/", "/cases", "/api/v1/households", "/api/v1/events", "/login", "/static/style.css"] {
            let answer = try TechnicianCommandTests.shell(["/usr/bin/curl", "-s", "-m", "5", "-I", "http://127.0.0.1:\(gateway.port)\(path)"]).out
            #expect(answer.hasPrefix("HTTP/1.1 200"), "\(path): \(answer)")
        }
    }
}
