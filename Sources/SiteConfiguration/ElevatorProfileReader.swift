import BoardingControl
import Documents
import Phrasebook
import Telemetry

/// Reads an elevator profile from YAML, each fault with its line.
public enum ElevatorProfileReader {
    private static let names: [ElevatorProfile.Topic: [String]] = [
        .availability: ["state"],
        .status: ["seq", "boot", "service_mode", "motion", "floor", "door", "door_zone", "load_kg", "passenger", "faults", "at"],
        .detection: ["seq", "boot", "track", "class", "confidence", "zone", "image", "at"],
        .ack: ["id", "result", "reason"],
    ]
    /// The native words a map may lead to, where they are limited.
    private static let words: [String: [String]] = [
        "state": ["online", "offline"], "service_mode": ServiceMode.allCases.map(\.rawValue), "motion": Motion.allCases.map(\.rawValue),
        "door": DoorState.allCases.map(\.rawValue), "door_zone": ["true", "false"], "passenger": ["true", "false"],
        "class": DetectedClass.allCases.map(\.rawValue), "zone": DetectionZone.allCases.map(\.rawValue),
        "result": AcknowledgementResult.allCases.map(\.rawValue),
    ]

    /// Reads one profile.
    /// - Returns: the profile, when no fault is an error, and all faults
    public static func read(_ text: String, file: String) -> (profile: ElevatorProfile?, issues: [DocumentIssue]) {
        let root: DocumentNode
        do {
            root = try DocumentNode.parse(text, file: file)
        } catch { return (nil, error.issues) }
        let profile = profile(root)
        return (root.log.issues.contains { $0.severity == .error } ? nil : profile, root.log.issues)
    }

    private static func profile(_ root: DocumentNode) -> ElevatorProfile? {
        defer { root.finish() }
        if root.string("kind", required: true) != "elevator" {
            root.child("kind")?.report(.said("这不是电梯档案", "this is no elevator profile"), fix: .said("写`kind: elevator`", "write `kind: elevator`"))
        }
        let id = root.identifier("id", ProfileID.self)
        let title = localized(root.child("title"))
        let document = root.string("document", required: true) ?? ""
        let isNative = root.flag("native") ?? false
        let leases = isNative || root.flag("leases") ?? false
        _ = root.string("trust")
        _ = root.string("firmware_note")
        guard let id else { return nil }
        if isNative { return ElevatorProfile(id: id, title: title, document: document, isNative: true, leases: true) }
        var topics: [ElevatorProfile.Topic: String] = [:]
        let places = root.child("topics")
        defer { places?.finish() }
        for topic in ElevatorProfile.Topic.allCases {
            guard let pattern = places?.string(topic.rawValue) else { continue }
            if pattern.split(separator: "/").count(where: { $0.contains("{elevator}") }) != 1 || pattern.contains("+") || pattern.contains("#") {
                places?.child(topic.rawValue)?.report(
                    .said("主题里要写一次控制器", "a topic names the controller once"),
                    fix: .said("地址处写`{elevator}`，不要通配符", "write `{elevator}` for its address, and no wildcards"))
            }
            topics[topic] = pattern
        }
        if topics.isEmpty { root.report(.said("缺少`topics`", "`topics` is missing"), fix: .said("写上控制器各种消息的主题", "add the topics of the controller's messages")) }
        var fields: [ElevatorProfile.Topic: [String: ElevatorProfile.Field]] = [:]
        for (topic, known) in names {
            guard let node = root.child(topic.rawValue) else { continue }
            for (name, value) in node.entries() {
                guard known.contains(name) else {
                    value.report(
                        .said("\(topic.rawValue)没有`\(name)`这个字段", "`\(name)` is no field of \(topic.rawValue)"),
                        fix: .said("可以写：\(known.joined(separator: "、"))", "known: \(known.joined(separator: ", "))"))
                    continue
                }
                fields[topic, default: [:]][name] = field(value, name)
            }
        }
        for name in ["service_mode", "motion", "door", "door_zone"] where fields[.status]?[name] == nil {
            root.child("status")?.report(
                .said("`\(name)`没有对应：它一直未知，门就永远不会被控住", "`\(name)` is not mapped: it stays unknown, and the door is never held"),
                fix: .said("写上对应，或让这部电梯只用`boarding: alarm`", "map it, or keep this lift on `boarding: alarm`"),
                severity: .warning)
        }
        let command = root.child("command")
        defer { command?.finish() }
        var actions: [BoardingCommand.Action: String] = [:]
        for (name, value) in command?.child("actions")?.entries() ?? [] {
            guard let action = BoardingCommand.Action(rawValue: name) else {
                value.report(
                    .said("没有`\(name)`这个动作", "`\(name)` is no action"), fix: .said("可以写：hold_door、release、announce", "known: hold_door, release, announce"))
                continue
            }
            actions[action] = value.text ?? ""
        }
        return ElevatorProfile(
            id: id, title: title, document: document, isNative: false, leases: leases, topics: topics, fields: fields, actions: actions,
            commandTemplate: command?.string("payload") ?? "")
    }

    private static func field(_ node: DocumentNode, _ name: String) -> ElevatorProfile.Field {
        guard node.isMapping else { return ElevatorProfile.Field(pointer: pointer(node, node.text)) }
        defer { node.finish() }
        let place = pointer(node, node.string("path", required: true))
        var values: [String: String] = [:]
        for (key, value) in node.child("values")?.entries() ?? [] {
            let word = value.text ?? ""
            if let known = words[name], !known.contains(word) {
                value.report(
                    .said("\(name)没有`\(word)`这个词", "`\(word)` is no native word of \(name)"),
                    fix: .said("可以写：\(known.joined(separator: "、"))", "known: \(known.joined(separator: ", "))"))
            }
            values[key] = word
        }
        return ElevatorProfile.Field(pointer: place, values: values)
    }

    private static func pointer(_ node: DocumentNode, _ text: String?) -> String {
        let text = text ?? ""
        if !text.isEmpty, !text.hasPrefix("/") {
            node.report(
                .said("`\(text)`不是JSON Pointer", "`\(text)` is no JSON Pointer"),
                fix: .said("以斜杠开头，如/body/mode；留空表示整个消息", "begin with a slash, such as /body/mode; empty for the whole payload"))
        }
        return text
    }

    private static func localized(_ node: DocumentNode?) -> LocalizedText {
        defer { node?.finish() }
        return LocalizedText(chinese: node?.string("zh-Hans", required: true) ?? "", english: node?.string("en", required: true) ?? "")
    }
}
