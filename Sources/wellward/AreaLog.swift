import Foundation
import Logging

/// A logger to standard error.
func makeLogger(_ level: String) -> Logger {
    let parts = level.split(separator: ",").map(String.init)
    let areas = parts.filter { $0.contains("=") }.map { part -> (String, Logger.Level) in
        let sides = part.split(separator: "=").map(String.init)
        return (sides.first ?? "", sides.last.flatMap { Logger.Level(rawValue: $0) } ?? .info)
    }
    let usual = parts.first { !$0.contains("=") }.flatMap { Logger.Level(rawValue: $0) } ?? .info
    let byArea = Dictionary(areas, uniquingKeysWith: { $1 })
    return Logger(label: "wellward") { _ in AreaLog(usual: usual, byArea: byArea) }
}

/// Lines for the journal: a priority systemd understands (sd-daemon(3)) where standard error is its, else the time; the area, the words,
/// and the details as `key=value`. Each area (a module's name) may have a level of its own.
struct AreaLog: LogHandler {
    let usual: Logger.Level
    let byArea: [String: Logger.Level]
    var metadata: Logger.Metadata = [:]
    private var chosen: Logger.Level?

    init(usual: Logger.Level, byArea: [String: Logger.Level]) {
        self.usual = usual
        self.byArea = byArea
    }

    /// The lowest level that any area wants; `log` sorts out by area.
    var logLevel: Logger.Level {
        get { chosen ?? min(usual, byArea.values.min() ?? usual) }
        set { chosen = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    private static let isJournal = ProcessInfo.processInfo.environment["JOURNAL_STREAM"] != nil

    func log(event: LogEvent) {
        let (level, source) = (event.level, event.source)
        guard level >= chosen ?? byArea[source] ?? usual else { return }
        let priority = [Logger.Level.trace: 7, .debug: 7, .info: 6, .notice: 5, .warning: 4, .error: 3, .critical: 2][level] ?? 6
        var time = ""
        if !Self.isJournal { time = Date().formatted(.iso8601) + " " }
        let details = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }.map { " \($0.key)=\(Self.quoted("\($0.value)"))" }.joined()
        // One entry, one line, whatever a device has sent.
        let words = "\(event.message)".split(whereSeparator: \.isNewline).joined(separator: Self.isJournal ? " | " : "\n  ")
        FileHandle.standardError.write(Data("\(Self.isJournal ? "<\(priority)>" : time)\(level) [\(source)] \(words)\(details)\n".utf8))
    }

    private static func quoted(_ text: String) -> String {
        let plain = text.allSatisfy { !$0.isWhitespace && $0 != "\"" && !$0.isNewline }
        return plain && !text.isEmpty
            ? text : "\"\(text.replacingOccurrences(of: "\"", with: "'").split(whereSeparator: \.isNewline).joined(separator: " | "))\""
    }
}
