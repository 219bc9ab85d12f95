import DeviceProfiles
import Telemetry

/// The one owner of a line's state: connection, time-outs, quiet, echo, noise, lateness and exceptions. A pure value that
/// decides from bytes and times what the bus's thread does next.
///
/// On a line without transaction numbers an answer is known only by unit, function and length. So no request goes out
/// while another one that could have the same answer may still be answered: until that answer came, or for as long as a
/// device may reasonably be late (`horizon`). The tries of one read are copies of one request and may answer for each
/// other. What was in the buffer before a request is dropped.
public struct LineState: Sendable {
    /// What kind of line.
    public enum Kind: Sendable, Hashable {
        /// A serial line with so many milliseconds for a character.
        case serial(characterMilliseconds: Double)
        /// RTU frames through a converter.
        case rtuOverTCP
        /// Modbus TCP.
        case tcp

        var framing: LineFraming { self == .tcp ? .tcp : .rtu }
        var isSocket: Bool { if case .serial = self { false } else { true } }
    }

    /// One read of registers with its tries.
    public struct Read: Sendable, Hashable {
        var unit: UInt8
        var request: ReadRequest
        var timing: DeviceTiming
        var tries: Int
        var isFirst: Bool
        var mayWait: Bool

        /// A read.
        /// - Parameters:
        ///   - tries: how often it is tried when nothing comes
        ///   - isFirst: whether it opens a plan: a device that may sleep is woken before
        ///   - mayWait: whether it is worth the line's time to wait for older answers of this unit; where not, and they are
        ///     long in coming, nothing is asked and the unit counts as silent still
        public init(
            unit: UInt8, _ request: ReadRequest, timing: DeviceTiming = DeviceTiming(), tries: Int = 1, isFirst: Bool = true,
            mayWait: Bool = true
        ) {
            self.unit = unit
            self.request = request
            self.timing = timing
            self.tries = max(1, tries)
            self.isFirst = isFirst
            self.mayWait = mayWait
        }
    }

    /// What the thread does next.
    public enum Decision: Sendable, Hashable {
        /// Opens the line, then says `opened` or `failed`.
        case connect
        /// Takes what has come without waiting for more, then asks again.
        case drop
        /// Sends these bytes, then says `sent`.
        case send([UInt8])
        /// Waits for bytes, or until then.
        case wait(until: Interval)
        /// Closes the line, then says `closed`.
        case close
        /// The read is done: these are its registers.
        case accept([UInt16])
        /// The read is done without.
        case refuse(ReadFault)
    }

    enum Stage: Hashable, Sendable {
        case idle
        /// Before a request: opening, dropping, waiting for silence.
        case preparing
        /// Before a request: a pause the device asked for.
        case pausing(until: Interval)
        /// A request is out.
        case asking(since: Interval, until: Interval)
        /// An answer came that may be the one before repeated.
        case doubting([UInt16], until: Interval)
        case done([UInt16])
        case failed(ReadFault)
    }

    /// The longest time-out that lateness can teach.
    public static let longestTimeout = Interval.seconds(5)
    /// Between the pieces of one answer.
    static let pieceGap = Interval.milliseconds(200)
    /// The longest a read waits for older answers: where strange ones keep coming, a second master is on the line.
    static let longestQuiet = Interval.seconds(20)
    /// Pauses after "busy" and "acknowledge" (exceptions 6 and 5), one after the other.
    static let busyPauses: [Interval] = [.milliseconds(200), .milliseconds(300), .milliseconds(500), .milliseconds(800), .seconds(1)]

    let kind: Kind
    let responseTimeout: Interval
    let gap: Interval
    // The connection.
    var isOpen = false
    var openedOnce = false
    var isSuspect = false
    var heardFrame = false
    var mustClose = false
    // The bytes.
    var buffer: [UInt8] = []
    var lastByteAt: Interval?
    var earliestSend: Interval
    var babbleSince: Interval?
    // What is remembered.
    var unsettled: [Sent] = []
    var units: [UInt8: UnitMemory] = [:]
    var answersForOthers = false
    var repeatsReplies = false
    var transaction: UInt16
    // The read that is under way.
    var read: Read?
    var number = 0
    var begunAt = Interval.zero
    var stage = Stage.idle
    var outgoing: [UInt8] = []
    var triesLeft = 0
    var hasDropped = false
    var isDropping = false
    var openedForThis = false
    var connectFailures = 0
    var freeReconnects = 1
    var busyTurns = 0
    var isDiscarding = false
    var stranger: UInt8?
    var heardBytes = false
    var doubted: [UInt16]?
    /// What the line had to say beside its answers since the notes were taken.
    public var notes = LineNotes()

