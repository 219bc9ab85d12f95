/// Finds out how a meter nobody has described writes its values: from one read and what its display showed meanwhile.
///
/// Every place × type × order × power of ten is tried. What is explained counts in bits, as digits of the display that chance would
/// not have hit; an unusual layout must pay for itself. Facts of one meter are expected to share one order of words.
public struct RegisterSolver: Sendable {
    /// How well a hypothesis explains one fact.
    public struct Candidate: Hashable, Sendable {
        public var hypothesis: RegisterHypothesis
        /// What it makes of the words, in the display's unit.
        public var value: Double
        /// Bits of the display explained, less the layout's oddity.
        public var score: Double
        /// Whether every shown digit agrees; else it is a near miss.
        public var isExact: Bool
    }

    /// What is to be said about one fact.
    public struct Answer: Sendable {
        public var fact: DisplayFact
        /// Those that explain every digit, best first.
        public var candidates: [Candidate]
        /// Those that come close, best first.
        public var nearMisses: [Candidate]
        /// The candidates that cannot be told apart by this read; one means decided, none means nothing explains the fact.
        public var tied: [Candidate]
        /// A value of the display at which the tied ones would give different numbers.
        public var decidedBeyond: Double?

        /// Whether one layout stands alone.
        public var isDecided: Bool { tied.count == 1 }
    }

    /// Two candidates this close in bits are not decided between.
    static let tie = 2.5

    private let words: [UInt16]

    /// A solver for the words of one read.
    public init(words: [UInt16]) { self.words = words }

    /// Answers for some facts, read at the same moment.
    public func solve(_ facts: [DisplayFact]) -> [Answer] {
        var all = facts.map { fact in hypotheses(for: fact).compactMap { judge($0, fact) }.sorted { $0.score > $1.score } }
        // The order most of the evidence speaks for; a fact in another order pays for being the exception.
        var votes = [Double](repeating: 0, count: 4)
        for candidates in all {
            for family in 0..<4 {
                let best = candidates.first { $0.isExact && $0.hypothesis.family == family }
                votes[family] += max(0, best?.score ?? 0)
            }
        }
        if facts.count > 1, let house = votes.indices.max(by: { votes[$0] < votes[$1] }), votes[house] > 0 {
            for index in all.indices {
                for place in all[index].indices where all[index][place].hypothesis.family.map({ $0 != house }) ?? false { all[index][place].score -= 4 }
                all[index].sort { $0.score > $1.score }
            }
        }
        return zip(facts, all).map(answer)
    }

    private func answer(_ fact: DisplayFact, _ all: [Candidate]) -> Answer {
        let exact = all.filter(\.isExact)
        let tied = exact.first.map { best in exact.filter { best.score - $0.score < Self.tie } } ?? []
        let beyond = tied.count > 1 ? deciding(tied, fact) : nil
        return Answer(
            fact: fact, candidates: Array(exact.prefix(8)), nearMisses: Array(all.filter { !$0.isExact }.prefix(5)), tied: Array(tied.prefix(4)),
            decidedBeyond: beyond)
    }

    // MARK: Judging

    private func judge(_ hypothesis: RegisterHypothesis, _ fact: DisplayFact) -> Candidate? {
        guard let shown = fact.number, let value = hypothesis.value(in: words) else { return nil }
        let off = value - shown
        // Displays round or cut off: half a step below to one step above is what is shown.
        let isExact = off >= -0.5 * fact.step - 1e-9 && off < fact.step
        let digits = abs(shown) / fact.step + 1
        guard isExact || abs(off) <= max(5 * fact.step, abs(shown) * 0.002) else { return nil }
        let closeness = isExact ? digits : max(1, digits / (abs(off) / fact.step + 1))
        let bits = closeness > 1 ? Self.log2(closeness) : 0
        return Candidate(hypothesis: hypothesis, value: value, score: bits - hypothesis.oddity, isExact: isExact)
    }

    /// Whole bits and a fraction, without the C library: the position of the highest bit and the mantissa's share.
    private static func log2(_ value: Double) -> Double { Double(value.exponent) + (value.significand - 1) }

    // MARK: Hypotheses

    private func hypotheses(for fact: DisplayFact) -> [RegisterHypothesis] {
        guard let shown = fact.number else { return [] }
        var result: [RegisterHypothesis] = []
        let isIdentity = fact.unit == .nothing
        for offset in words.indices {
            for kind in Self.kinds(signed: shown < 0) where offset + kind.type.registerCount <= words.count {
                for (rank, order) in Self.orders(kind.type.registerCount).enumerated() {
                    let exponents: [Int] = isIdentity ? [0] : kind.isFloat ? [0, -3, 3] : [0, -3, -2, -1, -4, 1, -6, -5, 2, 3]
                    for (place, exponent) in exponents.enumerated() {
                        let term = RegisterHypothesis.Term(offset: offset, type: kind.type, order: order, exponent: exponent)
                        let oddity = kind.oddity + Self.orderOddity(rank, kind.type.registerCount) + (place == 0 ? 0 : place < 4 ? 0.5 : 2)
                        result.append(RegisterHypothesis(terms: [term], oddity: oddity))
                    }
                }
            }
        }
        if fact.decimals > 0, shown > 0 { result += sums(at: words.indices) }
        return result
    }

