import AsyncHTTPClient
import Casework
import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import Synchronization
import Telemetry

/// Posts a body and reads the answer. The head must come within ten seconds; of the body so much is read as comes in three seconds and fits, since
/// the head alone says whether a notice was taken.
struct HTTPPoster: Sendable {
    let client: HTTPClient

    struct Answer {
        var status: UInt
        /// What was read of the body.
        var body: Data
        var retryAfter: Interval?
    }

    /// The most of a body that is read, in bytes.
    static let longestBody = 64 << 10
    private static let bodyWithin = Duration.seconds(3)

    func post(_ url: String, headers: [(String, String)], body: Data) async throws -> Answer {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers = HTTPHeaders(headers + [("User-Agent", "wellward")])
        request.body = .bytes(ByteBuffer(data: body))
        let response = try await client.execute(request, timeout: .seconds(10))
        let wait = response.headers.first(name: "Retry-After").flatMap { Int64($0) }.map { Interval.seconds(min(max($0, 0), 3600)) }
        return Answer(status: response.status.code, body: await Self.beginning(of: response.body), retryAfter: wait)
    }

    /// What has come of a body so far.
    private final class Beginning: Sendable { let data = Mutex(Data()) }

    /// As much of a body as comes in time and fits. A body that breaks off, never ends or trickles changes nothing about the answer's head.
    private static func beginning(of body: HTTPClientResponse.Body) async -> Data {
        let beginning = Beginning()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    for try await part in body {
                        let isFull = beginning.data.withLock { data in
                            data.append(contentsOf: part.readableBytesView.prefix(longestBody - data.count))
                            return data.count >= longestBody
                        }
                        if isFull { return }
                    }
                } catch {
                    // What came before it broke off is what there is.
                    return
                }
            }
            group.addTask { try? await Task.sleep(for: bodyWithin) }
            await group.next()
            group.cancelAll()
        }
        return beginning.data.withLock { $0 }
    }

    /// What an HTTP status means for a delivery.
    static func attempt(_ answer: Answer, words: String = "") -> DeliverySchedule.Attempt {
        let why = "HTTP \(answer.status)\(words.isEmpty ? "" : ": \(words)")"
        return switch answer.status {
        case 200..<300: .delivered
        // The receiver says that it is asked too often.
        case 429: .limited(why, retryAfter: answer.retryAfter)
        // 408 and 425 ask to come again; so does every server fault. A receiver that is being set up answers 404 or 401 for a while: a person may
        // yet mend it.
        default: .failed(why, retryAfter: answer.retryAfter)
        }
    }

    /// Why nothing came back, by the kind of fault alone: a fault's own words may hold the address.
    static func fault(_ error: any Error) -> DeliverySchedule.Attempt {
        if let error = error as? HTTPClientError { return .failed("posting: \(error.shortDescription)", retryAfter: nil) }
        return .failed("posting: \(String(describing: type(of: error)))", retryAfter: nil)
    }
}
