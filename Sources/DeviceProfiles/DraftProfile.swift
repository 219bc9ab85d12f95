/// A profile's first draft from what the solver found: for a technician to complete, at the lowest rung of trust.
public struct DraftProfile: Sendable {
    public var id: String
    public var function: UInt8
    /// The wire address of the read's first word.
    public var start: Int
    public var answers: [RegisterSolver.Answer]
    /// Texts that were found: name, offset, registers, one character a register.
    public var texts: [(name: String, offset: Int, registers: Int, perRegister: Bool)]

    /// A draft.
    public init(
        id: String, function: UInt8, start: Int, answers: [RegisterSolver.Answer],
        texts: [(name: String, offset: Int, registers: Int, perRegister: Bool)] = []
    ) {
        self.id = id
        self.function = function
        self.start = start
        self.answers = answers
        self.texts = texts
    }

    /// The profile as YAML, written by wire addresses.
    public var yaml: String {
        let total = answers.first { $0.fact.role == "volume_total" && !$0.tied.isEmpty }
        let count = total?.tied.first.flatMap { $0.hypothesis.terms.last.map { min($0.scale, 1) } } ?? 0.001
        let resolution = max(
            0.001,
            (total?.tied.first?.hypothesis.terms.contains { if case .float = $0.type { true } else { false } } == true
                ? total?.fact.step ?? count : count) * (total?.fact.unit.factor ?? 1))
        var lines = [
            "# A draft made from one read and the meter's display. Complete what is marked TODO, then run: wellward profile lint FILE",
            "kind: meter", "id: \(id)", "title:", "  zh-Hans: 待补充", "  en: to be completed", "manufacturer: \"TODO\"", "models: []",
            "document: \"TODO: where a second source for these registers can be read\"", "trust: structural", "function: \(function)",
            "address_base: 0", "resolution_litres: \(Self.plain(resolution))", "points:",
        ]
        for answer in answers {
            guard let best = answer.tied.first else { continue }
            lines.append("  - id: \(answer.fact.name)")
            lines.append("    role: \(answer.fact.role)")
            if answer.fact.unit != .nothing { lines.append("    unit: \(answer.fact.unit.rawValue)") }
            if !answer.isDecided { lines.append("    # Not decidable from one read: \(answer.tied.count) layouts explain the display. Read again later.") }
            let terms = best.hypothesis.terms
            if terms.count == 1, let term = terms.first {
                lines.append("    " + place(term).joined(separator: "\n    "))
            } else {
                lines.append("    sum:")
                for term in terms { lines.append("      - {\(place(term).joined(separator: ", "))}") }
            }
            lines.append("    source: \"Read with the display showing \(answer.fact.text) \(answer.fact.unit.rawValue)\"")
            lines.append("    inferred: true")
        }
        for text in texts {
            lines.append(
                "  - {id: \(text.name), role: \(text.name == "serial" ? "serial" : "other"), address: \(start + text.offset), type: \(text.perRegister ? "ascii_per_register" : "ascii"), registers: \(text.registers), source: \"Read beside the display\", inferred: true}"
            )
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func place(_ term: RegisterHypothesis.Term) -> [String] {
        var parts = ["address: \(start + term.offset)", "type: \(term.type.word)"]
        if term.type.registerCount > 1 || term.order.description != "AB" { parts.append("order: \(term.order)") }
        if term.exponent != 0 { parts.append("scale: \(Self.plain(term.scale))") }
        return parts
    }

    /// A number without an exponent, so that a reader need not count zeros in his head twice.
    static func plain(_ value: Double) -> String {
        var text = String(Int64((value * 1e9).rounded()))
        while text.count < 10 { text = "0" + text }
        let whole = text.dropLast(9)
        var fraction = text.suffix(9)
        while fraction.last == "0" { fraction = fraction.dropLast() }
        return fraction.isEmpty ? String(whole) : "\(whole).\(fraction)"
    }
}

extension RegisterType {
    /// The word a profile uses for the type.
    public var word: String {
        switch self {
        case .integer(let registers, let signed): "\(signed ? "" : "u")int\(registers * 16)"
        case .float(let registers): "float\(registers * 16)"
        case .bcd(let registers): "bcd\(registers * 16)"
        case .ascii(_, let perRegister): perRegister ? "ascii_per_register" : "ascii"
        case .clock: "clock"
        case .bits(let registers): "bits\(registers * 16)"
        }
    }
}
