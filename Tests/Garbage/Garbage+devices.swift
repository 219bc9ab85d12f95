import DeviceProfiles
import Fieldbus
import Foundation
import Simulation
import Telemetry
import TestSupport
import TimeSeriesStore

extension Garbage {
    /// What meters answer, what the display shows, what profiles say.
    static let devices: [Garbage] = [
        Garbage("frames", few: 20) { random in
            let bytes = random.below(3) == 0 ? random.broken(frame) : random.bytes(below: 300)
            _ = try? ModbusFrame.response(bytes)
            _ = try? ModbusFrame.request(bytes)
            return nil
        },
        Garbage("registers", few: 3) { random in
            let meter = random.one(of: meters)
            let style = random.below(4)
            let blocks = meter.requests.filter { _ in random.below(8) != 0 }.map { request in
                RegisterImage.Block(
                    function: request.function, address: request.address,
                    words: (0..<request.count).map { _ in
                        style == 0 ? 0xFFFF : style == 1 ? UInt16(random.below(4)) : UInt16(truncatingIfNeeded: random.next())
                    })
            }
            var civil = CivilClock(zone: .gmt)
            let readings = meter.decoder.readings(of: "wm", in: RegisterImage(blocks: blocks), at: WallTime(unixSeconds: 0), civil: &civil)
            return readings.contains { $0.value.map { !$0.isFinite } ?? false } ? "a number that is none came out" : nil
        },
        Garbage("profiles", few: 1) { random in
            // A whole shipped profile is dear to read; the lines of the reader are reached by short ones too.
            let size = random.below(300)
            let entry = size == 0 ? random.one(of: ShippedProfiles.all) : size < 20 ? random.one(of: shippedShort) : random.one(of: made)
            let read = ProfileReader.read(String(decoding: random.broken(entry.text.utf8), as: UTF8.self), file: entry.name)
            // What was read is also used: a device is simulated, its log is read.
            if let profile = read.profile { use(profile, &random) }
            return read.profile != nil || read.issues.contains { $0.severity == .error } ? nil : "a profile was neither read nor refused"
        },
        Garbage("bus-urls", few: 3) { random in
            let url = String(decoding: random.broken(random.one(of: urls).utf8), as: UTF8.self)
            switch BusAddress(url: url) {
            case .rtu(_, let baud, _, _): return BusAddress.bauds.contains(baud) ? nil : "\(baud) baud from \(url)"
            case .tcp(let host, let port), .rtuOverTCP(let host, let port):
                return !host.isEmpty && (1...65_535).contains(port) ? nil : "\(host) and \(port) from \(url)"
            case nil: return nil
            }
        },
        Garbage("times", few: 3) { random in
            let text = String(decoding: random.broken(random.one(of: times).utf8), as: UTF8.self)
            guard let time = CivilClock.parse(rfc3339: text) else { return nil }
            var civil = CivilClock(zone: .gmt)
            return CivilClock.parse(rfc3339: civil.rfc3339(time)) == time || civil.rfc3339(time).utf8.count != 29 ? nil : "\(text) does not come back"
        },
        Garbage("display", few: 3) { random in
            let typed = String((0..<random.below(12)).map { _ in random.one(of: letters) })
            guard let fact = DisplayFact(parsing: typed) else { return nil }
            // The solver goes through all places, orders and scales: now and then is enough.
            guard random.below(20) == 0 else { return nil }
            let words = (0..<3).map { _ in UInt16(truncatingIfNeeded: random.next()) }
            return RegisterSolver(words: words).solve([fact]).count == 1 ? nil : "one fact in, another number of answers out"
        },
        Garbage("blocks", few: 3) { random in
            let bytes = random.below(4) == 0 ? random.bytes(below: 64) : random.broken(random.one(of: blocks))
            // Either it opens or it says why not; both are fine, as long as it ends.
            guard let block = try? ReadingBlock(Data(bytes)) else { return nil }
            return block.entries.count <= ReadingBlock.most ? nil : "a block of \(block.entries.count) readings"
        },
    ]

    static var poorDeviceSeeds: [String] {
        var poor: [String] = []
        if (try? ModbusFrame.response(frame)) == nil { poor.append("frame") }
        if meters.count != ShippedProfiles.all.count || meters.isEmpty { poor.append("meters") }
        for entry in shippedShort + made {
            let read = ProfileReader.read(entry.text, file: entry.name)
            if read.profile == nil { poor.append("\(read.issues)") }
        }
        if blocks.contains(where: { (try? ReadingBlock(Data($0))) == nil }) { poor.append("blocks") }
        return poor
    }

