/// JSON whose strings were cut, before anybody decodes it: what stands in a record of an older release, or comes from a stranger, may hold
/// strings of any length, and a decoder makes many copies of each.
///
/// One pass over the bytes, with no more memory than the answer. What is no JSON stays none.
public enum QuotedJSON {
    /// The bytes with each string cut to so many bytes, and how many were.
    /// - Parameter most: the most bytes of a string as it is written, escapes included
    public static func cut(_ bytes: some Collection<UInt8>, strings most: Int) -> (bytes: [UInt8], cut: Int) {
        var kept: [UInt8] = []
        kept.reserveCapacity(min(bytes.count, 1 << 16))
        var count = 0
        var walk = bytes.makeIterator()
        while let byte = walk.next() {
            kept.append(byte)
            guard byte == quote else { continue }
            if !takeString(&walk, &kept, most: most) { count += 1 }
        }
        return (kept, count)
    }

    private static let (quote, backslash) = (UInt8(ascii: "\""), UInt8(ascii: "\\"))

    /// The rest of a string behind its first quote.
    /// - Returns: whether all of it was kept
    private static func takeString(_ walk: inout some IteratorProtocol<UInt8>, _ kept: inout [UInt8], most: Int) -> Bool {
        let start = kept.count
        // Where the newest sign begins: a string is cut there, never inside UTF-8, an escape or a pair of surrogates.
        var whole = start
        var isWhole = true
        while let byte = walk.next() {
            if byte == quote {
                if !isWhole { kept.removeSubrange(whole...) }
                kept.append(quote)
                return isWhole
            }
            var sign = [byte]
            if byte == backslash {
                guard let next = walk.next() else { break }
                sign.append(next)
                if next == UInt8(ascii: "u") { for _ in 0..<4 { if let digit = walk.next() { sign.append(digit) } } }
            }
            guard isWhole else { continue }
            if byte & 0xC0 != 0x80, !isSecondHalf(sign) { whole = kept.count }
            guard kept.count - start + sign.count <= most else {
                isWhole = false
                continue
            }
            kept += sign
        }
        return isWhole
    }

    /// `\uDC00` to `\uDFFF`.
    private static func isSecondHalf(_ sign: [UInt8]) -> Bool {
        sign.count == 6 && (sign[2] | 0x20) == UInt8(ascii: "d") && "cdefCDEF".utf8.contains(sign[3])
    }
}
