import Telemetry

/// The water of a sliding window, kept in a fixed number of slots: constant memory however often the meter is read.
///
/// The sum counts whole slots, so it covers between one window and one window plus a forty-eighth: a use that has only
/// just left the window still counts, which errs towards life by at most that much.
struct VolumeWindow: Sendable, Hashable, Codable {
    private static let slotCount = 49
    private let slotLength: Int64
    private var slots: [Int64]
    private var newest: Int64?

    init(length: Interval) {
        slotLength = max(1, length.milliseconds / 48)
        slots = Array(repeating: 0, count: Self.slotCount)
    }

    private mutating func turn(to now: Interval) {
        let slot = now.milliseconds / slotLength
        guard let last = newest else {
            newest = slot
            return
        }
        guard slot > last else { return }
        for passed in 1...min(slot - last, Int64(Self.slotCount)) {
            slots[Int((last + passed) % Int64(Self.slotCount))] = 0
        }
        newest = slot
    }

    mutating func add(_ volume: Volume, at now: Interval) {
        turn(to: now)
        guard volume > .zero else { return }
        slots[Int((now.milliseconds / slotLength) % Int64(Self.slotCount))] += volume.millilitres
    }

    mutating func total(at now: Interval) -> Volume {
        turn(to: now)
        return Volume(millilitres: slots.reduce(0, +))
    }
}
