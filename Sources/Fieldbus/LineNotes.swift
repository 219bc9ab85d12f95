import Phrasebook

/// What a technician should know of a line although its values came: each hints at wiring, bias, timing or addresses.
public struct LineNotes: Sendable, Hashable {
    /// Bytes that belonged to no frame.
    public var noiseBytes = 0
    /// Requests heard again through a two-wire adapter.
    public var echoes = 0
    /// Answers that came after their request had been given up.
    public var lateReplies = 0
    /// Answers that came twice.
    public var repeats = 0
    /// Answers to nothing that was asked: a shifted line, or a second master.
    public var strayReplies = 0
    /// Connections that were opened.
    public var connections = 0

    /// Nothing to note.
    public init() {}

    /// Whether the line was clean.
    public var isClean: Bool { noiseBytes == 0 && echoes == 0 && lateReplies == 0 && repeats == 0 && strayReplies == 0 }

    /// Adds the notes of another poll.
    public mutating func add(_ other: LineNotes) {
        noiseBytes += other.noiseBytes
        echoes += other.echoes
        lateReplies += other.lateReplies
        repeats += other.repeats
        strayReplies += other.strayReplies
        connections += other.connections
    }

    /// The notes in words, for a technician; nil when the line was clean.
    public var text: LocalizedText? {
        let parts: [(Int, LocalizedText)] = [
            (noiseBytes, .said("\(noiseBytes)个杂字节（线路无偏置或有干扰）", "\(noiseBytes) stray bytes (no bias, or a disturbed line)")),
            (echoes, .said("请求回显\(echoes)次（两线转换器）", "the request echoed \(echoes) times (two-wire adapter)")),
            (
                lateReplies,
                .said("\(lateReplies)个应答来晚了（把response_timeout或turnaround写长）", "\(lateReplies) late replies (lengthen response_timeout or turnaround)")
            ),
            (repeats, .said("\(repeats)个应答重复", "\(repeats) replies repeated")),
            (strayReplies, .said("\(strayReplies)个应答没人问过（是否有第二个主站）", "\(strayReplies) replies to nothing that was asked (a second master?)")),
        ]
        let told = parts.filter { $0.0 > 0 }.map(\.1)
        guard !told.isEmpty else { return nil }
        return .said(
            "线路：" + told.map(\.chinese).joined(separator: "；") + "。", "Line: " + told.map(\.english).joined(separator: "; ") + ".")
    }
}
