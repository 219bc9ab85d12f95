import Logging
import SiteConfiguration
import Telemetry
import TimeSeriesStore
import Watchkeeping

/// Keeps one poller at work for each bus. A bus whose settings and meters did not change goes on without dropping a
/// poll; a changed one is restarted.
actor PollerHub {
    private struct Worker {
        var key: String
        var poller: BusPoller
        var task: Task<Void, Never>
    }

    private var workers: [BusID: Worker] = [:]
    private let clock: GatewayClock
    private let writer: TelemetryWriter
    private let desk: SiteDesk
    private let log: Logger

    init(clock: GatewayClock, writer: TelemetryWriter, desk: SiteDesk, log: Logger) {
        self.clock = clock
        self.writer = writer
        self.desk = desk
        self.log = log
    }

    /// Brings the workers in line with a configuration.
    /// - Returns: the pollers at work, in the configuration's order
    func arrange(_ configuration: SiteConfiguration) async -> [BusPoller] {
        var pollers: [BusPoller] = []
        var ended: [Worker] = []
        for (id, worker) in workers where !configuration.buses.contains(where: { $0.id == id }) {
            ended.append(worker)
            workers[id] = nil
        }
        for bus in configuration.buses {
            let meters = configuration.polledMeters.filter { $0.bus == bus.id }
            let key = "\(bus) \(meters) \(meters.map { configuration.profiles[$0.profile].hashValue })"
            if let worker = workers[bus.id], worker.key == key {
                pollers.append(worker.poller)
                continue
            }
            if let old = workers.removeValue(forKey: bus.id) {
                old.task.cancel()
                await old.task.value
            }
            let poller = BusPoller(
                bus, meters: meters, configuration: configuration, clock: clock, writer: writer, desk: desk, log: log)
            workers[bus.id] = Worker(key: key, poller: poller, task: Task { await poller.run() })
            pollers.append(poller)
        }
        for worker in ended {
            worker.task.cancel()
            await worker.task.value
        }
        return pollers
    }

    /// Ends all, and waits for reads under way; whoever waits for this decides for how long.
    func stop() async {
        let tasks = workers.values.map(\.task)
        workers = [:]
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
    }
}
