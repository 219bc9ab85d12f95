import Telemetry

/// Water that has run without a pause: every reading since its beginning showed use.
struct FlowRun: Sendable, Hashable, Codable {
    private(set) var began: Instant?
    private(set) var volume = Volume.zero

    /// Takes one stretch between two readings; a stretch longer than `longest` tells nothing about pauses.
    mutating func take(_ use: Consumption, longest: Interval) {
        let length = use.to.since(use.from)
        guard use.volume > .zero, length <= longest else {
            self = FlowRun()
            return
        }
        if began == nil { began = use.from }
        volume += use.volume
    }
}
