import Casework
import Foundation
import Phrasebook
import SiteConfiguration
import Telemetry
import TimeSeriesStore
import Watchkeeping

/// Decides when the monthly drill is due. A pure value.
struct DrillCalendar {
    /// The month of a drill that is due now, as `2026-11`: the local day and hour have come, and no drill was held this month. Nothing is made
    /// up for in another month.
    static func due(_ drill: SiteConfiguration.Drill, heldIn last: String?, now: WallTime, civil: CivilClock) -> String? {
        var civil = civil
        let date = civil.rfc3339(now)
        let month = String(date.prefix(7))
        guard month != last, let day = Int(date.dropFirst(8).prefix(2)) else { return nil }
        let minute = Int(civil.secondOfDay(at: now) / 60)
        return day > drill.day || day == drill.day && minute >= drill.minute ? month : nil
    }
}

extension GatewayService {
    /// Once a minute: whether the monthly drill is due. It walks the `elder` ladder end to end, marked as a drill in every message.
    func holdDrills() async {
        while !Task.isCancelled {
            if let drill = premises.configuration.drill { await hold(drill) }
            try? await Task.sleep(for: .seconds(60))
        }
    }

    private func hold(_ drill: SiteConfiguration.Drill) async {
        let now = premises.clock.now()
        let name = "drill"
        do {
            let last = try await premises.store.read { try $0.fact(name) }
            guard let month = DrillCalendar.due(drill, heldIn: last, now: now.wall, civil: premises.configuration.clock) else { return }
            // The first start of a gateway is no drill: it begins with the next month's.
            let isFirst = last == nil
            try await premises.store.write { try $0.setFact(name, month) }
            guard !isFirst else { return }
            premises.desk.tell(
                .finding(
                    Finding(
                        subject: Subject(.site, name), kind: .incident, rule: Case.drillRule, severity: .alarm, at: now, text: Phrase(.drill).text)))
        } catch { log.error("the drill could not be held", metadata: ["why": "\(error)"]) }
    }
}
