import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Testing

@testable import Console

/// How long one connection may take over what.
@Suite struct ConnectionKeeperTests {
    private let loop = EmbeddedEventLoop()

    private func open() throws -> EmbeddedChannel {
        let channel = EmbeddedChannel(handler: ConnectionKeeper(ConnectionLedger()), loop: loop)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        return channel
    }

    private func part(_ method: HTTPRequest.Method, _ path: String) -> HTTPRequestPart {
        .head(HTTPRequest(method: method, scheme: "http", authority: "localhost", path: path))
    }

    @Test func `whoever begins no request is hung up on`() throws {
        let channel = try open()
        loop.advanceTime(by: .seconds(29))
        #expect(channel.isActive)
        loop.advanceTime(by: .seconds(2))
        #expect(!channel.isActive)
    }

    @Test func `a body that trickles is hung up on when its time is over, however lively it is`() throws {
        let channel = try open()
        try channel.writeInbound(part(.post, "/login"))
        for _ in 0..<14 {
            loop.advanceTime(by: .seconds(2))
            try channel.writeInbound(HTTPRequestPart.body(ByteBuffer(string: "a")))
        }
        #expect(channel.isActive)
        loop.advanceTime(by: .seconds(3))
        #expect(!channel.isActive)
    }

    @Test func `an answer has its time too, and after it the next request`() throws {
        let channel = try open()
        try channel.writeInbound(part(.get, "/"))
        try channel.writeInbound(HTTPRequestPart.end(nil))
        loop.advanceTime(by: .seconds(100))
        #expect(channel.isActive)
        try channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: .ok)))
        try channel.writeOutbound(HTTPResponsePart.end(nil))
        loop.advanceTime(by: .seconds(29))
        #expect(channel.isActive)
        try channel.writeInbound(part(.get, "/"))
        try channel.writeInbound(HTTPRequestPart.end(nil))
        loop.advanceTime(by: .seconds(121))
        #expect(!channel.isActive)
    }

    @Test func `a stream of events that is read has no end`() throws {
        let channel = try open()
        try channel.writeInbound(part(.get, "/api/v1/events"))
        try channel.writeInbound(HTTPRequestPart.end(nil))
        try channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: .ok, headerFields: [.contentType: "text/event-stream"])))
        loop.advanceTime(by: .hours(30))
        #expect(channel.isActive)
        // One that takes nothing has.
        channel.isWritable = false
        channel.pipeline.fireChannelWritabilityChanged()
        loop.advanceTime(by: .seconds(61))
        #expect(!channel.isActive)
    }
}
