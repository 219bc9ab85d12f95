import Casework
import Foundation
import Neighbourhood
import Phrasebook
import Safeguarding
import SiteConfiguration
import Telemetry
import TimeSeriesStore
import Watchkeeping

/// `/homes/ID`: today against the usual day, the last week, the reasons in words.
struct HomePage {
    var frame: PageFrame
    let home: SiteConfiguration.Household
    let watch: HouseholdWatch?
    let openCase: Case?
    /// The totaliser's readings of the last 31 days.
    let readings: [Reading]
    /// The notices of the open case.
    var told: [DeliverySchedule.Item] = []

    mutating func context() -> [String: Any] {
        let now = frame.shapes.now
        let state = watch?.state(at: now) ?? .blind
        let days = DayCurves(readings, now: now.wall, civil: frame.shapes.civil)
        var parts: [String: Any] = [
            "name": frame.subject(Subject(.household, home.id.rawValue)), "tone": state.tone, "shape": state.shape,
            "state": watch == nil ? frame.label(.notWatched) : frame.label(state.label),
            "reasons": (watch?.reasons(at: now) ?? []).map { ["text": $0.text[frame.language]] as [String: Any] },
            "facts": facts(), "mayAct": frame.account?.role.may(.keepPresence) ?? false, "presenceAction": "/homes/\(home.id)/presence",
            "presenceKinds": presenceKinds(), "week": days.week(&frame),
        ]
        parts.merge(days.chart()) { $1 }
        parts["hasTold"] = !told.isEmpty
        parts["told"] = told.suffix(12).map { record in
            let state = record.sentAt.map { frame.spoken($0) } ?? "\(record.state.rawValue) (\(record.attempts))"
            return ["whom": record.notice.role.name[frame.language], "state": state] as [String: Any]
        }
        if let openCase { parts["openCase"] = ["href": "/cases/\(openCase.id)", "label": frame.label(.toCase)] as [String: Any] }
        return frame.context(frame.subject(Subject(.household, home.id.rawValue)), parts)
    }

    private func presenceKinds() -> [[String: Any]] {
        let choices: [(String, Label)] = [("none", .presenceNone), ("away", .presenceAway), ("hospital", .presenceHospital), ("visitors", .presenceVisitors)]
        return choices.map { ["value": $0.0, "label": frame.label($0.1), "chosen": $0.0 == (watch?.presence?.kind.rawValue ?? "none")] }
    }

    private mutating func facts() -> [[String: Any]] {
        var lines: [(Label, String)] = []
        if let watch {
            lines.append((.lastUse, watch.lastUse.map { "\(frame.spoken($0.wall)) · \(frame.ago($0.wall))" } ?? "–"))
            lines.append((.firstUse, watch.firstUse(today: frame.shapes.now).map { frame.spoken($0) } ?? frame.label(.noUseYet)))
            let next = watch.nextSignExpected(at: frame.shapes.now)
            let left = next.map { $0 - frame.shapes.now.wall }.flatMap { $0 > .zero ? " · \(frame.label(.untilSign)) \(frame.span($0))" : nil } ?? ""
            lines.append((.nextSign, frame.spoken(next) + left))
        }
        if let id = home.meter, let meter = frame.premises.configuration.meter(id) {
            let profile = frame.premises.configuration.profiles[meter.profile]
            let clock = frame.label(profile?.hasHeartbeat == true ? .heartbeatYes : .heartbeatNo)
            lines.append((.meterQuality, "\(id) · \(profile?.title[frame.language] ?? meter.profile.rawValue) · \(clock)"))
        }
        return lines.map { ["label": frame.label($0.0), "value": $0.1] }
    }
}

/// Litres by hour for each of the last days, and the curves drawn from them.
struct DayCurves {
    private var hours: [Int64: [Double]] = [:]
    private let today: Int64
    private let hourNow: Int

