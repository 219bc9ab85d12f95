import ArgumentParser
import Console
import Foundation
import Glibc

/// `wellward user`
struct UserCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: Spoken.say("控制台账号。", "Console accounts."),
        discussion: Spoken.examples("wellward user add wang --role committee --users-file etc/users.yaml"), subcommands: [Add.self, Remove.self])

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
            try account.users.change { try $0.setUser(Account(name: name, role: account.role, grid: account.grid), password: password) }
            print(Spoken.say("\(name)现在可以以\(account.role.rawValue)登录。", "\(name) may now sign in as \(account.role.rawValue)."))
        }

        private func ask() throws -> String {
            guard let pointer = getpass("Password: ") else {
                throw CommandFault(Spoken.say("没有终端可以询问，请用--password-file", "there is no terminal to ask on; use --password-file"))
            }
            return String(cString: pointer)
        }
    }

    /// `wellward user remove`
    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: Spoken.say("拿掉账号；它的登录和打开的页面随即失效。", "Take an account out; its sessions and open pages end."),
            discussion: Spoken.examples("wellward user remove wang --users-file etc/users.yaml"))
        @Argument(help: .said("名字。", "Its name.")) var name: String
        @OptionGroup var users: UsersFileOptions

        func run() throws {
            try users.change { file in
                guard file.removeUser(name) else { throw CommandFault(Spoken.say("没有\(name)", "there is no \(name)")) }
            }
        }
    }
}

/// `wellward token`
struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: Spoken.say("接口令牌。", "API tokens."),
        discussion: Spoken.examples("wellward token add hub --role integrator --users-file etc/users.yaml"), subcommands: [Add.self, Remove.self])

    /// `wellward token add`
    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: Spoken.say("生成令牌，只显示一次。", "Make a token and print it once."),
            discussion: Spoken.examples("wellward token add hub --role integrator --users-file etc/users.yaml"))
        @Argument(help: .said("令牌给什么用。", "What the token is for.")) var name: String
        @OptionGroup var account: AccountOptions

        func run() throws {
            var token = ""
            try account.users.change { token = $0.addToken(Account(name: name, role: account.role, grid: account.grid)) }
            print(token)
        }
    }

    /// `wellward token remove`
    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: Spoken.say("拿掉令牌。", "Take a token out; what uses it is refused from then on."),
            discussion: Spoken.examples("wellward token remove wang --users-file etc/users.yaml"))
        @Argument(help: .said("名字。", "Its name.")) var name: String
        @OptionGroup var users: UsersFileOptions

        func run() throws {
            try users.change { file in
                guard file.removeToken(name) else { throw CommandFault(Spoken.say("没有\(name)", "there is no \(name)")) }
            }
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
    @OptionGroup var users: UsersFileOptions
}

/// Where the accounts stand.
struct UsersFileOptions: ParsableArguments {
    @Option(help: .said("账号文件。", "The users file.")) var usersFile = "etc/users.yaml"

    /// Changes the file, keeping its owner, group and mode.
    func change(_ body: (inout AccountFile) throws -> Void) throws {
        do {
            try CarefulFile.change(usersFile) { text in
                var file = try text.map { try AccountFile(parsing: $0, file: usersFile) } ?? AccountFile()
                try body(&file)
                return file.text
            }
        } catch let fault as CarefulFile.Fault {
            throw CommandFault(
                Spoken.say(
                    "\(usersFile)：文件写不了（\(fault)）；检查文件和文件夹的权限",
                    "\(usersFile): the file cannot be written (\(fault)); check its rights and those of its folder"))
        } catch let error as CocoaError {
            throw CommandFault(
                Spoken.say(
                    "\(usersFile)：文件读写不了（\(error.localizedDescription)）；检查文件和文件夹的权限",
                    "\(usersFile): the file cannot be read or written (\(error.localizedDescription)); check its rights and those of its folder"))
        }
    }
}

extension AccountRole: ExpressibleByArgument {}

/// The first line of a file, without the line's end.
func readFirstLine(_ path: String) throws -> String {
    var status = stat()
    if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o004 != 0 {
        let warning = Spoken.say("注意：本机上谁都能读\(path)里的密码；用完就删掉", "warning: everybody on this machine may read the password in \(path); delete it after use")
        FileHandle.standardError.write(Data("\(warning)\n".utf8))
    }
    guard let text = try? String(contentsOfFile: path, encoding: .utf8), let line = text.split(whereSeparator: \.isNewline).first else {
        throw CommandFault(Spoken.say("\(path)：文件读不了，或是空的", "\(path): the file cannot be read, or is empty"))
    }
    return String(line)
}
