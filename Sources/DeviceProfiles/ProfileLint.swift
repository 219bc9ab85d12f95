import Documents
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
        mutating func add(_ severity: DocumentIssue.Severity, _ line: Int?, _ key: String, _ problem: String, _ fix: String) {
            issues.append(DocumentIssue(severity: severity, file: file, line: line, key: key, problem: problem, fix: fix))
        }
    }

    private static func totals(_ profile: MeterProfile, _ lint: inout Findings) {
        guard let total = profile.volumeTotal else {
            lint.add(.error, nil, "points", "no point has the role volume_total", "name the totaliser's role")
            return
        }
        if !total.unit.isVolume && total.unitRule == nil {
            lint.add(.error, total.line, total.id, "the totaliser has no unit of volume", "write `unit: m3` or `unit_from:`")
        }
        for field in total.fields where field.unit?.isVolume == false {
            lint.add(.error, total.line, total.id, "a term of the sum is no volume", "give every term a unit of volume")
        }
        let written = total.fields.contains { field in
            profile.danger.contains { field.registers.overlaps(Int($0.address)..<Int($0.address) + $0.count) }
        }
        if written {
            lint.add(
                .warning, total.line, total.id, "the totaliser's registers can be written from the bus",
                "keep other masters off this bus; Wellward never writes them")
        }
        if profile.resolution > .litres(10) {
            lint.add(
                .warning, nil, "resolution_litres", "a count of \(Int(profile.resolution.litres)) L is too coarse for the personal gap rule",
                "homes on this meter are covered by the volume rule only")
        }
        let judged = profile.points.contains { point in
            (Array(point.bits.values) + Array(point.values.values)).contains { $0.bad.contains(total.id) || $0.suspect.contains(total.id) }
        }
        if !judged {
            lint.add(
                .warning, total.line, total.id, "no status bit or value says when the totaliser cannot be trusted",
                "map the empty-pipe or fault bit to `bad: [\(total.id)]` if the meter has one")
        }
    }

    private static func references(_ profile: MeterProfile, _ lint: inout Findings) {
        var seen: Set<String> = []
        for point in profile.points {
            if !seen.insert(point.id).inserted {
                lint.add(.error, point.line, point.id, "two points have this id", "rename one")
            }
            for meaning in Array(point.bits.values) + Array(point.values.values) {
                for name in meaning.bad + meaning.suspect where !profile.points.contains(where: { $0.id == name }) {
                    lint.add(.error, point.line, point.id, "`\(meaning.name)` names the unknown point `\(name)`", "name a point of this profile")
                }
            }
            if point.fields.contains(where: { $0.type.registerCount > profile.reading.mostRegisters }) {
                lint.add(.error, point.line, point.id, "the value is longer than max_registers_per_read", "raise the limit or split the point")
            }
            if point.fields.contains(where: { field in field.unit == nil && point.fields.contains { $0.unit != nil } }) {
                lint.add(.error, point.line, point.id, "some terms of the sum have a unit and some have none", "give each term its unit")
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
                    "registers \(field.registers.lowerBound)–\(field.registers.upperBound - 1) (wire) overlap those of `\(other.id)`",
                    "check both addresses and lengths in the manual")
            }
        }
    }

    private static func proof(_ profile: MeterProfile, _ lint: inout Findings) {
        if profile.trust >= .documented {
            for point in profile.points where point.source.isEmpty {
                lint.add(
                    .error, point.line, point.id, "trust is \(profile.trust.rawValue) but this point cites no source",
                    "add `source:` or lower the rung to structural")
            }
            for point in profile.points where point.fields.contains(where: { $0.order == nil }) && profile.trust > .documented {
                lint.add(.error, point.line, point.id, "the word order is unknown", "solve it before the rung rises above documented")
            }
        }
        if profile.trust >= .crossChecked, !profile.golden.contains(where: \.isReal), profile.document.components(";").count < 2 {
            lint.add(
                .error, nil, "trust", "cross-checked needs a real golden frame or two independent documents (separated by `;`)",
                "add the evidence or lower the rung")
        }
        if profile.trust == .fieldVerified {
            lint.add(
                .error, nil, "trust", "field-verified needs a technician's acceptance record, which no shipped profile has",
                "lower the rung to cross-checked")
        }
    }
}

extension String {
    fileprivate func components(_ separator: Character) -> [Substring] { split(separator: separator) }
}
