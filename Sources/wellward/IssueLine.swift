import Documents

/// An issue of a document as JSON, in the language of the terminal.
struct IssueLine: Encodable {
    private var severity: DocumentIssue.Severity
    private var file: String
    private var line: Int?
    private var key: String
    private var problem: String
    private var fix: String

    init(_ issue: DocumentIssue) {
        (severity, file, line, key) = (issue.severity, issue.file, issue.line, issue.key)
        (problem, fix) = (issue.problem[Spoken.language], issue.fix[Spoken.language])
    }
}
