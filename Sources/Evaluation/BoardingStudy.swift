import BoardingControl
import Foundation
import Simulation
import Telemetry

/// Judges the test over frames against the plain rule (2 frames at 0.55 within 2.4 s) on scenes drawn from a seed.
///
/// What a camera says of one frame is simulated: an e-bike in view is recognised with the recall of the published detectors (0.82 to 0.98,
/// drawn for each scene, since a covered bike stays covered), and things that look alike are now and then called an e-bike. Frames of one
/// scene are not independent: a scene that fools the camera once does so more often. No field data on false recognitions was to be had:
/// the absolute figures are as good as these assumptions, the comparison is made on the same frames.
public struct BoardingStudy: Sendable {
    /// What stands in a scene.
    public enum Thing: CaseIterable, Sendable { case ebike, bicycle, trolley, pram, person }

    /// A rule's results.
    public struct Score: Sendable {
        public var ebikes = 0
        public var missed = 0
        public var others = 0
        public var wrong = 0
        /// Seconds from the first frame to the hold.
        public var delays: [Double] = []
    }

    private struct Frame {
        var at: Interval
        var kind: DetectedClass
        var confidence: Double
    }

    private struct Scene {
        var thing: Thing
        var frames: [Frame]
        var loads: [(at: Interval, kilograms: Double)]
    }

    private let scenes: [Scene]

    /// So many scenes from a seed; a fifth of them with an e-bike.
    public init(seed: UInt64, scenes count: Int) {
        var random = SeededRandom(seed: seed)
        scenes = (0..<count).map { index in Self.scene(index % 5 == 0 ? .ebike : Thing.allCases[1 + index % 4], &random) }
    }

    private static func scene(_ thing: Thing, _ random: inout SeededRandom) -> Scene {
        let recall = 0.82 + 0.16 * random.unit()
        // One scene in eight of the look-alikes fools the camera on and off.
        let fools = random.unit() < 0.125 ? 0.05 + 0.30 * random.unit() : 0.005
        let weight: Double =
            switch thing {
            case .ebike: 45 + 70 * random.unit()
            case .bicycle: 12 + 70 * random.unit()
            case .trolley, .pram: 5 + 70 * random.unit()
            case .person: 60
            }
        var frames: [Frame] = []
        for step in 0..<30 {
            // Five frames a second for six seconds.
            let at = Interval.milliseconds(Int64(step) * 200)
            let roll = random.unit()
            func sure(_ mean: Double) -> Double { min(0.99, max(0.3, random.normal(mean: mean, deviation: 0.1))) }
            switch thing {
            case .ebike:
                frames.append(
                    roll < recall
                        ? Frame(at: at, kind: .ebike, confidence: sure(0.82))
                        : Frame(at: at, kind: roll < recall + 0.08 ? .bicycle : .person, confidence: sure(0.6)))
            case .bicycle, .trolley:
                frames.append(
                    roll < fools
                        ? Frame(at: at, kind: .ebike, confidence: sure(0.62))
                        : Frame(at: at, kind: thing == .bicycle ? .bicycle : .other, confidence: sure(0.75)))
            case .pram:
                frames.append(
                    roll < fools ? Frame(at: at, kind: .ebike, confidence: sure(0.6)) : Frame(at: at, kind: roll < 0.9 ? .pram : .other, confidence: sure(0.75))
                )
            case .person:
                frames.append(roll < fools / 3 ? Frame(at: at, kind: .ebike, confidence: sure(0.58)) : Frame(at: at, kind: .person, confidence: sure(0.85)))
            }
        }
        let loads = (0..<8).map { (at: Interval.milliseconds(Int64($0) * 1000 - 2000), kilograms: $0 < 2 ? 0 : $0 == 2 ? weight / 2 : weight) }
        return Scene(thing: thing, frames: frames, loads: loads)
    }

    /// The desk as it is, with or without a load cell.
    public func desk(measuresLoad: Bool) -> Score {
        var policy = BoardingPolicy(mode: .hold)
        policy.coolDown = .seconds(1)
        return score { scene in
            var now = Instant(elapsed: .seconds(100), wall: WallTime(unixSeconds: 1_700_000_000))
            let start = now.elapsed + .seconds(5)
            var desk = BoardingDesk(elevator: "lift", policy: policy, boot: "b", seed: 1, at: now)
            var sequence: Int64 = 0
            func status(_ load: Double) -> ElevatorStatus {
                sequence += 1
                return ElevatorStatus(
                    sequence: sequence, boot: "c", serviceMode: .normal, motion: .stopped, floor: "1", door: .open, doorZone: true,
                    loadKilograms: measuresLoad ? load : nil, passenger: true)
            }
            var pending = scene.loads[...]
            for frame in scene.frames {
                while let load = pending.first, load.at <= frame.at {
                    now = now.advanced(by: start + load.at - now.elapsed)
                    _ = desk.handle(.status(status(load.kilograms), fresh: true), at: now)
                    pending = pending.dropFirst()
                }
                now = now.advanced(by: max(.zero, start + frame.at - now.elapsed))
                sequence += 1
                let seen = Detection(sequence: sequence, boot: "d", track: "t", kind: frame.kind, confidence: frame.confidence, zone: .door)
                for case .publish(let command) in desk.handle(.detection(seen, fresh: true), at: now) where command.action == .holdDoor {
                    return frame.at.seconds
                }
            }
            return nil
        }
    }

    /// The plain rule, with a confidence of its own; a pram in sight vetoes as the contract has it.
    public func plain(frames needed: Int = 2, confidence: Double = 0.55, within: Interval = .milliseconds(2400)) -> Score {
        score { scene in
            var vetoed: Interval?
            for (index, frame) in scene.frames.enumerated() {
                if frame.kind == .pram { vetoed = frame.at }
                let counted = scene.frames[...index].count { $0.kind == .ebike && $0.confidence >= confidence && frame.at - $0.at <= within }
                if counted >= needed, vetoed == nil { return frame.at.seconds }
            }
            return nil
        }
    }

    private func score(_ hold: (Scene) -> Double?) -> Score {
        var score = Score()
        for scene in scenes {
            let held = hold(scene)
            if scene.thing == .ebike {
                score.ebikes += 1
                if let held { score.delays.append(held) } else { score.missed += 1 }
            } else {
                score.others += 1
                if held != nil { score.wrong += 1 }
            }
        }
        return score
    }

    /// The plain rule with the lowest confidence at which it holds wrongly no more often than a given score.
    public func plainMatching(_ other: Score) -> (confidence: Double, score: Score) {
        var confidence = 0.55
        var found = plain(confidence: confidence)
        while found.wrong > other.wrong, confidence < 0.99 {
            confidence += 0.005
            found = plain(confidence: confidence)
        }
        return (confidence, found)
    }
}
