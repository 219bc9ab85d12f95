import DeviceProfiles
import Foundation
import Telemetry
import TimeSeriesStore

/// Writes the weeks before the demonstration begins, as if the gateway had been polling all along.
enum DemoHistory {
    static func write(_ site: DemoSite, _ profiles: [ProfileID: MeterProfile], to path: String) throws {
        let store = try Store(path: path)
        for home in site.homes {
            var life = home.life
            let profile = profiles[home.profile]
            let point = profile?.volumeTotal?.id ?? "volume_total"
            let resolution = profile?.resolution ?? .litres(1)
            let begins = home.fate == .learning ? site.start - .days(3) : site.start - DemoSite.historyLength
            var readings: [Reading] = []
            var time = begins
            while time < site.start {
                let register = life.register(at: time)
                let shown = register.millilitres / resolution.millilitres * resolution.millilitres
                readings.append(
                    Reading(
                        meter: MeterID(home.meterID), point: point, at: time, receivedAt: time, value: Double(shown) / 1000, unit: "L",
                        quality: .good))
                // The last week as it is polled from now on, what lies before it thinner: nobody waits for a demonstration.
                time = time + (site.start - time <= .days(7) ? .minutes(5) : DemoSite.historyStep)
            }
            try store.writeNow { try $0.append(readings) }
        }
        try store.close()
    }
}
