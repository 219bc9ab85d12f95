import BoardingControl
import Phrasebook
import Telemetry
import Watchkeeping

/// An elevator's card: the shaft with the car at its floor, the door, what holds it, and the release.
enum ElevatorPage {
    static func card(_ view: BoardingRoom.View, _ frame: PageFrame, mayRelease: Bool) -> [String: Any] {
        var frame = frame
        let floor = view.status?.floor ?? "–"
        // Nobody tells how high the house is: floors up to eight are drawn in proportion, higher ones at the top.
        let level = min(8, max(1, Int(floor) ?? 1))
        let y = 100 - (level - 1) * 92 / 7
        let isOpen = view.status?.door == .open || view.status?.door == .opening
        let leaf = isOpen ? 6 : 33
        let isHeld = view.holdSince != nil
        var facts: [(Label, String)] = [
            (.state, frame.label(view.online ? ElevatorWords.door(view) : .offline)), (.floor, floor),
            (.mode, frame.label(ElevatorWords.mode(view))), (.motion, frame.label(ElevatorWords.motion(view))),
            (.boarding, frame.label(view.mode == .hold ? .boardingHold : .boardingAlarm)),
        ]
        if let until = view.holdEndsBy { facts.append((.heldUntil, frame.shapes.civil.clockFace(until))) }
        if let until = view.coolDownUntil { facts.append((.coolDownUntil, frame.shapes.civil.clockFace(until))) }
        var card: [String: Any] = [
            "name": frame.subject(Subject(.elevator, view.id.rawValue)), "tone": isHeld ? "attention" : "calm", "carY": y, "textY": y + 34,
            "leaf": leaf, "rightX": 94 - leaf, "door": frame.label(ElevatorWords.door(view)), "floor": floor,
            "facts": facts.map { ["label": frame.label($0.0), "value": $0.1] as [String: Any] }, "mayRelease": mayRelease,
            "releaseAction": "/elevators/\(view.id)/release", "releaseClass": isHeld ? "primary" : "secondary",
            "releaseLabel": frame.label(isHeld ? .releaseHold : .release), "csrf": frame.csrf,
        ]
        if let since = view.holdSince, let until = view.holdEndsBy {
            let whole = max(1, (until - since).milliseconds)
            card["ring"] = Int(100 * max(0, (until - frame.shapes.now.wall).milliseconds) / whole)
        }
        return card
    }
}
