/// A language the product speaks.
public enum Language: String, Sendable, Codable, CaseIterable {
    /// Simplified Chinese, the default.
    case chinese = "zh-Hans"
    /// English.
    case english = "en"

    /// The language of a POSIX locale name such as `zh_CN.UTF-8`; English for any other.
    public init(locale: String) { self = locale.lowercased().hasPrefix("zh") ? .chinese : .english }
}

/// One text in both languages; on the wire `{"zh-Hans": …, "en": …}`.
public struct LocalizedText: Hashable, Sendable, Codable {
    /// The Simplified Chinese text.
    public var chinese: String
    /// The English text.
    public var english: String

    /// A text in both languages.
    public init(chinese: String, english: String) {
        self.chinese = chinese
        self.english = english
    }

    /// A text in both languages, where the compiler knows that one is wanted.
    public static func said(_ chinese: String, _ english: String) -> LocalizedText { LocalizedText(chinese: chinese, english: english) }

    private enum CodingKeys: String, CodingKey {
        case chinese = "zh-Hans"
        case english = "en"
    }

    /// Reads a text back from a record; one longer than any sentence of ours is cut, whatever release wrote it.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func text(_ key: CodingKeys) throws -> String {
            let text = try values.decode(String.self, forKey: key)
            return text.utf8.count <= Self.longest ? text : text.bounded(.device)
        }
        (chinese, english) = (try text(.chinese), try text(.english))
    }

    /// No sentence of the catalogue is longer in UTF-8, its blanks filled; what is longer was put into one by a device.
    static let longest = 4000

    /// The text in one language.
    public subscript(language: Language) -> String { language == .chinese ? chinese : english }

    /// Two texts one after the other.
    public static func + (left: LocalizedText, right: LocalizedText) -> LocalizedText {
        LocalizedText(chinese: left.chinese + right.chinese, english: left.english + " " + right.english)
    }
}
