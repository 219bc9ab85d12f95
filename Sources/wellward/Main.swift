import ArgumentParser
import CBuild
import Documents
import Foundation

/// The program's door: parses, runs, and turns every end into the contract's exit codes.
@main
enum Main {
    /// The release.
    static let version = "0.1.0"
    /// The release and what it was built from, as semver.org writes it.
    static let build = "\(version)+\(String(cString: wellward_build()))"

    static func main() async {
        // Whoever starts us may have blocked signals, and a child inherits that: a gateway that cannot be told to stop.
        var none = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, nil)
        // Who lives alone is in this process: no dump of its memory, whoever starts it.
        var noDump = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &noDump)
        do {
            var command = try Wellward.parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            end(error)
        }
    }

    /// 0 done (help and version included), 1 the input or a device is at fault, 2 wrong usage, 3 the program failed.
    private static func end(_ error: any Error) -> Never {
        switch error {
        case let fault as CommandFault: fail(fault.message, code: 1)
        case let issues as DocumentIssues: fail(issues.told(in: Spoken.language), code: 1)
        case let code as ExitCode where code == .success || (1...3).contains(code.rawValue): exit(code.rawValue)
        default:
            let code = Wellward.exitCode(for: error)
            let words = Wellward.fullMessage(for: error).replacingOccurrences(of: Spoken.unbroken, with: " ")
            // A completion script is no text for people, whatever language they speak.
            let isForPeople = code != .success || words.hasPrefix("OVERVIEW:") || words.hasPrefix("USAGE:")
            let message = isForPeople && Spoken.language == .chinese ? UsageInChinese.translate(words) : words
            if code == .success {
                print(message)
                exit(0)
            }
            if code == .validationFailure { fail(message, code: 2) }
            fail(message.isEmpty ? "\(error)" : message, code: 3)
        }
    }

    private static func fail(_ message: String, code: Int32) -> Never {
        FileHandle.standardError.write(Data((message + "\n").utf8))
        exit(code)
    }
}

/// The input or a device is at fault: what, where, and what to do.
struct CommandFault: Error {
    var message: String
    init(_ message: String) { self.message = message }
}

/// All commands, in the order in which a newcomer needs them.
struct Wellward: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wellward",
        abstract: Spoken.say("凭水表看护独居的人，把电瓶车挡在电梯外。", "Watches over people who live alone by their water meters, and keeps e-bikes out of lifts."),
        version: "wellward \(Main.build)",
        subcommands: [
            Demo.self, Run.self, Config.self, ProfileCommand.self, MeterCommand.self, BusCommand.self, ElevatorCommand.self, Simulate.self, Backtest.self,
            HouseholdsCommand.self, CasesCommand.self, ElevatorsCommand.self, QualityCommand.self, StatisticsCommand.self, ChannelCommand.self,
            ExportCommand.self, AuditCommand.self, BackupCommand.self, RestoreCommand.self, Doctor.self, Evaluate.self, Rehearse.self,
            UserCommand.self,
            TokenCommand.self,
        ])
}
