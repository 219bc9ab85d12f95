import AsyncHTTPClient
import Casework
import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import Telemetry

/// Posts a body and reads the answer, within ten seconds.
struct HTTPPoster: Sendable {
    let client: HTTPClient

    struct Answer {
        var status: UInt
        var body: Data
        var retryAfter: Interval?
    }

    func post(_ url: String, headers: [(String, String)], body: Data) async throws -> Answer {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers = HTTPHeaders(headers + [("User-Agent", "wellward")])
        request.body = .bytes(ByteBuffer(data: body))
        let response = try await client.execute(request, timeout: .seconds(10))
        let buffer = try await response.body.collect(upTo: 64 << 10)
        let wait = response.headers.first(name: "Retry-After").flatMap { Int64($0) }.map { Interval.seconds(min(max($0, 0), 3600)) }
        return Answer(status: response.status.code, body: Data(buffer.readableBytesView), retryAfter: wait)
    }

    /// What an HTTP status means for a delivery.
    static func attempt(_ answer: Answer) -> DeliverySchedule.Attempt {
        switch answer.status {
        case 200..<300: .delivered
        // 408, 425 and 429 ask to come again; so does every server fault. The rest will not change by trying.
        case 408, 425, 429, 500...: .failed("HTTP \(answer.status)", retryAfter: answer.retryAfter)
        // A receiver that is being set up answers 404 or 401 for a while: keep trying, a person may yet mend it.
        default: .failed("HTTP \(answer.status)", retryAfter: answer.retryAfter)
        }
    }
}
