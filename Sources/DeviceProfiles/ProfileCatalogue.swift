import Phrasebook

/// The catalogue of profiles as a Markdown page.
public enum ProfileCatalogue {
    /// The page in one language, profiles in the order given.
    public static func markdown(_ profiles: [MeterProfile], language: Language) -> String {
        let isChinese = language == .chinese
        func say(_ chinese: String, _ english: String) -> String { isChinese ? chinese : english }
        var lines = [
            "# " + say("设备配置目录", "Catalogue of device profiles"), "",
            say(
                "由 `wellward profile docs` 生成。可信级别：structural（格式正确）＜ documented（每个点都有出处）＜ cross-checked（两个独立来源一致，或真实报文能解出）＜ field-verified（技术员核对过表盘）。",
                "Made by `wellward profile docs`. Rungs of trust: structural (well formed) < documented (every point cites its source) < cross-checked (two independent sources agree, or a real dump decodes) < field-verified (a technician matched the display)."
            ), "",
            say("| 配置 | 名称 | 厂家 | 可信级别 | 一个计数 | 实录报文 |", "| profile | title | manufacturer | trust | one count | recorded frames |"),
            "|---|---|---|---|---|---|",
        ]
        for profile in profiles {
            let real = profile.golden.count(where: \.isReal)
            lines.append(
                "| [\(profile.id)](#\(profile.id)) | \(cell(profile.title[language])) | \(cell(profile.manufacturer)) | \(profile.trust.rawValue) | \(number(profile.resolution.litres)) L | \(real) / \(profile.golden.count) |"
            )
        }
        for profile in profiles { lines += page(profile, language, say) }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func page(_ profile: MeterProfile, _ language: Language, _ say: (String, String) -> String) -> [String] {
        var lines = ["", "## \(profile.id)", "", "**\(profile.title[language])** · \(profile.models.joined(separator: ", "))", ""]
        lines.append("- \(say("出处", "Source")): \(profile.document)")
        if let serial = profile.serial {
            lines.append("- \(say("出厂串口", "Serial from the factory")): \(serial.baud) \(serial.parity.rawValue) \(serial.stopBits)")
        }
        lines.append("- \(say("手册从几开始数", "The manual counts from")): \(profile.addressBase)")
        lines.append(
            profile.hasHeartbeat
                ? say("- 表里有时钟：能看出转换器在重复旧值", "- It has a clock: an answer that is repeated shows")
                : say("- 没有时钟：分不清没用水和重复旧值", "- It has no clock: an old answer repeated looks like no use"))
        if let note = profile.firmwareNote { lines.append("- \(say("固件差异", "Firmware")): [\(note)](../\(note))") }
        if let needs = profile.requirements { lines.append("- \(say("先要做的", "Before it answers")): \(needs[language])") }
        lines += ["", say("| 点 | 用途 | 线上地址 | 类型 | 单位 | 出处 |", "| point | role | wire | type | unit | source |"), "|---|---|---|---|---|---|"]
        for point in profile.points {
            let places = point.fields.map { "FC\($0.function) \($0.address)" }.joined(separator: " + ")
            let types = point.fields.map { "\($0.type.word)\($0.type.registerCount > 1 && $0.type.isOrdered ? " \($0.order.map(\.description) ?? "?")" : "")" }
                .joined(separator: " + ")
            let mark = point.inferred ? say("（推断）", " (inferred)") : ""
            lines.append("| \(point.id) | \(point.role.rawValue) | \(places) | \(types) | \(point.unit.rawValue) | \(cell(point.source))\(mark) |")
        }
        if !profile.danger.isEmpty {
            lines += ["", say("绝不写入：", "Never written:"), ""]
            for danger in profile.danger { lines.append("- \(danger.address) ×\(danger.count): \(danger.why)") }
        }
        return lines
    }

    private static func cell(_ text: String) -> String { text.replacing("|", with: "\\|").replacing("\n", with: " ") }

    private static func number(_ value: Double) -> String { value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value) }
}
