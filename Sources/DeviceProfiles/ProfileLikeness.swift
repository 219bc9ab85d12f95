import Telemetry

/// How much what a device answered looks like a profile: for naming the meters a read-only scan finds.
public struct ProfileLikeness: Hashable, Sendable {
    /// The profile.
    public var profile: ProfileID
    /// Facts of its fingerprint that hold, and how many there are.
    public var factsHeld: Int
    public var facts: Int
    /// Its points that were read and make sense, and how many it has.
    public var pointsPlausible: Int
    public var points: Int

    /// Whether the fingerprint names the model: it has facts, all hold, and most of the points make sense.
    public var isNamed: Bool { facts > 0 && factsHeld == facts && pointsPlausible * 2 > points }

    /// How near, from 0 to 1: plausible points, and facts where there are any.
    public var nearness: Double {
        let plausible = points == 0 ? 0 : Double(pointsPlausible) / Double(points)
        return facts == 0 ? plausible * 0.8 : (plausible + Double(factsHeld) / Double(facts)) / 2
    }

    /// The likeness of a device's registers to a profile.
    public init(of image: RegisterImage, to profile: MeterProfile) {
        self.profile = profile.id
        facts = profile.fingerprint.count
        factsHeld = profile.fingerprint.count { fact in
            fact.field.number(in: image).map { fact.range.contains($0) } ?? false
        }
        let judged = profile.points.filter(\.polled)
        points = judged.count
        pointsPlausible = judged.count { Self.isPlausible($0, image) }
    }

    /// Whether a point was read and holds what such a point can hold: a household's or a community's total, a flow a pipe
    /// can carry, a clock that is a date, text that is text.
    private static func isPlausible(_ point: MeterPoint, _ image: RegisterImage) -> Bool {
        switch point.fields.first?.type {
        case .ascii: return point.text(image)?.isEmpty == false
        case .clock(let layout):
            guard let field = point.fields.first else { return false }
            return image.words(function: field.function, address: field.address, count: layout.registerCount) != nil
        default: break
        }
        let value = point.decode(image)
        guard let number = value.number, value.quality == .good else { return false }
        switch point.role {
        case .volumeTotal, .volumeReverse: return number >= 0 && number < 1e10 && (number == 0 || number > 1e-3)
        case .flow: return abs(number) < 1e7 && (number == 0 || abs(number) > 1e-6)
        case .battery: return number >= 0 && number <= 100
        case .temperature: return number > -60 && number < 200
        default: return abs(number) < 1e12
        }
    }
}

extension MeterProfile {
    /// The registers a scan reads to compare a device with this profile.
    public var scanFields: [RegisterField] { fingerprint.map(\.field) + points.filter(\.polled).flatMap(\.neededFields) }
}
