import Foundation

/// Civil time at a site: turns wall time into local days, clock times and RFC 3339 text.
///
/// The offset from UTC is looked up once for each stretch between two changes of summer time, so that a year of
/// readings costs a few look-ups. A value: each holder has its own cache.
public struct CivilClock: Sendable {
    /// The site's time zone.
    public let zone: TimeZone
    private var stretch: Range<Int64> = 0..<0
    private var stretchOffsetSeconds: Int64 = 0

    /// Civil time in a zone.
    public init(zone: TimeZone) { self.zone = zone }

    /// Civil time in a zone named as the IANA data base does (`Asia/Shanghai`); nil when there is no such zone.
    public init?(identifier: String) {
        guard let zone = TimeZone(identifier: identifier) else { return nil }
        self.init(zone: zone)
    }

    /// Seconds east of UTC at a moment.
    public mutating func offsetSeconds(at time: WallTime) -> Int64 {
        let seconds = time.unixSeconds
        if stretch.contains(seconds) { return stretchOffsetSeconds }
        let date = Date(timeIntervalSince1970: Double(seconds))
        stretchOffsetSeconds = Int64(zone.secondsFromGMT(for: date))
        let end = zone.nextDaylightSavingTimeTransition(after: date)
        let endSeconds = end.map { Int64($0.timeIntervalSince1970.rounded(.up)) } ?? seconds + 31_536_000
        stretch = seconds..<max(endSeconds, seconds + 1)
        return stretchOffsetSeconds
    }

    /// A time span cut where the zone's offset changes: in each piece one offset, in seconds east of UTC, holds.
    /// - Returns: nothing where the span is empty; after 16 changes the rest is one piece
    public mutating func pieces(from: WallTime, to: WallTime) -> [(from: WallTime, to: WallTime, offset: Int64)] {
        var pieces: [(from: WallTime, to: WallTime, offset: Int64)] = []
        var start = from
        while start < to {
            let offset = offsetSeconds(at: start)
            let change = WallTime(unixSeconds: stretch.upperBound)
            let end = pieces.count < 16 && change > start && change < to ? change : to
            if let last = pieces.last, last.offset == offset {
                pieces[pieces.count - 1].to = end
            } else {
                pieces.append((start, end, offset))
            }
            start = end
        }
        return pieces
    }

    /// How long it is, in seconds, until the local clock face has moved on by so many seconds; a change of summer time in between makes it
    /// shorter or longer.
    public mutating func seconds(untilClockFaceMoves seconds: Int64, from now: WallTime) -> Int64 {
        let change = offsetSeconds(at: WallTime(unixSeconds: now.unixSeconds + seconds)) - offsetSeconds(at: now)
        return max(0, seconds - change)
    }

    /// Seconds since 1970-01-01T00:00 of the local clock face.
    public mutating func localSeconds(at time: WallTime) -> Int64 { time.unixSeconds + offsetSeconds(at: time) }

    /// The local calendar day, counted from 1970-01-01.
    public mutating func day(at time: WallTime) -> Int64 { floorDivide(localSeconds(at: time), 86_400) }

    /// The local clock time as seconds after midnight.
    public mutating func secondOfDay(at time: WallTime) -> Int64 {
        let local = localSeconds(at: time)
        return local - floorDivide(local, 86_400) * 86_400
    }

    /// The day of the week, 0 = Monday … 6 = Sunday. 1970-01-01 was a Thursday.
    public mutating func weekday(at time: WallTime) -> Int {
        let shifted = day(at: time) + 3
        return Int(shifted - floorDivide(shifted, 7) * 7)
    }

    /// The moment at which a local day begins.
    public mutating func startOfDay(at time: WallTime) -> WallTime {
        var start = time.unixSeconds - secondOfDay(at: time)
        // A change of summer time inside the day moves midnight by the change.
        let there = offsetSeconds(at: WallTime(unixSeconds: start))
        let here = offsetSeconds(at: time)
        start += here - there
        return WallTime(unixSeconds: start)
    }

