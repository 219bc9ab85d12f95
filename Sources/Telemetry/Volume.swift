/// A volume of water, exact to a millilitre, so that sums of a year do not drift.
public struct Volume: Hashable, Comparable, Sendable {
    /// The volume in millilitres.
    public var millilitres: Int64

    /// So many millilitres.
    public init(millilitres: Int64) { self.millilitres = millilitres }

    /// So many litres, rounded to the nearest millilitre; nil when that is not a finite number below 10¹² litres.
    public init?(litres: Double) {
        guard litres.isFinite, abs(litres) < 1e12 else { return nil }
        self.init(millilitres: Int64((litres * 1000).rounded()))
    }

    /// So many whole litres.
    public static func litres(_ value: Int64) -> Volume { Volume(millilitres: value * 1000) }
    /// No water.
    public static let zero = Volume(millilitres: 0)

    /// The volume in litres.
    public var litres: Double { Double(millilitres) / 1000 }

    /// Compares two volumes.
    public static func < (left: Volume, right: Volume) -> Bool { left.millilitres < right.millilitres }
    /// The sum of two volumes.
    public static func + (left: Volume, right: Volume) -> Volume {
        Volume(millilitres: left.millilitres + right.millilitres)
    }
    /// The difference of two volumes.
    public static func - (left: Volume, right: Volume) -> Volume {
        Volume(millilitres: left.millilitres - right.millilitres)
    }
    /// Adds a volume.
    public static func += (left: inout Volume, right: Volume) { left = left + right }
}

extension Volume: Codable {
    /// Reads whole millilitres.
    public init(from decoder: any Decoder) throws {
        self.init(millilitres: try decoder.singleValueContainer().decode(Int64.self))
    }

    /// Writes whole millilitres.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(millilitres)
    }
}
