import Foundation

/// A condition that did not come true in time.
public struct NeverTrue: Error {}

/// Waits for a condition of the outside world, looking every 20 ms, with a deadline. Logic never needs this; it is driven.
public func eventually(within seconds: Double = 20, _ condition: @Sendable () async -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while !(await condition()) {
        guard ContinuousClock.now < deadline else { throw NeverTrue() }
        try await Task.sleep(for: .milliseconds(20))
    }
}
