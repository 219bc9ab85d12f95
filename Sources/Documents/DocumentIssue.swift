import Phrasebook

/// One thing wrong with a file that a person wrote: where it is, what is wrong, and what to do.
public struct DocumentIssue: Error, Hashable, Sendable, Codable, CustomStringConvertible {
    /// How bad it is.
    public enum Severity: String, Sendable, Codable {
        /// The file cannot be used.
        case error
        /// The file works, but somebody should know.
        case warning
    }

    /// How bad it is.
    public var severity: Severity
    /// The file as it was named.
    public var file: String
    /// The line, counted from 1; nil when the whole file is meant.
    public var line: Int?
    /// The key, from the top: `meters[3].unit`.
    public var key: String
    /// What is wrong.
    public var problem: LocalizedText
    /// What to do.
    public var fix: LocalizedText

    /// An issue with all its parts.
    public init(
        severity: Severity = .error, file: String, line: Int?, key: String, problem: LocalizedText, fix: LocalizedText
    ) {
        self.severity = severity
        self.file = file
        self.line = line
        self.key = key
        self.problem = problem
        self.fix = fix
    }

    /// `wellward.yaml:12: meters[3].unit: error: 300 is no unit address; write a number from 1 to 247.`
    public var description: String { told(in: .english) }

    /// The same in a language.
    public func told(in language: Language) -> String {
        let weight: LocalizedText = severity == .error ? .said("错误", "error") : .said("注意", "warning")
        let place = line.map { "\(file):\($0)" } ?? file
        let path = key.isEmpty ? "" : " \(key):"
        return
            "\(place):\(path) \(weight[language])\(LocalizedText.said("：", ": ")[language])\(problem[language])\(LocalizedText.said("；", "; ")[language])\(fix[language])"
    }
}

/// Everything that is wrong with a document, found in one pass.
public struct DocumentIssues: Error, Sendable, CustomStringConvertible {
    /// The issues in the order of the file.
    public var issues: [DocumentIssue]

    /// A collection of issues.
    public init(_ issues: [DocumentIssue]) { self.issues = issues }

    /// One issue a line.
    public var description: String { told(in: .english) }

    /// The same in a language.
    public func told(in language: Language) -> String { issues.map { $0.told(in: language) }.joined(separator: "\n") }
}
