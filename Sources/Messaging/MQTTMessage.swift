/// A message as it arrived.
public struct MQTTMessage: Sendable, Hashable {
    public var topic: String
    public var payload: [UInt8]
    /// A copy the broker had kept: old news.
    public var retained: Bool

    /// A message.
    public init(topic: String, payload: [UInt8], retained: Bool) {
        self.topic = topic
        self.payload = payload
        self.retained = retained
    }
}

/// What happens on a connection.
public enum MQTTEvent: Sendable {
    /// The broker has let us in and has answered every subscription.
    case connected
    case disconnected(reason: String)
    case message(MQTTMessage)
}

/// The number of a publication, or of a subscription for a while: which connection of ours it went out on, and the
/// packet identifier there. Packet identifiers begin anew with each connection; the two together never come again.
public struct PublicationNumber: Sendable, Hashable {
    var connection: Int64
    var packet: Int32
}
