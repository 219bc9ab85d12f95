import Phrasebook
import Telemetry

/// A recorded register of one household: rows of time and volume as they were read.
public struct RegisterHistory: Sendable {
    /// One row.
    public struct Row: Sendable, Hashable {
        public var at: WallTime
        public var register: Volume

        /// A register as it stood at a moment.
        public init(at: WallTime, register: Volume) {
            self.at = at
            self.register = register
        }
    }

    /// What is wrong with a file.
    public struct Fault: Error, Sendable, CustomStringConvertible {
        public var line: Int
        public var problem: LocalizedText
        /// Line and problem.
        public var description: String { "line \(line): \(problem.english)" }
    }

    /// The household: the file's name without its suffix.
    public var household: String
    /// The rows in time order.
    public private(set) var rows: [Row]
    /// Lines that hold no reading, such as an empty cell or a word where the meter did not answer: gaps, not faults.
    public private(set) var gaps: [Int] = []

    /// Reads CSV with the columns `unix_seconds` and `litres_cumulative`; further columns are ignored. A line without a time and a
    /// volume is a gap; a file in which no line has one is a fault.
    public init(household: String, csv: String) throws(Fault) {
        self.household = household
        rows = []
        var lines = csv.utf8.split(separator: 10, omittingEmptySubsequences: false).makeIterator()
        guard let first = lines.next() else { throw Fault(line: 1, problem: .said("文件是空的", "the file is empty")) }
        let header = first.split(separator: 44, omittingEmptySubsequences: false).map {
            String(Substring($0)).filter { !$0.isWhitespace && $0 != "\u{FEFF}" && $0 != "\"" }
        }
        guard let time = header.firstIndex(of: "unix_seconds"), let litres = header.firstIndex(of: "litres_cumulative") else {
            throw Fault(line: 1, problem: .said("表头要有unix_seconds和litres_cumulative", "the header must name unix_seconds and litres_cumulative"))
        }
        guard header.count(where: { $0 == "unix_seconds" }) == 1, header.count(where: { $0 == "litres_cumulative" }) == 1 else {
            throw Fault(line: 1, problem: .said("表头里同一列写了两次", "the header names a column twice"))
        }
        var number = 1
        while let line = lines.next() {
            number += 1
            guard line.contains(where: { $0 != 13 && $0 != 32 }) else { continue }
            let fields = line.split(separator: 44, omittingEmptySubsequences: false)
            // More cells than columns: a comma in a number has cut it, and what is left of it is another number.
            guard fields.count > max(time, litres), fields.dropFirst(header.count).allSatisfy({ $0.allSatisfy { [13, 32].contains($0) } }),
                let seconds = Self.number(fields[time]), let value = Self.number(fields[litres]),
                seconds.magnitude < 1e11, let register = Volume(litres: value)
            else {
                gaps.append(number)
                continue
            }
            rows.append(Row(at: WallTime(unixSeconds: Int64(seconds)), register: register))
        }
        if rows.isEmpty, let first = gaps.first { throw Fault(line: first, problem: .said("不是时间和水量", "not a time and a volume")) }
        sortByTime()
    }

    /// Rows written late belong into their time; of the same moment, the one written first comes first.
    private mutating func sortByTime() {
        guard zip(rows, rows.dropFirst()).contains(where: { $0.at > $1.at }) else { return }
        rows = rows.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }.map(\.element)
    }

    private static func number(_ field: Substring.UTF8View) -> Double? {
        // Some spreadsheets quote every field.
        let trimmed = field.drop { $0 == 32 || $0 == 13 || $0 == 34 }
        var end = trimmed.endIndex
        while end > trimmed.startIndex, [13, 32, 34].contains(trimmed[trimmed.index(before: end)]) { end = trimmed.index(before: end) }
        return Double.plain(Substring(trimmed[..<end]))
    }

    /// A recorded register from rows.
    public init(household: String, rows: [Row]) {
        self.household = household
        self.rows = rows
        sortByTime()
    }

    /// One count of the register: the largest power of ten, from a millilitre to 100 L, that divides nearly every step (one odd
    /// row, or another meter, makes two odd steps). Few steps prove no coarse meter: the home of somebody who draws no water must
    /// not pass for one that cannot be guarded.
    public var inferredResolution: Volume {
        var divided: [Int64: Int] = [:]
        var steps = 0
        for (before, after) in zip(rows, rows.dropFirst()) {
            let step = after.register.millilitres - before.register.millilitres
            guard step != 0 else { continue }
            steps += 1
            var resolution: Int64 = 100_000
            while resolution > 1, step % resolution != 0 { resolution /= 10 }
            divided[resolution, default: 0] += 1
        }
        let few = steps < Self.stepsOfCoarseMeter
        var resolution: Int64 = few ? 1000 : 100_000
        while resolution > 1, Double(divided.reduce(0) { $0 + ($1.key >= resolution ? $1.value : 0) }) < 0.95 * Double(steps) { resolution /= 10 }
        return Volume(millilitres: resolution)
    }

    private static let stepsOfCoarseMeter = 12
    /// Whether the register moved often enough to tell one count by it.
    public var tellsResolution: Bool {
        var steps = 0
        for (before, after) in zip(rows, rows.dropFirst()) where before.register != after.register {
            steps += 1
            if steps >= Self.stepsOfCoarseMeter { return true }
        }
        return false
    }

    /// How far apart most rows lie; nil for less than two.
    public var usualStep: Interval? {
        let steps = zip(rows, rows.dropFirst()).map { $1.at - $0.at }.sorted()
        return steps.isEmpty ? nil : steps[steps.count / 2]
    }

    /// The history as a coarser meter polled at fixed times would have shown it; where no row is near a poll, there is none.
    public func resampled(every: Interval, resolution: Volume) -> RegisterHistory {
        guard let first = rows.first, let last = rows.last else { return self }
        var result: [Row] = []
        var index = 0
        var time = WallTime(unixMilliseconds: first.at.unixMilliseconds / every.milliseconds * every.milliseconds + every.milliseconds)
        while time <= last.at {
            while index + 1 < rows.count, rows[index + 1].at <= time { index += 1 }
            if time - rows[index].at <= every {
                let counts = rows[index].register.millilitres / resolution.millilitres
                result.append(Row(at: time, register: Volume(millilitres: counts * resolution.millilitres)))
            }
            time = time + every
        }
        return RegisterHistory(household: household, rows: result)
    }
}
