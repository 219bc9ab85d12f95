/// Who holds which of the console's connections, and who gives way when places run short. Strangers never take the places of links and of people
/// who have signed in; one address, one account and one link have only so many.
struct ConnectionPlaces<ID: Hashable> {
    /// Who a connection has shown itself to belong to, by its last request.
    enum Holder: Hashable {
        case stranger
        case link(String)
        case account(String)
    }

    private struct Place {
        var address: String
        var holder = Holder.stranger
        /// Since when no request is under way on it, in the order of events; nil while one is.
        var waitingSince: Int?
    }

    /// All together. Descriptors are for meters, brokers and the record too.
    static var most: Int { 384 }
    static var mostStrangers: Int { 128 }
    static var mostStrangersOfAddress: Int { 64 }
    static var mostOfAccount: Int { 48 }
    static var mostOfLinks: Int { 96 }
    static var mostOfLink: Int { 8 }

    private var places: [ID: Place] = [:]
    private var moment = 0

    /// How many there are.
    var count: Int { places.count }

    /// A connection has come.
    /// - Returns: those to be hung up on; the new one may be among them
    mutating func arrive(_ id: ID, from address: String) -> [ID] {
        places[id] = Place(address: address, waitingSince: tick())
        return makeRoom(for: id)
    }

    /// A request has come, to its end.
    mutating func begin(_ id: ID) { places[id]?.waitingSince = nil }

    /// A request was answered.
    mutating func end(_ id: ID) {
        let now = tick()
        places[id]?.waitingSince = now
    }

    /// A connection has shown whose it is.
    /// - Returns: those to be hung up on; the connection itself may be among them, and is then not to be served
    mutating func identify(_ id: ID, as holder: Holder) -> [ID] {
        guard let place = places[id], place.holder != holder else { return [] }
        places[id]?.holder = holder
        return makeRoom(for: id)
    }

    /// A connection is gone.
    mutating func leave(_ id: ID) { places[id] = nil }

    private mutating func tick() -> Int {
        moment += 1
        return moment
    }

    private mutating func makeRoom(for id: ID) -> [ID] {
        guard let place = places[id] else { return [] }
        let limits: [(most: Int, belongs: (Place) -> Bool)] =
            switch place.holder {
            case .stranger:
                [
                    (Self.mostStrangersOfAddress, { $0.holder == .stranger && $0.address == place.address }),
                    (Self.mostStrangers, { $0.holder == .stranger }),
                ]
            case .link:
                [
                    (Self.mostOfLink, { $0.holder == place.holder }),
                    (Self.mostOfLinks, { if case .link = $0.holder { true } else { false } }),
                ]
            case .account: [(Self.mostOfAccount, { $0.holder == place.holder })]
            }
        var gone: [ID] = []
        for (most, belongs) in limits + [(Self.most, { _ in true })] {
            let group = places.filter { belongs($0.value) }
            guard group.count > most else { continue }
            // Whoever waits longest without a request gives way; where nobody waits, the one that came last.
            let other = group.filter { $0.key != id && $0.value.waitingSince != nil }.min { ($0.value.waitingSince ?? 0) < ($1.value.waitingSince ?? 0) }
            let leaving = other?.key ?? id
            places[leaving] = nil
            gone.append(leaving)
            if leaving == id { break }
        }
        return gone
    }
}
