import BoardingControl
import Casework
import Neighbourhood
import Phrasebook
import Safeguarding
import SiteConfiguration
import Telemetry
import Watchkeeping

/// `/`: is everyone all right?
struct OverviewPage {
    var frame: PageFrame
    let core: Neighbourhood

    mutating func context() -> [String: Any] {
        let now = frame.shapes.now
        let homes = frame.shapes.visibleHomes.map { home in (home, core.homes[home.id]?.watch) }
        let sorted = homes.sorted { left, right in
            key(left.1, now, left.0.id) < key(right.1, now, right.0.id)
        }
        let open = core.book.cases.values.filter { $0.isOpen && frame.shapes.sees($0) }
            .sorted { ($1.severity, $0.openedAt.elapsed) < ($0.severity, $1.openedAt.elapsed) }
        var parts = answer(homes.map { $0.1?.state(at: now) }, homes.compactMap { $0.1?.firstUse(today: now) }.count)
        parts["homes"] = sorted.map { tile($0.0, $0.1) }
        parts["cases"] = open.prefix(12).map { CaseWords.line($0, &frame) }
        parts["hasCases"] = !open.isEmpty
        let lifts = frame.premises.boarding?.elevators ?? []
        let mayRelease = frame.account?.role.may(.releaseDoors) ?? false
        parts["lifts"] = lifts.map { ElevatorWords.brief($0, frame, mayRelease: mayRelease) }
        parts["hasLifts"] = !lifts.isEmpty
        return frame.context(frame.label(.overview), parts)
    }

    /// The worst first, then by the time left until a sign is due.
    private func key(_ watch: HouseholdWatch?, _ now: Instant, _ id: HouseholdID) -> (Int, Int64, String) {
        let state = watch?.state(at: now) ?? .blind
        return (watch == nil ? 8 : state.rank, watch?.nextSignExpected(at: now)?.unixMilliseconds ?? .max, id.rawValue)
    }

    private func answer(_ states: [HomeState?], _ seenToday: Int) -> [String: Any] {
        let count = { (state: HomeState) in states.filter { $0 == state }.count }
        let (alarms, attention, unseen) = (count(.alarm), count(.attention), count(.blind) + count(.degraded))
        let total = states.count
        let chinese = frame.language == .chinese
        let headline: String
        let tone: String
        if alarms > 0 {
            tone = "alarm"
            headline = chinese ? "\(alarms)户需要有人去看看" : "\(alarms) home\(alarms == 1 ? "" : "s") need someone to go"
        } else if attention > 0 {
            tone = "attention"
            headline = chinese ? "\(attention)户请留意" : "\(attention) home\(attention == 1 ? "" : "s") to keep an eye on"
        } else if unseen > 0 {
            // Whoever cannot be seen is not known to be well.
            tone = "attention"
            headline = chinese ? "\(unseen)户看不到或看不清" : "\(unseen) home\(unseen == 1 ? "" : "s") out of sight"
        } else if seenToday == total, total > 0 {
            tone = "calm"
            headline = chinese ? "\(total)户，今天都有动静" : "\(total) homes, all seen today"
        } else {
            tone = "calm"
            headline = chinese ? "\(total)户，没有异常" : "\(total) homes, nothing amiss"
        }
        var detail = chinese ? "今天已有动静：\(seenToday)户" : "Seen today: \(seenToday) of \(total)"
        if unseen > 0 { detail += chinese ? "；看不到或看不清：\(unseen)户" : "; cannot be judged: \(unseen)" }
        return ["answer": headline, "detail": detail, "tone": tone]
    }

    private mutating func tile(_ home: SiteConfiguration.Household, _ watch: HouseholdWatch?) -> [String: Any] {
        let now = frame.shapes.now
        let state = watch?.state(at: now) ?? .blind
        let named = frame.account?.role.may(.names) ?? false
        var tile: [String: Any] = [
            "href": "/homes/\(home.id)", "tone": state.tone, "shape": state.shape,
            "name": named ? [home.address, home.name].filter { !$0.isEmpty }.joined(separator: " ") : home.id.rawValue,
            "state": watch == nil ? frame.label(.notWatched) : frame.label(state.label),
        ]
        if let last = watch?.lastUse {
            tile["last"] = "\(frame.spoken(last.wall)) · \(frame.ago(last.wall))"
            if let next = watch?.nextSignExpected(at: now) {
                let whole = max(1, (next - last.wall).milliseconds)
                let left = max(0, (next - now.wall).milliseconds)
                tile["ring"] = Int(100 * left / whole)
                tile["expected"] = "\(frame.label(.nextSign)) \(frame.spoken(next))"
            }
        } else {
            tile["last"] = frame.label(.noUseYet)
        }
        return tile
    }
}

/// Cases in a line.
enum CaseWords {
    static func line(_ item: Case, _ frame: inout PageFrame) -> [String: Any] {
        [
            "href": "/cases/\(item.id)", "tone": item.isOpen ? item.severity.rawValue : "closed", "subject": frame.subject(of: item),
            "kind": item.kind.title[frame.language], "stage": item.stage.name[frame.language], "text": text(item, frame),
        ]
    }

    static func text(_ item: Case, _ frame: PageFrame) -> String {
        let plain = frame.account.map { !$0.role.may(.litres) } ?? true
        let quoted = frame.account?.role.may(.deviceWords) ?? false
        var clock = frame.shapes.civil
        return item.latest?.told(plain: plain, quoted: quoted, at: frame.shapes.now, clock: &clock)[frame.language] ?? ""
    }
}

/// Elevators in words.
enum ElevatorWords {
    static func door(_ view: BoardingRoom.View) -> Label {
        if view.holdSince != nil { return .doorHeld }
        switch view.status?.door ?? .unknown {
        case .open: return .doorOpen
        case .opening: return .doorOpening
        case .closing: return .doorClosing
        case .closed: return .doorClosed
        case .locked: return .doorLocked
        case .unknown: return .doorUnknown
        }
    }

    static func mode(_ view: BoardingRoom.View) -> Label {
        switch view.status?.serviceMode ?? .unknown {
        case .normal: .modeNormal
        case .stop: .modeStop
        case .inspection: .modeInspection
        case .fireReturn: .modeFireReturn
        case .firefighter: .modeFirefighter
        case .emergencyPower: .modeEmergencyPower
        case .earthquake: .modeEarthquake
        case .unknown: .modeUnknown
        }
    }

    static func motion(_ view: BoardingRoom.View) -> Label {
        switch view.status?.motion ?? .unknown {
        case .stopped: .motionStopped
        case .up: .motionUp
        case .down: .motionDown
        case .unknown: .motionUnknown
        }
    }

    static func brief(_ view: BoardingRoom.View, _ frame: PageFrame, mayRelease: Bool) -> [String: Any] {
        var frame = frame
        var brief: [String: Any] = [
            "name": frame.subject(Subject(.elevator, view.id.rawValue)), "door": frame.label(view.online ? door(view) : .offline),
            "floor": "\(frame.label(.floor)) \(view.status?.floor ?? "–")", "tone": view.holdSince != nil ? "attention" : "calm",
        ]
        if let until = view.holdEndsBy { brief["hold"] = "\(frame.label(.heldUntil)) \(frame.shapes.civil.clockFace(until))" }
        if view.holdSince != nil, mayRelease {
            brief["release"] = ["action": "/elevators/\(view.id)/release", "label": frame.label(.releaseHold)] as [String: Any]
        }
        return brief
    }
}
