import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Telemetry
import Watchkeeping

/// `/api/v1/events`: server-sent events. They say what has changed, never personal data; a page asks again for what its
/// reader may see.
struct EventRoutes: Sendable {
    let premises: Premises
    let access: AccessControl
    private static let headers: HTTPFields = [
        .contentType: "text/event-stream", .cacheControl: "no-store", .init("X-Accel-Buffering") ?? .cacheControl: "no",
    ]
    /// How often it is asked whether the reader may still read.
    private static let askedEvery = Duration.seconds(2)
    /// So many of these make the quarter of a minute after which a comment shows that the connection lives.
    private static let beatEvery = 7

    func add(to api: RouterGroup<ConsoleContext>) {
        api.head("events") { _, context in
            _ = try context.requireAccount()
            return Response(status: .ok, headers: Self.headers)
        }
        api.get("events") { _, context in
            let account = try context.requireAccount()
            guard let proof = context.proof, let news = premises.desk.newsroom.subscribe(account.name) else {
                throw Problem(.serviceUnavailable, "Too many readers", "Close a page and try again.", retryAfter: 15)
            }
            return Response(
                status: .ok, headers: Self.headers,
                body: ResponseBody { writer in
                    try await writer.write(ByteBuffer(string: "retry: 3000\n: welcome\n\n"))
                    try await pass(news, account, proof, context.connection, to: &writer)
                    try await writer.finish(nil)
                })
        }
    }

    /// News as it comes, and a comment every quarter of a minute so that dead connections show. It ends with the account, session or token.
    private func pass(
        _ news: AsyncStream<SiteDesk.News>, _ account: Account, _ proof: AccessControl.Visitor.Proof, _ connection: ObjectIdentifier,
        to writer: inout any ResponseBodyWriter
    ) async throws {
        // A reader that stalls loses old news here as it does at the newsroom; the page asks anew anyway.
        let beats = AsyncStream<SiteDesk.News?>(bufferingPolicy: .bufferingNewest(64)) { continuation in
            let reading = Task {
                // What this reader may hear is asked of the configuration in force, not of the one at the beginning.
                for await item in news where Shapes(premises, account).mayHear(item) { continuation.yield(item) }
                continuation.finish()
            }
            let beating = Task {
                var round = 0
                while !Task.isCancelled {
                    try? await Task.sleep(for: Self.askedEvery)
                    guard await access.stillHolds(proof) else {
                        continuation.finish()
                        // A reader that takes nothing would never see the end.
                        try? await Task.sleep(for: .seconds(1))
                        return access.ledger.hangUp(connection)
                    }
                    round += 1
                    if round % Self.beatEvery == 0 { continuation.yield(nil) }
                }
            }
            continuation.onTermination = { _ in
                reading.cancel()
                beating.cancel()
            }
        }
        for await beat in beats {
            let text = beat.map { "event: \($0.event)\ndata: \($0.json.serialized)\n\n" } ?? ": beat\n\n"
            try await writer.write(ByteBuffer(string: text))
        }
    }
}

extension Shapes {
    /// Whether this reader may hear of a change: which home stirs is as personal as what stirred.
    func mayHear(_ news: SiteDesk.News) -> Bool {
        switch news {
        case .home(let id): account.role.may(.homes) && visibleHomes.contains { $0.id == id }
        case .finding(let subject) where subject.type == .household: account.role.may(.homes) && sees(subject)
        case .reading(let id): configuration.meter(id).map(sees) ?? false
        case .caseFile(_, let subject, let kind): sees(subject, kind)
        case .finding(let subject): sees(subject)
        case .elevator: true
        }
    }
}

extension SiteDesk.News {
    var event: String {
        switch self {
        case .home: "home"
        case .caseFile: "case"
        case .elevator: "elevator"
        case .finding: "finding"
        case .reading: "reading"
        }
    }

    var json: JSON {
        switch self {
        case .home(let id): .of(["id": .string(id.rawValue)])
        case .caseFile(let id, _, _): .of(["id": .string(id.rawValue)])
        case .elevator(let id): .of(["id": .string(id.rawValue)])
        case .reading(let meter): .of(["meter": .string(meter.rawValue)])
        case .finding(let subject): .of(["subject": .of(["type": .string(subject.type.rawValue), "id": .string(subject.id)])])
        }
    }
}
