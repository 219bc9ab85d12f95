import Telemetry

/// One read of registers on the wire.
public struct ReadRequest: Hashable, Sendable {
    /// The function code: 3 holding registers, 4 input registers.
    public var function: UInt8
    /// The wire address of the first register.
    public var address: UInt16
    /// How many registers.
    public var count: Int

    /// A read.
    public init(function: UInt8, address: UInt16, count: Int) {
        self.function = function
        self.address = address
        self.count = count
    }
}

/// What requests and registers cost in time on one bus.
public struct BusCost: Hashable, Sendable {
    /// Microseconds a byte takes on the wire; 0 on a network.
    public var byteMicroseconds: Double
    /// Microseconds of silence, thinking and pausing around one exchange.
    public var exchangeMicroseconds: Double

    /// The cost on a serial line of so many baud: 11 bits a character with parity or the second stop bit the standard
    /// asks for in its place (Modbus over serial line V1.02, §2.5.1), 10 without; 3.5 characters of silence twice.
    public static func serial(baud: Int, bitsPerCharacter: Int = 10, turnaround: Interval, betweenRequests: Interval) -> BusCost {
        let byte = Double(bitsPerCharacter) * 1_000_000 / Double(max(baud, 300))
        // Above 19,200 baud the silence is fixed at 1.75 ms (same section).
        let silence = baud > 19_200 ? 1750 : 3.5 * byte
        return BusCost(
            byteMicroseconds: byte,
            exchangeMicroseconds: 2 * silence + Double(turnaround.milliseconds + betweenRequests.milliseconds) * 1000)
    }

    /// The cost on a network: the exchange alone.
    public static func network(turnaround: Interval, betweenRequests: Interval) -> BusCost {
        BusCost(
            byteMicroseconds: 0,
            exchangeMicroseconds: Double(turnaround.milliseconds + betweenRequests.milliseconds) * 1000 + 200)
    }

    /// Time for one read: 8 bytes out, 5 and the words back.
    public func time(ofRead count: Int) -> Double {
        exchangeMicroseconds + byteMicroseconds * Double(8 + 5 + 2 * count)
    }
}

/// Plans the reads that fetch a meter's points in the least time its limits allow.
///
/// Points are sorted by address; a read covers a run of neighbouring points, and the cheapest cut into runs is found by
/// dynamic programming, so no plan within the same limits is cheaper.
public enum ReadPlanner {
    /// The reads for some points.
    /// - Parameters:
    ///   - fields: the wanted registers; each stays whole in one read
    ///   - rules: the device's limits
    ///   - cost: what the bus charges
    ///   - unreadable: wire addresses the device refused, by function; no read covers them
    public static func plan(
        _ fields: [RegisterField], rules: ReadingRules, cost: BusCost, unreadable: Set<UnreadableRegister> = []
    ) -> [ReadRequest] {
        var requests = rules.fixedBlocks.filter { !covers($0, unreadable) }
        let loose = fields.filter { field in
            !requests.contains {
                $0.function == field.function && Int($0.address) <= field.registers.lowerBound
                    && field.registers.upperBound <= Int($0.address) + $0.count
            }
                && !field.registers.contains { unreadable.contains(UnreadableRegister(function: field.function, address: UInt16($0))) }
        }
        for function in Set(loose.map(\.function)).sorted() {
            let wanted = loose.filter { $0.function == function }.map(\.registers)
            requests += cut(merged(wanted, apart: !rules.coalesces), function, rules, cost, unreadable)
        }
        return requests
    }

    private static func covers(_ request: ReadRequest, _ unreadable: Set<UnreadableRegister>) -> Bool {
        unreadable.contains {
            $0.function == request.function && $0.address >= request.address
                && Int($0.address) < Int(request.address) + request.count
        }
    }

    /// Sorts the wanted stretches and joins those that overlap, so that no value is cut.
    private static func merged(_ wanted: [Range<Int>], apart: Bool) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        for range in Set(wanted).sorted(by: { ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound) }) {
            if !apart, let last = runs.last, range.lowerBound < last.upperBound {
                runs[runs.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                runs.append(range)
            }
        }
        return runs
    }

    private static func cut(
        _ runs: [Range<Int>], _ function: UInt8, _ rules: ReadingRules, _ cost: BusCost,
        _ unreadable: Set<UnreadableRegister>
    ) -> [ReadRequest] {
        var best = [0.0]
        var start = [0]
        for end in 1...max(runs.count, 1) where end <= runs.count {
            best.append(.infinity)
            start.append(end - 1)
            for first in stride(from: end - 1, through: 0, by: -1) {
                let span = runs[first].lowerBound..<runs[end - 1].upperBound
                let single = first == end - 1
                if !single {
                    if !rules.coalesces || span.count > rules.mostRegisters { break }
                    let gap = runs[first + 1].lowerBound - runs[first].upperBound
                    if let largest = rules.largestGap, gap > largest { break }
                    if span.contains(where: { unreadable.contains(UnreadableRegister(function: function, address: UInt16($0))) }) { break }
                }
                let total = best[first] + cost.time(ofRead: span.count)
                if total < best[end] {
                    best[end] = total
                    start[end] = first
                }
            }
        }
        var requests: [ReadRequest] = []
        var end = runs.count
        while end > 0 {
            let first = start[end]
            let span = runs[first].lowerBound..<runs[end - 1].upperBound
            requests.append(ReadRequest(function: function, address: UInt16(span.lowerBound), count: span.count))
            end = first
        }
        return requests.reversed()
    }
}

/// A register a device answered with "illegal data address".
public struct UnreadableRegister: Hashable, Sendable {
    /// The function code it was read with.
    public var function: UInt8
    /// Its wire address.
    public var address: UInt16

    /// A refused register.
    public init(function: UInt8, address: UInt16) {
        self.function = function
        self.address = address
    }
}
