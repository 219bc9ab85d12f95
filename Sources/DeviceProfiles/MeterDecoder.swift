import Telemetry

/// Decodes one round of registers into readings, letting status bits speak for the points they concern.
public struct MeterDecoder: Sendable {
    /// The model.
    public let profile: MeterProfile
    private let parameters: InstanceParameters
    private let polled: [MeterPoint]
    private let judges: [MeterPoint]

    /// A decoder for one instance of a model.
    public init(profile: MeterProfile, parameters: InstanceParameters = .none) {
        self.profile = profile
        self.parameters = parameters
        polled = profile.points.filter(\.polled)
        judges = polled.filter { !$0.bits.isEmpty || !$0.values.isEmpty }
    }

    /// The registers a poll must fetch.
    public var wantedFields: [RegisterField] { polled.flatMap(\.neededFields) }

    /// Readings for every polled point; those whose registers did not arrive are `missing`.
    /// - Parameters:
    ///   - civil: the zone the device's clock is set to, for `deviceAt`
    public func readings(
        of meter: MeterID, in image: RegisterImage, at moment: WallTime, civil: inout CivilClock
    ) -> [Reading] {
        let verdicts = statusVerdicts(in: image)
        let deviceAt = deviceClock(in: image, civil: &civil)
        return polled.map { point in
            var decoded = decode(point, in: image)
            if let verdict = verdicts[point.id], decoded.quality != .missing {
                if verdict == .bad {
                    decoded.quality = .bad
                } else if decoded.quality == .good {
                    decoded.quality = .suspect
                }
            }
            let raw = point.fields.flatMap { field in
                image.words(function: field.function, address: field.address, count: field.type.registerCount).map(Array.init) ?? []
            }
            return Reading(
                meter: meter, point: point.id, at: moment, receivedAt: moment, deviceAt: deviceAt,
                value: decoded.number, unit: decoded.unit.rawValue, quality: decoded.quality, raw: raw)
        }
    }

    private func decode(_ point: MeterPoint, in image: RegisterImage) -> DecodedValue {
        guard let type = point.fields.first?.type else { return .missing(.nothing) }
        switch type {
        case .ascii:
            guard point.text(image) != nil else { return .missing(.nothing) }
            return DecodedValue(number: nil, quality: .good, unit: .nothing)
        case .clock:
            guard let parts = point.clockParts(image) else { return .missing(.nothing) }
            return DecodedValue(number: nil, quality: parts.isPlausible ? .good : .bad, unit: .nothing)
        default: return point.decode(image, parameters: parameters)
        }
    }

    /// What the status points say about the other points: the worst word wins.
    private func statusVerdicts(in image: RegisterImage) -> [String: Quality] {
        var verdicts: [String: Quality] = [:]
        for judge in judges {
            guard let word = judge.fields.first?.bits(in: image) else {
                // The judge did not arrive: what it would have judged is not known to be good.
                for meaning in Array(judge.bits.values) + Array(judge.values.values) {
                    for point in meaning.bad + meaning.suspect where verdicts[point] != .bad { verdicts[point] = .suspect }
                }
                continue
            }
            var meanings = judge.bits.filter { word >> UInt64($0.key) & 1 == 1 }.map(\.value)
            if let meaning = judge.values[Int(truncatingIfNeeded: word)] { meanings.append(meaning) }
            for meaning in meanings {
                for point in meaning.suspect where verdicts[point] != .bad { verdicts[point] = .suspect }
                for point in meaning.bad { verdicts[point] = .bad }
            }
        }
        return verdicts
    }

    private func deviceClock(in image: RegisterImage, civil: inout CivilClock) -> WallTime? {
        guard let clock = polled.first(where: { $0.role == .clock }), let parts = clock.clockParts(image), parts.isPlausible
        else { return nil }
        return parts.wallTime(in: &civil)
    }
}

/// The numbers a device's clock shows.
public struct ClockParts: Sendable, Hashable {
    public var year: Int
    public var month: Int
    public var day: Int
    public var hour: Int
    public var minute: Int
    public var second: Int

    /// The numbers of a clock.
    public init(year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int) {
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
    }

    /// Whether the numbers can be a date at all.
    public var isPlausible: Bool {
        (2000...2099).contains(year) && (1...12).contains(month) && day >= 1
            && Int64(day) <= CivilClock.days(ofMonth: Int64(month), year: Int64(year)) && (0...23).contains(hour) && (0...59).contains(minute)
            && (0...59).contains(second)
    }

    /// The moment, if the device's clock is set to the site's civil time.
    public func wallTime(in civil: inout CivilClock) -> WallTime? {
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let text = "\(year)-\(two(month))-\(two(day))T\(two(hour)):\(two(minute)):\(two(second))Z"
        guard let naive = CivilClock.parse(rfc3339: text) else { return nil }
        let offset = civil.offsetSeconds(at: naive)
        return naive - .seconds(offset)
    }
}

extension MeterPoint {
    /// The numbers of a clock point; nil when it was not read or is no clock.
    public func clockParts(_ image: RegisterImage) -> ClockParts? {
        guard let field = fields.first, case .clock(let layout) = field.type,
            let words = image.words(function: field.function, address: field.address, count: layout.registerCount)
        else { return nil }
        let numbers =
            layout.perRegister
            ? words.map { Int($0) }
            : words.flatMap { [Int($0 >> 8), Int($0 & 255)] }
        var parts = ClockParts(year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0)
        var century = 20
        for (part, number) in zip(layout.parts, numbers) {
            let value = layout.bcd ? number / 16 * 10 + number % 16 : number
            switch part {
            case .century: century = value
            case .year: parts.year = value
            case .month: parts.month = value
            case .day: parts.day = value
            case .hour: parts.hour = value
            case .minute: parts.minute = value
            case .second: parts.second = value
            case .skip: break
            }
        }
        if parts.year < 100 { parts.year += century * 100 }
        return parts
    }
}
