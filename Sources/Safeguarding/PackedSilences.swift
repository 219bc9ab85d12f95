/// Keeps a home's silences, and saves them as the differences between neighbours: several hundred of them are most of a home's state.
@propertyWrapper
struct PackedSilences: Sendable, Hashable, Codable {
    /// What the differences begin with, in a form of their own: no silence saved alone is negative.
    private static let mark: Int64 = -1

    var wrappedValue: [PersonalGapModel.Silence]

    init(wrappedValue: [PersonalGapModel.Silence]) { self.wrappedValue = wrappedValue }

    /// States saved before they were packed hold each silence as it is.
    init(from decoder: any Decoder) throws {
        var row = try decoder.unkeyedContainer()
        wrappedValue = []
        wrappedValue.reserveCapacity(row.count ?? 0)
        var isPacked = false
        var last: Int64 = 0
        while !row.isAtEnd {
            let number = try row.decode(Int64.self)
            if number == Self.mark, wrappedValue.isEmpty, !isPacked {
                isPacked = true
                continue
            }
            last = isPacked ? last &+ number : number
            wrappedValue.append(PersonalGapModel.Silence(packed: UInt64(clamping: last)))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var row = encoder.unkeyedContainer()
        guard !wrappedValue.isEmpty else { return }
        try row.encode(Self.mark)
        var last: Int64 = 0
        for silence in wrappedValue {
            let packed = Int64(clamping: silence.packed)
            try row.encode(packed - last)
            last = packed
        }
    }
}

extension PersonalGapModel.Silence {
    /// Eight bytes in a row of numbers would do; as one whole number it stays readable and small.
    var packed: UInt64 { UInt64(minutes) | UInt64(weekday) << 11 | UInt64(startMinute) << 14 | UInt64(max(0, endDay)) << 25 }

    /// Unpacks what `packed` packed.
    init(packed: UInt64) {
        minutes = Int(packed & 0x7FF)
        weekday = Int(packed >> 11 & 7)
        startMinute = Int(packed >> 14 & 0x7FF)
        endDay = Int64(packed >> 25)
    }
}
