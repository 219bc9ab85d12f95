import Foundation
import SiteConfiguration
import Testing

@testable import Console

/// What becomes of the console with what becomes of its users file.
@Suite struct AccountRegisterTests {
    private static let one: AccountFile = {
        var file = AccountFile()
        _ = file.addToken(Account(name: "hub", role: .integrator))
        return file
    }()

    private func word(_ register: AccountRegister) -> String {
        switch register.standing {
        case .open: "open"
        case .accounts(let file): "accounts \(file.entries.count)"
        case .shut(let reason): "shut \(reason.rawValue)"
        }
    }

    /// Every history of up to four looks.
    @Test func `the console is never open because of what became of a file`() {
        let sights: [AccountRegister.Sight] = [.read(Self.one), .read(AccountFile()), .empty, .unparsable("x"), .unreadable("x"), .missing]
        func walk(_ register: AccountRegister, _ left: Int) {
            guard left > 0 else { return }
            for sight in sights {
                var next = register
                _ = next.see(sight)
                #expect(word(next) != "open")
                switch (sight, word(register), word(next)) {
                case (.missing, _, let now): #expect(now == "shut missing")
                case (.unreadable, _, let now): #expect(now == "shut unreadable")
                case (.unparsable, let before, let now), (.empty, let before, let now):
                    if before.hasPrefix("accounts") { #expect(now == before, "the last good ones stay") } else { #expect(now != "accounts 1") }
                case (.read(let file), _, let now): #expect(now == "accounts \(file.entries.count)")
                }
                walk(next, left - 1)
            }
        }
        walk(AccountRegister(isOpen: false), 4)
        #expect(word(AccountRegister(isOpen: true)) == "open" && word(AccountRegister(isOpen: false)) == "shut noUsersFile")
    }

    @Test func `what happens is told once, and that all is well again too`() {
        var register = AccountRegister(isOpen: false)
        let sights: [AccountRegister.Sight] = [
            .read(Self.one), .read(AccountFile()), .unparsable("line 2"), .unparsable("line 2"), .missing, .missing, .read(Self.one),
        ]
        let told = sights.map { register.see($0) }
        #expect(told == [nil, nil, .kept("line 2"), nil, .shut("there is no such file"), nil, .opened])
    }

    @Test func `a session ends with its password, its role, its grid and its account, and with nobody else's`() throws {
        func entry(_ name: String, _ hash: String, _ role: AccountRole = .gridWorker, _ grid: String? = "g1") -> AccountFile.Entry {
            AccountFile.Entry(account: Account(name: name, role: role, grid: grid), passwordHash: hash, tokenHash: nil)
        }
        let (wang, li) = (entry("wang", "h1"), entry("li", "h2"))
        for changed in [entry("wang", "h9"), entry("wang", "h1", .property), entry("wang", "h1", .gridWorker, "g2"), nil] {
            var table = SessionTable()
            table.begin("s1", wang, csrf: "c", at: 0)
            table.begin("s2", li, csrf: "c", at: 0)
            var file = AccountFile()
            file.entries = [li] + (changed.map { [$0] } ?? [])
            table.endAll(notIn: file)
            // The old line comes back: what was ended stays ended.
            file.entries = [li, wang]
            table.endAll(notIn: file)
            #expect(table.session("s1", at: 1) == nil && table.session("s2", at: 1) != nil)
        }
        var table = SessionTable()
        table.begin("of li", li, csrf: "c", at: 0)
        for number in 0..<504 { table.begin("s\(number)", wang, csrf: "c", at: Int64(number)) }
        #expect(table.count == SessionTable.mostOfAccount + 1 && table.session("of li", at: 1000) != nil && table.session("s503", at: 1000) != nil)
        #expect(table.session("of li", at: SessionTable.lasts) == nil)
    }

    @Test func `a reload opens nothing, and a users file that is not good does not take the place of one that is`() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("console-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func console(_ file: String?, open: Bool = false, host: String = "127.0.0.1") -> SiteConfiguration.Console {
            .init(host: host, port: 1, usersFile: file.map { "\(folder)/\($0)" }, open: open)
        }
        for (name, text) in [("good", Self.one.text), ("broken", "users: ["), ("empty", "")] {
            let path = "\(folder)/\(name)"
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: name == "open" ? 0o666 : 0o600], ofItemAtPath: path)
        }
        let old = console("old")
        #expect(ReloadOfConsole.refusal(from: old, to: console("good")) == nil)
        #expect(ReloadOfConsole.refusal(from: old, to: old) == nil, "what became of the same file is the register's matter")
        for name in ["broken", "empty", "gone"] { #expect(ReloadOfConsole.refusal(from: old, to: console(name)) != nil, "\(name)") }
        #expect(ReloadOfConsole.refusal(from: old, to: console(nil, open: true)) != nil)
        #expect(ReloadOfConsole.refusal(from: console(nil), to: console(nil, open: true)) != nil)
        #expect(ReloadOfConsole.refusal(from: console(nil, open: true), to: console(nil, open: true)) == nil)
        #expect(ReloadOfConsole.refusal(from: old, to: console(nil)) == nil, "shut is not open")
    }

    @Test func `a users file that is a pipe, too large, a folder's or writable by others is not read`() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("console-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func isShut(_ name: String) -> Bool { if case .unreadable = UsersFile.look("\(folder)/\(name)") { true } else { false } }
        #expect(mkfifo("\(folder)/pipe", 0o600) == 0 && isShut("pipe") && isShut("."))
        _ = FileManager.default.createFile(atPath: "\(folder)/large", contents: Data(count: 5 << 20), attributes: [.posixPermissions: 0o600])
        #expect(isShut("large"))
        _ = FileManager.default.createFile(atPath: "\(folder)/shared", contents: Data(Self.one.text.utf8))
        #expect(chmod("\(folder)/shared", 0o666) == 0 && isShut("shared") && chmod("\(folder)/shared", 0o640) == 0 && !isShut("shared"))
        if case .missing = UsersFile.look("\(folder)/none") {} else { Issue.record("missing is missing") }
    }
}
