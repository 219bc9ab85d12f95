import Casework
import Safeguarding
import Simulation
import Telemetry

/// A village made from a seed: who lives where, who looks after whom, and what befalls them, down to the minute.
struct VillagePlan: Sendable {
    /// A home with its meter.
    struct Home: Sendable {
        var id: HouseholdID
        var meter: MeterID
        /// Its bus, by number.
        var bus: Int
        var life: SimulatedHome
        var resolution: Volume
    }

    let options: Rehearsal.Options
    let civil: CivilClock
    /// When the rehearsal begins, by a true clock.
    let start: WallTime
    var homes: [Home] = []
    var lifts: [ElevatorID] = []
    /// What happens, in the order of time.
    var happenings: [(at: Interval, what: Happening)] = []
    let policy = SafeguardingPolicy()
    /// Every quarter of an hour, as in the field.
    let poll = Interval.minutes(15)
    /// Homes on one bus.
    static let homesOnABus = 20

    init(_ options: Rehearsal.Options) {
        self.options = options
        var random = SeededRandom(seed: options.seed)
        // One seed in four lives where clocks are put forward and back.
        let zones = ["Asia/Shanghai", "Asia/Shanghai", "Asia/Shanghai", "Europe/Rome"]
        let zone = zones[Int(random.next() % 4)]
        civil = CivilClock(identifier: zone) ?? CivilClock(zone: .gmt)
        start = WallTime(unixSeconds: 1_772_236_800) + .days(Int64(random.next() % 365))
        for number in 0..<options.homes {
            let resolution = Volume.litres(random.unit() < 0.6 ? 1 : 10)
            let life = SimulatedHome(seed: options.seed &* 10_007 &+ UInt64(number), from: start, civil: civil)
            homes.append(
                Home(
                    id: HouseholdID("h-\(number + 1)"), meter: MeterID("wm-\(number + 1)"), bus: number / Self.homesOnABus, life: life, resolution: resolution))
        }
        lifts = (0..<options.lifts).map { ElevatorID("lift-\($0 + 1)") }
        befall(&random)
        happenings.sort { $0.at < $1.at }
    }

    /// How many buses there are.
    var buses: Int { (homes.count + Self.homesOnABus - 1) / Self.homesOnABus }

    // MARK: What befalls them

    /// Spreads happenings over the days. Rates are for a year; a short rehearsal is a denser one, so that something happens in it.
    private mutating func befall(_ random: inout SeededRandom) {
        let length = Interval.days(Int64(options.days))
        let years = Double(options.days) / 365 * options.intensity
        func moments(_ yearly: Double, _ random: inout SeededRandom) -> [Interval] {
            let expected = yearly * years
            let count = Int(expected) + (random.unit() < expected - expected.rounded(.down) ? 1 : 0)
            return (0..<count).map { _ in .milliseconds(Int64(random.unit() * Double(length.milliseconds))) }
        }
        func span(_ least: Interval, _ most: Interval, _ random: inout SeededRandom) -> Interval {
            .milliseconds(least.milliseconds + Int64(random.unit() * Double((most - least).milliseconds)))
        }
        for home in homes.indices {
            // One trouble at a time for one person, with days between: what a second one would mean is decided by the first.
            var free = Interval.hours(6)
            for at in moments(6, &random).sorted() where at >= free {
                let kind = random.unit()
                let ends: Interval
                if kind < 0.3 {
                    happenings.append((at, .collapse(home: home)))
                    ends = at + .days(4)
                } else if kind < 0.6 {
                    ends = at + span(.hours(20), .days(9), &random)
                    happenings.append((at, .absence(home: home, until: ends, announced: random.unit() < 0.7)))
                } else if kind < 0.7 {
                    ends = at + span(.hours(5), .days(3), &random)
                    happenings.append((at, .leak(home: home, until: ends)))
                } else if kind < 0.85 {
                    ends = at + span(.minutes(20), .days(2), &random)
                    happenings.append((at, .meter(home: home, random.unit() < 0.5 ? .silent : .unreadable, until: ends)))
                } else {
                    ends = at
                    happenings.append((at, .meterReplaced(home: home)))
                }
                free = ends + .days(2)
            }
        }
        for bus in 0..<buses {
            for at in moments(8, &random) { happenings.append((at, .bus(bus, .silent, until: at + span(.minutes(2), .hours(30), &random)))) }
            for at in moments(3, &random) { happenings.append((at, .waterCut(bus: bus, until: at + span(.hours(1), .hours(9), &random)))) }
        }
        for at in moments(8, &random) {
            let channel = VillagePeople.channels[Int(random.next() % UInt64(VillagePeople.channels.count))]
            happenings.append((at, .channel(channel, until: at + span(.minutes(1), .hours(20), &random))))
        }
        for at in moments(6, &random) { happenings.append((at, .diskFull(until: at + span(.minutes(1), .hours(10), &random)))) }
        for at in moments(40, &random) { happenings.append((at, .killed(down: span(.seconds(1), .minutes(10), &random)))) }
        for at in moments(12, &random) {
            happenings.append((at, .powerCut(down: span(.minutes(1), .hours(12), &random), clockLost: random.unit() < 0.5)))
        }
        for at in moments(10, &random) {
            let hours = [8, -8, 1, -1][Int(random.next() % 4)]
            happenings.append((at, .wallStep(.hours(Int64(hours)), until: at + span(.minutes(1), .hours(4), &random))))
        }
        for lift in lifts.indices {
            for at in moments(60, &random) { happenings.append((at, .boarding(lift: lift, BoardingScene(seed: random.next())))) }
        }
    }
}
