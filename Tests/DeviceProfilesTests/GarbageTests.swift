import DeviceProfiles
import Foundation
import Simulation
import Telemetry
import TestSupport
import Testing

/// Seeded garbage for every parser of this room. FUZZ=n multiplies the effort.
@Suite struct GarbageTests {
    static let effort = ProcessInfo.processInfo.environment["FUZZ"].flatMap { Int($0) } ?? 1

    @Test func `no words on the wire crash a shipped profile's decoder, and none becomes a number that is none`() {
        var random = SeededRandom(seed: 20)
        let profiles = ShippedProfiles.all.compactMap { ProfileReader.read($0.text, file: $0.name).profile }
        for profile in profiles {
            let decoder = MeterDecoder(profile: profile)
            let requests = ReadPlanner.plan(decoder.wantedFields, rules: profile.reading, cost: .network(turnaround: .zero, betweenRequests: .zero))
            var civil = CivilClock(zone: .gmt)
            for _ in 0..<(200 * Self.effort) {
                let style = random.next() % 4
                let blocks = requests.filter { _ in random.next() % 8 != 0 }.map { request in
                    let words = (0..<request.count).map { _ in
                        style == 0 ? UInt16(0xFFFF) : style == 1 ? UInt16(random.next() % 4) : UInt16(truncatingIfNeeded: random.next())
                    }
                    return RegisterImage.Block(function: request.function, address: request.address, words: words)
                }
                for reading in decoder.readings(of: "wm", in: RegisterImage(blocks: blocks), at: WallTime(unixSeconds: 0), civil: &civil) {
                    if let value = reading.value { #expect(value.isFinite) }
                    if reading.quality == .missing || reading.quality == .bad { continue }
                }
            }
        }
    }

    @Test func `no bytes crash the frame parser, and a frame with one flipped bit is never taken`() throws {
        var random = SeededRandom(seed: 21)
        for _ in 0..<(20_000 * Self.effort) {
            let bytes = (0..<Int(random.next() % 40)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            _ = try? ModbusFrame.response(bytes)
            _ = try? ModbusFrame.request(bytes)
        }
        let frame = ModbusFrame.encodeResponse(unit: 1, function: 3, words: [1, 2, 3])
        for bit in 0..<(frame.count * 8) {
            var flipped = frame
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: ModbusFrame.Fault.self) { try ModbusFrame.response(flipped) }
        }
    }

    @Test func `a profile that was cut, doubled or scribbled into is read or refused with its line, never a crash`() {
        var random = SeededRandom(seed: 22)
        for entry in ShippedProfiles.all {
            let bytes = Array(entry.text.utf8)
            for _ in 0..<(6 * Self.effort) {
                var broken = bytes
                switch random.next() % 4 {
                case 0: broken.removeLast(Int(random.next() % UInt64(bytes.count)))
                case 1:
                    let place = Int(random.next() % UInt64(bytes.count))
                    broken.insert(contentsOf: bytes[place..<min(bytes.count, place + 200)], at: place)
                case 2: for _ in 0..<10 { broken[Int(random.next() % UInt64(broken.count))] = UInt8(32 + random.next() % 90) }
                default: broken[Int(random.next() % UInt64(broken.count))] = UInt8(truncatingIfNeeded: random.next())
                }
                let read = ProfileReader.read(String(decoding: broken, as: UTF8.self), file: entry.name)
                #expect(read.profile != nil || read.issues.contains { $0.severity == .error })
            }
        }
    }

    @Test func `no display text crashes, and a solver fed with anything answers`() {
        var random = SeededRandom(seed: 23)
        let letters = Array("0123456789.-=m³3/hLé \u{FEFF}serial")
        for _ in 0..<(2000 * Self.effort) {
            let typed = String((0..<Int(random.next() % 12)).map { _ in letters[Int(random.next() % UInt64(letters.count))] })
            guard let fact = DisplayFact(parsing: typed) else { continue }
            let words = (0..<3).map { _ in UInt16(truncatingIfNeeded: random.next()) }
            #expect(RegisterSolver(words: words).solve([fact]).count == 1)
        }
    }
}
