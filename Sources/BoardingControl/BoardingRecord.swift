import Phrasebook
import Telemetry

/// A line of the journal that can be shown to the maintenance company: what was asked of the door, and on what ground.
public struct BoardingRecord: Sendable, Hashable, Codable {
    /// What happened.
    public enum What: String, Sendable, Codable {
        case held, released, refused
        case releaseAsked = "release_asked"
    }

    public var elevator: ElevatorID
    public var what: What
    public var reason: ReleaseReason?
    public var at: Instant
    /// The command concerned.
    public var command: String?
    /// How many e-bike frames confirmed.
    public var frames: Int
    /// Their mean confidence.
    public var confidence: Double
    /// How long the door had been held.
    public var heldFor: Interval
    /// Who asked for a release.
    public var by: String? = nil
}

extension ReleaseReason {
    /// The reason in words.
    public var name: LocalizedText {
        let (chinese, english) =
            switch self {
            case .cleared: ("电瓶车已离开", "the e-bike has left")
            case .person: ("人工放行", "released by a person")
            case .longestHold: ("到了最长时间", "the longest hold was reached")
            case .stale: ("电梯状态不是最新的", "the lift's status is not current")
            case .mode: ("电梯不在正常模式", "the lift is not in normal service")
            case .moving: ("电梯不是停稳状态", "the lift is not standing still")
            case .doorZone: ("不在开门区", "the car is not in the door zone")
            case .door: ("门没有开着", "the door is not open")
            case .fault: ("电梯有故障", "the lift reports a fault")
            case .offline: ("控制器离线", "the controller is offline")
            case .veto: ("轿厢里有不能被困的人", "somebody is in the car who must not be kept")
            case .controller: ("控制器拒绝", "the controller refused")
            case .unanswered: ("控制器没有应答", "the controller did not answer")
            case .coolDown: ("刚放行不久", "it was released a moment ago")
            case .floor: ("这一层不控门", "boarding is not guarded on this floor")
            case .alarmOnly: ("这部电梯只提醒", "this lift only warns")
            case .tooOften: ("一小时内控门太多次", "it was held too often within an hour")
            case .stopping: ("网关正在停止", "the gateway is stopping")
            case .contradictory: ("电梯状态自相矛盾", "the lift's statuses contradict one another")
            }
        return LocalizedText(chinese: chinese, english: english)
    }
}

extension DetectedClass {
    /// The class in words.
    public var name: LocalizedText {
        let (chinese, english) =
            switch self {
            case .ebike: ("电瓶车", "e-bike")
            case .ebikeBattery: ("电瓶车电池", "e-bike battery")
            case .bicycle: ("自行车", "bicycle")
            case .wheelchair: ("轮椅", "wheelchair")
            case .mobilityScooter: ("代步车", "mobility scooter")
            case .pram: ("婴儿车", "pram")
            case .stretcher: ("担架", "stretcher")
            case .gasCylinder: ("液化气瓶", "gas cylinder")
            case .person: ("人", "person")
            case .other: ("其他物品", "object")
            }
        return LocalizedText(chinese: chinese, english: english)
    }
}
