import DeviceProfiles
import Foundation
import Garbage
import Simulation
import Telemetry
import TestSupport
import Testing
import Watchkeeping

/// Seeded garbage for every parser that reads from a wire or a file; `make fuzz` feeds each ten million.
@Suite struct GarbageTests {
    @Test(arguments: Garbage.parsers) func `no input crashes a parser, and none breaks its promise`(parser: Garbage) async throws {
        for lot in 0..<parser.few { try await parser.feedLot(lot, seed: 1) }
    }

    @Test func `no request crashes the console, and none makes it fail`() async throws {
        let site = try StormSite(homes: 5, port: try LoopbackPort.free(), hooks: [:])
        do {
            for parser in try ConsoleGarbage(site).parsers { for lot in 0..<parser.few { try await parser.feedLot(lot, seed: 1) } }
        } catch {
            await site.end()
            throw error
        }
        await site.end()
    }

    @Test func `what garbage is made from is good before it is broken`() { #expect(Garbage.poorSeeds == []) }

    @Test func `a lot is the same again from its seed and number, and others are others`() {
        var (one, again, other) = (SeededRandom(seed: 7), SeededRandom(seed: 7), SeededRandom(seed: 8))
        #expect(one.next() == again.next() && one.next() != other.next())
    }

    @Test func `a frame with one flipped bit is never taken`() {
        let frame = ModbusFrame.encodeResponse(unit: 1, function: 3, words: [1, 2, 3])
        for bit in 0..<(frame.count * 8) {
            var flipped = frame
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: ModbusFrame.Fault.self) { try ModbusFrame.response(flipped) }
        }
    }

    @Test func `a link whose last letter was changed is not valid, spare bits or not`() {
        let signer = LinkSigner(secret: Data(repeating: 7, count: 32))
        let now = WallTime(unixSeconds: 1_700_000_000)
        let token = signer.token(.init(caseID: "c-1", contact: "x", until: now + .hours(24), issuedAt: now))
        #expect(signer.grant(token, now: now) != nil && signer.grant(token, now: now + .hours(25)) == nil)
        for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" {
            let changed = String(token.dropLast()) + String(letter)
            if changed != token { #expect(signer.grant(changed, now: now) == nil, "\(changed)") }
        }
    }
}
