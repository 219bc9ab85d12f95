import DeviceProfiles
import Foundation
import Safeguarding
import Simulation
import SiteConfiguration
import Telemetry

/// The demonstration neighbourhood: 24 invented homes, their stories, two lifts. Everybody in it is made up.
struct DemoSite {
    /// What becomes of a home in the demonstration.
    enum Fate { case ordinary, collapse, leak, deadMeter, learning, away }

    struct Home {
        var number: Int
        var id: String
        var name: String
        var address: String
        var bus: String
        var unit: UInt8
        var profile: ProfileID
        var fate: Fate
        var life: SimulatedHome
    }

    /// Eight weeks of history.
    static let historyLength = Interval.days(56)
    static let poll = Interval.minutes(5)
    static let historyStep = Interval.minutes(15)

    let start: WallTime
    let civil: CivilClock
    var homes: [Home] = []

    private static let surnames = ["张", "王", "李", "陆", "沈", "徐", "朱", "顾", "周", "陈", "吴", "钱", "金", "黄", "曹", "诸", "潘", "蒋", "俞", "倪", "唐", "宋", "费", "蔡"]

    init(start: WallTime, civil: CivilClock) {
        self.start = start
        self.civil = civil
        for index in 0..<24 {
            let building = index / 8 + 1
            let flat = (index % 8 / 2 + 1) * 100 + index % 2 + 1
            let fate: Fate = [4: .collapse, 10: .leak, 14: .deadMeter, 17: .learning, 22: .away][index] ?? .ordinary
            let serial = index % 3 == 2
            let lives = fate == .learning ? start - .days(3) : start - Self.historyLength
            homes.append(
                Home(
                    number: index, id: "h-\(building)\(flat)", name: "\(Self.surnames[index])\(index % 3 == 0 ? "阿婆" : index % 3 == 1 ? "大爷" : "阿姨")",
                    address: "\(building)号楼\(flat)", bus: serial ? "lane-\(building)" : "block-\(building)",
                    unit: UInt8(index % 8 + 11), profile: serial ? "bove-ultrasonic" : index % 2 == 0 ? "tuf-2000m" : "generic-two-register",
                    fate: fate, life: SimulatedHome(seed: UInt64(index + 1) * 97, from: lives, civil: civil)))
        }
        writeStories()
    }

    /// Chooses the moments so that a newcomer sees each story within two minutes at the default speed.
    private mutating func writeStories() {
        for index in homes.indices {
            switch homes[index].fate {
            case .leak: homes[index].life.story.leak = (start - .minutes(100), 14)
            case .collapse: homes[index].life.story.collapsesAt = collapseTime(homes[index].life)
            case .away: homes[index].life.story.absences = [start - .hours(10)..<start + .days(3)]
            default: break
            }
        }
    }

    /// The latest collapse of the evening before whose alarm falls between half an hour and an hour after the start.
    private func collapseTime(_ life: SimulatedHome) -> WallTime {
        for hours in stride(from: Int64(4), through: 20, by: 1) {
            let candidate = start - .hours(hours)
            var fallen = life
            fallen.story.collapsesAt = candidate
            if let alarm = firstAlarm(fallen), alarm > start + .minutes(20), alarm < start + .minutes(75) { return candidate }
        }
        return start - .hours(23) + .minutes(30)
    }

    private func firstAlarm(_ life: SimulatedHome) -> WallTime? {
        var life = life
        var watch = HouseholdWatch(household: "trial", policy: SafeguardingPolicy(), limits: .init(resolution: .litres(1)), clock: civil)
        var time = start - Self.historyLength
        while time < start + .hours(6) {
            let litres = Volume.litres(life.register(at: time).millilitres / 1000)
            for effect in watch.handle(.register(litres), at: Instant(recorded: time)) {
                if case .raise(let finding) = effect, finding.severity == .alarm, finding.kind == .inactivity, time > start - .hours(20) { return time }
            }
            time = time + Self.historyStep
        }
        return nil
    }
}
