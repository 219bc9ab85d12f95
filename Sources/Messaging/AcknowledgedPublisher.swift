import Synchronization
import Telemetry

/// Publishes and waits until the broker has said that it has the message (PUBACK): before that a message can still be lost with this
/// process.
public final class AcknowledgedPublisher: Sendable {
    private struct Waiting {
        var continuations: [Int32: CheckedContinuation<Bool, Never>] = [:]
        /// Acknowledged before anybody waited: the library's thread may be quicker than ours.
        var early: Set<Int32> = []
        /// Nobody waits for these any more; the numbers come round again.
        var givenUp: Set<Int32> = []
        var isConnected = false
    }

    private let box: Box
    private let client: MQTTClient

    /// Lets the handler reach what is made after it.
    private final class Box: Sendable {
        let waiting = Mutex(Waiting())
    }

    /// A connection of its own to a broker.
    /// - Throws: `MQTTFault` when the settings cannot be
    public init(_ settings: MQTTSettings, onEvent: @escaping @Sendable (MQTTEvent) -> Void = { _ in }) throws(MQTTFault) {
        let box = Box()
        self.box = box
        let acknowledged: @Sendable (Int32) -> Void = { number in
            let found = box.waiting.withLock { waiting -> CheckedContinuation<Bool, Never>? in
                if let found = waiting.continuations.removeValue(forKey: number) { return found }
                if waiting.givenUp.remove(number) == nil, waiting.early.count < 1000 { waiting.early.insert(number) }
                return nil
            }
            found?.resume(returning: true)
        }
        client = try MQTTClient(settings, acknowledged: acknowledged) { event in
            switch event {
            case .connected: box.waiting.withLock { $0.isConnected = true }
            case .disconnected: box.waiting.withLock { $0.isConnected = false }
            case .message: break
            }
            onEvent(event)
        }
    }

    /// Whether the broker is reached.
    public var isConnected: Bool { box.waiting.withLock { $0.isConnected } }

    /// Publishes at QoS 1 and waits for the broker's word, at most so long.
    /// - Returns: false when the word did not come in time; the message may arrive all the same, so it must bear an id. A fault when it could
    ///   not be handed over. (A result and not a throw: Swift 6.2's optimiser crashes on a typed throw out of this coroutine.)
    public func publish(_ payload: [UInt8], to topic: String, within limit: Interval) async -> Result<Bool, MQTTFault> {
        guard isConnected else { return .success(false) }
        let number: Int32
        do throws(MQTTFault) { number = try client.publishNumbered(payload, to: topic) } catch { return .failure(error) }
        return .success(await word(on: number, within: limit))
    }

    /// Publishes several in their order, all under way at once.
    /// - Returns: for each whether the broker has it; those behind one that could not be handed over are not tried
    public func publish(_ messages: [(payload: [UInt8], topic: String)], within limit: Interval) async -> [Bool] {
        guard isConnected else { return messages.map { _ in false } }
        var numbers: [Int32] = []
        for message in messages {
            guard let number = try? client.publishNumbered(message.payload, to: message.topic) else { break }
            numbers.append(number)
        }
        return await withTaskGroup(of: (Int, Bool).self) { group in
            for (index, number) in numbers.enumerated() { group.addTask { (index, await self.word(on: number, within: limit)) } }
            var done = messages.map { _ in false }
            for await (index, arrived) in group { done[index] = arrived }
            return done
        }
    }

    private func word(on number: Int32, within limit: Interval) async -> Bool {
        let box = box
        let timer = Task {
            try? await Task.sleep(for: .milliseconds(limit.milliseconds))
            let late = box.waiting.withLock { waiting in
                let late = waiting.continuations.removeValue(forKey: number)
                if late != nil { waiting.givenUp.insert(number) }
                return late
            }
            late?.resume(returning: false)
        }
        let done = await withCheckedContinuation { continuation in
            let isDone = box.waiting.withLock { waiting -> Bool in
                if waiting.early.remove(number) != nil { return true }
                waiting.continuations[number] = continuation
                return false
            }
            if isDone { continuation.resume(returning: true) }
        }
        timer.cancel()
        return done
    }

    /// Ends the connection. Blocks until its thread is gone; call it from no cooperative thread.
    public func close() {
        client.close()
        let left = box.waiting.withLock { waiting in
            defer { waiting.continuations = [:] }
            return Array(waiting.continuations.values)
        }
        for one in left { one.resume(returning: false) }
    }
}
