extension Double {
    /// A finite number as people and spreadsheets write one: digits, a sign, a point, an exponent; nil for anything else.
    /// `Double(_:)` also takes what no table means, such as `0x65`, `inf` and `nan`.
    public static func plain(_ text: some StringProtocol) -> Double? {
        let isPlain = text.utf8.allSatisfy { (48...57).contains($0) || [43, 45, 46, 69, 101].contains($0) }
        guard isPlain, let number = Double(Substring(text)), number.isFinite else { return nil }
        return number
    }
}
