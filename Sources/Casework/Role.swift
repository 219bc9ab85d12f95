/// What a contact is to a home, a lift or the site.
public enum Role: String, Sendable, Codable, CaseIterable, Hashable {
    case resident, family, volunteer
    case gridWorker = "grid_worker"
    case committee, station, town, district, property, technician, maintenance

    /// Whether this reader may see litres: families see status only.
    public var maySeeLitres: Bool { self != .family && self != .resident && self != .volunteer && self != .property && self != .maintenance }
    /// Whether an acceptance by this role lets the dispatch of others go on: relatives may be far away.
    public var isRelative: Bool { self == .family || self == .resident }
    /// Whether this reader may see the names and addresses of homes.
    public var maySeeNames: Bool { self != .technician && self != .maintenance && self != .property }
}
