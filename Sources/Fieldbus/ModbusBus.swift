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
    /// Which connection of the bus it ended on, counted from 1: another number says that the line was connected anew.
    public var connection = 0

    /// A read that failed in the end.
    public struct Fault: Sendable, Hashable {
        public var request: ReadRequest
        public var fault: ReadFault
    }

    /// Whether the meter said anything at all.
    public var answered: Bool { !image.blocks.isEmpty || faults.contains { $0.fault.isAnswer } }
}

/// One bus: a serial line or a connection, with the thread that owns it. Calls queue up; a call hands over a whole plan,
/// so that a thousand reads cost two hops between threads, not two thousand.
public actor ModbusBus {
    private let executor: ThreadExecutor
    private let context: ModbusContext
    private let betweenRequests: Interval
    private let address: BusAddress
    private var lastSpoke: [UInt8: Int64] = [:]

    /// Runs on the bus's own thread: libmodbus blocks.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// A bus that connects when it is first used.
    public init(_ address: BusAddress, responseTimeout: Interval = .milliseconds(500), betweenRequests: Interval = .zero) {
        executor = ThreadExecutor()
        context = ModbusContext(address, responseTimeout: responseTimeout)
        self.betweenRequests = betweenRequests
        self.address = address
    }

    /// Carries out a plan. After a read without any answer, the rest of the plan is not tried: a dead meter costs one
    /// read with its tries, whatever its plan.
    /// - Parameter tries: how often a read is tried; nil takes the profile's retries
    public func run(_ plan: MeterPlan, tries: Int? = nil) -> PlanAnswer {
        let began = OwnThread.monotonicMilliseconds()
        var answer = PlanAnswer(image: RegisterImage(), faults: [], took: .zero)
        answer.image.blocks.reserveCapacity(plan.requests.count)
        wakeIfAsleep(plan, now: began)
        for (index, request) in plan.requests.enumerated() {
            if index > 0 { pause(betweenRequests) }
            switch read(plan, request, tries: max(1, tries ?? plan.timing.retries + 1)) {
            case .success(let words):
                answer.image.blocks.append(.init(function: request.function, address: request.address, words: words))
            case .failure(let fault):
                answer.faults.append(.init(request: request, fault: fault))
                if !fault.isAnswer {
                    for skipped in plan.requests[(index + 1)...] { answer.faults.append(.init(request: skipped, fault: fault)) }
                    answer.took = .milliseconds(OwnThread.monotonicMilliseconds() - began)
                    answer.connection = context.connections
                    return answer
                }
            }
        }
        let ended = OwnThread.monotonicMilliseconds()
        lastSpoke[plan.unit] = ended
        answer.took = .milliseconds(ended - began)
        answer.connection = context.connections
        return answer
    }

    /// Closes the line.
    public func close() { context.close() }

    private func read(_ plan: MeterPlan, _ request: ReadRequest, tries: Int) -> Result<[UInt16], ReadFault> {
        var last = ReadFault.timeout
        for attempt in 1...tries {
            do throws(ReadFault) {
                if !context.isConnected {
                    try context.connect()
                    pause(plan.timing.pauseAfterConnect)
                }
                return .success(try context.read(unit: plan.unit, request))
            } catch {
                last = error
                if case .exception = error { return .failure(error) }
                if case .notConnected = error, attempt > 1 { return .failure(error) }
                settle()
            }
        }
        return .failure(last)
    }

    /// After a fault: wait until the line is quiet, then throw away what came too late.
    private func settle() {
        pause(max(betweenRequests, .milliseconds(5)))
        context.flush()
    }

    /// A meter that sleeps is woken by a read whose answer nobody needs.
    private func wakeIfAsleep(_ plan: MeterPlan, now: Int64) {
        guard plan.timing.discardFirst, let first = plan.requests.first else { return }
        if let sleeps = plan.timing.sleepsAfter, let last = lastSpoke[plan.unit], now - last < sleeps.milliseconds { return }
        _ = read(plan, first, tries: 1)
        pause(max(betweenRequests, .milliseconds(20)))
    }

    private func pause(_ interval: Interval) {
        guard interval > .zero else { return }
        var left = timespec(
            tv_sec: Int(interval.milliseconds / 1000), tv_nsec: Int(interval.milliseconds % 1000) * 1_000_000)
        var rest = timespec()
        while nanosleep(&left, &rest) != 0, errno == EINTR { left = rest }
    }
}
