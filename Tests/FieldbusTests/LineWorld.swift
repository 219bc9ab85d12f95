import DeviceProfiles
import Simulation
import Telemetry

@testable import Fieldbus

/// A line on a driven clock with devices behind it whose every trouble comes from a seed: delays, losses, repeats, splits, joins, noise, echo,
/// connections that end. It carries out what `LineState` decides, as the bus's thread does, and knows of every register for which read it was
/// sent.
///
/// Bytes keep their order, as on any line. A device works on one request after the other and drops what it cannot answer within `latest`.
struct LineWorld {
    /// What may go wrong in one schedule.
    struct Troubles {
        var kind = LineState.Kind.rtuOverTCP
        var tries = 1
        var betweenRequests = Interval.zero
        var delay: ClosedRange<Int64> = 20...20
        var loss = 0
        var repeats = 0
        var splits = 0
        var joins: Int64 = 0
        var noise = 0
        var hangUps = 0
        var echo = false
        var converterKeeps = false

        /// Troubles of a seed.
        static func drawn(_ random: inout SeededRandom) -> Troubles {
            var troubles = Troubles()
            troubles.kind = [.serial(characterMilliseconds: 1.04), .rtuOverTCP, .tcp][Int.random(in: 0...2, using: &random)]
            troubles.tries = Int.random(in: 1...3, using: &random)
            troubles.betweenRequests = .milliseconds([0, 20][Int.random(in: 0...1, using: &random)])
            let constant = [20, 300, 490, 510, 700, 1200, 1500, 2500, 3500][Int.random(in: 0...8, using: &random)] as Int64
            troubles.delay = Bool.random(using: &random) ? constant...constant : 10...constant + 1
            troubles.loss = [0, 0, 10, 30][Int.random(in: 0...3, using: &random)]
            troubles.repeats = [0, 0, 0, 30][Int.random(in: 0...3, using: &random)]
            troubles.splits = [0, 40][Int.random(in: 0...1, using: &random)]
            troubles.joins = [0, 0, 250, 600][Int.random(in: 0...3, using: &random)]
            troubles.noise = [0, 0, 50][Int.random(in: 0...2, using: &random)]
            troubles.hangUps = [0, 0, 0, 10][Int.random(in: 0...3, using: &random)]
            troubles.echo = Int.random(in: 0...3, using: &random) == 0 && troubles.kind != .tcp
            troubles.converterKeeps = Bool.random(using: &random)
            return troubles
        }
    }

    /// A value that was the answer to something else.
    struct Wrong: Error, CustomStringConvertible { var description: String }

    /// No answer comes later than this behind its request; what is repeated comes less than a second later.
    static let latest: Int64 = 3900

    let troubles: Troubles
    var random: SeededRandom
    var state: LineState
    var now: Int64 = 100_000
    private var arrivals: [(at: Int64, bytes: [UInt8])] = []
    private var lastArrival: Int64 = 0
    private var busyUntil: [UInt8: Int64] = [:]
    private var isOpen = false
    private var reads: UInt16 = 0
    private(set) var accepted = 0
    private(set) var refused = 0

    init(_ troubles: Troubles, seed: UInt64) {
        self.troubles = troubles
        random = SeededRandom(seed: seed)
        state = LineState(troubles.kind, responseTimeout: .milliseconds(500), betweenRequests: troubles.betweenRequests, transaction: 65_530)
    }

    /// One poll as the bus makes it.
    mutating func poll(_ unit: UInt8, _ blocks: [ReadRequest], timing: DeviceTiming = DeviceTiming()) throws(Wrong) {
        var answered = false
        for (index, block) in blocks.enumerated() {
            reads &+= 1
            switch try perform(LineState.Read(unit: unit, block, timing: timing, tries: troubles.tries, isFirst: index == 0)) {
            case .success(let words):
                try check(words, unit, block)
                (accepted, answered) = (accepted + 1, true)
            case .failure(let fault):
                refused += 1
                answered = answered || fault.isAnswer
                if fault.endsPlan {
                    state.planEnded(answered: answered)
                    return
                }
            }
        }
        state.planEnded(answered: answered)
    }

    private func check(_ words: [UInt16], _ unit: UInt8, _ block: ReadRequest) throws(Wrong) {
        guard words.count == block.count, words[0] == UInt16(unit) << 8 | block.address, words[1] == reads else {
            throw Wrong(description: "at \(now) unit \(unit), \(block), read \(reads): \(words.map { String($0, radix: 16) }); \(troubles)")
        }
    }

