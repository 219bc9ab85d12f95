import DeviceProfiles
import Telemetry

extension LineState {
    /// A request whose answer may still come.
    struct Sent: Sendable, Hashable {
        var request: ReadRequest
        var unit: UInt8
        /// The read it was sent for; 0 for none: an answer came that nobody had asked for, and more may follow.
        var read: Int
        var transaction: UInt16
        var at: Interval
        var timeout: Interval
        /// Until when its answer may come.
        var until: Interval
    }

    /// What is known of one unit on the line.
    struct UnitMemory: Sendable, Hashable {
        /// A time-out that lateness taught.
        var learnt: Interval?
        var lastSpoke: Interval?
        var lastReply: Reply?
        /// Reads whose answer was found equal to the one before it and true.
        var equals: Set<ReadRequest> = []
    }

    /// The newest answer of a unit, to know it when it comes again.
    struct Reply: Sendable, Hashable {
        var request: ReadRequest
        var read: Int
        var words: [UInt16]
        var at: Interval
        var wasUsed: Bool
    }

    /// How long to wait for an answer: the bus's time-out, lengthened by what the device's documentation says and by what
    /// its lateness taught, and the time of the request itself on a serial line.
    func timeout(_ read: Read) -> Interval {
        var longest = max(responseTimeout, units[read.unit]?.learnt ?? .zero)
        if let turnaround = read.timing.turnaround { longest = max(longest, turnaround + max(.milliseconds(100), turnaround / 4)) }
        if case .serial(let character) = kind { longest = longest + .milliseconds(Int64((character * 8).rounded(.up))) }
        return longest
    }

    /// How long after its request an answer may still come. A documented turnaround is trusted, others are given four
    /// seconds, or four time-outs up to ten seconds.
    func horizon(_ read: Read, timeout: Interval) -> Interval {
        if read.timing.turnaround != nil { return timeout * 2 }
        return max(.seconds(4), min(timeout * 4, .seconds(10)), timeout * 2)
    }

    mutating func noteSent(_ read: Read, at now: Interval) {
        let timeout = timeout(read)
        if unsettled.count >= 64 { unsettled.removeFirst() }
        unsettled.append(
            Sent(
                request: read.request, unit: read.unit, read: number, transaction: transaction, at: now, timeout: timeout,
                until: now + horizon(read, timeout: timeout)))
    }

    /// Until when no request may go out because an older one could have the same answer; nil when it may go out now.
    mutating func quietUntil(_ read: Read, at now: Interval) -> Interval? {
        unsettled.removeAll { $0.until <= now }
        guard kind != .tcp else { return nil }
        return unsettled.filter { $0.read != number && isAlike($0, read) }.map(\.until).max()
    }

    /// Whether both could have the same answer.
    func isAlike(_ sent: Sent, _ read: Read) -> Bool {
        (sent.unit == read.unit || answersForOthers) && sent.request.function == read.request.function
            && sent.request.count == read.request.count
    }

    var ownCopies: Int { unsettled.count { $0.read == number } }

    /// An answer that came late lengthens the time-out of its unit.
    mutating func learn(_ sent: Sent, at now: Interval, exact: Bool) {
        let took = now - sent.at
        guard took > sent.timeout else { return }
        let wanted = exact ? took + took / 2 : min(sent.timeout * 2, took + took / 2)
        let longest = max(Self.longestTimeout, responseTimeout)
        units[sent.unit, default: UnitMemory()].learnt = min(longest, max(units[sent.unit]?.learnt ?? .zero, wanted))
    }

    /// Answers that come quicker again shorten it, slowly.
    mutating func unlearn(_ unit: UInt8, took: Interval) {
        guard let learnt = units[unit]?.learnt else { return }
        let wanted = max(took + took / 2, learnt - learnt / 20)
        units[unit]?.learnt = wanted > responseTimeout ? min(learnt, wanted) : nil
    }

    /// A unit that says nothing at all need not keep the line for long.
    mutating func forgetHalf(_ unit: UInt8) {
        guard let learnt = units[unit]?.learnt else { return }
        units[unit]?.learnt = learnt / 2 > responseTimeout ? learnt / 2 : nil
    }

    func mustWake(_ read: Read, at now: Interval) -> Bool {
        guard let sleeps = read.timing.sleepsAfter else { return read.timing.discardFirst }
        guard let last = units[read.unit]?.lastSpoke else { return true }
        return now - last >= sleeps
    }

    mutating func dropBuffer() {
        notes.noiseBytes += buffer.count
        buffer.removeAll(keepingCapacity: true)
    }
}
