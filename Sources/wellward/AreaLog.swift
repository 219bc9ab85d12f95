import Foundation
import Logging

/// A logger to standard error.
/// - Parameter level: a level, and levels of areas, apart by commas
/// - Throws: `CommandFault` with what there is
func makeLogger(_ level: String) throws -> Logger {
    func read(_ word: some StringProtocol) throws -> Logger.Level {
        guard let level = Logger.Level(rawValue: String(word)) else {
            throw CommandFault(
                Spoken.say(
                    "--log-level：没有`\(word)`这个级别；有：\(Logger.Level.allCases.map(\.rawValue).joined(separator: "、"))",
                    "--log-level: `\(word)` is no level; there are: \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))"))
        }
        return level
    }
    var (usual, byArea) = (Logger.Level.info, [String: Logger.Level]())
    for part in level.split(separator: ",") {
        guard let equals = part.firstIndex(of: "=") else {
            usual = try read(part)
            continue
        }
        let area = String(part[..<equals])
        guard AreaLog.areas.contains(area) else {
            throw CommandFault(
                Spoken.say(
                    "--log-level：没有`\(area)`这个模块；有：\(AreaLog.areas.joined(separator: "、"))",
                    "--log-level: `\(area)` is no area; there are: \(AreaLog.areas.joined(separator: ", "))"))
        }
        byArea[area] = try read(part[part.index(after: equals)...])
    }
    return Logger(label: "wellward") { [usual, byArea] _ in AreaLog(usual: usual, byArea: byArea) }
}

/// Lines for the journal: a priority systemd understands (sd-daemon(3)) where standard error is its, else the time; the area, the words,
/// and the details as `key=value`. Each area (a module's name) may have a level of its own.
struct AreaLog: LogHandler {
    /// The areas that say something.
    static let areas = ["Console", "Gateway", "HummingbirdCore", "Watchkeeping", "wellward"]

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
