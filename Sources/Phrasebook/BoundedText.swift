import Foundation

/// A text that came from outside (a device, a form, a table, another server), made fit to be kept and shown: bounded in scalars and in
/// bytes, in Unicode's canonical composition (NFC), without control characters, terminal escape sequences (ECMA-48) or signs that turn the
/// direction of writing, and with few combining marks on a letter.
///
/// A limit in `Character`s is none: one of them may be a letter and a hundred thousand accents.
public struct BoundedText: Hashable, Sendable {
    /// How much of a text is kept.
    public struct Limit: Hashable, Sendable {
        /// The most Unicode scalars.
        public var scalars: Int
        /// The most bytes in UTF-8.
        public var bytes: Int
        /// Whether it may have several lines.
        public var hasLines: Bool

        /// A limit.
        public init(scalars: Int, bytes: Int, hasLines: Bool = false) {
            self.scalars = max(1, scalars)
            self.bytes = max(3, bytes)
            self.hasLines = hasLines
        }

        /// Who says something, or what something is called.
        public static let name = Limit(scalars: 80, bytes: 320)
        /// Where somebody lives.
        public static let address = Limit(scalars: 200, bytes: 800)
        /// What somebody writes about a case.
        public static let note = Limit(scalars: 2000, bytes: 8000, hasLines: true)
        /// What another device says.
        public static let device = Limit(scalars: 200, bytes: 800)
        /// A word of another device that is compared and not read: a floor, a fault code, a track.
        public static let word = Limit(scalars: 64, bytes: 256)
        /// What an answer repeats of what was asked.
        public static let echo = Limit(scalars: 40, bytes: 160)
        /// Why another server refused something.
        public static let fault = Limit(scalars: 300, bytes: 900)
        /// A sentence that the gateway made itself, read back from a record that may hold anything.
        public static let sentence = Limit(scalars: 2000, bytes: 8000, hasLines: true)
    }

    /// More marks than this on one letter are dropped. Vietnamese needs two, Thai two, pointed Hebrew four.
    public static let mostMarks = 6

    /// What is kept.
    public let text: String
    /// Whether something was left out for want of room; the text ends in `…` then.
    public let isCut: Bool

    /// Makes a text fit.
    public init(_ raw: String, _ limit: Limit) {
        // Most words of machines are short and plain.
        if raw.utf8.count <= min(limit.scalars, limit.bytes), raw.utf8.first != 0x20, raw.utf8.last != 0x20, raw.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
        {
            (text, isCut) = (raw, false)
            return
        }
        var filter = Filter(hasLines: limit.hasLines)
        // Composition may make three scalars of one and one of three: cut roughly before it and exactly behind it.
        let (rough, wasCut) = filter.take(raw.unicodeScalars, most: limit.scalars * 3 + 1, bytes: .max)
        var again = Filter(hasLines: limit.hasLines)
        let composed = rough.precomposedStringWithCanonicalMapping.trimmingCharacters(in: .whitespacesAndNewlines)
        let (whole, isLong) = again.take(composed.unicodeScalars, most: limit.scalars, bytes: limit.bytes)
        isCut = wasCut || isLong
        guard isCut else {
            text = whole
            return
        }
        // Room for the sign that something is missing.
        var shorter = Filter(hasLines: limit.hasLines)
        text = shorter.take(composed.unicodeScalars, most: limit.scalars - 1, bytes: limit.bytes - 3).text.trimmingCharacters(in: .whitespacesAndNewlines) + "…"
    }
}

extension String {
    /// The text as `BoundedText` keeps it.
    public func bounded(_ limit: BoundedText.Limit) -> String { BoundedText(self, limit).text }
}

extension BoundedText {
    /// Lets scalars through one after the other.
    private struct Filter {
        let hasLines: Bool
        private var marks = mostMarks
        private var escape = Escape.none

        /// Where an escape sequence stands.
        private enum Escape { case none, begun, sequence, string, stringEnding }

        init(hasLines: Bool) { self.hasLines = hasLines }

        /// The scalars that may stay, so many and so long at most.
        mutating func take(_ scalars: String.UnicodeScalarView, most: Int, bytes: Int) -> (text: String, isCut: Bool) {
            var kept = String.UnicodeScalarView()
            var (count, size) = (0, 0)
            for scalar in scalars {
                guard let scalar = passed(scalar) else { continue }
                let width = UTF8.width(scalar)
                guard count < most, size <= bytes - width else { return (String(kept), true) }
                kept.append(scalar)
                count += 1
                size += width
            }
            return (String(kept), false)
        }

        private mutating func passed(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
            switch escape {
            case .begun:
                // ESC and one more; CSI and the control strings go on.
                escape = scalar == "[" ? .sequence : "]P^_X".unicodeScalars.contains(scalar) ? .string : .none
                if (0x20...0x7E).contains(scalar.value) { return nil }
            case .sequence:
                if (0x40...0x7E).contains(scalar.value) {
                    escape = .none
                    return nil
                }
                if (0x20...0x3F).contains(scalar.value) { return nil }
                escape = .none
            case .string:
                if scalar.value == 0x07 || scalar.value == 0x9C { escape = .none } else if scalar.value == 0x1B { escape = .stringEnding }
                // One that has no end ends with its line.
                if !Self.isLineEnd(scalar) { return nil }
                escape = .none
            case .stringEnding:
                escape = .none
                if scalar == "\\" { return nil }
            case .none: break
            }
            return plain(scalar)
        }

        private static func isLineEnd(_ scalar: Unicode.Scalar) -> Bool { [0x0A, 0x0D, 0x85, 0x2028, 0x2029].contains(scalar.value) }

        private mutating func plain(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
            switch scalar.value {
            case 0x1B:
                escape = .begun
                return nil
            case 0x9B:
                escape = .sequence
                return nil
            case 0x90, 0x98, 0x9D, 0x9E, 0x9F:
                escape = .string
                return nil
            case 0x0A, 0x85, 0x2028, 0x2029:
                marks = mostMarks
                return hasLines ? "\n" : " "
            case 0x09, 0x0B, 0x0C, 0x0D:
                marks = mostMarks
                return " "
            case 0x200C, 0x200D:
                // Joiners shape some scripts and pictures; they count as marks.
                return marked(scalar)
            case 0xFDD0...0xFDEF: return nil
            default: break
            }
            guard scalar.value & 0xFFFE != 0xFFFE else { return nil }
            switch scalar.properties.generalCategory {
            case .control, .format, .surrogate: return nil
            case .nonspacingMark, .enclosingMark, .spacingMark: return marked(scalar)
            default:
                if scalar.properties.isEmojiModifier { return marked(scalar) }
                marks = 0
                return scalar
            }
        }

        /// A mark needs a letter before it, and few others.
        private mutating func marked(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
            guard marks < mostMarks else { return nil }
            marks += 1
            return scalar
        }
    }
}
