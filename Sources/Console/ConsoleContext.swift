import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Phrasebook

/// A request with who asks and in which language.
struct ConsoleContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// Who asks; nil on open paths.
    var account: Account?
    /// The session of a signed-in browser, for its CSRF token.
    var session: String?
    /// By what they came in.
    var proof: AccessControl.Visitor.Proof?
    let remoteAddress: String
    /// Which of the console's connections it is.
    let connection: ObjectIdentifier

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        connection = ObjectIdentifier(source.channel)
        remoteAddress = source.channel.remoteAddress?.ipAddress ?? "unknown"
    }

    /// Bodies above this size are refused.
    var maxUploadSize: Int { 64 << 10 }
}

/// An answer that says what is wrong, as RFC 9457 has it.
struct Problem: Error, HTTPResponseError, Sendable {
    var status: HTTPResponse.Status
    var title: String
    var detail: String
    /// Seconds until it is worth trying again.
    var retryAfter: Int?
    /// What a page says of it; nil says it by the status.
    var heading: Label?

    init(_ status: HTTPResponse.Status, _ title: String, _ detail: String, retryAfter: Int? = nil) {
        self.status = status
        self.title = title
        // Many details repeat what was asked.
        self.detail = detail.bounded(.sentence)
        self.retryAfter = retryAfter
    }

    /// What stands in the head of an answer besides its kind.
    var headers: HTTPFields { retryAfter.map { [.retryAfter: "\($0)"] } ?? [:] }

    func response(from request: Request, context: some RequestContext) throws -> Response {
        let body = JSON.of([
            "type": "about:blank", "title": .string(title), "status": .integer(Int64(status.code)), "detail": .string(detail),
            "instance": .string(request.uri.path.bounded(.device)),
        ])
        var headers = headers
        headers[.contentType] = "application/problem+json"
        return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(string: body.serialized)))
    }

    static func notFound(_ what: String) -> Problem { Problem(.notFound, "Not found", "There is no \(what).") }
    static func forbidden(_ why: String) -> Problem { Problem(.forbidden, "Forbidden", why) }
    static func badRequest(_ why: String) -> Problem { Problem(.badRequest, "Bad request", why) }
}

extension JSON: ResponseGenerator {
    func response(from request: Request, context: some RequestContext) throws -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(string: serialized)))
    }
}
