import Telemetry

/// Reads a meter's own log of past totals, to fill the gap an outage left.
public struct HistoryDecoder: Sendable {
    /// One total of the past.
    public struct Record: Hashable, Sendable {
        public var at: WallTime
        public var total: Volume
        public var raw: [UInt16]
    }

    private let log: HistoryLog
    private let rules: ReadingRules

    /// A decoder for one log of a profile.
    public init(_ log: HistoryLog, rules: ReadingRules) {
        self.log = log
        self.rules = rules
    }

    /// The reads that fetch the newest records back to a moment.
    public func requests(since gap: WallTime, now: WallTime) -> [ReadRequest] {
        let length: Int64 = log.period == .hourly ? 3600 : 86_400
        let needed = min(log.count, Int(max(0, (now - gap).milliseconds) / 1000 / length) + 2)
        let width = log.first.type.registerCount
        let first = log.newestFirst ? 0 : log.count - needed
        let most = max(1, rules.mostRegisters / width)
        return stride(from: first, to: first + needed, by: most).compactMap { index in
            guard let address = UInt16(exactly: Int(log.first.address) + index * width) else { return nil }
            return ReadRequest(function: log.first.function, address: address, count: min(most, first + needed - index) * width)
        }
    }

    /// The records of what was read, oldest first, each at the end of its hour or day on the device's clock.
    public func records(in image: RegisterImage, deviceNow: WallTime, civil: inout CivilClock) -> [Record] {
        let width = log.first.type.registerCount
        var end = deviceNow
        switch log.period {
        case .hourly: end = WallTime(unixSeconds: deviceNow.unixSeconds - civil.secondOfDay(at: deviceNow) % 3600)
        case .daily: end = civil.startOfDay(at: deviceNow)
        }
        var result: [Record] = []
        for index in 0..<log.count {
            let address = Int(log.first.address) + index * width
            guard address <= 65_535, let words = image.words(function: log.first.function, address: UInt16(address), count: width) else { continue }
            var field = log.first
            field.address = UInt16(address)
            guard let bits = field.bits(in: image), let number = field.number(fromBits: bits),
                let total = Volume(litres: number * field.scale * log.unit.factor)
            else { continue }
            // Age zero is the record closed last.
            let age = Int64(log.newestFirst ? index : log.count - 1 - index)
            let at: WallTime
            if log.period == .hourly {
                at = WallTime(unixSeconds: end.unixSeconds - age * 3600)
            } else {
                // Noon of the day before, then its beginning: days of 23 and 25 hours.
                at = civil.startOfDay(at: WallTime(unixSeconds: end.unixSeconds - age * 86_400 + (age == 0 ? 0 : 43_200)))
            }
            result.append(Record(at: at, total: total, raw: Array(words)))
        }
        return result.sorted { $0.at < $1.at }
    }
}