    /// RFC 3339 with the site's offset and milliseconds, as the contract wants times on the wire.
    public mutating func rfc3339(_ time: WallTime) -> String {
        let offset = offsetSeconds(at: time)
        let local = time.unixMilliseconds + offset * 1000
        let days = floorDivide(local, 86_400_000)
        let rest = local - days * 86_400_000
        let (year, month, day) = civilDate(days)
        let clock = [rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60].map { padded($0, 2) }.joined(separator: ":")
        let sign = offset < 0 ? "-" : "+"
        let zone = "\(sign)\(padded(abs(offset) / 3600, 2)):\(padded(abs(offset) / 60 % 60, 2))"
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T\(clock).\(padded(rest % 1000, 3))\(zone)"
    }

    /// A local calendar day, counted from 1970-01-01, as `2026-03-29`.
    public static func date(ofDay day: Int64) -> String {
        let (year, month, day) = civilDate(day)
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
    }

    /// The local clock face as `21:40`.
    public mutating func clockFace(_ time: WallTime) -> String {
        let second = secondOfDay(at: time)
        return "\(padded(second / 3600, 2)):\(padded(second / 60 % 60, 2))"
    }

    /// Month and day of a moment's local date.
    public mutating func monthAndDay(_ time: WallTime) -> (month: Int64, day: Int64) {
        let (_, month, day) = civilDate(day(at: time))
        return (month, day)
    }

    /// How many days a month of the Gregorian calendar has; none where there is no such month.
    public static func days(ofMonth month: Int64, year: Int64) -> Int64 {
        switch month {
        case 1, 3, 5, 7, 8, 10, 12: 31
        case 4, 6, 9, 11: 30
        case 2: year % 4 == 0 && year % 100 != 0 || year % 400 == 0 ? 29 : 28
        default: 0
        }
    }

    /// Reads RFC 3339 with an offset or `Z`; nil when the text is not such a time.
    public static func parse(rfc3339 text: String) -> WallTime? {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int64? {
            guard range.upperBound <= bytes.count else { return nil }
            var value: Int64 = 0
            for byte in bytes[range] {
                guard (48...57).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - 48)
            }
            return value
        }
        guard bytes.count >= 20, bytes[4] == 45, bytes[7] == 45, bytes[13] == 58, bytes[16] == 58,
            [84, 116, 32].contains(bytes[10]),
            let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            (1...12).contains(month), day >= 1, day <= Self.days(ofMonth: month, year: year), hour < 24, minute < 60, second < 61
        else { return nil }
        var index = 19
        var fraction: Int64 = 0
        if bytes[index] == 46 {
            index += 1
            var weight: Int64 = 100
            let start = index
            while index < bytes.count, (48...57).contains(bytes[index]) {
                fraction += Int64(bytes[index] - 48) * weight
                weight /= 10
                index += 1
            }
            guard index > start, index < bytes.count else { return nil }
        }
        var offset: Int64 = 0
        switch bytes[index] {
        case 90, 122:
            guard index + 1 == bytes.count else { return nil }
        case 43, 45:
            guard index + 6 == bytes.count, bytes[index + 3] == 58,
                let hours = number(index + 1..<index + 3), let minutes = number(index + 4..<index + 6), hours < 24, minutes < 60
            else { return nil }
            offset = (hours * 3600 + minutes * 60) * (bytes[index] == 45 ? -1 : 1)
        default: return nil
        }
        let seconds = dayNumber(year: year, month: month, day: day) * 86_400 + hour * 3600 + minute * 60 + second
        return WallTime(unixMilliseconds: (seconds - offset) * 1000 + fraction)
    }
}

private func padded(_ value: Int64, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}

private func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
    value >= 0 ? value / divisor : -((-value + divisor - 1) / divisor)
}

/// The proleptic Gregorian date of a day counted from 1970-01-01, by Howard Hinnant's `civil_from_days`
/// (https://howardhinnant.github.io/date_algorithms.html).
private func civilDate(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = days + 719_468
    let era = floorDivide(shifted, 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
}

/// The inverse of `civilDate` (`days_from_civil`, same source).
private func dayNumber(year: Int64, month: Int64, day: Int64) -> Int64 {
    let shiftedYear = month <= 2 ? year - 1 : year
    let era = floorDivide(shiftedYear, 400)
    let yearOfEra = shiftedYear - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
}
