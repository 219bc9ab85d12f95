import Phrasebook

/// What a finding or a case is about.
public struct Subject: Hashable, Sendable, Codable, CustomStringConvertible {
    /// The kind of thing.
    public enum Kind: String, Sendable, Codable, CaseIterable { case household, elevator, meter, bus, site }

    /// The kind of thing.
    public var type: Kind
    /// Its identifier, a pseudonym.
    public var id: String

    /// A subject.
    public init(_ type: Kind, _ id: String) {
        self.type = type
        self.id = id
    }

    /// `household/h-0101`.
    public var description: String { "\(type.rawValue)/\(id)" }
}

/// What is the matter. Raw values are the contract's.
public enum FindingKind: String, Sendable, Codable, CaseIterable {
    case inactivity
    case continuousFlow = "continuous_flow"
    case excessUse = "excess_use"
    case useWhileAway = "use_while_away"
    case blind, degraded, ebike
    case ebikeBattery = "ebike_battery"
    case gasCylinder = "gas_cylinder"
    case equipment, incident
    /// Only in the back-test's lines: what a register did that is not use.
    case meterEvent = "meter_event"
}

/// How much it matters.
public enum Severity: String, Sendable, Codable, CaseIterable, Comparable {
    /// Tell the family; may wait for the morning.
    case attention
    /// Someone must go, at any hour.
    case alarm

    /// Attention is below alarm.
    public static func < (left: Severity, right: Severity) -> Bool { left == .attention && right == .alarm }
}

/// What a detector says about one subject, with the numbers behind it.
public struct Finding: Hashable, Sendable, Codable {
    /// What it is about.
    public var subject: Subject
    /// What is the matter.
    public var kind: FindingKind
    /// The rule that fired, by its stable name: `volume`, `personal_gap`.
    public var rule: String
    /// How much it matters.
    public var severity: Severity
    /// When the rule fired.
    public var at: Instant
    /// The sentence for those who may see litres.
    public var text: LocalizedText
    /// The sentence for those who may not.
    public var plainText: LocalizedText
    /// The numbers behind the rule; names that hold litres end in `_litres`.
    public var numbers: [String: Double]
    /// What another device said in its own words. They may hold a name: only readers who may see typed words read them.
    public var quote: String?

    /// A finding with all its parts; without a plain text the text itself is plain.
    public init(
        subject: Subject, kind: FindingKind, rule: String, severity: Severity, at: Instant, text: LocalizedText,
        plainText: LocalizedText? = nil, numbers: [String: Double] = [:], quote: String? = nil
    ) {
        self.subject = subject
        self.kind = kind
        self.rule = rule
        self.severity = severity
        self.at = at
        self.text = text
        self.plainText = plainText ?? text
        self.numbers = numbers
        self.quote = quote.flatMap { $0.isEmpty ? nil : $0.bounded(.device) }
    }

    /// Reads a finding back from a record.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        subject = try values.decode(Subject.self, forKey: .subject)
        kind = try values.decode(FindingKind.self, forKey: .kind)
        rule = try values.decode(String.self, forKey: .rule)
        severity = try values.decode(Severity.self, forKey: .severity)
        at = try values.decode(Instant.self, forKey: .at)
        text = try values.decode(LocalizedText.self, forKey: .text)
        plainText = try values.decode(LocalizedText.self, forKey: .plainText)
        numbers = try values.decode([String: Double].self, forKey: .numbers)
        quote = try values.decodeIfPresent(String.self, forKey: .quote)?.bounded(.device)
        if quote == nil, rule.hasPrefix(Self.deviceRule) { takeQuoteOut() }
    }

    /// Rules of other devices' messages begin so.
    public static let deviceRule = "event/"

    /// Earlier releases wrote a device's words into the sentence, behind a colon, the same ones in both languages.
    private mutating func takeQuoteOut() {
        guard let chinese = text.chinese.firstIndex(of: "："), let english = text.english.firstIndex(of: ":") else { return }
        let words = text.chinese[chinese...].dropFirst()
        guard text.english[english...].dropFirst(2) == words else { return }
        quote = String(words).bounded(.device)
        text = LocalizedText(chinese: text.chinese[..<chinese] + "。", english: text.english[..<english] + ".")
        plainText = text
    }

    /// The sentence a reader may see.
    public func words(plain: Bool, quoted: Bool) -> LocalizedText {
        let words = plain ? plainText : text
        guard quoted, let quote else { return words }
        return Self.quoting(words, quote)
    }

    /// A sentence with a device's own words behind it: `The bin is full: at gate 2`.
    public static func quoting(_ sentence: LocalizedText, _ quote: String) -> LocalizedText {
        func open(_ text: String, _ end: Character) -> String { text.last == end ? String(text.dropLast()) : text }
        return LocalizedText(chinese: "\(open(sentence.chinese, "。"))：\(quote)", english: "\(open(sentence.english, ".")): \(quote)")
    }

    /// The sentence at a later moment. One with "today" and "10 h" in it was true when it was found; an hour later it says of when it speaks.
    /// - Parameter quoted: whether the reader may see other devices' own words
    public func told(plain: Bool, quoted: Bool = false, at now: Instant, clock: inout CivilClock) -> LocalizedText {
        let words = words(plain: plain, quoted: quoted)
        guard now.since(at) >= .hours(1) else { return words }
        return words + Phrase(.asOf, ["at": .text(clock.spoken(at.wall, at: now.wall))]).text
    }

    /// The numbers that hold no litres, for families.
    public var plainNumbers: [String: Double] { numbers.filter { !$0.key.hasSuffix("_litres") } }
}

extension CivilClock {
    /// A moment as a person says it at another moment: today, yesterday, or with its date, and the clock time.
    public mutating func spoken(_ time: WallTime, at now: WallTime) -> LocalizedText {
        let face = Phrase.Filling.same(clockFace(time))
        let days = day(at: now) - day(at: time)
        if days == 0 { return Phrase(.today, ["at": face]).text }
        if days == 1 { return Phrase(.yesterday, ["at": face]).text }
        let date = monthAndDay(time)
        return Phrase(.onDate, ["month": .same("\(date.month)"), "day": .same("\(date.day)"), "at": face]).text
    }
}
