import Casework
import Foundation
import Safeguarding
import Telemetry

/// What survives a power cut: transactions that were committed, whole. A full disk refuses them.
struct RehearsedDisk: Sendable {
    /// One write of a transaction.
    enum Write: Sendable {
        case item(Case)
        case notice(DeliverySchedule.Item)
        case watch(HouseholdID, at: WallTime, HouseholdWatch)
        case readings([(meter: MeterID, at: WallTime, register: Volume?)])
        case mark(AxisMark)
    }

    /// Whether it takes no more.
    var isFull = false
    var sabotage: Sabotage?
    private(set) var cases: [CaseID: Case] = [:]
    private(set) var notices: [NoticeID: DeliverySchedule.Item] = [:]
    private var order: [NoticeID: Int] = [:]
    /// Notices that were neither delivered nor given up.
    private(set) var pending: Set<NoticeID> = []
    private(set) var watches: [HouseholdID: (at: WallTime, watch: HouseholdWatch)] = [:]
    private(set) var readings: [MeterID: [(at: WallTime, register: Volume?)]] = [:]
    private(set) var mark: AxisMark?
    private var number = 0
    /// Lies in a block that is only written over, which a full disk allows.
    private var noted = 0

    /// Commits a transaction.
    /// - Returns: false when the disk is full; nothing of it is there then
    mutating func commit(_ writes: [Write]) -> Bool {
        guard !isFull else { return false }
        for write in writes { take(write) }
        return true
    }

    /// Notes the highest number of a case; also on a full disk.
    mutating func noteNumber(_ highest: Int) { noted = max(noted, highest) }

    private mutating func take(_ write: Write) {
        switch write {
        case .item where sabotage == .losesCases: break
        case .notice where sabotage == .losesNotices: break
        case .item(let item):
            number = max(number, Int(item.id.rawValue.dropFirst(2)) ?? 0)
            cases[item.id] = item
        case .notice(let item):
            if notices.updateValue(item, forKey: item.notice.id) == nil { order[item.notice.id] = order.count }
            if item.state == .queued || item.state == .failed { pending.insert(item.notice.id) } else { pending.remove(item.notice.id) }
        case .watch(let id, let at, let watch):
            watches[id] = (at, watch)
        case .readings(let batch):
            for reading in batch { readings[reading.meter, default: []].append((reading.at, reading.register)) }
        case .mark(let new): mark = new
        }
    }

    /// Forgets readings that no restart asks for: those before a meter's watch was saved. Only by place: a wall clock may have stepped.
    mutating func tidy(keeping count: Int) {
        for meter in readings.keys where (readings[meter]?.count ?? 0) > 2 * count { readings[meter] = readings[meter]?.suffix(count) }
    }

    // MARK: After a restart

    /// The cases that are open, through JSON and back as from the file.
    func openCases() throws -> [Case] { try cases.values.filter(\.isOpen).map(Self.copied) }
    /// Cases opened lately, open or not.
    func cases(since: WallTime) -> [Case] { cases.values.filter { $0.openedAt.wall >= since } }
    /// The number the next case gets.
    var nextNumber: Int { max(number, noted) + 1 }
    /// Notices that were neither delivered nor given up, in the order in which they were made.
    func undelivered() throws -> [DeliverySchedule.Item] {
        try pending.sorted { (order[$0] ?? 0) < (order[$1] ?? 0) }.compactMap { notices[$0] }.map(Self.copied)
    }
    /// A watch as it was saved.
    func watch(_ id: HouseholdID) throws -> (at: WallTime, watch: HouseholdWatch)? {
        if sabotage == .forgetsHabits { return nil }
        return try watches[id].map { ($0.at, try Self.copied($0.watch)) }
    }

    private static func copied<Value: Codable>(_ value: Value) throws -> Value {
        try JSONDecoder().decode(Value.self, from: try JSONEncoder().encode(value))
    }
}
