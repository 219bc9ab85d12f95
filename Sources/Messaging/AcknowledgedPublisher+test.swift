import Telemetry

extension AcknowledgedPublisher {
    /// Publishes a message at QoS 1 and listens whether the broker passes it on: for a connection in MQTT 3.1.1, where
    /// the broker's acknowledgement does not say so. Takes `LoopbackTest.patience` at most; the subscription lasts no
    /// longer than the test.
    /// - Parameter payload: bears an id of its own, so that no other message is the same
    public func test(_ payload: [UInt8], on topic: String) async -> LoopbackTest.Verdict {
        var test = LoopbackTest(topic: topic, payload: payload)
        let (stream, events) = AsyncStream.makeStream(
            of: LoopbackTest.Event.self, bufferingPolicy: .bufferingNewest(32))
        let listener = listen(Listener(isOwn: test.isOwn) { events.yield($0) })
        let timer = Task {
            try? await Task.sleep(for: .milliseconds(LoopbackTest.patience.milliseconds))
            events.yield(.timeIsUp)
        }
        defer {
            timer.cancel()
            stopListening(listener)
        }
        var subscription: PublicationNumber?
        events.yield(.begins)
        var iterator = stream.makeAsyncIterator()
        while true {
            // The stream ends only for a task that is cancelled.
            for effect in test.handle(await iterator.next() ?? .cancelled) {
                switch effect {
                case .subscribe:
                    do throws(MQTTFault) {
                        let number = try client.listen(to: topic)
                        subscription = number
                        expect(number) { word in
                            switch word {
                            case .taken: events.yield(.subscribed)
                            case .refused(let why): events.yield(.subscriptionRefused(why))
                            case .none: events.yield(.lost)
                            }
                        }
                    } catch { events.yield(.failed("\(error)")) }
                case .publish:
                    do throws(MQTTFault) {
                        expect(try client.publishNumbered(payload, to: topic)) { word in
                            switch word {
                            case .taken: events.yield(.taken)
                            case .refused(let why): events.yield(.publicationRefused(why))
                            case .none: events.yield(.lost)
                            }
                        }
                    } catch { events.yield(.failed("\(error)")) }
                case .unsubscribe:
                    if let subscription { client.stopListening(to: topic, since: subscription) }
                case .end(let verdict): return verdict
                }
            }
        }
    }
}
