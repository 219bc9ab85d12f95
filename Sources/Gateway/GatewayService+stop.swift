import ServiceLifecycle
import Threads
import TimeSeriesStore

/// The end of a gateway, part by part.
extension GatewayService {
    /// Ends everything in its order. Whatever hangs is left behind (`ShutdownPlan`), so that the record is closed in time.
    func stop(_ work: Work) async {
        let (premises, pollers, opening) = (premises, pollers, opening)
        let (desk, telemetry, delivery) = (premises.desk, premises.telemetry, premises.delivery)
        for task in work.upkeep { task.cancel() }
        desk.newsroom.close()
        async let lifts = shutdown.end(.lifts) { await premises.boarding?.stop() }
        async let buses = shutdown.end(.buses) { await pollers.stop() }
        _ = await (lifts, buses)
        await shutdown.end(.telemetry) { await telemetry.finish() }
        desk.close()
        await shutdown.end(.desk) {
            await work.desk.value
            await self.saveAxis()
        }
        work.delivery.cancel()
        // What tries under way did is written down before the store closes.
        await shutdown.end(.delivery) { await delivery.settle() }
        let isChecked = await OwnThread.value { opening.check.stop() }
        await shutdown.end(.store) {
            await OwnThread.value {
                // Whatever the check has not seen yet is seen by the next start's.
                if !isChecked { try? premises.store.writeLogBack() }
                try? premises.store.close(inOrder: isChecked)
            }
        }
        let (broker, upstream, events, http) = (noticeBroker, premises.upstream, events, http)
        await shutdown.end(.connections) {
            async let hubs: Void = OwnThread.value { upstream?.close() }
            async let notices: Void = OwnThread.value { broker?.close() }
            async let heard: Void = OwnThread.value { events?.close() }
            async let web: Void? = try? http.shutdown()
            _ = await (hubs, notices, heard, web)
        }
        log.info("stopped")
    }

    /// What runs beside the buses.
    struct Work {
        var desk: Task<Void, Never>
        var delivery: Task<Void, Never>
        var upkeep: [Task<Void, Never>]
    }
}
