import Synchronization

/// An HTTP receiver on loopback whose every answer a test dictates, byte for byte; for robots, webhooks and heartbeats.
///
///     let robot = try ScriptedWebServer { _ in .init(body: #"{"errcode":310000,"errmsg":"keywords not in content"}"#) }
///     defer { robot.stop() }
public final class ScriptedWebServer: Sendable {
    /// A request as it came.
    public struct Request: Sendable, Hashable {
        /// Method, path and version.
        public var line: String
        public var header: [String]
        public var body: String
    }

    /// What is answered.
    public struct Answer: Sendable {
        public var status: String
        public var header: [String]
        public var body: String
        /// Says that more comes than does: the body never ends.
        public var neverEnds: Bool
        /// What it waits before it answers, in milliseconds.
        public var after: Int32

        /// An answer; 200 with a JSON body unless said otherwise.
        public init(status: String = "200 OK", header: [String] = [], body: String = "{}", neverEnds: Bool = false, after: Int32 = 0) {
            self.status = status
            self.header = header
            self.body = body
            self.neverEnds = neverEnds
            self.after = after
        }
    }

    private final class Notes: Sendable { let requests = Mutex<[Request]>([]) }

    private let server: ScriptedServer
    private let notes: Notes

    /// Where it listens.
    public var url: String { "http://127.0.0.1:\(server.port)" }
    /// What came, in order.
    public var requests: [Request] { notes.requests.withLock { $0 } }

    /// A receiver that listens.
    public init(_ answer: @escaping @Sendable (Request) -> Answer) throws {
        let notes = Notes()
        self.notes = notes
        server = try ScriptedServer { connection in
            while let line = connection.readLine() {
                var header: [String] = []
                while let field = connection.readLine(), !field.isEmpty { header.append(field) }
                let length = header.first { $0.lowercased().hasPrefix("content-length:") }.flatMap { Int($0.dropFirst(15).drop { $0 == " " }) } ?? 0
                guard let body = length == 0 ? [] : connection.read(exactly: length) else { return }
                let request = Request(line: line, header: header, body: String(decoding: body, as: UTF8.self))
                notes.requests.withLock { $0.append(request) }
                let said = answer(request)
                if said.after > 0 { connection.pause(milliseconds: said.after) }
                let promised = said.body.utf8.count + (said.neverEnds ? 1_000_000 : 0)
                let head = (["HTTP/1.1 \(said.status)", "Content-Length: \(promised)"] + said.header).joined(separator: "\r\n")
                guard connection.write("\(head)\r\n\r\n\(said.body)") else { return }
                if said.neverEnds { while connection.read() != nil { continue } }
            }
        }
    }

    /// Hangs up on everybody and listens no more.
    public func stop() { server.stop() }
}
