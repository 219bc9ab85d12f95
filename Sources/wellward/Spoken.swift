import ArgumentParser
import Foundation
import Phrasebook

/// What the command line says of itself, in the language of `LANG`.
enum Spoken {
    /// The language of the terminal.
    static let language = Language(locale: ProcessInfo.processInfo.environment["LC_ALL"] ?? ProcessInfo.processInfo.environment["LANG"] ?? "en")

    /// One of two texts.
    static func say(_ chinese: String, _ english: String) -> String { language == .chinese ? chinese : english }

    /// Lines to copy, as the end of a command's help.
    static func examples(_ lines: String...) -> String {
        let whole = lines.map { $0.replacingOccurrences(of: " ", with: unbroken) }
        return whole.count == 1
            ? say("例：", "Example: ") + whole[0]
            : say("例：", "Examples:") + whole.map { "\n\($0)" }.joined()
    }

    /// Stands for a space where the help is not to break a line: an example that was broken cannot be copied.
    static let unbroken = "\u{E000}"
}

extension ArgumentHelp {
    /// What an argument means, in the language of the terminal.
    static func said(_ chinese: String, _ english: String) -> ArgumentHelp { ArgumentHelp(stringLiteral: Spoken.say(chinese, english)) }
}
