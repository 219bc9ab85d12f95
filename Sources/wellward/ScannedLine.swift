import DeviceProfiles
import Fieldbus
import Telemetry

/// One line under one setting while `wellward bus scan` goes through its unit addresses.
///
/// Who answers is not always a meter at that address. A gateway answers for meters that are not there (exceptions 10 and 11, some
/// with others); a device on a network may answer whatever address is asked. Both are told from meters by asking two addresses that
/// no meter has: 250 and 251 are reserved (Modbus over serial line V1.02, §2.2), so no gateway finds a meter there.
struct ScannedLine {
    typealias Found = BusCommand.Scan.Found

    let name: String
    let address: BusAddress
    let bus: ModbusBus
    let tries: Int
    /// The device there answers at every address: the rest of the addresses need not be asked.
    private(set) var isOneDevice = false
    /// What a technician should know beside the meters found.
    private(set) var notes: [String] = []
    /// A read the first meter answered with registers.
    private var witness: ReadRequest?
    /// Addresses at which a device answered under another one.
    private var strangers: [Int] = []
    private var wasReached = false

    static let reserved: [UInt8] = [250, 251]

    init(name: String, address: BusAddress, bus: ModbusBus, tries: Int) {
        (self.name, self.address, self.bus, self.tries) = (name, address, bus, tries)
    }

    /// Asks one address and, where somebody answers, reads what every profile would read.
    /// - Returns: what is there; nil when it is the device found before, which answers at every address
    mutating func ask(_ unit: Int, _ profiles: [MeterProfile]) async throws -> Found? {
        let nobody = Found(line: name, unit: unit, answers: false)
        let heard = await probe(unit)
        // A line that is not there says nothing about its meters.
        if case .notConnected? = heard.faults.first?.fault, let fault = heard.faults.first?.fault, !wasReached {
            throw CommandFault("\(name): \(fault.text[Spoken.language])\(Spoken.say("。", ". "))\(fault.advice)")
        }
        wasReached = true
        if case .wrongUnit? = heard.faults.first?.fault {
            note(stranger: unit)
            return nobody
        }
        guard heard.answered else { return nobody }
        if let witness, await answersAtEveryAddress(witness) {
            isOneDevice = true
            notes.append(
                Spoken.say(
                    "\(name)：不管问哪个从站地址，应答的都是同一台设备；其余地址不再问。",
                    "\(name): one device answers at every unit address; the other addresses were not asked."))
            return nil
        }
        var image = RegisterImage()
        for request in BusCommand.Scan.requests(profiles) {
            let answer = await bus.run(MeterPlan(unit: UInt8(clamping: unit), requests: [request], timing: DeviceTiming(retries: 1)))
            image.blocks += answer.image.blocks
        }
        guard let block = image.blocks.first else {
            // Nothing but a refusal, and the same one where no meter can be: the gateway's word.
            return await isGatewaysRefusal(heard.faults.first?.fault) ? nobody : found(unit, image, profiles)
        }
        if witness == nil { witness = ReadRequest(function: block.function, address: block.address, count: block.words.count) }
        return found(unit, image, profiles)
    }

    private func probe(_ unit: Int) async -> PlanAnswer {
        let plan = MeterPlan(
            unit: UInt8(clamping: unit), requests: [ReadRequest(function: 3, address: 0, count: 1)], timing: DeviceTiming(retries: tries - 1))
        let heard = await bus.run(plan)
        // A converter may hang up over an address it does not like.
        if wasReached, case .notConnected? = heard.faults.first?.fault { return await bus.run(plan) }
        return heard
    }

    private var isNetwork: Bool {
        if case .tcp = address { true } else { false }
    }

    private func answersAtEveryAddress(_ request: ReadRequest) async -> Bool {
        guard isNetwork else { return false }
        for unit in Self.reserved {
            let answer = await bus.run(MeterPlan(unit: unit, requests: [request]), tries: 2)
            guard !answer.image.blocks.isEmpty else { return false }
        }
        return true
    }

    private func isGatewaysRefusal(_ fault: ReadFault?) async -> Bool {
        guard isNetwork, let fault else { return false }
        for unit in Self.reserved {
            let answer = await bus.run(MeterPlan(unit: unit, requests: [ReadRequest(function: 3, address: 0, count: 1)]), tries: 2)
            guard answer.faults.first?.fault == fault else { return false }
        }
        return true
    }

    private mutating func note(stranger unit: Int) {
        strangers.append(unit)
        guard strangers.count == 1 else { return }
        notes.append(
            Spoken.say(
                "\(name)：问从站\(unit)时，应答的设备用的是另一个地址，没有把它算作水表。",
                "\(name): asked for unit \(unit), a device answered under another address; it is not counted as a meter."))
    }

    private func found(_ unit: Int, _ image: RegisterImage, _ profiles: [MeterProfile]) -> Found {
        let alike = profiles.map { ProfileLikeness(of: image, to: $0) }.sorted { ($0.isNamed ? 1 : 0, $0.nearness) > ($1.isNamed ? 1 : 0, $1.nearness) }
        var found = Found(line: name, unit: unit, answers: true)
        let named = alike.filter(\.isNamed)
        // Two fingerprints that both fit name nothing.
        if named.count == 1 { found.profile = named.first?.profile.rawValue }
        found.nearest = alike.prefix(3).filter { $0.nearness > 0.3 }.map {
            .init(profile: $0.profile.rawValue, nearness: ($0.nearness * 100).rounded() / 100)
        }
        if let id = found.profile ?? found.nearest.first?.profile, let profile = profiles.first(where: { $0.id.rawValue == id }) {
            var civil = CivilClock(zone: .gmt)
            let readings = MeterDecoder(profile: profile).readings(of: "scan", in: image, at: WallTime(unixSeconds: 0), civil: &civil)
            found.readings = readings.map { .init(point: $0.point, value: $0.value, unit: $0.unit, quality: $0.quality.rawValue) }
        }
        return found
    }
}
