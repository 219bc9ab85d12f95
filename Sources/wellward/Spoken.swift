import Foundation
import Phrasebook

/// What the command line says of itself, in the language of `LANG`.
enum Spoken {
    /// The language of the terminal.
    static let language = Language(locale: ProcessInfo.processInfo.environment["LC_ALL"] ?? ProcessInfo.processInfo.environment["LANG"] ?? "en")

    /// One of two texts.
    static func say(_ chinese: String, _ english: String) -> String { language == .chinese ? chinese : english }
}
