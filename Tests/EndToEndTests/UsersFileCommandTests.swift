import Foundation
import TestSupport
import Testing

/// `wellward user` and `wellward token` on the file that a gateway relies on.
@Suite struct UsersFileCommandTests {
    private let folder: String

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("wellward-users-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    private func run(_ words: String) throws -> (code: Int32, out: String, err: String) {
        try TechnicianCommandTests.run(words.split(separator: " ").map { $0.replacingOccurrences(of: "FOLDER", with: folder) })
    }

    private func rights(_ name: String) -> String {
        var status = stat()
        guard stat("\(folder)/\(name)", &status) == 0 else { return "none" }
        return "\(String(status.st_mode & 0o7777, radix: 8)) \(status.st_uid):\(status.st_gid)"
    }

    @Test func `adding and removing keep the file's mode, and the link that leads to it`() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: "\(folder)/real", withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: "\(folder)/users.yaml", withDestinationPath: "real/users.yaml")
        #expect(try run("token add hub --role integrator --users-file FOLDER/users.yaml").code == 0)
        #expect(rights("real/users.yaml").hasPrefix("600 "))
        #expect(chmod("\(folder)/real/users.yaml", 0o640) == 0)
        #expect(try run("token add other --role admin --users-file FOLDER/users.yaml").code == 0)
        #expect(rights("real/users.yaml").hasPrefix("640 "))
        #expect((try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/users.yaml")) == "real/users.yaml", "the link is a link")
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder)/real") == ["users.yaml"], "nothing is left beside it")
        #expect(try run("token remove hub --users-file FOLDER/users.yaml").code == 0)
        let text = try String(contentsOfFile: "\(folder)/users.yaml", encoding: .utf8)
        #expect(!text.contains("hub") && text.contains("other"))
        #expect(try run("token remove hub --users-file FOLDER/users.yaml").code == 1)
        #expect(try run("user remove other --users-file FOLDER/users.yaml").code == 1, "a token is no user")
    }

    @Test(.enabled(if: getuid() == 0, "only root gives files away"))
    func `root's hand keeps owner and group, and a new file in a service's folder is readable by the service`() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(chown(folder, 0, 65534) == 0)
        #expect(try run("token add hub --role admin --users-file FOLDER/users.yaml").code == 0)
        #expect(rights("users.yaml") == "640 0:65534")
        #expect(chown("\(folder)/users.yaml", 1234, 65534) == 0 && chmod("\(folder)/users.yaml", 0o600) == 0)
        #expect(try run("token add other --role admin --users-file FOLDER/users.yaml").code == 0)
        #expect(rights("users.yaml") == "600 1234:65534")
        #expect(chown(folder, 1234, 1234) == 0)
        #expect(try run("token add hub --role admin --users-file FOLDER/fresh.yaml").code == 0)
        #expect(rights("fresh.yaml") == "600 1234:1234")
    }

    @Test func `a broken file is not overwritten, ten hands at once lose nothing, and a password that all may read is told`() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try "users: [\n".write(toFile: "\(folder)/broken.yaml", atomically: true, encoding: .utf8)
        #expect(try run("token add hub --role admin --users-file FOLDER/broken.yaml").code == 1)
        #expect(try String(contentsOfFile: "\(folder)/broken.yaml", encoding: .utf8) == "users: [\n")
        let folder = folder
        try await withThrowingTaskGroup(of: Int32.self) { group in
            for number in 0..<10 {
                group.addTask {
                    try TechnicianCommandTests.run(["token", "add", "t\(number)", "--role", "admin", "--users-file", "\(folder)/users.yaml"]).code
                }
            }
            for try await code in group { #expect(code == 0) }
        }
        let text = try String(contentsOfFile: "\(folder)/users.yaml", encoding: .utf8)
        for number in 0..<10 { #expect(text.contains("\"t\(number)\"")) }
        try "correct horse battery\n".write(toFile: "\(folder)/pw", atomically: true, encoding: .utf8)
        for (mode, isTold) in [(0o644, true), (0o600, false)] {
            #expect(chmod("\(folder)/pw", mode_t(mode)) == 0)
            let made = try run("user add wang --role committee --users-file FOLDER/users.yaml --password-file FOLDER/pw")
            #expect(made.code == 0 && made.err.contains("everybody on this machine may read") == isTold)
        }
    }

    @Test func `a configuration with names, or a file of notices, that everybody on the machine may read is told`() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let text = """
            site: {id: s}
            households: [{id: h-1, name: Somebody, consent: {given: 2026-01-01, by: self}}]
            channels: [{id: out, kind: file, path: out.jsonl}]
            """
        try text.write(toFile: "\(folder)/w.yaml", atomically: true, encoding: .utf8)
        try "".write(toFile: "\(folder)/out.jsonl", atomically: true, encoding: .utf8)
        for (mode, isTold) in [(0o644, true), (0o640, false)] {
            for name in ["w.yaml", "out.jsonl"] { #expect(chmod("\(folder)/\(name)", mode_t(mode)) == 0) }
            let checked = try run("config check FOLDER/w.yaml")
            let said = checked.out + checked.err
            #expect(said.contains("who lives alone") == isTold && said.contains("whom something has happened to") == isTold, "\(said)")
        }
    }
}
