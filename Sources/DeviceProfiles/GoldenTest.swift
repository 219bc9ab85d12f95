import Telemetry

/// Runs a profile's golden frames offline.
public enum GoldenTest {
    /// What one frame showed.
    public struct Outcome: Sendable, Hashable {
        /// The line of the frame in the profile.
        public var line: Int?
        /// Nothing when the frame decodes as it says; otherwise what is different.
        public var faults: [String]
    }

    /// Decodes every golden frame of a profile and compares.
    public static func run(_ profile: MeterProfile) -> [Outcome] {
        profile.golden.map { Outcome(line: $0.line, faults: faults(of: $0, in: profile)) }
    }

    private static func faults(of golden: GoldenFrame, in profile: MeterProfile) -> [String] {
        let image: RegisterImage
        do {
            guard case .readRequest(let unit, let function, let address, let count) = try ModbusFrame.request(golden.request) else {
                return ["the request is no read"]
            }
            switch try ModbusFrame.response(golden.response) {
            case .readResponse(let answering, let answered, let words):
                guard answering == unit, answered == function, words.count == Int(count) else {
                    return ["the answer is for unit \(answering), function \(answered), \(words.count) registers; asked were \(unit), \(function), \(count)"]
                }
                image = RegisterImage(blocks: [.init(function: function, address: address, words: words)])
            default: return ["the answer is an exception"]
            }
        } catch {
            return [error.description]
        }
        return golden.expected.sorted { $0.key < $1.key }.compactMap { id, expected in
            guard let point = profile.points.first(where: { $0.id == id }) else { return "there is no point `\(id)`" }
            // A golden frame shows one read; factors kept in other registers are taken as one.
            var bare = point
            if point.neededFields.contains(where: { $0.bits(in: image) == nil }) { bare.scaleRule = nil; bare.unitRule = nil }
            guard let found = bare.decode(image).number else { return "`\(id)` decodes to no number" }
            let tolerance = max(1e-9, abs(expected) * 1e-5)
            return abs(found - expected) <= tolerance ? nil : "`\(id)` decodes to \(found), expected \(expected)"
        }
            + golden.expectedTexts.sorted { $0.key < $1.key }.compactMap { id, expected in
                guard let point = profile.points.first(where: { $0.id == id }) else { return "there is no point `\(id)`" }
                if let parts = point.clockParts(image) {
                    let shown = "\(parts.year)-\(parts.month)-\(parts.day) \(parts.hour):\(parts.minute):\(parts.second)"
                    return shown == expected ? nil : "`\(id)` decodes to \(shown), expected \(expected)"
                }
                let found = point.text(image)
                return found == expected ? nil : "`\(id)` decodes to \(found ?? "nothing"), expected \(expected)"
            }
    }
}
