import Foundation
import Synchronization

/// A program of `Tests/Receivers` on PyPI's own libraries, that takes what the gateway sends and writes down what it saw.
public final class IndependentReceiver: Sendable {
    /// Why a receiver did not start.
    public struct NotReady: Error, CustomStringConvertible {
        public var description: String
    }

    // Safe: the process is touched under the lock only.
    private struct Child: @unchecked Sendable {
        var process: Process?
    }

    /// Where it listens, in the order in which it says so.
    public let ports: [Int]
    private let output: String
    private let child = Mutex(Child())
    private let leash = Pipe()

    /// The interpreter with the packages of `Tests/requirements.txt`.
    public static let python = ShippedProfiles.root.appendingPathComponent(".build-python/bin/python").path

    /// Starts a receiver.
    /// - Parameters:
    ///   - script: `mail` or `web`
    ///   - folder: for its notes
    ///   - before: arguments before the file of its notes
    ///   - after: arguments behind it
    public init(_ script: String, folder: String, before: [String] = [], after: [String] = []) throws {
        guard FileManager.default.isExecutableFile(atPath: Self.python) else { throw NotReady(description: "run `make test-tools` first") }
        output = "\(folder)/\(script)-\(UUID().uuidString).jsonl"
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.python)
        process.arguments = [ShippedProfiles.root.appendingPathComponent("Tests/Receivers/\(script).py").path] + before + [output] + after
        let pipe = Pipe()
        process.standardOutput = pipe
        // It ends with its stdin, so that a test that crashes leaves nothing behind.
        process.standardInput = leash
        try process.run()
        var text = ""
        while !text.contains("\n") {
            let data = pipe.fileHandleForReading.availableData
            if data.isEmpty { break }
            text += String(decoding: data, as: UTF8.self)
        }
        let words = text.split(whereSeparator: \.isWhitespace)
        guard words.first == "ready" else {
            kill(process.processIdentifier, SIGKILL)
            throw NotReady(description: "\(script).py said: \(text)")
        }
        ports = words.dropFirst().compactMap { Int($0) }
        child.withLock { $0.process = process }
    }

    /// What it has written down, in order.
    public var notes: [[String: Any]] {
        let text = (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { (try? JSONSerialization.jsonObject(with: Data($0.utf8))) as? [String: Any] }
    }

    /// Stops it. With SIGKILL: a test process blocks SIGTERM, and its children inherit that.
    public func stop() { child.withLock { child in _ = child.process.map { kill($0.processIdentifier, SIGKILL) } } }
}