    /// Whole units in one field and the rest in the next.
    private func sums(at places: Range<Int>) -> [RegisterHypothesis] {
        var result: [RegisterHypothesis] = []
        for offset in places {
            for whole in [RegisterType.integer(registers: 2, signed: false), .integer(registers: 1, signed: false)] {
                for (rank, order) in Self.orders(whole.registerCount).enumerated() where whole.registerCount == 2 || rank == 0 {
                    let first = RegisterHypothesis.Term(offset: offset, type: whole, order: order, exponent: 0)
                    let next = offset + whole.registerCount
                    for (fraction, exponents) in Self.fractions {
                        let width = fraction.registerCount
                        let orders = width == whole.registerCount ? [order] : [Self.orders(width)[width == 1 ? 0 : rank]]
                        for second in orders {
                            for exponent in exponents where next + width <= words.count {
                                let term = RegisterHypothesis.Term(offset: next, type: fraction, order: second, exponent: exponent)
                                // A fraction is less than one whole unit.
                                guard let part = term.number(in: words), part >= 0, part * term.scale < 1 else { continue }
                                result.append(RegisterHypothesis(terms: [first, term], oddity: 3 + Self.orderOddity(rank, 2)))
                            }
                        }
                    }
                }
            }
        }
        return result
    }

    private static let fractions: [(RegisterType, [Int])] = [
        (.float(registers: 2), [0]), (.integer(registers: 2, signed: false), [-6, -3, -4]), (.integer(registers: 1, signed: false), [-3, -4, -2]),
    ]

    private static func kinds(signed: Bool) -> [(type: RegisterType, oddity: Double, isFloat: Bool)] {
        [
            (.integer(registers: 2, signed: signed), 0, false), (.float(registers: 2), 0, true), (.integer(registers: 1, signed: signed), 1, false),
            (.bcd(registers: 2), 1, false), (.float(registers: 4), 1.5, true), (.integer(registers: 4, signed: signed), 2.5, false),
            (.bcd(registers: 1), 3, false), (.bcd(registers: 3), 3, false), (.bcd(registers: 4), 3, false),
            (.integer(registers: 3, signed: signed), 3.5, false),
        ]
    }

    private static func orders(_ registers: Int) -> [WordOrder] { WordOrder.usual(registers: registers) }

    private static func orderOddity(_ rank: Int, _ registers: Int) -> Double {
        registers == 1 ? (rank == 0 ? 0 : 3) : [0, 0.5, 2, 2][min(rank, 3)]
    }

    // MARK: What would decide

    /// The lowest value at which the tied layouts, each written as the best of them would write it, no longer agree.
    private func deciding(_ tied: [Candidate], _ fact: DisplayFact) -> Double? {
        guard let best = tied.first, let shown = fact.number else { return nil }
        var trials = [1.0, 7, 100, 1000].map { shown + $0 * fact.step }
        for candidate in tied {
            for term in candidate.hypothesis.terms {
                for bits in [16, 32, 48] as [UInt64] { trials.append((Double(UInt64(1) << bits) + 4321) * term.scale) }
            }
        }
        trials += [shown * 2, shown * 10]
        for trial in trials.sorted() where trial > shown {
            guard let written = best.hypothesis.writing(trial, into: words) else { continue }
            let differs = tied.dropFirst().contains { other in
                other.hypothesis.value(in: written).map { abs($0 - trial) > fact.step } ?? true
            }
            if differs, isDecided(trial, in: written, fact) { return trial }
        }
        return nil
    }

    /// Whether a read of these words with the display at this value would leave one layout.
    private func isDecided(_ value: Double, in written: [UInt16], _ fact: DisplayFact) -> Bool {
        var shown = fact
        shown.number = (value / fact.step).rounded() * fact.step
        let solver = RegisterSolver(words: written)
        let exact = solver.hypotheses(for: shown).compactMap { solver.judge($0, shown) }.filter(\.isExact).sorted { $0.score > $1.score }
        guard let best = exact.first else { return false }
        return exact.dropFirst().allSatisfy { best.score - $0.score >= Self.tie }
    }

    // MARK: Texts

    /// Where a text stands in the words: the offset, the registers, and whether each register holds one character only.
    public func places(ofText text: String) -> [(offset: Int, registers: Int, perRegister: Bool)] {
        let wanted = Array(text.utf8)
        guard !wanted.isEmpty else { return [] }
        var found: [(Int, Int, Bool)] = []
        for offset in words.indices {
            let pairs = (wanted.count + 1) / 2
            if offset + pairs <= words.count {
                let bytes = words[offset..<offset + pairs].flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }
                if Array(bytes.prefix(wanted.count)) == wanted { found.append((offset, pairs, false)) }
            }
            if offset + wanted.count <= words.count, zip(words[offset...], wanted).allSatisfy({ $0 == UInt16($1) }) {
                found.append((offset, wanted.count, true))
            }
        }
        return found
    }
}
