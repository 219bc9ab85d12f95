import HTTPTypes
import NIOCore
import NIOHTTPTypes
import Synchronization

/// The console's connections, for its event loops and for whoever finds out whose they are.
final class ConnectionLedger: Sendable {
    private struct State {
        var places = ConnectionPlaces<ObjectIdentifier>()
        var channels: [ObjectIdentifier: any Channel] = [:]
    }

    private let state = Mutex(State())

    func arrive(_ channel: any Channel) {
        change { state in
            state.channels[ObjectIdentifier(channel)] = channel
            return state.places.arrive(ObjectIdentifier(channel), from: RateLimit.key(of: channel.remoteAddress?.ipAddress ?? "unknown"))
        }
    }

    func begin(_ channel: any Channel) { state.withLock { $0.places.begin(ObjectIdentifier(channel)) } }
    func end(_ channel: any Channel) { state.withLock { $0.places.end(ObjectIdentifier(channel)) } }

    func leave(_ channel: any Channel) {
        state.withLock { state in
            state.places.leave(ObjectIdentifier(channel))
            state.channels[ObjectIdentifier(channel)] = nil
        }
    }

    /// A connection has shown whose it is.
    /// - Returns: whether it may be served
    func identify(_ id: ObjectIdentifier, as holder: ConnectionPlaces<ObjectIdentifier>.Holder) -> Bool {
        !change { $0.places.identify(id, as: holder) }.contains(id)
    }

    /// Ends a connection.
    func hangUp(_ id: ObjectIdentifier) { state.withLock { $0.channels[id] }?.close(mode: .all, promise: nil) }

    @discardableResult
    private func change(_ body: (inout State) -> [ObjectIdentifier]) -> [ObjectIdentifier] {
        let (gone, channels) = state.withLock { state in
            let gone = body(&state)
            return (gone, gone.compactMap { state.channels[$0] })
        }
        for channel in channels { channel.close(mode: .all, promise: nil) }
        return gone
    }
}

/// Keeps the time of one connection: a request's head, its body and the answer to it each have an end, however slowly bytes come and go. A stream of
/// events has none while its reader reads.
final class ConnectionKeeper: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// From the opening, or the last answer, to the end of the next head.
    static let head = TimeAmount.seconds(30)
    /// From the head to the end of the body.
    static let body = TimeAmount.seconds(30)
    /// From the end of the request to the end of the answer: a large page over a poor line.
    static let answer = TimeAmount.seconds(120)
    /// A reader who takes nothing.
    static let stalled = TimeAmount.seconds(60)

    private let ledger: ConnectionLedger
    private var deadline: Scheduled<Void>?
    private var stall: Scheduled<Void>?
    private var isKnown = false

    init(_ ledger: ConnectionLedger) { self.ledger = ledger }

    func handlerAdded(context: ChannelHandlerContext) { if context.channel.isActive { open(context) } }

    func channelActive(context: ChannelHandlerContext) {
        open(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        close(context)
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { close(context) }

    private func open(_ context: ChannelHandlerContext) {
        guard !isKnown else { return }
        isKnown = true
        ledger.arrive(context.channel)
        hangUp(context, in: Self.head)
    }

    private func close(_ context: ChannelHandlerContext) {
        deadline?.cancel()
        stall?.cancel()
        ledger.leave(context.channel)
    }

    private func hangUp(_ context: ChannelHandlerContext, in time: TimeAmount) {
        deadline?.cancel()
        let channel = context.channel
        deadline = context.eventLoop.scheduleTask(in: time) { channel.close(mode: .all, promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: hangUp(context, in: Self.body)
        case .body: break
        case .end:
            // Only now there is something to answer: whoever trickles a body gives way like one who says nothing.
            ledger.begin(context.channel)
            hangUp(context, in: Self.answer)
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head):
            if head.headerFields[.contentType] == "text/event-stream" { deadline?.cancel() }
        case .body: break
        case .end:
            ledger.end(context.channel)
            hangUp(context, in: Self.head)
        }
        context.write(data, promise: promise)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        stall?.cancel()
        stall = nil
        if !context.channel.isWritable {
            let channel = context.channel
            stall = context.eventLoop.scheduleTask(in: Self.stalled) { channel.close(mode: .all, promise: nil) }
        }
        context.fireChannelWritabilityChanged()
    }
}
