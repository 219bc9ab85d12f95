import Foundation

/// Words of a receiver – a relay's reply, a robot's error – as they may stand in the record, in a log and in a notice: short, on one line, without
/// control characters, addresses, or anything that we had sent there in confidence.
enum PeerWords {
    /// The most characters kept, in Unicode scalars.
    static let longest = 200
    /// What stands where something was left out.
    private static let leftOut = "…"

    /// Cleans a peer's words.
    /// - Parameters:
    ///   - secrets: texts that must not come back, such as the address of a robot; long parts of an address count too
    ///   - told: the letter's own words; an echo of them is left out as a whole, since it may hold a name
    static func cleaned(_ text: String, secrets: [String] = [], told: String = "") -> String {
        // Far more than is kept, so that a secret cannot be cut in two and shown by half.
        let bounded = String(String.UnicodeScalarView(text.unicodeScalars.prefix(20 * longest)))
        var line = String(String.UnicodeScalarView(bounded.unicodeScalars.compactMap(plain)))
        for secret in secrets.flatMap(parts) { line = line.replacingOccurrences(of: secret, with: leftOut) }
        let words = line.split(separator: " ", omittingEmptySubsequences: true).map { word in
            // A mail address, a link with whatever it carries, or a run that can only be a key.
            word.contains("@") || word.contains("://") || isKey(word) ? leftOut : String(word)
        }
        line = words.joined(separator: " ")
        if repeats(line, of: told) { return leftOut }
        guard line.unicodeScalars.count > longest else { return line }
        return String(String.UnicodeScalarView(line.unicodeScalars.prefix(longest))) + leftOut
    }

    /// A scalar that may stand in a line; spaces for whatever ends one; nothing for what steers a terminal, turns the writing round or piles up.
    private static func plain(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .spaceSeparator: " "
        case .format, .surrogate, .privateUse, .unassigned, .nonspacingMark, .enclosingMark: nil
        default: scalar
        }
    }

    /// A secret as a whole, and its parts that are long enough to be one.
    private static func parts(_ secret: String) -> [String] {
        let separators = CharacterSet(charactersIn: "/?&=:#. ")
        return ([secret] + secret.components(separatedBy: separators).filter(couldBeKey)).filter { !$0.isEmpty }
            .sorted { $0.count > $1.count }
    }

    /// `access_token` may be said, what stands behind it may not.
    private static func couldBeKey(_ part: String) -> Bool { part.count >= 8 && part.contains { $0.isNumber || $0.isUppercase } }

    private static func isKey(_ word: Substring) -> Bool {
        word.utf8.count >= 24 && word.utf8.allSatisfy { $0 < 0x80 } && word.contains(where: \.isNumber) && !word.contains(where: \.isWhitespace)
    }

    /// Whether a line repeats a stretch of what was told: four characters of a writing that needs no more for a name, sixteen of any other.
    private static func repeats(_ line: String, of told: String) -> Bool {
        let (said, known) = (Array(line.unicodeScalars), Array(told.unicodeScalars.prefix(4000)))
        func share(_ length: Int, _ counts: (ArraySlice<Unicode.Scalar>) -> Bool) -> Bool {
            guard said.count >= length, known.count >= length else { return false }
            let stretches = Set((0...known.count - length).map { known[$0..<$0 + length] }.filter(counts))
            return (0...said.count - length).contains { stretches.contains(said[$0..<$0 + length]) }
        }
        return share(16) { _ in true } || share(4) { $0.allSatisfy { $0.value >= 0x2E80 && $0.properties.isAlphabetic } }
    }
}
