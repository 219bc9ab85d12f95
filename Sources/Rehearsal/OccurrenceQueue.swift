import BoardingControl
import Casework
import HeapModule
import Telemetry

/// Something that is due in the village at a moment of true time.
enum Occurrence: Sendable {
    case happening(Happening)
    /// A trouble ends; nothing if it was mended before.
    case ended(Happening)
    case start
    case clockFixed
    case poll(run: Int, bus: Int)
    case tick(run: Int)
    /// A case asks for a tick.
    case deadline(run: Int)
    case pump(run: Int)
    case arrival([Notice], ChannelID)
    case finish(run: Int, DeliverySchedule.Parcel, DeliverySchedule.Attempt)
    case commit(run: Int)
    case hourly(run: Int)
    case deed(VillagePeople.Deed)
    case announce(home: Int, until: Interval)
    case scene(lift: Int)
}

/// What is due, in the order of time; what is due at the same moment in the order in which it was put in.
struct OccurrenceQueue: Sendable {
    private struct Entry: Comparable, Sendable {
        var at: Interval
        var number: Int
        var what: Occurrence

        static func < (left: Entry, right: Entry) -> Bool { (left.at, left.number) < (right.at, right.number) }
        static func == (left: Entry, right: Entry) -> Bool { left.number == right.number }
    }

    private var heap = Heap<Entry>()
    private var number = 0

    mutating func put(_ what: Occurrence, at moment: Interval) {
        number += 1
        heap.insert(Entry(at: moment, number: number, what: what))
    }

    mutating func next() -> (at: Interval, what: Occurrence)? { heap.popMin().map { ($0.at, $0.what) } }
}