    private static let urls = [
        "tcp://10.0.0.7:502", "tcp://[::1]:502", "rtu:///dev/ttyUSB0?baud=9600&parity=none&stop_bits=1", "rtu-over-tcp://gw.local:4001",
    ]
    private static let times = ["2026-02-28T23:59:59.999Z", "2024-02-29T00:00:00+08:00", "1970-01-01T00:00:00Z", "2026-12-31T10:00:00-11:30"]

    private static func use(_ profile: MeterProfile, _ random: inout SeededRandom) {
        let numbers = [0, 1, -1, 12_345.678, 1e15, -1e15, 1e300, .nan, .infinity]
        let encoder = RegisterEncoder(profile: profile, parameters: InstanceParameters(["unit": "m3", "exponent": "9223372036854775807"]))
        for point in profile.points {
            _ = encoder.words(for: point, value: random.one(of: numbers))
            let parts = ClockParts(year: 2026, month: 2, day: 28, hour: 1, minute: 2, second: 3)
            _ = encoder.words(forClock: point, showing: parts)
        }
        let now = WallTime(unixSeconds: 1_700_000_000)
        var civil = CivilClock(zone: .gmt)
        for log in profile.histories {
            let decoder = HistoryDecoder(log, rules: profile.reading)
            let requests = decoder.requests(since: now - .days(Int64(random.below(40)) - 2), now: now)
            let blocks = requests.prefix(3).map {
                RegisterImage.Block(function: $0.function, address: $0.address, words: (0..<$0.count).map { _ in UInt16(truncatingIfNeeded: random.next()) })
            }
            _ = decoder.records(in: RegisterImage(blocks: blocks), deviceNow: now, civil: &civil)
        }
    }

    private static let frame = ModbusFrame.encodeResponse(unit: 1, function: 3, words: [1, 2, 3])
    private static let letters = Array("0123456789.-=m³3/hLé \u{FEFF}serial")

    private static let meters: [(decoder: MeterDecoder, requests: [ReadRequest])] =
        ShippedProfiles.all.compactMap { ProfileReader.read($0.text, file: $0.name).profile }.map { profile in
            let decoder = MeterDecoder(profile: profile)
            let cost = BusCost.network(turnaround: .zero, betweenRequests: .zero)
            return (decoder, ReadPlanner.plan(decoder.wantedFields, rules: profile.reading, cost: cost))
        }

    private static let shippedShort: [ShippedProfiles.Entry] = Array(ShippedProfiles.all.sorted { $0.text.utf8.count < $1.text.utf8.count }.prefix(2))

    /// Profiles with little in them.
    private static let made: [ShippedProfiles.Entry] = [
        "scale: 0.001", "scale: 1}\n  - {id: flow, unit: m3/h, address: 4, type: float32, order: ABCD",
        "sentinels: [4294967295], limits: {min: 0, max: 9000}}\n  - {id: serial, address: 8, type: ascii, registers: 2",
        "scale: 10}\n  - {id: clock, address: 8, type: bcd32, order: CDAB",
        "scale: 1}\n  - {id: clock, role: clock, address: 8, type: clock, bcd: true, layout: mm ss DD hh YY MM",
        "scale: 1}\nhistory:\n  - {period: hourly, count: 168, unit: L, address: 36864, type: uint32, order: ABCD",
        "scale_from: {parameter: exponent, expression: \"10^(n-3)\"}}\n  - {id: n, address: 8, type: int64, order: ABCDEFGH, scale: 0.001",
        "scale: 1}\ngolden:\n  - {request: 01 03 00 00 00 02 C4 0B, response: 01 03 04 00 01 00 64 AA 18, expect: {volume_total: 6553601}, source: s",
    ].map { rest in
        .init(
            name: "made.yaml",
            text: "kind: meter\nid: made\ntitle: {zh-Hans: 甲, en: A}\ndocument: d\ntrust: structural\nfunction: 3\naddress_base: 0\nresolution_litres: 1\n"
                + "points:\n  - {id: volume_total, role: volume_total, unit: L, address: 0, type: uint32, order: CDAB, \(rest)}\n")
    }

    private static let blocks: [[UInt8]] = (1...40).map { seed in
        var random = SeededRandom(seed: UInt64(seed))
        var at = Int64(1_700_000_000_000)
        let entries = (0..<(seed % 30)).map { _ in
            at += 900_000 + Int64(random.below(3))
            return ReadingBlock.Entry(
                at: at, received: at + Int64(random.below(50)), device: random.below(3) == 0 ? nil : at, value: Double(random.below(100)) / 10,
                quality: random.below(6), raw: [UInt16(random.below(9)), 7])
        }
        return [UInt8](ReadingBlock(entries).packed())
    }
}
