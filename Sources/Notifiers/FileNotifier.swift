import Casework
import Foundation

/// Appends each letter as one CloudEvent a line: for tests and for screens.
public actor FileNotifier: Notifier {
    private let path: String

    /// Writes to a file that is created when needed.
    public init(path: String) { self.path = path }

    /// Appends one line.
    public func deliver(_ letter: Letter) async -> DeliverySchedule.Attempt {
        do {
            let line = try letter.cloudEvent() + Data([10])
            let url = URL(fileURLWithPath: path)
            if !FileManager.default.fileExists(atPath: path) {
                try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
                _ = FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
            }
            let handle = try FileHandle(forWritingTo: url)
            defer { try? handle.close() }
            try handle.seekToEnd()
            try handle.write(contentsOf: line)
            return .delivered
        } catch {
            return .failed("writing to the file: \(error.localizedDescription)", retryAfter: nil)
        }
    }
}
