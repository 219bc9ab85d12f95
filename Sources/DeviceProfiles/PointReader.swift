import Documents
import Phrasebook
import Telemetry

/// Reads the points of a profile.
enum PointReader {
    static func point(_ node: DocumentNode, _ context: FieldContext) -> MeterPoint? {
        defer { node.finish() }
        guard let id = node.string("id", required: true) else { return nil }
        let role = node.choice("role", PointRole.self) ?? .other
        let unitRule = unitRule(node.child("unit_from"), context)
        let unit = node.choice("unit", MeasureUnit.self) ?? .nothing
        let fields: [RegisterField]
        if node.child("sum") != nil {
            fields = node.list("sum").compactMap { term in
                defer { term.finish() }
                return field(term, context)
            }
        } else {
            fields = field(node, context).map { [$0] } ?? []
        }
        guard !fields.isEmpty else { return nil }
        var limits: ClosedRange<Double>?
        if let range = node.child("limits") {
            let low = range.number("min", in: -1e15...1e15) ?? -1e15
            let high = range.number("max", in: -1e15...1e15) ?? 1e15
            range.finish()
            if low <= high { limits = low...high } else { range.report(.said("min比max大", "min is above max"), fix: .said("对调", "swap them")) }
        }
        return MeterPoint(
            id: id, role: role, unit: unit, fields: fields, offset: node.number("offset", in: -1e12...1e12) ?? 0,
            scaleRule: scaleRule(node.child("scale_from"), context), unitRule: unitRule,
            sentinels: node.list("sentinels").compactMap { value in value.text.flatMap(parseWord) },
            limits: limits, bits: meanings(node.child("bits"), keys: 0...31),
            values: meanings(node.child("values"), keys: 0...65_535), source: node.string("source") ?? "",
            inferred: node.flag("inferred") ?? false, line: node.line, polled: node.flag("poll") ?? true)
    }

