import Synchronization

/// A mail relay on loopback (RFC 5321, without TLS) whose reply at each stage a test dictates, for each recipient where it matters.
///
///     let relay = try ScriptedRelay { step in
///         switch step {
///         case .recipient(let address) where address.hasPrefix("late@"): "450 4.2.1 come again"
///         default: nil
///         }
///     }
///     defer { relay.stop() }
public final class ScriptedRelay: Sendable {
    /// What the client has just done.
    public enum Step: Sendable, Hashable {
        /// It connected.
        case greeting
        /// EHLO or HELO.
        case hello
        case login
        case sender(String)
        case recipient(String)
        case data
        /// The message is whole.
        case endOfData
    }

    /// A message that was taken.
    public struct Message: Sendable, Hashable {
        public var recipients: [String]
        /// The message as it came, header and body, lines parted by a line feed.
        public var text: String
    }

    /// What the relay has seen.
    private final class Notes: Sendable {
        let messages = Mutex<[Message]>([])
        let steps = Mutex<[Step]>([])
    }

    private let server: ScriptedServer
    private let notes: Notes

    /// The port on 127.0.0.1.
    public var port: Int { server.port }
    /// How many connections it has taken.
    public var connections: Int { server.connections }
    /// What was taken, in order.
    public var messages: [Message] { notes.messages.withLock { $0 } }
    /// What clients did, in order.
    public var steps: [Step] { notes.steps.withLock { $0 } }

    /// A relay that listens.
    /// - Parameters:
    ///   - extensions: what it names in its answer to EHLO
    ///   - reply: the reply to a step, without the last line's ending; nil is the usual yes, and an empty text hangs up
    public init(extensions: [String] = ["ENHANCEDSTATUSCODES"], _ reply: @escaping @Sendable (Step) -> String?) throws {
        let notes = Notes()
        self.notes = notes
        server = try ScriptedServer { connection in Self.serve(connection, extensions, notes, reply) }
    }

    /// Hangs up on everybody and listens no more.
    public func stop() { server.stop() }

    private static func serve(_ connection: ScriptedConnection, _ extensions: [String], _ notes: Notes, _ reply: (Step) -> String?) {
        /// Says what the test or the usual course wants.
        /// - Returns: the first digit of the reply's code, nil when it hung up
        func answer(_ step: Step, _ usual: String) -> Character? {
            notes.steps.withLock { $0.append(step) }
            let text = reply(step) ?? usual
            guard !text.isEmpty, connection.write("\(text)\r\n") else {
                connection.hangUp()
                return nil
            }
            return text.first
        }
        guard answer(.greeting, "220 relay.example ESMTP") == "2" else { return }
        let hello = (["relay.example"] + extensions).enumerated().map { index, word in "250\(index == extensions.count ? " " : "-")\(word)" }.joined(
            separator: "\r\n")
        var recipients: [String] = []
        while let line = connection.readLine() {
            switch line.prefix(4).uppercased() {
            case "EHLO", "HELO": guard answer(.hello, hello) != nil else { return }
            case "AUTH":
                if line.split(separator: " ").count < 3 {
                    connection.write("334 \r\n")
                    guard connection.readLine() != nil else { return }
                }
                guard answer(.login, "235 2.7.0 welcome") != nil else { return }
            case "MAIL":
                recipients = []
                guard answer(.sender(address(line)), "250 2.1.0 yes") != nil else { return }
            case "RCPT":
                let to = address(line)
                guard let said = answer(.recipient(to), "250 2.1.5 yes") else { return }
                if said == "2" { recipients.append(to) }
            case "DATA":
                guard let said = answer(.data, "354 go on") else { return }
                guard said == "3" else { continue }
                var lines: [String] = []
                while let part = connection.readLine(), part != "." { lines.append(part.hasPrefix("..") ? String(part.dropFirst()) : part) }
                guard let end = answer(.endOfData, "250 2.0.0 taken") else { return }
                if end == "2" { notes.messages.withLock { $0.append(Message(recipients: recipients, text: lines.joined(separator: "\n"))) } }
            case "QUIT":
                connection.write("221 2.0.0 bye\r\n")
                return
            default: connection.write("250 2.0.0 yes\r\n")
            }
        }
    }

    /// What stands between the angle brackets of a command.
    private static func address(_ line: String) -> String {
        guard let open = line.firstIndex(of: "<"), let close = line.lastIndex(of: ">"), open < close else { return "" }
        return String(line[line.index(after: open)..<close])
    }
}
