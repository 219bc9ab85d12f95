import Phrasebook
import Telemetry

/// Typed reading: each call takes a key, reports what is wrong with its value, and answers nil or the default then.
extension DocumentNode {
    private func present(_ key: String, required: Bool) -> DocumentNode? {
        guard let value = child(key), !value.isNull else {
            if required, isMapping {
                report(.said("缺少`\(key)`", "`\(key)` is missing"), fix: .said("加上`\(key):`", "add `\(key):`"))
            }
            return nil
        }
        return value
    }

    /// A text.
    public func string(_ key: String, required: Bool = false) -> String? {
        guard let value = present(key, required: required) else { return nil }
        return value.scalarText()
    }

    /// Words for people, bounded and without what disturbs a page or a terminal; empty where there are none.
    public func words(_ key: String, _ limit: BoundedText.Limit) -> String { (string(key) ?? "").bounded(limit) }

    /// This value as text.
    public func scalarText() -> String? {
        guard let text else {
            report(
                .said("这里只能写一个值", "this must be a single value"),
                fix: .said("写一个词或数，有特殊字符就加引号", "write one word or number, in quotes if it has special characters"))
            return nil
        }
        return text
    }

    /// A whole number within a range.
    public func integer(_ key: String, in range: ClosedRange<Int>, required: Bool = false) -> Int? {
        guard let value = present(key, required: required) else { return nil }
        return value.integer(in: range)
    }

    /// This value as a whole number within a range; `0x` prefixes are understood.
    public func integer(in range: ClosedRange<Int>) -> Int? {
        guard let text = scalarText() else { return nil }
        let digits = text.lowercased()
        let number = digits.hasPrefix("0x") ? Int(digits.dropFirst(2), radix: 16) : Int(digits)
        guard let number, range.contains(number) else {
            report(
                .said(
                    "`\(text)`不是\(range.lowerBound)到\(range.upperBound)的整数", "`\(text)` is not a whole number from \(range.lowerBound) to \(range.upperBound)"),
                fix: .said("写这个范围里的数", "write such a number"))
            return nil
        }
        return number
    }

    /// A number.
    public func number(_ key: String, in range: ClosedRange<Double>, required: Bool = false) -> Double? {
        guard let value = present(key, required: required) else { return nil }
        guard let text = value.scalarText() else { return nil }
        guard let number = Double(text), number.isFinite, range.contains(number) else {
            value.report(
                .said("`\(text)`不是\(range.lowerBound)到\(range.upperBound)的数", "`\(text)` is not a number from \(range.lowerBound) to \(range.upperBound)"),
                fix: .said("写这个范围里的数", "write such a number"))
            return nil
        }
        return number
    }

    /// Yes or no.
    public func flag(_ key: String) -> Bool? {
        guard let value = present(key, required: false) else { return nil }
        switch value.text?.lowercased() {
        case "true", "yes", "on": return true
        case "false", "no", "off": return false
        default:
            value.report(.said("这里只能写true或false", "this must be true or false"), fix: .said("写`true`或`false`", "write `true` or `false`"))
            return nil
        }
    }

    /// A length of time, at least `least`.
    public func interval(_ key: String, least: Interval = .zero, required: Bool = false) -> Interval? {
        guard let value = present(key, required: required) else { return nil }
        return value.interval(least: least)
    }

    /// This value as a length of time.
    public func interval(least: Interval = .zero) -> Interval? {
        guard let text = scalarText() else { return nil }
        guard let interval = Interval(parsing: text) else {
            report(
                .said("`\(text)`不是时长", "`\(text)` is not a duration"),
                fix: .said("写整数加ms、s、m、h或d，如15m", "write a whole number with ms, s, m, h or d, such as 15m"))
            return nil
        }
        guard interval >= least else {
            report(.said("`\(text)`太短", "`\(text)` is too short"), fix: .said("至少写\(least)", "write at least \(least)"))
            return nil
        }
        return interval
    }

    /// An amount of storage, at least `least`: a whole number with kB, MB or GB (powers of ten).
    public func bytes(_ key: String, least: Int64 = 1) -> Int64? {
        guard let value = present(key, required: false), let text = value.scalarText() else { return nil }
        let units: [(String, Int64)] = [("kB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000)]
        guard let (unit, factor) = units.first(where: { text.hasSuffix($0.0) }), let number = Int64(text.dropLast(unit.count)),
            (0...1_000_000).contains(number)
        else {
            value.report(
                .said("`\(text)`不是存储容量", "`\(text)` is no amount of storage"),
                fix: .said("写整数加kB、MB或GB，如4GB", "write a whole number with kB, MB or GB, such as 4GB"))
            return nil
        }
        guard number * factor >= least else {
            value.report(
                .said("`\(text)`太小", "`\(text)` is too little"),
                fix: .said("至少写\(max(1, least / 1_000_000))MB", "write at least \(max(1, least / 1_000_000))MB"))
            return nil
        }
        return number * factor
    }

    /// One of the words of an enumeration.
    public func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: String, _ type: Choice.Type = Choice.self, required: Bool = false
    ) -> Choice? where Choice.RawValue == String {
        guard let value = present(key, required: required) else { return nil }
        return value.choice(type)
    }

    /// This value as one of the words of an enumeration.
    public func choice<Choice: RawRepresentable & CaseIterable>(_ type: Choice.Type = Choice.self) -> Choice?
    where Choice.RawValue == String {
        guard let text = scalarText() else { return nil }
        guard let choice = Choice(rawValue: text) else {
            report(
                .said("这里没有`\(text)`", "`\(text)` is not known here"),
                fix: .said(
                    "写其中之一：\(Choice.allCases.map(\.rawValue).joined(separator: "、"))",
                    "write one of: \(Choice.allCases.map(\.rawValue).joined(separator: ", "))"))
            return nil
        }
        return choice
    }

    /// A list of texts; a single text counts as a list of one.
    public func strings(_ key: String) -> [String] {
        guard let value = present(key, required: false) else { return [] }
        if value.isSequence { return value.elements().compactMap { $0.scalarText() } }
        return value.scalarText().map { [$0] } ?? []
    }

    /// The entries of a list under a key; none when it is absent.
    public func list(_ key: String) -> [DocumentNode] {
        present(key, required: false)?.elements() ?? []
    }

    /// An identifier: 1 to 40 characters of `[a-z0-9-]`, as the contract's `site.id`.
    public func identifier<Subject>(_ key: String, _ type: Identifier<Subject>.Type = Identifier<Subject>.self, required: Bool = true) -> Identifier<Subject>? {
        guard let value = present(key, required: required), let text = value.scalarText() else { return nil }
        guard Self.isIdentifier(text) else {
            let (problem, fix) = Self.noIdentifier(text)
            value.report(problem, fix: fix)
            return nil
        }
        return Identifier(text)
    }

    /// Whether a text may name something: 1 to 40 of a-z, 0-9, - and _. It may then stand in topics, paths, JSON and metrics as it is.
    public static func isIdentifier(_ text: String) -> Bool {
        (1...40).contains(text.utf8.count) && text.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 || $0 == 95 }
    }

    /// What is wrong with a text that may not, and the fix.
    public static func noIdentifier(_ text: String) -> (problem: LocalizedText, fix: LocalizedText) {
        let shown = String(text.unicodeScalars.prefix(60).map { $0.value < 0x20 || $0.value == 0x7F ? " " : Character($0) })
        return (
            .said("`\(shown)`不能作编号", "`\(shown)` is not an identifier"),
            .said("用1到40个字符：a-z、0-9、-和_", "use 1 to 40 of the characters a-z, 0-9, - and _")
        )
    }
}
