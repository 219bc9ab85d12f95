import Documents
import Phrasebook
import Telemetry

/// What a profile says wrong although it is well formed.
public enum ProfileLint {
    /// All findings about a profile's meaning.
    public static func check(_ profile: MeterProfile, file: String) -> [DocumentIssue] {
        var lint = Findings(file: file)
        totals(profile, &lint)
        references(profile, &lint)
        overlaps(profile, &lint)
        proof(profile, &lint)
        return lint.issues
    }

    private struct Findings {
        let file: String
        var issues: [DocumentIssue] = []
        mutating func add(_ severity: DocumentIssue.Severity, _ line: Int?, _ key: String, _ problem: LocalizedText, _ fix: LocalizedText) {
            issues.append(DocumentIssue(severity: severity, file: file, line: line, key: key, problem: problem, fix: fix))
        }
    }

    private static func totals(_ profile: MeterProfile, _ lint: inout Findings) {
        guard let total = profile.volumeTotal else {
            lint.add(.error, nil, "points", .said("没有点位担任volume_total", "no point has the role volume_total"), .said("给累计量写上角色", "name the totaliser's role"))
            return
        }
        if !total.unit.isVolume && total.unitRule == nil {
            lint.add(
                .error, total.line, total.id, .said("累计量没有体积单位", "the totaliser has no unit of volume"),
                .said("写`unit: m3`或`unit_from:`", "write `unit: m3` or `unit_from:`"))
        }
        for field in total.fields where field.unit?.isVolume == false {
            lint.add(
                .error, total.line, total.id, .said("求和里有一项不是体积", "a term of the sum is no volume"), .said("每一项都写体积单位", "give every term a unit of volume"))
        }
        let written = total.fields.contains { field in
            profile.danger.contains { field.registers.overlaps(Int($0.address)..<Int($0.address) + $0.count) }
        }
        if written {
            lint.add(
                .warning, total.line, total.id, .said("累计量的寄存器能从总线上改写", "the totaliser's registers can be written from the bus"),
                .said("这条总线上不要有别的主站；Wellward从不写入", "keep other masters off this bus; Wellward never writes them"))
        }
        if profile.resolution > .litres(10) {
            lint.add(
                .warning, nil, "resolution_litres",
                .said(
                    "一个字\(Int(profile.resolution.litres)) L，对个人安静规则太粗", "a count of \(Int(profile.resolution.litres)) L is too coarse for the personal gap rule"
                ),
                .said("用这种表的住户只有水量规则看护", "homes on this meter are covered by the volume rule only"))
        }
        let judged = profile.points.contains { point in
            (Array(point.bits.values) + Array(point.values.values)).contains { $0.bad.contains(total.id) || $0.suspect.contains(total.id) }
        }
        if !judged {
            lint.add(
                .warning, total.line, total.id, .said("没有状态位或状态值说明累计量何时不可信", "no status bit or value says when the totaliser cannot be trusted"),
                .said("表上若有空管或故障位，就写成`bad: [\(total.id)]`", "map the empty-pipe or fault bit to `bad: [\(total.id)]` if the meter has one"))
        }
    }

    private static func references(_ profile: MeterProfile, _ lint: inout Findings) {
        var seen: Set<String> = []
        for point in profile.points {
            if !seen.insert(point.id).inserted {
                lint.add(.error, point.line, point.id, .said("两个点位用了这个编号", "two points have this id"), .said("改掉一个", "rename one"))
            }
            for meaning in Array(point.bits.values) + Array(point.values.values) {
                for name in meaning.bad + meaning.suspect where !profile.points.contains(where: { $0.id == name }) {
                    lint.add(
                        .error, point.line, point.id, .said("`\(meaning.name)`写了没有的点位`\(name)`", "`\(meaning.name)` names the unknown point `\(name)`"),
                        .said("写这份档案里的点位", "name a point of this profile"))
                }
            }
            if point.fields.contains(where: { $0.type.registerCount > profile.reading.mostRegisters }) {
                lint.add(
                    .error, point.line, point.id, .said("这个值比max_registers_per_read还长", "the value is longer than max_registers_per_read"),
                    .said("提高上限，或拆开这个点位", "raise the limit or split the point"))
            }
            if point.fields.contains(where: { field in field.unit == nil && point.fields.contains { $0.unit != nil } }) {
                lint.add(
                    .error, point.line, point.id, .said("求和里有的项写了单位，有的没写", "some terms of the sum have a unit and some have none"),
                    .said("每一项都写单位", "give each term its unit"))
            }
        }
    }

    private static func overlaps(_ profile: MeterProfile, _ lint: inout Findings) {
        let spans = profile.points.flatMap { point in point.fields.map { (point, $0) } }
        for (index, (point, field)) in spans.enumerated() {
            for (other, second) in spans[..<index] where field.function == second.function && field.registers.overlaps(second.registers) {
                if field.registers == second.registers { continue }
                lint.add(
                    .error, point.line, point.id,
                    .said(
                        "线上寄存器\(field.registers.lowerBound)–\(field.registers.upperBound - 1)和`\(other.id)`的重叠",
                        "registers \(field.registers.lowerBound)–\(field.registers.upperBound - 1) (wire) overlap those of `\(other.id)`"),
                    .said("对照说明书检查两处的地址和长度", "check both addresses and lengths in the manual"))
            }
        }
    }

    private static func proof(_ profile: MeterProfile, _ lint: inout Findings) {
        if profile.trust >= .documented {
            for point in profile.points where point.source.isEmpty {
                lint.add(
                    .error, point.line, point.id,
                    .said("可信等级是\(profile.trust.rawValue)，这个点位却没写出处", "trust is \(profile.trust.rawValue) but this point cites no source"),
                    .said("加上`source:`，或降到structural", "add `source:` or lower the rung to structural"))
            }
            for point in profile.points where point.fields.contains(where: { $0.order == nil }) && profile.trust > .documented {
                lint.add(
                    .error, point.line, point.id, .said("字序未知", "the word order is unknown"),
                    .said("先弄清字序，再升到documented以上", "solve it before the rung rises above documented"))
            }
        }
        if profile.trust >= .crossChecked, !profile.golden.contains(where: \.isReal), profile.document.components(";").count < 2 {
            lint.add(
                .error, nil, "trust",
                .said("cross-checked要有真实的标准帧，或两份独立的文档（用`;`分开）", "cross-checked needs a real golden frame or two independent documents (separated by `;`)"),
                .said("补上证据，或降低等级", "add the evidence or lower the rung"))
        }
        if profile.trust == .fieldVerified {
            lint.add(
                .error, nil, "trust",
                .said("field-verified要有技术员的验收记录，自带档案都没有", "field-verified needs a technician's acceptance record, which no shipped profile has"),
                .said("降到cross-checked", "lower the rung to cross-checked"))
        }
    }
}

extension String {
    fileprivate func components(_ separator: Character) -> [Substring] { split(separator: separator) }
}
