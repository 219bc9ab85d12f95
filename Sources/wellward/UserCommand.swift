import ArgumentParser
import Console
import Foundation

/// `wellward user`
struct UserCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: Spoken.say("控制台账号。", "Console accounts."),
        discussion: Spoken.examples("wellward user add wang --role committee --users-file etc/users.yaml"), subcommands: [Add.self])

    /// `wellward user add`
    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: Spoken.say("添加账号，或换新密码。", "Add an account, or give it a new password."),
            discussion: Spoken.examples("wellward user add wang --role committee --users-file etc/users.yaml"))
        @Argument(help: .said("账号名。", "The account's name.")) var name: String
        @OptionGroup var account: AccountOptions
        @Option(help: .said("从这个文件的第一行读密码，不再询问。", "Read the password from this file's first line instead of asking.")) var passwordFile: String?

        func run() throws {
            let password = try passwordFile.map(readFirstLine) ?? ask()
            guard password.count >= 10 else { throw CommandFault(Spoken.say("密码太短，至少十个字符", "the password is too short; use at least ten characters")) }
            var file = try account.load()
            try file.setUser(Account(name: name, role: account.role, grid: account.grid), password: password)
            try account.save(file)
            print(Spoken.say("\(name)现在可以以\(account.role.rawValue)登录。", "\(name) may now sign in as \(account.role.rawValue)."))
        }

        private func ask() throws -> String {
            guard let pointer = getpass("Password: ") else {
                throw CommandFault(Spoken.say("没有终端可以询问，请用--password-file", "there is no terminal to ask on; use --password-file"))
            }
            return String(cString: pointer)
        }
    }
}

/// `wellward token`
struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: Spoken.say("接口令牌。", "API tokens."),
        discussion: Spoken.examples("wellward token add hub --role integrator --users-file etc/users.yaml"), subcommands: [Add.self])

    /// `wellward token add`
    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: Spoken.say("生成令牌，只显示一次。", "Make a token and print it once."),
            discussion: Spoken.examples("wellward token add hub --role integrator --users-file etc/users.yaml"))
        @Argument(help: .said("令牌给什么用。", "What the token is for.")) var name: String
        @OptionGroup var account: AccountOptions

        func run() throws {
            var file = try account.load()
            let token = file.addToken(Account(name: name, role: account.role, grid: account.grid))
            try account.save(file)
            print(token)
        }
    }
}

/// What both commands need.
struct AccountOptions: ParsableArguments {
    @Option(
        help: .said(
            "角色：technician、grid_worker、committee、auditor、integrator、admin、property或station。",
            "technician, grid_worker, committee, auditor, integrator, admin, property or station.")) var role: AccountRole
    @Option(help: .said("网格员的网格。", "The grid of a grid worker.")) var grid: String?
    @Option(help: .said("账号文件。", "The users file.")) var usersFile = "etc/users.yaml"

    func load() throws -> AccountFile {
        guard FileManager.default.fileExists(atPath: usersFile) else { return AccountFile() }
        guard let text = try? String(contentsOfFile: usersFile, encoding: .utf8) else {
            throw CommandFault(Spoken.say("\(usersFile)：文件读不了", "\(usersFile): the file cannot be read"))
        }
        return try AccountFile(parsing: text, file: usersFile)
    }

    func save(_ file: AccountFile) throws {
        let url = URL(fileURLWithPath: usersFile)
        do {
            try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(file.text.utf8).write(to: url, options: .atomic)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: usersFile)
        } catch {
            throw CommandFault(
                Spoken.say(
                    "\(usersFile)：文件写不了（\(error.localizedDescription)）；检查文件夹的权限",
                    "\(usersFile): the file cannot be written (\(error.localizedDescription)); check the folder's rights"))
        }
    }
}

extension AccountRole: ExpressibleByArgument {}

/// The first line of a file, without the line's end.
func readFirstLine(_ path: String) throws -> String {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8), let line = text.split(whereSeparator: \.isNewline).first else {
        throw CommandFault(Spoken.say("\(path)：文件读不了，或是空的", "\(path): the file cannot be read, or is empty"))
    }
    return String(line)
}