    /// The state of a line that was never opened.
    /// - Parameters:
    ///   - betweenRequests: silence before each request, beside the 3.5 characters that a serial line needs anyway
    ///   - transaction: where the numbers of Modbus TCP begin; best where no earlier run began
    public init(_ kind: Kind, responseTimeout: Interval, betweenRequests: Interval = .zero, transaction: UInt16 = 0) {
        self.kind = kind
        self.responseTimeout = responseTimeout
        self.transaction = transaction
        earliestSend = .zero
        switch kind {
        // Modbus over serial line V1.02, §2.5.1.1: 3.5 characters, never under 1.75 ms.
        case .serial(let character): gap = max(betweenRequests, .milliseconds(Int64(max(1.75, character * 3.5).rounded(.up))))
        // Converters cut a frame into packets; a silence shorter than this may be one of their joints.
        case .rtuOverTCP: gap = max(betweenRequests, .milliseconds(10))
        case .tcp: gap = betweenRequests
        }
    }

    /// Begins a read. The one before it must be done.
    public mutating func begin(_ read: Read, at now: Interval) {
        self.read = read
        begunAt = now
        number += 1
        (triesLeft, freeReconnects, connectFailures, busyTurns) = (read.tries, 1, 0, 0)
        (stranger, doubted, heardBytes, openedForThis, isDiscarding) = (nil, nil, false, false, false)
        if read.isFirst, mustWake(read, at: now) {
            // The request that wakes is none of the tries.
            triesLeft += 1
            isDiscarding = read.timing.discardFirst
        }
        prepare()
    }

    mutating func prepare() {
        stage = .preparing
        hasDropped = false
        babbleSince = nil
    }

    /// What to do at a moment.
    public mutating func next(at now: Interval) -> Decision {
        guard let read else { return .refuse(.notConnected("nothing was asked")) }
        isDropping = false
        while true {
            switch stage {
            case .idle: return .refuse(.notConnected("nothing was asked"))
            case .done(let words):
                self.read = nil
                stage = .idle
                return .accept(words)
            case .failed(let fault):
                self.read = nil
                stage = .idle
                return .refuse(fault)
            case .pausing(let until):
                if now < until, isOpen { return .wait(until: until) }
                prepare()
            case .preparing:
                if let decision = beforeSending(read, at: now) { return decision }
            case .asking(let since, let until):
                let until = extended(until, since: since, read)
                if now < until { return .wait(until: until) }
                ranOut(read, at: now)
            case .doubting(let words, let until):
                if now < until { return .wait(until: until) }
                // Nothing else came. Asked once more, it either says the same again or what it was asked.
                doubted = words
                earliestSend = now + gap
                prepare()
            }
        }
    }

    private mutating func beforeSending(_ read: Read, at now: Interval) -> Decision? {
        if mustClose { return .close }
        guard isOpen else {
            if connectFailures > 0, now < earliestSend { return .wait(until: earliestSend) }
            return .connect
        }
        if !hasDropped {
            (hasDropped, isDropping) = (true, true)
            return .drop
        }
        if isSuspect {
            isSuspect = false
            // The poll before got no answer at all, and nothing came since: an open connection that nobody hears.
            if !heardFrame {
                mustClose = true
                return .close
            }
        }
        if let until = quietUntil(read, at: now) {
            guard read.mayWait || until - now < .milliseconds(300) else {
                stage = .failed(.timeout)
                return nil
            }
            guard now - begunAt < Self.longestQuiet else {
                stage = .failed(.garbled)
                return nil
            }
            return .wait(until: until)
        }
        if now < earliestSend { return .wait(until: earliestSend) }
        if let last = lastByteAt, now < last + gap {
            let since = babbleSince ?? now
            babbleSince = since
            guard now - since < responseTimeout + .seconds(2) else {
                stage = .failed(.garbled)
                return nil
            }
            return .wait(until: last + gap)
        }
        dropBuffer()
        if kind == .tcp { transaction &+= 1 }
        outgoing = LineFrame.request(kind.framing, transaction: transaction, unit: read.unit, read.request)
        return .send(outgoing)
    }

