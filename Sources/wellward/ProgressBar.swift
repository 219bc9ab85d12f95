import Foundation

/// How far long work has come, on standard error when that is a terminal; silent otherwise.
final class ProgressBar {
    private let total: Int
    private var done = 0
    private let isTerminal = isatty(2) == 1

    /// A bar for so many steps.
    init(total: Int) { self.total = max(1, total) }

    /// One step more, and what is at hand.
    func step(_ words: @autoclosure () -> String) {
        done += 1
        guard isTerminal else { return }
        let width = 30 * min(done, total) / total
        let bar = String(repeating: "█", count: width) + String(repeating: "·", count: 30 - width)
        FileHandle.standardError.write(Data("\r\u{1B}[K\(bar) \(100 * min(done, total) / total) %  \(words())".utf8))
    }

    /// The line is free for what is printed next.
    func end() { if isTerminal { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) } }
}
