import Demonstration
import DeviceProfiles
import Foundation
import Simulation
import Synchronization
import Telemetry
import TestSupport

/// The built program, started with a configuration of its own in a folder of its own.
final class RunningGateway: Sendable {
    // Safe: Process is touched under the lock only.
    private struct Child: @unchecked Sendable {
        var process: Process?
    }

    let folder: String
    let port: Int
    private let child = Mutex(Child())

    init(port: Int? = nil) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("wellward-e2e-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        self.port = try port ?? LoopbackPort.free()
    }

    /// The program beside the test's own.
    static var program: URL {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent("wellward")
    }

    func write(_ name: String, _ text: String) throws {
        try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
    }

    /// Starts the program, or another one that becomes it.
    func start(_ arguments: [String] = ["run", "--config", "wellward.yaml"], through words: [String] = []) throws {
        let process = Process()
        let line = words + [Self.program.path] + arguments
        process.executableURL = URL(fileURLWithPath: line[0])
        process.arguments = Array(line.dropFirst())
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        _ = FileManager.default.createFile(atPath: "\(folder)/log", contents: nil)
        process.standardError = FileHandle(forWritingAtPath: "\(folder)/log")
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        child.withLock { $0.process = process }
    }

    func signal(_ number: Int32) { child.withLock { child in _ = child.process.map { kill($0.processIdentifier, number) } } }
    var processID: Int32 { child.withLock { $0.process?.processIdentifier ?? 0 } }
    var isRunning: Bool { child.withLock { $0.process?.isRunning ?? false } }
    var exitCode: Int32? { child.withLock { $0.process.flatMap { $0.isRunning ? nil : $0.terminationStatus } } }
    var log: String { (try? String(contentsOfFile: "\(folder)/log", encoding: .utf8)) ?? "" }

    func end() {
        signal(SIGKILL)
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// One HTTP request through curl, which is everywhere; the status and the body.
    func http(_ method: String, _ path: String, _ body: String? = nil, headers: [String] = []) -> (status: Int, json: [String: Any], text: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/curl")
        var arguments = ["-s", "-m", "10", "-X", method, "-w", "\n%{http_code}", "http://127.0.0.1:\(port)\(path)"]
        if let body { arguments += ["-H", "Content-Type: application/json", "-d", body] }
        arguments += headers.flatMap { ["-H", $0] }
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        guard (try? process.run()) != nil else { return (0, [:], "") }
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let text = String(decoding: data, as: UTF8.self)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let content = lines.dropLast().joined(separator: "\n")
        let json = (try? JSONSerialization.jsonObject(with: Data(content.utf8))) as? [String: Any]
        return (Int(lines.last ?? "0") ?? 0, json ?? [:], content)
    }

    func items(_ path: String) -> [[String: Any]] { http("GET", path).json["items"] as? [[String: Any]] ?? [] }
}
