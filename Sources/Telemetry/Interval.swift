/// A length of time in whole milliseconds.
///
/// Written `500ms`, `20s`, `15m`, `12h`, `2d` (contract, common rules). Every timing of the configuration is one.
public struct Interval: Hashable, Comparable, Sendable {
    /// The length in milliseconds; negative lengths occur only as differences.
    public var milliseconds: Int64

    /// A length of so many milliseconds.
    public init(milliseconds: Int64) { self.milliseconds = milliseconds }

    /// No time at all.
    public static let zero = Interval(milliseconds: 0)

    /// A length in milliseconds.
    public static func milliseconds(_ value: Int64) -> Interval { Interval(milliseconds: value) }
    /// A length in seconds.
    public static func seconds(_ value: Int64) -> Interval { Interval(milliseconds: value * 1000) }
    /// A length in minutes.
    public static func minutes(_ value: Int64) -> Interval { .seconds(value * 60) }
    /// A length in hours.
    public static func hours(_ value: Int64) -> Interval { .minutes(value * 60) }
    /// A length in days of 24 hours.
    public static func days(_ value: Int64) -> Interval { .hours(value * 24) }

    /// The length in seconds, with fractions.
    public var seconds: Double { Double(milliseconds) / 1000 }
    /// The length in hours, with fractions.
    public var hours: Double { seconds / 3600 }

    /// Compares two lengths.
    public static func < (left: Interval, right: Interval) -> Bool { left.milliseconds < right.milliseconds }
    /// The sum of two lengths.
    public static func + (left: Interval, right: Interval) -> Interval {
        Interval(milliseconds: left.milliseconds + right.milliseconds)
    }
    /// The difference of two lengths.
    public static func - (left: Interval, right: Interval) -> Interval {
        Interval(milliseconds: left.milliseconds - right.milliseconds)
    }
    /// So many times a length.
    public static func * (left: Interval, right: Int64) -> Interval {
        Interval(milliseconds: left.milliseconds * right)
    }
    /// A fraction of a length, rounded down.
    public static func / (left: Interval, right: Int64) -> Interval {
        Interval(milliseconds: left.milliseconds / right)
    }
}

extension Interval {
    /// Reads the written form; nil when it is not a whole number followed by `ms`, `s`, `m`, `h` or `d`,
    /// or when it is longer than ten thousand days.
    public init?(parsing text: some StringProtocol) {
        let units: [(String, Int64)] = [
            ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
        ]
        for (suffix, factor) in units where text.hasSuffix(suffix) {
            let digits = text.dropLast(suffix.count)
            guard !digits.isEmpty, digits.allSatisfy(\.isASCIIDigit), let count = Int64(digits) else { continue }
            guard count <= 864_000_000_000 / factor else { return nil }
            self.init(milliseconds: count * factor)
            return
        }
        return nil
    }

    /// The written form in the largest unit that needs no fraction.
    public var written: String {
        for (suffix, factor) in [("d", Int64(86_400_000)), ("h", 3_600_000), ("m", 60_000), ("s", 1000)]
        where milliseconds % factor == 0 && milliseconds != 0 {
            return "\(milliseconds / factor)\(suffix)"
        }
        return milliseconds == 0 ? "0s" : "\(milliseconds)ms"
    }
}

extension Character {
    var isASCIIDigit: Bool { ("0"..."9").contains(self) }
}

extension Interval: CustomStringConvertible {
    /// The written form.
    public var description: String { written }
}

extension Interval: Codable {
    /// Reads whole milliseconds.
    public init(from decoder: any Decoder) throws {
        self.init(milliseconds: try decoder.singleValueContainer().decode(Int64.self))
    }

    /// Writes whole milliseconds.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(milliseconds)
    }
}
