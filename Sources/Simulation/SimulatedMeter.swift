import DeviceProfiles
import Synchronization
import Telemetry

/// What can be wrong with a simulated device.
public enum DeviceFault: String, Sendable, CaseIterable {
    /// Says nothing.
    case timeout
    /// Answers with a wrong check sum (on a network: with garbage).
    case crc
    /// Refuses every read.
    case exception
    /// Answers with noise.
    case garbage
    /// Repeats an old answer, clock and all.
    case stale
    /// Its totaliser stands still while its clock runs.
    case freeze
    /// Answers as another unit.
    case wrongUnit = "wrong_unit"
    /// Sends its answer in two pieces with a pause.
    case split
    /// Answers after the reader has given up.
    case late
}

/// A meter that behaves as its profile says.
public final class SimulatedMeter: Sendable {
    private struct State {
        var fault: DeviceFault?
        var held: [Register: UInt16]?
        var frozenVolume: Volume?
    }

    private struct Register: Hashable {
        var function: UInt8
        var address: UInt16
    }

    /// The unit address.
    public let unit: UInt8
    private let profile: MeterProfile
    private let encoder: RegisterEncoder
    private let now: @Sendable () -> WallTime
    private let volume: @Sendable (WallTime) -> Volume
    private let civil: CivilClock
    private let state = Mutex(State())
    private let absent: Set<UInt16>
    /// How long it thinks before it answers on a paced serial line: the profile's turnaround, else 20 ms.
    public var turnaround: Interval { profile.timing.turnaround ?? .milliseconds(20) }

    /// A meter whose totaliser follows a function of time.
    /// - Parameter absent: wire addresses this instance does not have, whatever its profile says
    public init(
        unit: UInt8, profile: MeterProfile, parameters: InstanceParameters = .none, civil: CivilClock, absent: Set<UInt16> = [],
        now: @escaping @Sendable () -> WallTime, volume: @escaping @Sendable (WallTime) -> Volume
    ) {
        self.absent = absent
        self.unit = unit
        self.profile = profile
        encoder = RegisterEncoder(profile: profile, parameters: parameters)
        self.civil = civil
        self.now = now
        self.volume = volume
    }

    /// The fault in force; setting one holds what it needs to hold.
    public var fault: DeviceFault? {
        get { state.withLock { $0.fault } }
        set {
            let registers = newValue == .stale ? registers() : nil
            let frozen = newValue == .freeze ? volume(now()) : nil
            state.withLock { $0 = State(fault: newValue, held: registers, frozenVolume: frozen) }
        }
    }

    /// Whether a read touches a register this meter does not have.
    func refuses(address: UInt16, count: Int) -> Bool { !absent.isEmpty && (0..<count).contains { absent.contains(address &+ UInt16($0)) } }

    /// The words at an address. Registers that no point names are zero, as most devices answer within their range.
    func words(function: UInt8, address: UInt16, count: Int) -> [UInt16] {
        let held = state.withLock { $0.held }
        let image = held ?? registers()
        return (0..<count).map { image[Register(function: function, address: address &+ UInt16($0))] ?? 0 }
    }

    private func registers() -> [Register: UInt16] {
        let time = now()
        let frozen = state.withLock { $0.frozenVolume }
        // A totaliser shows whole counts.
        let count = profile.resolution.millilitres
        let exact = frozen ?? volume(time)
        let total = Volume(millilitres: exact.millilitres / count * count)
        let before = volume(time - .minutes(1))
        var image: [Register: UInt16] = [:]
        for point in profile.points {
            let words: [RegisterEncoder.Word] =
                switch point.role {
                case .volumeTotal: encoder.words(for: point, value: total.litres)
                case .flow: encoder.words(for: point, value: max(0, (exact - before).litres * 60))
                case .battery: encoder.words(for: point, value: point.unit.kept == .percent ? 90 : 3.6)
                case .temperature: encoder.words(for: point, value: 18)
                case .clock: encoder.words(forClock: point, showing: clockParts(time))
                default: point.fields.first?.type.isNumeric == true ? encoder.words(for: point, value: 0) : []
                }
            for word in words { image[Register(function: word.function, address: word.address)] = word.value }
        }
        for log in profile.histories { write(log, at: time, into: &image) }
        for fact in profile.fingerprint {
            // What the points have written may hold already.
            let words = (0..<fact.field.type.registerCount).map {
                image[Register(function: fact.field.function, address: fact.field.address &+ UInt16(truncatingIfNeeded: $0))] ?? 0
            }
            let written = RegisterImage(blocks: [.init(function: fact.field.function, address: fact.field.address, words: words)])
            if let number = fact.field.number(in: written), fact.range.contains(number) { continue }
            for word in encoder.encode(fact.range.lowerBound, in: fact.field) {
                image[Register(function: word.function, address: word.address)] = word.value
            }
        }
        return image
    }

    /// The log's records as the meter would have kept them: the total at the end of each past hour or day.
    private func write(_ log: HistoryLog, at time: WallTime, into image: inout [Register: UInt16]) {
        var clock = civil
        let second = clock.secondOfDay(at: time)
        let length: Int64 = log.period == .hourly ? 3600 : 86_400
        let end = WallTime(unixSeconds: time.unixSeconds - second % length)
        for index in 0..<log.count {
            let age = Int64(log.newestFirst ? index : log.count - 1 - index)
            var field = log.first
            field.address += UInt16(index * field.type.registerCount)
            let total = volume(WallTime(unixSeconds: end.unixSeconds - age * length)).litres / log.unit.factor / field.scale
            for word in encoder.encode(total.rounded(.down), in: field) { image[Register(function: word.function, address: word.address)] = word.value }
        }
    }

    private func clockParts(_ time: WallTime) -> ClockParts {
        var clock = civil
        let text = clock.rfc3339(time)
        let digits = text.split { !$0.isNumber }.compactMap { Int($0) }
        guard digits.count >= 6 else { return ClockParts(year: 2000, month: 1, day: 1, hour: 0, minute: 0, second: 0) }
        return ClockParts(year: digits[0], month: digits[1], day: digits[2], hour: digits[3], minute: digits[4], second: digits[5])
    }
}
