import HeapModule
import Telemetry

/// What waits on one channel. Order holds for each reader of each case (a line); different readers, and different cases of one reader, pass each
/// other by. What is due is found without looking at what only waits.
struct DeliveryQueue: Sendable {
    typealias Item = DeliverySchedule.Item

    /// The notices of one case for one reader, which go one after the other.
    private struct Line: Hashable, Sendable {
        var caseID: CaseID
        var contact: ContactID
    }

    private struct Entry: Sendable {
        var item: Item
        /// The order in which notices came.
        var serial: Int
        /// The newest offer of this item; older ones in the heaps are void. 0 while it is not offered.
        var offer = 0
        var isUnderWay = false

        var line: Line { Line(caseID: item.notice.caseID, contact: item.notice.contact) }
        /// Never tried, and not to be sent before quiet hours end: it holds nothing back, least of all an alarm.
        var waitsForMorning: Bool { item.attempts == 0 && item.nextAt > item.notice.createdAt.elapsed }
        /// Where things must wait, an alarm goes before an attention, and what was never tried before what failed.
        var rank: Int { (item.notice.severity == .alarm ? 0 : 2) + (item.attempts == 0 ? 0 : 1) }
    }

    /// An item's place in a heap.
    private struct Place: Comparable, Sendable {
        var key: Int64
        var serial: Int
        var offer: Int
        var id: NoticeID

        static func < (one: Place, other: Place) -> Bool { (one.key, one.serial, one.offer) < (other.key, other.serial, other.offer) }
        static func == (one: Place, other: Place) -> Bool { one.offer == other.offer }
    }

    /// Tries under way.
    private struct Try: Sendable {
        var ids: Set<NoticeID>
        var contact: ContactID
        var since: Interval
    }

    /// So many tries run side by side on a channel without a pace, so that one slow answer does not hold up the other cases.
    static let lanes = 10
    /// So many of them one reader may have, so that there is always room for another.
    static let lanesOfOneReader = 8
    /// So many of them readers may have together whose relay took long lately; one each.
    static let lanesOfTheSlow = 5
    /// A try that takes so long marks its reader as slow.
    static let slowFrom = Interval.seconds(5)
    /// The longest pause between two tries on a channel that says it is asked too often.
    static let longestGap = Interval.seconds(30)
    static let shortestGap = Interval.seconds(1)

    /// What the channel bears, for those that bear only so much.
    var pace: DeliverySchedule.Pace?
    private var entries: [NoticeID: Entry] = [:]
    private var lines: [Line: [NoticeID]] = [:]
    /// By the moment at which they are due.
    private var sleeping = Heap<Place>()
    /// Due, by reader and rank.
    private var ready: [ContactID: Heap<Place>] = [:]
    private var underWay: [Try] = []
    private var slow: Set<ContactID> = []
    private var begun: [Interval] = []
    private var serials = 0
    private var offers = 0
    /// The pause between two tries while the channel says that it is asked too often.
    private(set) var gap = Interval.zero
    private var pausedUntil = Interval.zero

    /// How many notices wait or are under way.
    var count: Int { entries.count }
    var isEmpty: Bool { entries.isEmpty }
    /// Whether nothing is kept here that matters: neither notices nor what the channel said about its pace.
    var isIdle: Bool { entries.isEmpty && underWay.isEmpty && gap == .zero && begun.isEmpty && slow.isEmpty }

    init(pace: DeliverySchedule.Pace?) { self.pace = pace }

    /// Takes a notice's item, unless the notice is here already.
    mutating func put(_ item: Item) {
        guard entries[item.notice.id] == nil else { return }
        serials += 1
        let entry = Entry(item: item, serial: serials)
        entries[item.notice.id] = entry
        lines[entry.line, default: []].append(item.notice.id)
        if item.notice.severity == .alarm { hasten(entry.line, at: item.notice.createdAt.elapsed) }
        offerWhatMayGo(entry.line)
    }

    /// An alarm behind something that failed does not wait longer than alarms wait.
    private mutating func hasten(_ line: Line, at now: Interval) {
        let latest = now + DeliverySchedule.greatestBackOffOfAlarm
        for id in lines[line] ?? [] {
            guard var entry = entries[id], !entry.isUnderWay, entry.item.attempts > 0, entry.item.nextAt > latest else { continue }
            entry.item.nextAt = latest
            entry.offer = 0
            entries[id] = entry
        }
    }

    // MARK: What may go

    /// Within a line a later notice waits for an earlier one; one that only waits for the end of quiet hours holds back what waits for the same
    /// morning and nothing else.
    private mutating func offerWhatMayGo(_ line: Line) {
        var isBlocked = false
        var morning: Interval?
        for id in lines[line] ?? [] {
            guard var entry = entries[id] else { continue }
            let mayGo = !isBlocked && !entry.isUnderWay && morning.map { entry.item.nextAt < $0 } ?? true
            if entry.isUnderWay || !entry.waitsForMorning { isBlocked = true } else { morning = min(morning ?? entry.item.nextAt, entry.item.nextAt) }
            if !mayGo {
                entry.offer = 0
            } else if entry.offer == 0 {
                offers += 1
                entry.offer = offers
                sleeping.insert(Place(key: entry.item.nextAt.milliseconds, serial: entry.serial, offer: offers, id: id))
            }
            entries[id] = entry
        }
        dropVoid()
    }

    private func isValid(_ place: Place) -> Bool { entries[place.id].map { $0.offer == place.offer && !$0.isUnderWay } ?? false }

    private mutating func dropVoid() {
        while let first = sleeping.min, !isValid(first) { _ = sleeping.popMin() }
    }

