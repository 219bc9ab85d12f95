import DeviceProfiles
import Glibc
import Telemetry
import Threads

/// The reads that fetch one meter, handed to the bus in one go.
public struct MeterPlan: Sendable, Hashable {
    /// The unit address, 1 to 247.
    public var unit: UInt8
    public var requests: [ReadRequest]
    public var timing: DeviceTiming

    /// A plan.
    public init(unit: UInt8, requests: [ReadRequest], timing: DeviceTiming = DeviceTiming()) {
        self.unit = unit
        self.requests = requests
        self.timing = timing
    }
}

/// What a plan brought home.
public struct PlanAnswer: Sendable, Hashable {
    /// The registers that arrived.
    public var image: RegisterImage
    /// The reads that did not, with their faults.
    public var faults: [Fault]
    /// How long the plan kept the bus.
    public var took: Interval
    /// Which connection of the bus it ended on, counted from 1: another number says that the line was connected anew. A
    /// connection that we ended ourselves and opened again is the same one.
    public var connection = 0
    /// What the line had to say beside the answers, for the technician.
    public var notes = LineNotes()

    /// A read that failed in the end.
    public struct Fault: Sendable, Hashable {
        public var request: ReadRequest
        public var fault: ReadFault
    }

    /// Whether the meter said anything at all.
    public var answered: Bool { !image.blocks.isEmpty || faults.contains { $0.fault.isAnswer } }
}

/// One bus: a serial line or a connection, with the thread that owns it. Calls queue up; a call hands over a whole plan,
/// so that a thousand reads cost two hops between threads, not two thousand. `LineState` decides, the thread carries out.
public actor ModbusBus {
    private let executor: ThreadExecutor
    private let connection: BusConnection
    private let abandonment: BusAbandonment
    private var state: LineState
    private var connections = 0
    private var wasLaidDown = false

    /// Runs on the bus's own thread: waiting for a line blocks.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// A bus that connects when it is first used.
    public init(_ address: BusAddress, responseTimeout: Interval = .milliseconds(500), betweenRequests: Interval = .zero) {
        executor = ThreadExecutor()
        abandonment = BusAbandonment()
        connection = BusConnection(address, responseTimeout: responseTimeout, abandonment)
        // No earlier run of this program began to count where this one does.
        state = LineState(
            address.lineKind, responseTimeout: responseTimeout, betweenRequests: betweenRequests, transaction: .random(in: 0...UInt16.max))
    }

    /// Carries out a plan. After a read without any answer, the rest of the plan is not tried: a dead meter costs one
    /// read with its tries, whatever its plan.
    /// - Parameter tries: how often a read is tried; nil takes the profile's retries
    public func run(_ plan: MeterPlan, tries: Int? = nil) -> PlanAnswer {
        let began = OwnThread.monotonicMilliseconds()
        var answer = PlanAnswer(image: RegisterImage(), faults: [], took: .zero)
        answer.image.blocks.reserveCapacity(plan.requests.count)
        state.notes = LineNotes()
        if connection.hasMoved { hangUp() }
        for (index, request) in plan.requests.enumerated() {
            precondition((1...125).contains(request.count), "a read asks for 1 to 125 registers")
            let read = LineState.Read(
                unit: plan.unit, request, timing: plan.timing, tries: tries ?? plan.timing.retries + 1, isFirst: index == 0,
                // One try is what a silent meter is worth: the line belongs to the living.
                mayWait: tries != 1)
            switch perform(read) {
            case .success(let words):
                answer.image.blocks.append(.init(function: request.function, address: request.address, words: words))
            case .failure(let fault):
                answer.faults.append(.init(request: request, fault: fault))
                if fault.endsPlan {
                    for skipped in plan.requests[(index + 1)...] { answer.faults.append(.init(request: skipped, fault: fault)) }
                }
            }
            if answer.faults.last?.fault.endsPlan == true { break }
        }
        state.planEnded(answered: answer.answered)
        answer.notes = state.notes
        answer.connection = connections
        answer.took = .milliseconds(OwnThread.monotonicMilliseconds() - began)
        return answer
    }

    /// Closes the line; the next plan opens it again.
    public func close() {
        wasLaidDown = connection.isOpen
        hangUp()
    }

    private func hangUp() {
        connection.close()
        state.closed()
    }

    /// Ends what the bus is waiting for, from any thread and at once: bytes, a connection, a name server. For the end of the
    /// program; the bus answers nothing any more.
    public nonisolated func abandon() { abandonment.abandon() }

    private static var now: Interval { .milliseconds(OwnThread.monotonicMilliseconds()) }

    private func perform(_ read: LineState.Read) -> Result<[UInt16], ReadFault> {
        guard !abandonment.isAbandoned else { return .failure(.notConnected("the bus is being closed")) }
        state.begin(read, at: Self.now)
        while true {
            switch state.next(at: Self.now) {
            case .accept(let words): return .success(words)
            case .refuse(let fault): return .failure(fault)
            case .connect:
                do throws(ReadFault) {
                    try connection.open()
                    if !wasLaidDown { connections += 1 }
                    wasLaidDown = false
                    state.opened(at: Self.now)
                } catch { state.failed(error, at: Self.now) }
            case .drop: while take(connection.takeArrived()) {}
            case .send(let bytes):
                do throws(ReadFault) {
                    try connection.send(bytes)
                    state.sent(at: Self.now)
                } catch {
                    state.sent(at: Self.now)
                    end(error)
                }
            case .wait(let until):
                if connection.isOpen { take(connection.receive(until: until.milliseconds)) } else { connection.pause(until: until.milliseconds) }
            case .close: hangUp()
            }
            if abandonment.isAbandoned {
                hangUp()
                return .failure(.notConnected("the bus is being closed"))
            }
        }
    }

    @discardableResult
    private func take(_ arrival: BusConnection.Arrival) -> Bool {
        switch arrival {
        case .bytes(let count):
            state.received(connection.bytes[..<count], at: Self.now)
            // Less than fits in is all there is.
            return count == connection.bytes.count
        case .nothing: return false
        case .ended(let fault):
            end(fault)
            return false
        }
    }

    private func end(_ fault: ReadFault) {
        connection.close()
        state.ended(fault, at: Self.now)
    }
}

extension ReadFault {
    /// Whether further reads of the plan would cost as much for nothing.
    var endsPlan: Bool { if case .wrongUnit = self { true } else { !isAnswer } }
}

extension BusAddress {
    var lineKind: LineState.Kind {
        switch self {
        case .rtu(_, let baud, let parity, let stopBits):
            .serial(characterMilliseconds: Double(9 + stopBits + (parity == .none ? 0 : 1)) * 1000 / Double(max(baud, 300)))
        case .tcp: .tcp
        case .rtuOverTCP: .rtuOverTCP
        }
    }
}
