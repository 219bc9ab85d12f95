import DeviceProfiles

/// A device profile as JSON: each point with its places on the wire.
struct ProfileLine: Encodable {
    private struct Place: Encodable {
        var function: UInt8
        var wire: UInt16
        var registers: Int
        var type: String
        var order: String?
        var scale: Double
    }

    private struct Point: Encodable {
        var id: String
        var role: String
        var unit: String
        var inferred: Bool
        var source: String
        var places: [Place]
    }

    private struct Danger: Encodable {
        var wire: UInt16
        var count: Int
        var why: String
    }

    private var id: String
    private var title: [String: String]
    private var manufacturer: String
    private var models: [String]
    private var trust: String
    private var document: String
    private var resolution_litres: Double
    private var points: [Point]
    private var never_written: [Danger]

    init(_ profile: MeterProfile) {
        id = profile.id.rawValue
        title = ["zh-Hans": profile.title.chinese, "en": profile.title.english]
        (manufacturer, models, trust, document) = (profile.manufacturer, profile.models, profile.trust.rawValue, profile.document)
        resolution_litres = profile.resolution.litres
        points = profile.points.map { point in
            Point(
                id: point.id, role: point.role.rawValue, unit: point.unit.rawValue, inferred: point.inferred, source: point.source,
                places: point.fields.map {
                    Place(
                        function: $0.function, wire: $0.address, registers: $0.type.registerCount, type: $0.type.word, order: $0.order?.description,
                        scale: $0.scale)
                })
        }
        never_written = profile.danger.map { Danger(wire: $0.address, count: $0.count, why: $0.why) }
    }
}
