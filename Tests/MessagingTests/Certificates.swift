import Foundation

/// An authority of a test's own and what it signs, by openssl, for 127.0.0.1.
struct Certificates {
    private struct Refused: Error { var arguments: [String] }

    private static let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    private let folder: String

    /// Makes `ca.crt` in a folder.
    init(_ folder: String) throws {
        self.folder = folder
        try "subjectAltName=IP:127.0.0.1".write(toFile: "\(folder)/san", atomically: true, encoding: .utf8)
        try run(
            ["req", "-x509"] + Self.key + ["-keyout", "ca.key", "-out", "ca.crt", "-days", "36500", "-subj", "/CN=test authority"], at: "2000-01-01 00:00:00")
    }

    /// Signs a certificate that is good for two days, from now or from another moment.
    func sign(_ name: String, at moment: String? = nil) throws {
        try run(["req", "-new"] + Self.key + ["-keyout", "\(name).key", "-out", "\(name).csr", "-subj", "/CN=\(name)"])
        try run(
            [
                "x509", "-req", "-in", "\(name).csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-out", "\(name).crt", "-days", "2", "-extfile",
                "san",
            ], at: moment)
        try open(name)
    }

    /// A certificate that nobody signed but itself.
    func selfSign(_ name: String) throws {
        try run(["req", "-x509"] + Self.key + ["-keyout", "\(name).key", "-out", "\(name).crt", "-days", "2", "-subj", "/CN=\(name)"])
        try open(name)
    }

    /// mosquitto gives up root's rights and must still read what it is given.
    private func open(_ name: String) throws {
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: "\(folder)/\(name).key")
    }

    private func run(_ arguments: [String], at moment: String? = nil) throws {
        let line = moment.map { ["/usr/bin/faketime", $0, "/usr/bin/openssl"] } ?? ["/usr/bin/openssl"]
        guard try BrokerAccessTests.run(line[0], Array(line.dropFirst()) + arguments, in: folder) == 0 else { throw Refused(arguments: arguments) }
    }
}
