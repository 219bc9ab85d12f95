import Foundation
import Synchronization
import TestSupport
import Testing

/// Servers that speak nothing newer than TLS 1.1, against the built program's broker, webhook and mail.
@Suite struct OldTransportTests {
    /// One server; what it prints goes into a file.
    private final class OldServer: Sendable {
        // Safe: the process is touched under the lock only.
        private struct Child: @unchecked Sendable { var process: Process }
        let port: Int
        private let output: String
        private let child: Mutex<Child>

        init(_ folder: String, newest: String) throws {
            port = try RunningGateway().port
            output = "\(folder)/server-\(port)"
            _ = FileManager.default.createFile(atPath: output, contents: nil)
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
            process.arguments = [
                "s_server", "-accept", "127.0.0.1:\(port)", "-cert", "\(folder)/own.crt", "-key", "\(folder)/own.key", "-cipher", "ALL:@SECLEVEL=0", newest,
            ]
            let file = FileHandle(forWritingAtPath: output)
            (process.standardOutput, process.standardError) = (file, file)
            // It ends with its stdin, and must not read ours.
            process.standardInput = Pipe()
            try process.run()
            child = Mutex(Child(process: process))
        }

        var text: String { (try? String(contentsOfFile: output, encoding: .utf8)) ?? "" }
        /// Whether a handshake came to its end.
        var wasTalkedTo: Bool { text.contains("CIPHER is") }
        /// Whether somebody knocked and went away.
        var wasRefused: Bool { text.contains("unsupported protocol") || text.contains("version") || text.contains("no shared cipher") }
        func stop() { child.withLock { _ = kill($0.process.processIdentifier, SIGKILL) } }
    }

    @Test(arguments: ["-tls1_1", "-tls1_2"]) func `nothing older than TLS 1.2 is spoken with a broker, a webhook or a mail server`(newest: String) async throws
    {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("wellward-test-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let made = try TechnicianCommandTests.shell([
            "/usr/bin/openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "\(folder)/own.key", "-out", "\(folder)/own.crt", "-days", "2",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
        ])
        try #require(made.code == 0)
        let servers = try (0..<3).map { _ in try OldServer(folder, newest: newest) }
        defer { for server in servers { server.stop() } }
        let (broker, hook, mail) = (servers[0], servers[1], servers[2])
        let site = try LittleSite { text in
            text.replacingOccurrences(
                of: #"mqtt: \{.*\}"#, with: "mqtt: {host: 127.0.0.1, port: \(broker.port), tls: {ca_file: \(folder)/own.crt}}", options: .regularExpression
            )
            .replacingOccurrences(
                of: "channels: [out]}\n  - {id: grid",
                with: "channels: [out, hook, mail], email: a@b.example}\n  - {id: grid"
            )
            .replacingOccurrences(
                of: "  - {id: out,",
                with: "  - {id: hook, kind: webhook, url: \"https://localhost:\(hook.port)/\"}\n"
                    + "  - {id: mail, kind: smtp, host: localhost, port: \(mail.port), tls: tls, from: w@b.example, ca_file: \(folder)/own.crt}\n  - {id: out,")
        }
        defer { site.end() }
        try site.gateway.start(through: ["/usr/bin/env", "SSL_CERT_FILE=\(folder)/own.crt"])
        try await eventually(within: 30) { site.gateway.http("GET", "/healthz").status == 200 }
        if newest == "-tls1_2" {
            // With a server that is new enough handshakes end well, or come to its certificate: what refuses the others is their age.
            try await eventually(within: 40) { broker.wasTalkedTo && (hook.wasTalkedTo || hook.text.contains("alert")) && mail.wasTalkedTo }
            #expect(!hook.text.contains("protocol version") && !hook.text.contains("unsupported protocol"), "\(hook.text)")
        } else {
            try await eventually(within: 40) { broker.wasRefused && hook.wasRefused && mail.wasRefused }
            for server in servers { #expect(!server.wasTalkedTo, "\(server.text)") }
        }
    }
}