    /// The request is on the line.
    public mutating func sent(at now: Interval) {
        guard let read else { return }
        noteSent(read, at: now)
        heardBytes = false
        stage = .asking(since: now, until: now + timeout(read))
    }

    /// Bytes came.
    public mutating func received(_ bytes: some Collection<UInt8>, at now: Interval) {
        guard !bytes.isEmpty else { return }
        lastByteAt = now
        if case .asking = stage { heardBytes = true }
        buffer.append(contentsOf: bytes)
        takeFrames(at: now)
    }

    /// The line is open.
    public mutating func opened(at now: Interval) {
        (isOpen, mustClose, isSuspect, openedForThis) = (true, false, false, true)
        notes.connections += 1
        buffer.removeAll(keepingCapacity: true)
        lastByteAt = nil
        earliestSend = max(earliestSend, now + (read?.timing.pauseAfterConnect ?? .zero))
        // Who asked on this line before us may still be answered: another run of this program above all.
        if !openedOnce, kind != .tcp { earliestSend = max(earliestSend, now + responseTimeout) }
        openedOnce = true
        hasDropped = false
    }

    /// The line could not be opened.
    public mutating func failed(_ fault: ReadFault, at now: Interval) {
        (isOpen, mustClose) = (false, false)
        connectFailures += 1
        guard connectFailures < min(2, read?.tries ?? 1) else {
            stage = .failed(fault)
            return
        }
        // A converter with one client needs a moment to let the last one go.
        earliestSend = now + .milliseconds(200)
    }

    /// The line was closed, by our own doing.
    public mutating func closed() {
        (isOpen, mustClose) = (false, false)
        dropBuffer()
    }

    /// The other side hung up, or the device is gone.
    public mutating func ended(_ fault: ReadFault, at now: Interval) {
        closed()
        guard let read else { return }
        switch stage {
        case .asking, .doubting:
            if !heardBytes, !openedForThis, freeReconnects > 0 {
                // Closed while it was idle: that says nothing about the device, and costs no try.
                freeReconnects -= 1
                prepare()
            } else {
                tryAgain(read, fault, at: now)
            }
        case .preparing, .pausing:
            connectFailures += 1
            if connectFailures > 3 { stage = .failed(fault) } else { prepare() }
        case .idle, .done, .failed: break
        }
    }

    /// A plan is over; when not one of its reads was answered, a connection is looked at before it is used again.
    public mutating func planEnded(answered: Bool) {
        guard kind.isSocket, !answered, isOpen else { return }
        (isSuspect, heardFrame) = (true, false)
    }

    /// An answer that has begun may end.
    private func extended(_ until: Interval, since: Interval, _ read: Read) -> Interval {
        guard let last = lastByteAt, last >= since, !buffer.isEmpty,
            LineFrame.isBegun(in: buffer, kind.framing, transaction: transaction, unit: read.unit, read.request)
        else { return until }
        var longest = Interval.seconds(3)
        if case .serial(let character) = kind { longest = max(longest, .milliseconds(Int64(character * 260))) }
        return min(max(until, last + Self.pieceGap), until + longest)
    }

    private mutating func ranOut(_ read: Read, at now: Interval) {
        let fault: ReadFault
        if let stranger {
            fault = .wrongUnit(stranger)
        } else if LineFrame.isDamaged(in: buffer, kind.framing, unit: read.unit, read.request) {
            fault = .badCRC
        } else {
            fault = buffer.isEmpty ? .timeout : .garbled
        }
        tryAgain(read, fault, at: now)
    }

    /// Counts a try and begins the next, or ends the read.
    mutating func tryAgain(_ read: Read, _ fault: ReadFault, at now: Interval) {
        triesLeft -= 1
        isDiscarding = false
        doubted = nil
        // Who answers as somebody else does so again.
        if case .wrongUnit = fault { triesLeft = min(triesLeft, 1) }
        guard triesLeft > 0 else {
            if fault == .timeout { forgetHalf(read.unit) }
            stage = .failed(fault)
            return
        }
        earliestSend = now + gap
        if triesLeft == 1, read.tries > 1, kind.isSocket, isOpen, !openedForThis, fault == .timeout { mustClose = true }
        prepare()
    }
}
