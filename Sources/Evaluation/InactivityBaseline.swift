import Foundation
import Telemetry

/// A published or plain rule for noticing inactivity, to compare the detector with. Fed with one stretch of use a poll.
public protocol InactivityBaseline: Sendable {
    /// Its name in the table.
    var name: String { get }
    /// Takes the use since the poll before.
    /// - Parameter local: seconds of the local clock face since 1970
    mutating func take(_ use: Volume, at time: WallTime, local: Int64)
    /// Whether it alarms now.
    var isAlarming: Bool { get }
}

/// Less than so much within so long: the rule published for Shanghai Changning as it is.
public struct VolumeBaseline: InactivityBaseline {
    public let name = "10 L in 12 h"
    public private(set) var isAlarming = false
    private var polls: [(at: WallTime, use: Volume)] = []
    private var began: WallTime?

    /// The rule before the first poll.
    public init() {}

    public mutating func take(_ use: Volume, at time: WallTime, local: Int64) {
        began = began ?? time
        polls.append((time, use))
        polls.removeAll { time - $0.at >= .hours(12) }
        isAlarming = time - (began ?? time) >= .hours(12) && polls.reduce(.zero) { $0 + $1.use } < .litres(10)
    }
}

/// No use for so long.
public struct FixedGapBaseline: InactivityBaseline {
    public let name: String
    public private(set) var isAlarming = false
    private let limit: Interval
    private var last: WallTime?

    /// The rule with its limit.
    public init(_ limit: Interval, name: String? = nil) {
        self.limit = limit
        self.name = name ?? "fixed gap \(Int(limit.hours)) h"
    }

    public mutating func take(_ use: Volume, at time: WallTime, local: Int64) {
        if use > .zero || last == nil { last = time }
        isAlarming = last.map { time - $0 >= limit } ?? false
    }
}

/// Longer than the longest gap of the last 28 days by a quarter.
public struct LongestGapBaseline: InactivityBaseline {
    public let name = "longest gap of 28 d x 1.25"
    public private(set) var isAlarming = false
    private var gaps: [(end: WallTime, length: Interval)] = []
    private var last: WallTime?
    private var began: WallTime?

    /// The rule before the first poll.
    public init() {}

    public mutating func take(_ use: Volume, at time: WallTime, local: Int64) {
        began = began ?? time
        if use > .zero {
            if let last { gaps.append((time, time - last)) }
            last = time
            gaps.removeAll { time - $0.end > .days(28) || ($0.length < .hours(2)) }
        }
        guard let last, let longest = gaps.map(\.length).max(), time - (began ?? time) >= .days(7) else {
            isAlarming = false
            return
        }
        isAlarming = Double((time - last).milliseconds) >= 1.25 * Double(longest.milliseconds)
    }
}

/// Cuddihy and others 2007, with the parameters of the public re-implementation: 60 days, 48 half-hour slots, the 97th percentile of
/// the inactivity seen in each slot, the most of two slots either side, weights 1-2-3-2-1, a uniform buffer of 0.30 (here: of the
/// day's mean line) and a variable one of 0.40 (here: of the slot's own line). The paper leaves room for other readings of the two.
public struct CuddihyBaseline: InactivityBaseline {
    public let name = "Cuddihy 2007"
    public private(set) var isAlarming = false
    private var days: [[Double]] = []
    private var today = [Double](repeating: 0, count: 48)
    private var line: [Double]?
    private var day: Int64?
    private var last: WallTime?

    /// The rule before the first poll.
    public init() {}

    public mutating func take(_ use: Volume, at time: WallTime, local: Int64) {
        let now = Int64((Double(local) / 86_400).rounded(.down))
        if let day, now > day {
            days.append(today)
            if days.count > 60 { days.removeFirst() }
            today = [Double](repeating: 0, count: 48)
            line = days.count >= 7 ? alertLine() : nil
        }
        day = now
        let silence = last.map { (time - $0).hours } ?? 0
        let slot = Int((local - now * 86_400) / 1800) % 48
        today[slot] = max(today[slot], silence)
        if use > .zero || last == nil { last = time }
        isAlarming = line.map { silence >= $0[slot] && use == .zero } ?? false
    }

    private func alertLine() -> [Double] {
        let percentile = (0..<48).map { slot in quantile(days.map { $0[slot] }, 0.97) }
        let widest = (0..<48).map { slot in (-2...2).map { percentile[(slot + $0 + 48) % 48] }.max() ?? 0 }
        let weights = [1.0, 2, 3, 2, 1]
        var smooth = [Double](repeating: 0, count: 48)
        for slot in 0..<48 {
            for (step, weight) in weights.enumerated() { smooth[slot] += weight * widest[(slot + step + 46) % 48] / 9 }
        }
        let mean = smooth.reduce(0, +) / 48
        return smooth.map { max(1, $0 * 1.4 + mean * 0.3) }
    }
}

/// A Poisson process of uses with a rate for each hour of the week, learnt over eight weeks: alarms when nobody in a usual
/// week would be silent this long, at half an alarm a month by its own reckoning.
public struct PoissonBaseline: InactivityBaseline {
    public let name = "hour-of-week Poisson"
    public private(set) var isAlarming = false
    private var uses = [Double](repeating: 0, count: 168)
    private var seen = [Double](repeating: 0, count: 168)
    private var expected = 0.0
    private var weeks = 0.0
    private var last: WallTime?

    /// The rule before the first poll.
    public init() {}

    public mutating func take(_ use: Volume, at time: WallTime, local: Int64) {
        let hour = Int(((local / 3600) % 168 + 168) % 168)
        guard let last else {
            self.last = time
            return
        }
        self.last = time
        let step = min((time - last).hours, 1)
        // Eight weeks of memory.
        let fade = 1 - step / (8 * 168)
        weeks = weeks * fade + step / 168
        let rate = (uses[hour] + 0.02) / (seen[hour] + 0.25)
        seen[hour] = seen[hour] * pow(fade, 168) + step
        if use > .zero {
            uses[hour] = uses[hour] * pow(fade, 168) + 1
            expected = 0
        } else {
            uses[hour] *= pow(fade, 168)
            expected += rate * step
        }
        let silencesAMonth = max(1, uses.reduce(0, +) / max(weeks, 0.5) * 30.4 / 7)
        isAlarming = weeks >= 1 && exp(-expected) < 0.5 / silencesAMonth
    }
}

/// The value below which a share of the others lie; linear between neighbours. Zero of nothing.
public func quantile(_ values: [Double], _ share: Double) -> Double {
    let sorted = values.sorted()
    guard let last = sorted.indices.last else { return 0 }
    let place = share * Double(last)
    let whole = min(Int(place), max(last - 1, 0))
    guard last > 0 else { return sorted[0] }
    return sorted[whole] + (sorted[whole + 1] - sorted[whole]) * (place - Double(whole))
}