    private mutating func wake(at now: Interval) {
        while let first = sleeping.min, first.key <= now.milliseconds {
            _ = sleeping.popMin()
            guard isValid(first), let entry = entries[first.id] else { continue }
            ready[entry.item.notice.contact, default: Heap()].insert(Place(key: Int64(entry.rank), serial: entry.serial, offer: first.offer, id: first.id))
        }
        dropVoid()
    }

    // MARK: Lanes

    /// A robot's messages go one after the other, and so do those of a channel that says it is asked too often; elsewhere some travel side by side.
    private var hasLane: Bool { underWay.count < (pace == nil && gap == .zero ? Self.lanes : 1) }

    /// A reader whose relay is slow has one lane, and all such readers together leave room for the others.
    private func mayHaveLane(_ contact: ContactID) -> Bool {
        guard pace == nil else { return true }
        let own = underWay.count { $0.contact == contact }
        guard slow.contains(contact) else { return own < Self.lanesOfOneReader }
        return own == 0 && underWay.count { slow.contains($0.contact) } < Self.lanesOfTheSlow
    }

    /// From when on the channel bears another try.
    private var free: Interval {
        guard let pace, begun.count >= pace.count, let oldest = begun.first else { return pausedUntil }
        return max(oldest + pace.per, pausedUntil)
    }

    private mutating func takeReady() -> NoticeID? {
        var best: (place: Place, contact: ContactID)?
        for contact in Array(ready.keys) where mayHaveLane(contact) {
            while let place = ready[contact]?.min, !isValid(place) { _ = ready[contact]?.popMin() }
            guard let place = ready[contact]?.min else {
                ready[contact] = nil
                continue
            }
            if best.map({ place < $0.place }) ?? true { best = (place, contact) }
        }
        guard let best else { return nil }
        _ = ready[best.contact]?.popMin()
        if ready[best.contact]?.isEmpty == true { ready[best.contact] = nil }
        return best.place.id
    }

    /// How many are due and could share a message, counted no further than needed.
    private func isReady(moreThan room: Int) -> Bool {
        var count = 0
        for places in ready.values {
            count += places.count
            if count > room { return true }
        }
        return false
    }

    /// What to try now; it counts as under way until it is finished.
    mutating func next(at now: Interval) -> [Item]? {
        wake(at: now)
        guard hasLane, free <= now else { return nil }
        var most = 1
        if let pace, isReady(moreThan: pace.count - begun.count { $0 + pace.per > now }) { most = max(1, pace.merge) }
        var items: [Item] = []
        while items.count < most, let id = takeReady() {
            guard let item = entries[id]?.item else { continue }
            entries[id]?.isUnderWay = true
            entries[id]?.offer = 0
            items.append(item)
        }
        guard let first = items.first else { return nil }
        if let pace { begun = (begun + [now]).suffix(max(1, pace.count)) }
        if gap > .zero { pausedUntil = now + gap }
        underWay.append(Try(ids: Set(items.map(\.notice.id)), contact: first.notice.contact, since: now))
        return items
    }

    /// The next moment at which something can be tried.
    var nextDue: Interval? {
        guard hasLane else { return nil }
        if ready.contains(where: { mayHaveLane($0.key) && !$0.value.isEmpty }) { return free }
        return sleeping.min.map { max(.milliseconds($0.key), free) }
    }

    // MARK: What came of it

    /// Ends a try.
    /// - Parameter change: what became of each item; nil takes it out
    mutating func finish(_ ids: [NoticeID], at now: Interval, _ change: (Item, Bool) -> Item?) {
        if let index = underWay.firstIndex(where: { $0.ids == Set(ids) }) {
            let ended = underWay.remove(at: index)
            if now - ended.since >= Self.slowFrom { slow.insert(ended.contact) } else { slow.remove(ended.contact) }
        }
        for id in ids {
            guard var entry = entries[id] else { continue }
            let line = entry.line
            let isUrgent = (lines[line] ?? []).contains { entries[$0]?.item.notice.severity == .alarm }
            if let changed = change(entry.item, isUrgent) {
                entry.item = changed
                entry.isUnderWay = false
                entry.offer = 0
                entries[id] = entry
            } else {
                entries[id] = nil
                lines[line]?.removeAll { $0 == id }
                if lines[line]?.isEmpty == true { lines[line] = nil }
            }
            offerWhatMayGo(line)
        }
    }

    /// Drops what waits of which nobody is to hear any more; a try under way ends without a trace.
    /// - Returns: what was dropped
    mutating func withdraw(where isMeant: (Notice) -> Bool) -> [NoticeID] {
        let gone = entries.filter { isMeant($0.value.item.notice) }
        for (id, entry) in gone {
            entries[id] = nil
            lines[entry.line]?.removeAll { $0 == id }
            if lines[entry.line]?.isEmpty == true { lines[entry.line] = nil }
        }
        for line in Set(gone.values.map(\.line)) { offerWhatMayGo(line) }
        return gone.keys.sorted()
    }

    /// The channel says that it is asked too often: one try at a time, with a pause between them that doubles.
    mutating func slowDown(at now: Interval, asked: Interval?) {
        gap = min(max(gap + gap, Self.shortestGap), Self.longestGap)
        // A longer wait is each notice's own matter: an alarm does not honour it.
        let pause = asked.map { $0 <= Self.longestGap ? $0 : .zero } ?? .zero
        pausedUntil = max(pausedUntil, now + max(gap, pause))
    }

    /// The channel took something: the pause is halved until it is gone.
    mutating func speedUp() { gap = gap.milliseconds > 2 * Self.shortestGap.milliseconds ? .milliseconds(gap.milliseconds / 2) : .zero }
}