    private mutating func perform(_ read: LineState.Read) throws(Wrong) -> Result<[UInt16], ReadFault> {
        let began = now
        state.begin(read, at: .milliseconds(now))
        while true {
            guard now - began < 60_000 else { throw Wrong(description: "a read takes more than a minute; \(troubles)") }
            switch state.next(at: .milliseconds(now)) {
            case .accept(let words): return .success(words)
            case .refuse(let fault): return .failure(fault)
            case .connect:
                isOpen = true
                state.opened(at: .milliseconds(now))
            case .drop: while let first = arrivals.first, first.at <= now, isOpen { deliver() }
            case .send(let bytes):
                answer(bytes, read.unit)
                state.sent(at: .milliseconds(now))
            case .close:
                hangUp()
                state.closed()
            case .wait(let until):
                if let first = arrivals.first, first.at <= until.milliseconds, isOpen {
                    now = max(now, first.at)
                    deliver()
                } else {
                    now = max(now, until.milliseconds)
                }
            }
            if isOpen, troubles.hangUps > 0, Int.random(in: 0..<1000, using: &random) < troubles.hangUps, troubles.kind != .serial(characterMilliseconds: 1.04)
            {
                hangUp()
                state.ended(.notConnected("test"), at: .milliseconds(now))
            }
        }
    }

    private mutating func hangUp() {
        isOpen = false
        // A converter hands what comes from the line to whoever is connected then.
        if !troubles.converterKeeps { arrivals.removeAll() }
    }

    private mutating func deliver() {
        let bytes = arrivals.removeFirst().bytes
        state.received(bytes, at: .milliseconds(now))
    }

    private func happens(_ percent: Int, _ random: inout SeededRandom) -> Bool { percent > 0 && Int.random(in: 0..<100, using: &random) < percent }

    private mutating func answer(_ request: [UInt8], _ unit: UInt8) {
        if troubles.echo { send(request, at: now, latest: .max) }
        let start = max(now, busyUntil[unit] ?? 0)
        let done = max(start + Int64.random(in: troubles.delay, using: &random), lastArrival)
        guard done - now <= Self.latest, !happens(troubles.loss, &random) else { return }
        busyUntil[unit] = done
        let head = troubles.kind == .tcp ? 6 : 0
        let address = UInt16(request[head + 2]) << 8 | UInt16(request[head + 3])
        let count = Int(request[head + 5])
        let words = [UInt16(unit) << 8 | address, reads] + (2..<max(2, count)).map { UInt16($0) }
        var frame = ModbusFrame.encodeResponse(unit: unit, function: request[head + 1], words: words)
        if troubles.kind == .tcp { frame = Array(request[..<4]) + [0, UInt8(frame.count - 2)] + frame.dropLast(2) }
        let noise = happens(troubles.noise, &random) && troubles.kind != .tcp
        let before = noise ? [UInt8](repeating: 0, count: Int.random(in: 1...3, using: &random)) : []
        let behind = noise && Bool.random(using: &random) ? [0xFF as UInt8] : []
        guard send(before + frame + behind, at: done, latest: now + Self.latest) else { return }
        if happens(troubles.repeats, &random) { send(frame, at: done + Int64.random(in: 0...250, using: &random), latest: done + 850) }
    }

    /// Puts bytes on their way, unless they would come later than anything does.
    @discardableResult
    private mutating func send(_ bytes: [UInt8], at moment: Int64, latest: Int64) -> Bool {
        var pieces = [(moment, bytes)]
        if happens(troubles.splits, &random) {
            let cut = Int.random(in: 1..<bytes.count, using: &random)
            pieces = [(moment, Array(bytes[..<cut])), (moment + Int64.random(in: 0...150, using: &random), Array(bytes[cut...]))]
        }
        var last = lastArrival
        let timed = pieces.map { moment, bytes in
            last = max(moment, last)
            // A converter gathers bytes and sends them as one piece.
            if troubles.joins > 0 { last = (last + troubles.joins - 1) / troubles.joins * troubles.joins }
            return (last, bytes)
        }
        guard last <= latest else { return false }
        lastArrival = last
        for (at, bytes) in timed {
            if let before = arrivals.last, before.at == at, troubles.joins > 0 {
                arrivals[arrivals.count - 1].bytes += bytes
            } else {
                arrivals.append((at, bytes))
            }
        }
        return true
    }
}

/// One schedule: polls of two meters with equal and unequal blocks, at the gaps of a real poller.
enum LineSchedule {
    /// Runs the schedule of a seed.
    /// - Returns: how many reads were accepted and how many not
    static func run(seed: UInt64) throws(LineWorld.Wrong) -> (accepted: Int, refused: Int) {
        var random = SeededRandom(seed: seed)
        var world = LineWorld(.drawn(&random), seed: seed &* 31)
        let blocks = [
            ReadRequest(function: 3, address: 0, count: 2), ReadRequest(function: 3, address: 8, count: 2), ReadRequest(function: 3, address: 16, count: 3),
        ]
        for _ in 0..<Int.random(in: 2...5, using: &random) {
            let unit: UInt8 = Bool.random(using: &random) ? 17 : 18
            let own = Array(blocks.shuffled(using: &random).prefix(Int.random(in: 1...3, using: &random)))
            try world.poll(unit, own)
            world.now += [1000, 1500, 2000, 5000, 60_000][Int.random(in: 0...4, using: &random)]
        }
        return (world.accepted, world.refused)
    }
}
