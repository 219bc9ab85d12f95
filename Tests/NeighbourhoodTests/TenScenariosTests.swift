import Casework
import Foundation
import Neighbourhood
import Safeguarding
import Simulation
import Telemetry
import Testing

/// What must come of ten things that happen to homes and meters, through the whole core.
@Suite struct TenScenariosTests {
    @Test func `S1 an undeclared trip is one case, and the outcome away keeps the home quiet until the return`() throws {
        var street = Street.settled
        street.life.story.absences = [street.now.wall..<(street.now.wall + .days(3))]
        street.live(.hours(30))
        let trip = try #require(street.open.first { $0.kind == .inactivity })
        #expect(street.open.count == 1)
        street.take(.act(trip.id, .init(.outcome(.away, until: street.now.wall + .days(2)), by: "committee")))
        let before = street.found(.inactivity).count
        street.live(.hours(41))
        #expect(street.state == .away)
        #expect(street.found(.inactivity).count == before && street.open.allSatisfy { $0.kind == .incident }, "only the question whether the absence ends")
        street.live(.days(2))
        #expect(street.state == .safe)
        street.collapse()
        street.live(.hours(25))
        #expect(street.open.contains { $0.kind == .inactivity && $0.severity == .alarm })
    }

    @Test func `S1 a declared trip is silent, except when water runs`() {
        var street = Street.settled
        let entry = PresenceEntry(kind: .away, until: street.now.wall + .days(3), by: "daughter")
        street.life.story.absences = [street.now.wall..<(street.now.wall + .days(2))]
        street.take(.presence("h", entry))
        street.live(.hours(47))
        #expect(street.findings.filter { $0.at.elapsed > Street.settled.now.elapsed }.isEmpty && street.state == .away)
        street.live(.hours(20))
        #expect(Set(street.open.map(\.kind)) == [.useWhileAway, .incident])
        #expect(street.findings.filter { $0.rule == "absence_ending" }.count == 1, "asked about once, before it ends")
        street.live(.hours(10))
        #expect(!street.open.contains { $0.kind == .incident }, "the question ends with the absence")
    }

    @Test(arguments: [0.8, 3, 12]) func `S2 a leak of any size never hides a collapse behind SAFE`(litresPerHour: Double) {
        for midLife in [false, true] {
            var street = midLife ? Street.settled : Street()
            street.life.story.leak = (since: street.now.wall, litresPerHour: litresPerHour)
            street.live(.days(midLife ? 3 : 9))
            street.collapse()
            street.live(.hours(26))
            #expect([.alarm, .degraded].contains(street.state), "\(litresPerHour) L/h, mid-life \(midLife): \(street.state)")
        }
    }

    @Test func `S3 a held value turns the home BLIND within two polls, for technicians and not as an alarm about the person`() {
        var policy = SafeguardingPolicy()
        policy.noData = .minutes(30)
        var street = Street(policy: policy)
        street.live(.days(2))
        var reply = HeldReply()
        let clock = street.now.wall
        let register = street.shown()
        let first = reply.isHeld(deviceAt: clock, register: register, at: street.now)
        #expect(!first)
        for _ in 0..<2 {
            street.now = street.now.advanced(by: Street.poll)
            let held = reply.isHeld(deviceAt: clock, register: register, at: street.now)
            #expect(held)
            street.read(held ? nil : register, reason: "its clock stands still")
        }
        #expect(street.state == .blind)
        #expect(street.open.map(\.kind).contains(.equipment))
        #expect(street.found(.inactivity).isEmpty)
    }

    @Test func `S3 a register that moves is fresh even when the device's clock has stopped, and without a clock nobody can tell`() {
        var reply = HeldReply()
        let clock = WallTime(unixSeconds: 946_684_800)
        var now = Street.beginning
        for step in 0..<20 {
            let held = reply.isHeld(deviceAt: clock, register: .litres(Int64(step)), at: now)
            #expect(!held)
            now = now.advanced(by: .minutes(15))
        }
        for _ in 0..<40 {
            let held = reply.isHeld(deviceAt: clock, register: .litres(19), at: now)
            #expect(!held, "the owner's quiet night under a clock known to have stopped")
            now = now.advanced(by: .minutes(15))
        }
        let running = reply.isHeld(deviceAt: clock + .hours(1), register: .litres(19), at: now)
        now = now.advanced(by: .minutes(15))
        let held = reply.isHeld(deviceAt: clock + .hours(1), register: .litres(19), at: now)
        #expect(!running && held, "a clock that runs again is asked again")
        for _ in 0..<20 {
            let held = reply.isHeld(deviceAt: nil, register: .litres(5), at: now)
            #expect(!held)
            now = now.advanced(by: .minutes(15))
        }
    }

