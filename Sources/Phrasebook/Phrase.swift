/// A sentence of the catalogue with its blanks filled.
///
/// ```swift
/// Phrase(.silence, ["last": .both("21:40", "21:40"), …]).text[.english]
/// ```
/// A blank that is not filled stays visible as `{name}`: tests look for braces in every text that leaves the house.
public struct Phrase: Sendable {
    /// Fills a blank.
    public enum Filling: Sendable {
        /// The same in both languages: a number, a clock time, an identifier.
        case same(String)
        /// Different words.
        case text(LocalizedText)
    }

    private let sentence: Sentence
    private let fillings: [String: Filling]

    /// A sentence and its fillings by blank.
    public init(_ sentence: Sentence, _ fillings: [String: Filling] = [:]) {
        self.sentence = sentence
        self.fillings = fillings
    }

    /// The sentence in both languages.
    public var text: LocalizedText {
        let template = sentence.template
        return LocalizedText(
            chinese: fill(template.chinese, in: .chinese), english: fill(template.english, in: .english))
    }

    private func fill(_ template: String, in language: Language) -> String {
        var result = ""
        var rest = template[...]
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            result += rest[..<open]
            let name = String(rest[rest.index(after: open)..<close])
            switch fillings[name] {
            case .same(let value): result += value
            case .text(let value): result += value[language]
            case nil: result += "{\(name)}"
            }
            rest = rest[rest.index(after: close)...]
        }
        return result + rest
    }
}

extension Phrase {
    /// A length of time as a person says it: `13 小时 20 分` / `13 h 20 min`.
    public static func span(milliseconds: Int64) -> LocalizedText {
        let seconds = max(0, milliseconds / 1000)
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60)
        if hours >= 48 {
            return LocalizedText(chinese: "\(hours / 24)天\(hours % 24)小时", english: "\(hours / 24) days \(hours % 24) h")
        }
        if hours > 0 {
            return minutes == 0
                ? LocalizedText(chinese: "\(hours)小时", english: "\(hours) h")
                : LocalizedText(chinese: "\(hours)小时\(minutes)分", english: "\(hours) h \(minutes) min")
        }
        if minutes > 0 { return LocalizedText(chinese: "\(minutes)分钟", english: "\(minutes) min") }
        return LocalizedText(chinese: "\(seconds)秒", english: "\(seconds) s")
    }

    /// A day of the week, 0 = Monday.
    public static func weekday(_ number: Int) -> LocalizedText {
        let chinese = ["周一", "周二", "周三", "周四", "周五", "周六", "周日"]
        let english = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
        return LocalizedText(chinese: chinese[number % 7], english: english[number % 7])
    }

    /// A number with at most one decimal.
    public static func number(_ value: Double) -> String {
        let tenths = (value * 10).rounded() / 10
        return tenths == tenths.rounded() && abs(tenths) < 1e15 ? String(Int64(tenths)) : String(tenths)
    }
}