    private static func parseWord(_ text: String) -> UInt64? {
        text.lowercased().hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text)
    }

    static func field(_ node: DocumentNode, _ context: FieldContext) -> RegisterField? {
        let address = context.wireAddress(node)
        let word = node.string("type", required: true)
        let registers = node.integer("registers", in: 1...62)
        let function = UInt8(node.integer("function", in: 3...4) ?? Int(context.function))
        let scale = node.number("scale", in: -1e12...1e12) ?? 1
        if scale.magnitude < 1e-12 {
            node.child("scale")?.report(
                .said("倍率是零", "the scale is zero"), fix: .said("写一个计数等于多少，如0.001", "write what one count is worth, such as 0.001"))
        }
        let termUnit = node.path.contains(".sum[") ? node.choice("unit", MeasureUnit.self) : nil
        let orderText = node.string("order")
        var layout: ClockLayout?
        if let text = node.string("layout") {
            layout = ClockLayout(text, bcd: node.flag("bcd") ?? false, perRegister: node.flag("per_register") ?? false)
            if layout == nil {
                node.report(
                    .said("`\(text)`不是时钟布局", "`\(text)` is no clock layout"),
                    fix: .said("写成`mm ss DD hh YY MM`这样，跳过的写`--`", "write parts such as `mm ss DD hh YY MM`, `--` to skip one"))
            }
        }
        guard let address, let word else { return nil }
        guard let type = RegisterType(word: word, registers: registers, layout: layout) else {
            node.report(
                .said(
                    "`\(word)`不是寄存器类型，或缺少`registers:`（ascii）或`layout:`（clock）",
                    "`\(word)` is no register type, or lacks `registers:` (ascii) or `layout:` (clock)"),
                fix: .said("写其中之一：\(RegisterType.words.joined(separator: "、"))", "write one of: \(RegisterType.words.joined(separator: ", "))"))
            return nil
        }
        var order: WordOrder? = .bigEndian(registers: min(type.registerCount, 4))
        if let orderText {
            if orderText == "unknown" {
                order = nil
            } else if let found = WordOrder(letters: orderText), found.byteCount == type.registerCount * 2 {
                order = found
            } else {
                node.child("order")?.report(
                    .said(
                        "`\(orderText)`排不了\(word)的\(type.registerCount * 2)个字节", "`\(orderText)` does not order the \(type.registerCount * 2) bytes of \(word)"),
                    fix: .said(
                        "按线上顺序写字母A到\(Character(UnicodeScalar(UInt8(64 + min(8, type.registerCount * 2)))))，或写`unknown`",
                        "write the letters A to \(Character(UnicodeScalar(UInt8(64 + min(8, type.registerCount * 2))))) in wire order, or `unknown`"))
            }
        } else if type.isOrdered {
            node.report(
                .said("\(word)缺少`order`", "`order` is missing for \(word)"),
                fix: .said("写`order: ABCD`（或CDAB、BADC、DCBA），或`order: unknown`", "write `order: ABCD` (or CDAB, BADC, DCBA), or `order: unknown`"))
        }
        guard Int(address) + type.registerCount <= 65_536 else {
            node.report(.said("这个值超过了寄存器65535", "the value runs past register 65535"), fix: .said("检查地址", "check the address"))
            return nil
        }
        return RegisterField(function: function, address: address, type: type, order: order, scale: scale, unit: termUnit)
    }

    private static func origin(_ node: DocumentNode, _ context: FieldContext) -> ScaleRule.Origin? {
        if let name = node.string("parameter") { return .parameter(name) }
        return field(node, context).map { .register($0) }
    }

    private static func scaleRule(_ node: DocumentNode?, _ context: FieldContext) -> ScaleRule? {
        guard let node else { return nil }
        defer { node.finish() }
        let origin = origin(node, context)
        var law: ScaleRule.Law?
        if let expression = node.string("expression") {
            law = ScaleRule.law(parsing: expression)
            if law == nil {
                node.report(
                    .said("看不懂`\(expression)`", "`\(expression)` is not understood"),
                    fix: .said("写`10^n`、`10^-n`、`10^(n-3)`或`10^(3-n)`", "write `10^n`, `10^-n`, `10^(n-3)` or `10^(3-n)`"))
            }
        } else if let table = node.child("values") {
            var factors: [Int: Double] = [:]
            for (key, value) in table.entries() {
                if let number = Int(key), let factor = value.text.flatMap(Double.init), factor.isFinite { factors[number] = factor }
            }
            law = .table(factors)
        } else {
            node.report(
                .said("这条规则缺少`expression`或`values`", "the rule lacks `expression` or `values`"),
                fix: .said("写`expression: 10^(n-3)`或一张表", "write `expression: 10^(n-3)` or a table"))
        }
        guard let origin, let law else { return nil }
        return ScaleRule(origin: origin, law: law)
    }

    private static func unitRule(_ node: DocumentNode?, _ context: FieldContext) -> UnitRule? {
        guard let node else { return nil }
        defer { node.finish() }
        let origin = origin(node, context)
        var values: [Int: MeasureUnit] = [:]
        for (key, value) in node.child("values")?.entries() ?? [] {
            guard let number = Int(key) else {
                value.report(.said("`\(key)`不是数", "`\(key)` is not a number"), fix: .said("键要写寄存器的值", "write the register's value as key"))
                continue
            }
            if let unit = value.choice(MeasureUnit.self) { values[number] = unit }
        }
        return origin.map { UnitRule(origin: $0, values: values) }
    }

    private static func meanings(_ node: DocumentNode?, keys: ClosedRange<Int>) -> [Int: StatusMeaning] {
        guard let node else { return [:] }
        var result: [Int: StatusMeaning] = [:]
        for (key, value) in node.entries() {
            let number = key.lowercased().hasPrefix("0x") ? Int(key.dropFirst(2), radix: 16) : Int(key)
            guard let number, keys.contains(number) else {
                value.report(
                    .said("`\(key)`不是\(keys.lowerBound)到\(keys.upperBound)的数", "`\(key)` is not a number from \(keys.lowerBound) to \(keys.upperBound)"),
                    fix: .said("写这个范围里的数", "write such a number"))
                continue
            }
            if value.isMapping {
                result[number] = StatusMeaning(
                    name: value.string("name", required: true) ?? "", bad: value.strings("bad"), suspect: value.strings("suspect"))
                value.finish()
            } else if let name = value.scalarText() {
                result[number] = StatusMeaning(name: name, bad: [], suspect: [])
            }
        }
        return result
    }

    static func history(_ node: DocumentNode, _ context: FieldContext) -> HistoryLog? {
        defer { node.finish() }
        let period = node.choice("period", HistoryLog.Period.self, required: true)
        let count = node.integer("count", in: 1...10_000, required: true)
        let newestFirst = node.flag("newest_first") ?? true
        let unit = node.choice("unit", MeasureUnit.self, required: true)
        _ = node.string("source")
        _ = node.flag("inferred")
        guard let first = field(node, context), let period, let count, let unit else { return nil }
        guard first.type.isNumeric, Int(first.address) + count * first.type.registerCount <= 65_536 else {
            node.report(
                .said("这段记录不是数，或超过了寄存器65535", "the log holds no numbers, or runs past register 65535"),
                fix: .said("检查`type`、地址和`count`", "check `type`, the address and `count`"))
            return nil
        }
        return HistoryLog(period: period, first: first, count: count, newestFirst: newestFirst, unit: unit)
    }

    static func fingerprint(_ node: DocumentNode, _ context: FieldContext) -> FingerprintFact? {
        defer { node.finish() }
        let equal = node.number("equals", in: -1e15...1e15)
        let low = node.number("min", in: -1e15...1e15)
        let high = node.number("max", in: -1e15...1e15)
        guard let field = field(node, context) else { return nil }
        if let equal { return FingerprintFact(field: field, range: equal...equal) }
        guard let low, let high, low <= high else {
            node.report(.said("特征要有`equals`，或`min`和`max`", "a fingerprint needs `equals`, or `min` and `max`"), fix: .said("加上", "add them"))
            return nil
        }
        return FingerprintFact(field: field, range: low...high)
    }
}
