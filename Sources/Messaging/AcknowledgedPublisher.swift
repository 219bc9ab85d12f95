import Synchronization
import Telemetry

/// Publishes and waits until the broker has said that it has the message (PUBACK): before that a message can still be lost with this
/// process.
public final class AcknowledgedPublisher: Sendable {
    /// What became of a publication.
    public enum Word: Sendable, Hashable {
        case taken
        /// The broker refused it, and says why (MQTT 5).
        case refused(String)
        /// Nobody said anything in time.
        case none
    }

    private struct Waiting {
        var answers: [PublicationNumber: @Sendable (Word) -> Void] = [:]
        /// Answered before anybody waited: the connection's thread may be quicker than ours.
        var early: [PublicationNumber: Word] = [:]
        /// The connection that is up; what went out on an older one is never answered any more.
        var connection: Int64 = 0
        var isConnected = false
        var listeners: [Int: Listener] = [:]
        var nextListener = 0
    }

    /// Whoever waits for one message of its own on this connection.
    struct Listener: Sendable {
        var isOwn: @Sendable (MQTTMessage) -> Bool
        /// Called on the connection's thread.
        var tell: @Sendable (LoopbackTest.Event) -> Void
    }

    private let box: Box
    let client: MQTTClient

    /// Lets the handler reach what is made after it.
    private final class Box: Sendable {
        let waiting = Mutex(Waiting())

        /// Answers whoever waits for a publication.
        func say(_ word: Word, on number: PublicationNumber) {
            let found = waiting.withLock { waiting -> (@Sendable (Word) -> Void)? in
                if let found = waiting.answers.removeValue(forKey: number) { return found }
                if waiting.early.count < 1000 { waiting.early[number] = word }
                return nil
            }
            found?(word)
        }

        /// The connection is gone: what is not answered yet never will be.
        func lose() {
            let (left, listeners) = waiting.withLock { waiting -> ([@Sendable (Word) -> Void], [Listener]) in
                defer { (waiting.answers, waiting.early) = ([:], [:]) }
                waiting.isConnected = false
                return (Array(waiting.answers.values), Array(waiting.listeners.values))
            }
            for answer in left { answer(.none) }
            for listener in listeners { listener.tell(.lost) }
        }

        func take(_ message: MQTTMessage) {
            let listeners = waiting.withLock { Array($0.listeners.values) }
            for listener in listeners where listener.isOwn(message) { listener.tell(.cameBack) }
        }
    }

    /// A connection of its own to a broker.
    /// - Throws: `MQTTFault` when the settings cannot be
    public init(
        _ settings: MQTTSettings, subscribe topics: [(String, Int32)] = [], onHealth: (@Sendable (ConnectionHealth) -> Void)? = nil,
        onEvent: @escaping @Sendable (MQTTEvent) -> Void = { _ in }
    ) throws(MQTTFault) {
        let box = Box()
        self.box = box
        let acknowledged: @Sendable (PublicationNumber, String?) -> Void = { box.say($1.map { .refused($0) } ?? .taken, on: $0) }
        client = try MQTTClient(settings, subscribe: topics, acknowledged: acknowledged, onHealth: onHealth) { event in
            switch event {
            case .connected:
                box.waiting.withLock { waiting in
                    waiting.isConnected = true
                    waiting.connection += 1
                }
            case .disconnected: box.lose()
            case .message(let message): box.take(message)
            }
            onEvent(event)
        }
    }

    /// Whether the broker is reached.
    public var isConnected: Bool { box.waiting.withLock { $0.isConnected } }
    /// The version of MQTT spoken on the connection that is up; nil while there is none.
    public var dialect: ConnectionSupervision.Dialect? { client.dialect }
    /// How the connection stands.
    public var health: ConnectionHealth { client.health }

    /// Publishes at QoS 1 and waits for the broker's word, at most so long.
    /// - Returns: false when the word did not come in time; the message may arrive all the same, so it must bear an id. A fault when it could
    ///   not be handed over, or the broker refused it. (A result and not a throw: Swift 6.2's optimiser crashes on a typed throw out of this
    ///   coroutine.)
    public func publish(_ payload: [UInt8], to topic: String, within limit: Interval) async -> Result<Bool, MQTTFault> {
        guard isConnected else { return .success(false) }
        let number: PublicationNumber
        do throws(MQTTFault) { number = try client.publishNumbered(payload, to: topic) } catch { return .failure(error) }
        switch await word(on: number, within: limit) {
        case .taken: return .success(true)
        case .none: return .success(false)
        case .refused(let why): return .failure(MQTTFault(action: "the broker refuses the publication to \(topic)", reason: why))
        }
    }

    /// Publishes several in their order, all under way at once.
    /// - Returns: for each whether the broker has it; those behind one that could not be handed over are not tried
    public func publish(_ messages: [(payload: [UInt8], topic: String)], within limit: Interval) async -> [Bool] {
        guard isConnected else { return messages.map { _ in false } }
        var numbers: [PublicationNumber] = []
        for message in messages {
            guard let number = try? client.publishNumbered(message.payload, to: message.topic) else { break }
            numbers.append(number)
        }
        return await withTaskGroup(of: (Int, Bool).self) { group in
            for (index, number) in numbers.enumerated() { group.addTask { (index, await self.word(on: number, within: limit) == .taken) } }
            var done = messages.map { _ in false }
            for await (index, arrived) in group { done[index] = arrived }
            return done
        }
    }

    private func word(on number: PublicationNumber, within limit: Interval) async -> Word {
        let box = box
        let timer = Task {
            try? await Task.sleep(for: .milliseconds(limit.milliseconds))
            let late = box.waiting.withLock { $0.answers.removeValue(forKey: number) }
            late?(.none)
        }
        let done = await withCheckedContinuation { continuation in
            expect(number) { continuation.resume(returning: $0) }
        }
        timer.cancel()
        return done
    }

    /// Has the broker's word on something of ours told once: at once when it is known or never comes.
    func expect(_ number: PublicationNumber, _ answer: @escaping @Sendable (Word) -> Void) {
        let known = box.waiting.withLock { waiting -> Word? in
            if let word = waiting.early.removeValue(forKey: number) { return word }
            guard waiting.isConnected, waiting.connection == number.connection else { return Word.none }
            waiting.answers[number] = answer
            return nil
        }
        if let known { answer(known) }
    }

    /// Has a listener told of each message of its own, and of the connection's end.
    func listen(_ listener: Listener) -> Int {
        box.waiting.withLock { waiting in
            waiting.nextListener += 1
            waiting.listeners[waiting.nextListener] = listener
            return waiting.nextListener
        }
    }

    func stopListening(_ listener: Int) { box.waiting.withLock { $0.listeners[listener] = nil } }

    /// Ends the connection. Blocks until its thread is gone, a second at most; call it from no cooperative thread.
    public func close() {
        client.close()
        box.lose()
    }
}
