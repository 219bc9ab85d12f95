import Foundation
import Telemetry

/// What the frames of one track say together.
///
/// A sequential test over the frames of the last `within`: each e-bike frame adds the log-odds of its confidence, each
/// frame that says something else takes them away. Confirmed only when the plain rule of the policy holds *and* the sum
/// passes a threshold, so the test may refuse more than the plain rule but never confirms sooner. Three frames at 0.8
/// always pass: 3·ln(0.8/0.2) = 4.16 against at most 4.0.
struct TrackEvidence: Sendable, Hashable {
    private struct Frame: Sendable, Hashable {
        var at: Interval
        var isEbike: Bool
        var confidence: Double
    }

    /// The most frames kept of one track: ten a second over the longest window that makes sense.
    private static let mostFrames = 32
    private static let threshold = 2.0
    private static let greatestThreshold = 4.0

    private var frames: [Frame] = []
    private(set) var lastSeen: Interval
    private(set) var image: String?

    init(at now: Interval) { lastSeen = now }

    mutating func take(_ detection: Detection, at now: Interval, within: Interval) {
        lastSeen = now
        frames.removeAll { now - $0.at > within }
        if frames.count == Self.mostFrames { frames.removeFirst() }
        frames.append(Frame(at: now, isEbike: detection.kind == .ebike, confidence: detection.confidence))
        if detection.kind == .ebike { image = detection.image ?? image }
    }

    /// Whether the frames confirm an e-bike.
    /// - Parameters:
    ///   - caution: earlier holds of this lift that people called false
    ///   - loadRose: whether the car got heavier lately; nil where the controller measures no load
    func confirms(_ rule: BoardingPolicy.Confirmation, at now: Interval, caution: Int, loadRose: Bool? = nil) -> Bool {
        let recent = frames.filter { now - $0.at <= rule.within }
        let counted = recent.filter { $0.isEbike && $0.confidence >= rule.confidence }
        guard counted.count >= rule.frames else { return false }
        let sum = recent.reduce(0.0) { sum, frame in
            sum + (frame.isEbike ? logOdds(frame.confidence) : -max(0, logOdds(frame.confidence)))
        }
        // A car that got no heavier speaks against a bike that came in, but never so loudly that three clear frames fail.
        let doubt = 0.5 * Double(caution) + (loadRose == false ? 1 : 0) - (loadRose == true ? 0.5 : 0)
        return sum >= min(Self.greatestThreshold, Self.threshold + max(0, doubt))
    }

    /// Frames and mean confidence, for the record.
    func summary(at now: Interval, within: Interval) -> (frames: Int, confidence: Double) {
        let recent = frames.filter { now - $0.at <= within && $0.isEbike }
        guard !recent.isEmpty else { return (0, 0) }
        return (recent.count, recent.reduce(0) { $0 + $1.confidence } / Double(recent.count))
    }
}

/// The log-odds of a confidence, kept finite: no single frame may decide alone.
private func logOdds(_ confidence: Double) -> Double {
    let kept = min(0.95, max(0.05, confidence))
    return log(kept / (1 - kept))
}
