import Foundation
import Telemetry

/// A letter as an Internet message (RFC 5322): plain text in UTF-8, Base64 so that no relay breaks a line.
struct MailMessage: Sendable, Hashable {
    var from: String
    var to: String
    var title: String
    var text: String
    /// Stays the same when a letter is tried again, so that a mailbox shows it once.
    var id: String
    /// Alarms are marked as urgent for programs that show it.
    var isUrgent: Bool
    var at: WallTime

    /// The message's bytes.
    var bytes: [UInt8] {
        let lines =
            [
                "Date: \(Self.date(at))", "From: \(Self.mailbox(from))", "To: \(Self.mailbox(to))", "Message-ID: <\(id)@wellward.invalid>",
                "Subject: \(Self.encoded(title))",
                "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: base64", "Auto-Submitted: auto-generated",
            ] + (isUrgent ? ["Importance: high", "X-Priority: 1"] : []) + [
                "", Data(text.utf8).base64EncodedString(options: [.lineLength76Characters, .endLineWithCarriageReturn, .endLineWithLineFeed]), "",
            ]
        return Array(lines.joined(separator: "\r\n").utf8)
    }

    /// The bare address of `Name <a@b>`.
    static func address(_ text: String) -> String {
        guard let open = text.lastIndex(of: "<"), let close = text.lastIndex(of: ">"), open < close else { return text }
        return String(text[text.index(after: open)..<close])
    }

    /// Whether a text may stand as an address in a header and an envelope: nothing that ends a line or opens another field.
    static func isAddress(_ text: String) -> Bool {
        let bare = address(text)
        let parts = bare.split(separator: "@", omittingEmptySubsequences: false)
        return parts.count == 2 && parts.allSatisfy { !$0.isEmpty } && bare.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != 0x3c && $0 != 0x3e }
            && text.utf8.allSatisfy { $0 >= 0x20 }
    }

    /// `Name <a@b>` as a header writes it: the name plain where it may be, in quotes where it must be, and as encoded words where it is not ASCII.
    static func mailbox(_ text: String) -> String {
        guard let open = text.lastIndex(of: "<"), text.contains(">") else { return text }
        let name = String(String.UnicodeScalarView(text[..<open].unicodeScalars.filter { !isControl($0) })).trimmingPrefix { $0 == " " }
        var bare = String(name)
        while bare.last == " " { bare.removeLast() }
        if bare.count >= 2, bare.first == "\"", bare.last == "\"" { bare = String(bare.dropFirst().dropLast()) }
        let address = "<\(address(text))>"
        guard !bare.isEmpty else { return address }
        guard bare.utf8.allSatisfy({ $0 < 0x80 }), bare.utf8.count <= 60, !bare.contains("=?") else { return "\(encoded(bare))\r\n \(address)" }
        let isAtoms = bare.allSatisfy { $0.isLetter || $0.isNumber || " !#$%&'*+-/=?^_`{|}~".contains($0) }
        if isAtoms { return "\(bare) \(address)" }
        let quoted = bare.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"")
        return "\"\(quoted)\" \(address)"
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }

    /// A header's text as encoded words of at most 75 characters (RFC 2047), never splitting a scalar, and without anything that ends a line.
    static func encoded(_ text: String) -> String {
        var words: [String] = []
        var word = String.UnicodeScalarView()
        var bytes = 0
        for scalar in text.unicodeScalars.prefix(longestHeader) where !isControl(scalar) {
            let length = UTF8.width(scalar)
            // 45 bytes become 60 characters of Base64 and 72 with their frame.
            if bytes + length > 45 {
                words.append(String(word))
                (word, bytes) = (String.UnicodeScalarView(), 0)
            }
            word.append(scalar)
            bytes += length
        }
        words.append(String(word))
        return words.map { "=?UTF-8?B?\(Data($0.utf8).base64EncodedString())?=" }.joined(separator: "\r\n ")
    }

    /// So many scalars of a header's text are kept.
    private static let longestHeader = 1000

    private static let weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// A moment as RFC 5322 writes it, in UTC: `Tue, 24 Nov 2026 12:34:56 +0000`. Its words are the same in every language.
    static func date(_ at: WallTime) -> String {
        var clock = CivilClock(zone: .gmt)
        // 2026-11-24T12:34:56.000+00:00
        let text = clock.rfc3339(at)
        let (year, day, time) = (text.prefix(4), text.dropFirst(8).prefix(2), text.dropFirst(11).prefix(8))
        return "\(weekdays[clock.weekday(at: at)]), \(day) \(months[Int(clock.monthAndDay(at).month) - 1]) \(year) \(time) +0000"
    }
}
