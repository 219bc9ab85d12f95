import Foundation
import Glibc
import Simulation
import Synchronization

/// A mosquitto of our own on a free loopback port, with a configuration made for it; it ends with us.
public final class PrivateBroker: Sendable {
    // Safe: Process is used under the lock only, from start to stop.
    private struct Child: @unchecked Sendable {
        var process: Process?
    }

    /// The port it listens on.
    public let port: Int
    private let child: Mutex<Child>

    /// Starts mosquitto and waits until it answers.
    /// - Parameters:
    ///   - port: a port to listen on; a free one when nil
    ///   - access: lines of mosquitto.conf about who may come in; everybody on this machine unless said otherwise
    ///   - keeps: whether sessions and messages survive its end (written when it is told to stop)
    public init(folder: String, port wanted: Int? = nil, access: String = "allow_anonymous true", keeps: Bool = false) throws {
        guard
            let program = ["/usr/sbin/mosquitto", "/usr/bin/mosquitto", "/usr/local/sbin/mosquitto"].first(where: {
                FileManager.default.isExecutableFile(atPath: $0)
            })
        else { throw Demonstration.Fault(description: "mosquitto is not installed; run `apt-get install mosquitto`, or `make run`") }
        // Between finding a free port and listening on it somebody else may take it: then mosquitto ends, and another port is tried.
        for attempt in 1...5 {
            let port = try wanted ?? LoopbackPort.free()
            let process = try Self.start(program, folder, port, access, keeps)
            if Self.listens(process, port) {
                self.port = port
                child = Mutex(Child(process: process))
                return
            }
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            if wanted != nil || attempt == 5 { throw Demonstration.Fault(description: "mosquitto did not start on port \(port)") }
        }
        throw Demonstration.Fault(description: "mosquitto did not start")
    }

    private static func start(_ program: String, _ folder: String, _ port: Int, _ access: String, _ keeps: Bool) throws -> Process {
        let path = "\(folder)/mosquitto-\(port).conf"
        // Written after every change, since it may be killed at any moment.
        let memory =
            keeps
            ? "persistence true\npersistence_location \(folder)/\nautosave_interval 1\nautosave_on_changes true\nmax_queued_messages 0\nuser root"
            : "persistence false"
        try "listener \(port) 127.0.0.1\n\(access)\n\(memory)\nlog_type error\n".write(toFile: path, atomically: true, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = ["-c", path]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        return process
    }

    /// Whether it is this process that answers: it is still there a moment after the port answered.
    private static func listens(_ process: Process, _ port: Int) -> Bool {
        let deadline = Date().addingTimeInterval(5)
        while !answers(port) {
            guard Date() < deadline, process.isRunning else { return false }
            poll(nil, 0, 20)
        }
        poll(nil, 0, 50)
        return process.isRunning
    }

    /// Its process, for whoever wants to stop it and let it go on (SIGSTOP, SIGCONT); 0 when it has ended.
    public var processID: Int32 { child.withLock { $0.process?.processIdentifier ?? 0 } }

    /// Ends it, and waits until its port is free.
    public func stop() {
        child.withLock { child in
            guard let process = child.process else { return }
            // Not SIGTERM: a child inherits the signal mask of the thread that started it, and ours may block that.
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            child.process = nil
        }
    }

    /// Sends it a signal: SIGHUP lets it read passwords and access lists again, SIGSTOP makes it hang.
    public func signal(_ number: Int32) { child.withLock { child in _ = child.process.map { kill($0.processIdentifier, number) } } }

    deinit { stop() }

    private static func loopback(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    private static func answers(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = loopback(port)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