    @Test func `S4 six hours without the gateway raise no storm, and a silence across them is judged on elapsed time and says so`() throws {
        var awake = Street.settled
        awake.live(untilHour: 10)
        let before = awake.findings.count
        awake.now = awake.now.advanced(by: .hours(6))
        awake.live(.hours(2))
        #expect(awake.findings.dropFirst(before).allSatisfy { $0.kind != .inactivity }, "people drew water meanwhile")

        var fallen = Street.settled
        fallen.live(untilHour: 10)
        fallen.collapse()
        fallen.live(.hours(2))
        fallen.now = fallen.now.advanced(by: .hours(6))
        fallen.live(.hours(17))
        let alarms = fallen.found(.inactivity).filter { $0.severity == .alarm && $0.at.elapsed > Street.settled.now.elapsed }
        let first = try #require(alarms.first)
        #expect(alarms.count == 1, "one silence, one alarm")
        #expect((first.numbers["unseen_hours"] ?? 0) >= 6, "\(first.numbers)")
        #expect(first.at.since(try #require(fallen.watch.lastUse)) <= .hours(24) + Street.poll)
    }

    @Test func `S4 totals of the meter's own log put use where it happened, so that a fall before the outage ended is counted from there`() throws {
        // The person drew water an hour into the outage and never again.
        var plain = Street.settled
        plain.live(untilHour: 10)
        let outage = plain.now
        let before = plain.shown()
        let after = before + .litres(6)
        var logged = plain
        let past = (1...6).map { Neighbourhood.Poll.Past(at: outage.wall + .hours(Int64($0)), register: $0 >= 2 ? after : before) }
        for fills in [false, true] {
            var street = fills ? logged : plain
            street.now = outage.advanced(by: .minutes(6 * 60 + 15))
            street.take(.poll(.init(meter: "wm", answered: true, register: after, past: fills ? past : [])))
            if fills { logged = street } else { plain = street }
        }
        #expect(plain.watch.lastUse?.wall == outage.wall + .minutes(6 * 60 + 15), "without the log the use is only known to lie before the first poll")
        #expect(logged.watch.lastUse?.wall == outage.wall + .hours(2))
        // The same log once more changes nothing: never doubled.
        let today = logged.watch.volumeToday
        logged.now = logged.now.advanced(by: Street.poll)
        logged.take(.poll(.init(meter: "wm", answered: true, register: after, past: past)))
        #expect(logged.watch.volumeToday == today && logged.watch.lastUse?.wall == outage.wall + .hours(2))
    }

    @Test func `S4 a silence learnt of from the meter's log is told now, with its ladder at the beginning`() throws {
        var street = Street.settled
        street.live(untilHour: 10)
        street.collapse()
        let fall = street.now
        let register = street.shown()
        let past = (1...20).map { Neighbourhood.Poll.Past(at: fall.wall + .hours(Int64($0)), register: register) }
        street.now = fall.advanced(by: .minutes(20 * 60 + 15))
        let told = street.findings.count
        street.take(.poll(.init(meter: "wm", answered: true, register: register, past: past)))
        let item = try #require(street.open.first { $0.kind == .inactivity })
        #expect(item.openedAt == street.now)
        #expect(item.rungs.contains { $0.doneAt == nil }, "nobody was passed over")
        #expect(street.findings.count > told)

        // The same hours, but water ran again before the gateway could hear of any of it.
        var quiet = Street.settled
        quiet.live(untilHour: 10)
        let before = quiet.findings.count
        let now = quiet.shown()
        let log = (1...14).map { Neighbourhood.Poll.Past(at: quiet.now.wall + .hours(Int64($0)), register: $0 < 14 ? now : now + .litres(40)) }
        quiet.now = quiet.now.advanced(by: .minutes(14 * 60 + 15))
        quiet.take(.poll(.init(meter: "wm", answered: true, register: now + .litres(40), past: log)))
        #expect(quiet.findings.count == before && quiet.open.isEmpty, "what is over is not told as news")
    }

    @Test(arguments: [-8 * 3600, 8 * 3600, -26_000_000]) func `S5 a wall clock that jumps raises nothing at once and freezes no timer`(seconds: Int64) {
        var street = Street.settled
        street.live(untilHour: 10)
        let before = street.findings.count
        let real = street.now
        street.now = Instant(elapsed: real.elapsed, wall: WallTime(unixSeconds: real.wall.unixSeconds + seconds))
        let register = street.watch.register ?? .zero
        street.read(register)
        #expect(street.findings.count == before)
        // The register stands still from here on, whatever the wall clock says.
        for _ in 0..<100 {
            street.now = street.now.advanced(by: Street.poll)
            street.read(register)
        }
        #expect(street.state == .alarm)
    }

    @Test(arguments: [-20, 20]) func `S5 a clock that drifts by a fifth moves no ceiling`(percent: Int64) throws {
        var street = Street.settled
        street.live(untilHour: 10)
        street.collapse()
        let fall = street.now
        let before = street.found(.inactivity).count
        let register = street.shown()
        func alarmed() -> Finding? { street.found(.inactivity).dropFirst(before).first { $0.severity == .alarm } }
        while alarmed() == nil, street.now.since(fall) <= .hours(30) {
            let next = street.now.advanced(by: Street.poll)
            street.now = Instant(elapsed: next.elapsed, wall: next.wall + .minutes(15) * percent / 100)
            street.read(register)
        }
        let alarm = try #require(alarmed())
        #expect(alarm.at.since(fall) <= .hours(24) + Street.poll)
    }