    init(_ readings: [Reading], now: WallTime, civil: CivilClock) {
        var clock = civil
        today = clock.day(at: now)
        hourNow = Int(clock.secondOfDay(at: now) / 3600)
        var previous: Double?
        for reading in readings where reading.quality.isUsable {
            guard let value = reading.value else { continue }
            if let before = previous, value > before, value - before < 5000 {
                let day = clock.day(at: reading.at)
                hours[day, default: Array(repeating: 0, count: 24)][Int(clock.secondOfDay(at: reading.at) / 3600)] += value - before
            } else if previous != nil {
                hours[clock.day(at: reading.at), default: Array(repeating: 0, count: 24)][0] += 0
            }
            previous = value
        }
    }

    private func cumulative(_ day: Int64) -> [Double]? {
        guard let parts = hours[day] else { return nil }
        var sum = 0.0
        return parts.map {
            sum += $0; return sum
        }
    }

    /// Path data and texts for the chart: 24 hours across from 36 to 720, litres up from 180 to 10.
    func chart() -> [String: Any] {
        let past = (1...30).compactMap { cumulative(today - Int64($0)) }
        let present = cumulative(today) ?? Array(repeating: 0, count: 24)
        let ordered = (0..<24).map { hour in past.map { $0[hour] }.sorted() }
        func rank(_ share: Double, _ hour: Int) -> Double {
            ordered[hour].isEmpty ? 0 : ordered[hour][min(ordered[hour].count - 1, Int(share * Double(ordered[hour].count)))]
        }
        let most = max(10, present.max() ?? 0, rank(0.9, 23)) * 1.05
        func x(_ hour: Int) -> Int { 36 + (hour + 1) * 684 / 24 }
        func y(_ litres: Double) -> Int { 180 - Int(170 * min(1, litres / most)) }
        func path(_ points: [(Int, Int)]) -> String { points.enumerated().map { "\($0.offset == 0 ? "M" : "L")\($0.element.0) \($0.element.1)" }.joined() }
        let hoursAll = Array(0..<24)
        let upper = hoursAll.map { (x($0), y(rank(0.9, $0))) }
        let lower = hoursAll.reversed().map { (x($0), y(rank(0.1, $0))) }
        let band = past.isEmpty ? "" : path([(36, 180)] + upper + lower) + "Z"
        return [
            "bandPath": band, "usualPath": past.isEmpty ? "" : path([(36, 180)] + hoursAll.map { (x($0), y(rank(0.5, $0))) }),
            "todayPath": path([(36, 180)] + (0...hourNow).map { (x($0), y(present[$0])) }),
            "hours": stride(from: 0, through: 24, by: 6).map { ["x": 36 + $0 * 684 / 24 - ($0 == 24 ? 30 : 0), "label": "\($0):00"] as [String: Any] },
            "levels": [0.5, 0.95].map { ["y": y(most * $0), "label": Phrase.number((most * $0).rounded())] as [String: Any] },
            "bars": hoursAll.map {
                ["x": x($0) - 28, "width": 28, "label": "\($0 + 1):00 – \(Phrase.number(present[$0])) L / \(Phrase.number(rank(0.5, $0))) L"] as [String: Any]
            },
            "rows": stride(from: 2, through: 23, by: 3).map { hour in
                [
                    "hour": "\(hour + 1):00", "today": hour <= hourNow ? Phrase.number(present[hour]) : "–",
                    "usual": past.isEmpty ? "–" : Phrase.number(rank(0.5, hour)),
                ] as [String: Any]
            },
        ]
    }

    /// Seven small charts, one a day.
    func week(_ frame: inout PageFrame) -> [[String: Any]] {
        let days = (1...7).reversed().map { today - Int64($0) }
        let most = max(5, days.flatMap { hours[$0] ?? [] }.max() ?? 5)
        return days.map { day in
            let parts = hours[day] ?? []
            let bars = parts.enumerated().filter { $0.element > 0 }.map { hour, litres -> [String: Any] in
                let height = max(2, Int(44 * litres / most))
                return ["x": hour * 4, "y": 48 - height, "height": height]
            }
            let date = frame.shapes.civil.monthAndDay(WallTime(unixSeconds: day * 86_400 + 43_200))
            let sum = Phrase.number(parts.reduce(0, +).rounded())
            return ["bars": bars, "label": "\(date.month)/\(date.day) · \(parts.isEmpty ? "–" : sum + " L")"]
        }
    }
}
