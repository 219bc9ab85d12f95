import Casework
import Foundation
import Neighbourhood
import Phrasebook
import Safeguarding
import Simulation
import Telemetry

/// One home with a simulated life behind a meter, seen through the whole core on a driven clock, polled every 15 minutes.
struct Street {
    static let beginning = Instant(recorded: WallTime(unixSeconds: 1_700_006_400))
    static let poll = Interval.minutes(15)

    var core: Neighbourhood
    var now = beginning
    var life: SimulatedHome
    /// What the meter shows beyond what the home drew.
    var offset = Volume.zero
    var findings: [Finding] = []
    var opened: [CaseID: Case] = [:]
    var notices: [Notice] = []
    var journal: [String] = []

    init(seed: UInt64 = 3, policy: SafeguardingPolicy = SafeguardingPolicy(), story: SimulatedHome.Story = .init(), watch: HouseholdWatch? = nil) {
        let civil = CivilClock(zone: .gmt)
        life = SimulatedHome(seed: seed, from: Self.beginning.wall, civil: civil, story: story)
        let fresh = HouseholdWatch(household: "h", policy: policy, limits: .init(resolution: .litres(1)), clock: civil)
        let contacts = [
            ContactCard(id: "tech", role: .technician, channels: ["f"]), ContactCard(id: "committee", role: .committee, channels: ["f"]),
        ]
        let book = CaseBook(ladders: Ladders(), directory: Directory(contacts: contacts), language: .english, civil: civil)
        core = Neighbourhood(homes: [.init(id: "h", meter: "wm", bus: "lane", watch: watch ?? fresh)], meters: [("wm", "lane", 1)], book: book)
    }

    /// A home that has been watched for six weeks; learnt once, since it takes a moment.
    static let settled: Street = {
        var street = Street()
        street.live(.days(42))
        // Whatever was asked in those weeks has been answered.
        for item in street.open { street.take(.act(item.id, .init(.outcome(.safe, until: nil), by: "committee"))) }
        street.live(.days(1))
        return street
    }()

    var watch: HouseholdWatch {
        guard let home = core.homes["h"] else { preconditionFailure("the street has one home") }
        return home.watch
    }
    var state: HomeState { watch.state(at: now) }
    var open: [Case] { core.book.cases.values.filter(\.isOpen).sorted { $0.openedAt.elapsed < $1.openedAt.elapsed } }
    func found(_ kind: FindingKind) -> [Finding] { findings.filter { $0.kind == kind } }

    /// What the meter would show now, in whole litres.
    mutating func shown() -> Volume {
        let exact = life.register(at: now.wall) + offset
        return .litres(exact.millilitres / 1000)
    }

    mutating func take(_ event: Neighbourhood.Event) {
        guard let effects = try? core.handle(event, at: now) else { return }
        for effect in effects {
            switch effect {
            case .save(let item):
                opened[item.id] = item
            case .notify(let notice): notices.append(notice)
            case .journal(let kind, _, let body):
                journal.append(kind)
                if kind == "finding", let finding = try? JSONDecoder().decode(Finding.self, from: Data(body.utf8)) { findings.append(finding) }
            default: break
            }
        }
    }

    mutating func read(_ register: Volume?, answered: Bool = true, reason: String = "") {
        take(.poll(.init(meter: "wm", answered: answered, register: register, reason: reason)))
        take(.tick)
    }

    /// Lives on with every poll answered.
    mutating func live(_ length: Interval) {
        let end = now.elapsed + length
        while now.elapsed < end {
            now = now.advanced(by: Self.poll)
            read(shown())
        }
    }

    /// The same street after a restart of the gateway with a restored watch.
    func restarted(with watch: HouseholdWatch) -> Street {
        var fresh = Street(watch: watch)
        (fresh.life, fresh.now, fresh.offset) = (life, now, offset)
        return fresh
    }

    /// The person draws nothing from now on.
    mutating func collapse() { life.story.collapsesAt = now.wall }

    /// Until the local clock shows an hour.
    mutating func live(untilHour hour: Int64) {
        repeat { live(Self.poll) } while (now.wall.unixSeconds / 900) % 96 != hour * 4
    }
}