    @Test func `S6 a rollover, a reset and another meter give no giant use, and another meter is a ticket`() {
        var street = Street.settled
        street.live(untilHour: 12)
        let shown = street.shown()
        street.offset = .zero - (shown - .litres(3))
        street.live(.hours(3))
        #expect(street.state == .safe && street.found(.excessUse).isEmpty, "a reset")
        street.offset = street.offset + .litres(400_000)
        street.live(.hours(3))
        #expect(street.found(.excessUse).isEmpty)
        #expect(street.open.map(\.kind) == [.equipment], "another meter")

        var turning = Street(seed: 5)
        turning.offset = .litres(99_990) - turning.shown()
        turning.live(.days(1))
        #expect(turning.found(.excessUse).isEmpty && turning.found(.inactivity).isEmpty)
        #expect(turning.watch.lastUse != nil)
    }

    @Test func `S7 jitter around one count is no activity, and water that keeps running backwards is a ticket`() throws {
        var street = Street.settled
        street.live(untilHour: 12)
        let fallen = street.shown()
        for step in 0..<96 {
            street.now = street.now.advanced(by: Street.poll)
            street.read(fallen - .litres(Int64(step % 2)))
        }
        #expect(street.state == .alarm, "the jitter kept nobody alive")

        var backwards = Street.settled
        var register = backwards.shown()
        for _ in 0..<6 {
            register = register - .litres(30)
            backwards.now = backwards.now.advanced(by: Street.poll)
            backwards.read(register)
        }
        let ticket = try #require(backwards.open.first { $0.kind == .equipment })
        #expect(ticket.findings.first?.rule == "meter_reverse")
        #expect(backwards.watch.lastUse.map { $0.elapsed <= Street.settled.now.elapsed } == true, "nothing of it was use")
    }

    @Test func `S8 visitors do not teach: after they leave a collapse is found as on a normal day`() throws {
        func delay(visitors: Bool) throws -> Interval {
            var street = Street.settled
            if visitors {
                street.take(.presence("h", PresenceEntry(kind: .visitors, until: street.now.wall + .days(10), by: "daughter")))
                // Somebody draws water every half hour, day and night.
                let end = street.now.elapsed + .days(10)
                while street.now.elapsed < end {
                    street.offset = street.offset + .litres(2)
                    street.live(.minutes(30))
                }
            } else {
                street.live(.days(10))
            }
            street.live(untilHour: 6)
            street.live(.hours(6))
            street.collapse()
            let fall = street.now
            street.live(.hours(26))
            let alarm = try #require(street.found(.inactivity).first { $0.severity == .alarm && $0.at.elapsed > fall.elapsed })
            return alarm.at.since(fall)
        }
        let after = try delay(visitors: true)
        let normal = try delay(visitors: false)
        #expect(after <= normal + .hours(4) && normal <= after + .hours(4), "\(after.hours) h against \(normal.hours) h")
    }

    @Test func `S9 one small flush a night is life, and silence after it still alarms`() {
        var street = Street(policy: SafeguardingPolicy(volumeRule: nil))
        street.life.story.collapsesAt = street.now.wall
        // A frail low user: five litres at three in the night and little by day.
        func day(_ street: inout Street) {
            for slot in 0..<96 {
                street.now = street.now.advanced(by: Street.poll)
                if [12, 36, 52, 76].contains(slot) { street.offset = street.offset + .litres(slot == 12 ? 5 : 2) }
                street.read(street.shown())
            }
        }
        for _ in 0..<35 { day(&street) }
        #expect(street.watch.isLearnt)
        let before = street.found(.inactivity).filter { $0.severity == .alarm }.count
        for _ in 0..<5 { day(&street) }
        #expect(street.found(.inactivity).filter { $0.severity == .alarm }.count == before, "11 L a day is this person's life")
        street.live(.hours(24))
        #expect(street.state == .alarm)
    }

    @Test func `S10 a home that never draws water is told by the fallback rule and the ceiling, from the first day`() throws {
        var street = Street()
        street.life.story.collapsesAt = street.now.wall
        street.live(.minutes(11 * 60 + 30))
        #expect(street.findings.isEmpty && street.state == .learning, "no alarm line of zero")
        street.live(.hours(1))
        let volume = try #require(street.found(.inactivity).first)
        #expect(volume.rule == "volume" && volume.severity == .alarm)
        street.live(.hours(12))
        #expect(street.found(.inactivity).contains { $0.rule == "longest_silence" && $0.text.english.contains("Check that this is the home's meter") })
        #expect(street.open.count == 1)
    }

    @Test func `S10 in the first week a person who draws water is left alone`() {
        var street = Street(seed: 11)
        street.live(.days(7))
        #expect(street.found(.inactivity).isEmpty)
    }
}
