import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Watchkeeping

/// The console without a socket before it: for whoever asks more often than sockets bear.
package struct ConsoleDoor: Sendable {
    private let responder: any HTTPResponder<ConsoleContext>
    private let log: Logger

    /// The console of a gateway.
    package init(_ premises: Premises) throws {
        responder = try ConsoleServer.router(premises, AccessControl(premises, ConnectionLedger())).buildResponder()
        log = Logger(label: "door") { _ in SwiftLogNoOpLogHandler() }
    }

    /// Takes nothing to its end.
    private struct Counter: ResponseBodyWriter {
        var bytes = 0
        mutating func write(_ buffer: ByteBuffer) async throws { bytes += buffer.readableBytes }
        consuming func finish(_ trailing: HTTPFields?) async throws {}
    }

    /// Answers one request as the server would. The body of a stream without end is not asked for.
    /// - Returns: the status; 500 where an error came through to the server, which then closes the connection; 400 where a method or a path
    ///   is none, which never reaches the router
    package func answer(method: String, path: String, headers: [(String, String)], body: [UInt8], on channel: any Channel) async -> (status: Int, type: String?)
    {
        guard let method = HTTPRequest.Method(method) else { return (400, nil) }
        var fields = HTTPFields()
        for (name, value) in headers { if let name = HTTPField.Name(name) { fields.append(HTTPField(name: name, value: value)) } }
        let head = HTTPRequest(method: method, scheme: "http", authority: "localhost", path: path, headerFields: fields)
        let request = Request(head: head, body: .init(buffer: ByteBuffer(bytes: body)))
        do {
            let answer = try await responder.respond(to: request, context: ConsoleContext(source: .init(channel: channel, logger: log)))
            let type = answer.headers[.contentType]
            if type != "text/event-stream" { try await answer.body.write(Counter()) }
            return (answer.status.code, type)
        } catch {
            return (500, nil)
        }
    }
}
