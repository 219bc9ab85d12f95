import Foundation
import Garbage
import Simulation
import TestSupport

/// Random input for every parser, in great numbers: INPUTS each (ten million), from SEED (1) and LOT (0) on, PARSERS to choose some.
/// A file says at each moment which lot each parser is at, for the case of a crash.
enum LongGarbage {
    static func feed() async throws {
        let environment = ProcessInfo.processInfo.environment
        let inputs = environment["INPUTS"].flatMap { Int($0) } ?? 10_000_000
        let seed = environment["SEED"].flatMap { UInt64($0) } ?? 1
        let first = environment["LOT"].flatMap { Int($0) } ?? 0
        let chosen = environment["PARSERS"].map { Set($0.split(separator: ",").map(String.init)) }
        let site = try StormSite(homes: 5, port: try LoopbackPort.free(), hooks: [:])
        let all = Garbage.parsers + (try ConsoleGarbage(site).parsers)
        let parsers = all.filter { chosen?.contains($0.name) ?? true }
        guard !parsers.isEmpty else { return print("PARSERS names none of \(all.map(\.name).joined(separator: ", "))") }
        let progress = FileManager.default.temporaryDirectory.appendingPathComponent("wellward-garbage-\(getpid())").path
        say("should it crash: \(progress).PARSER says at which lot; run it again with SEED=\(seed) LOT=… INPUTS=\(Garbage.lot) PARSERS=…")
        await withTaskGroup(of: Void.self) { group in
            for parser in parsers {
                group.addTask {
                    let began = ContinuousClock.now
                    let lots = (inputs + Garbage.lot - 1) / Garbage.lot
                    do {
                        for lot in first..<(first + lots) {
                            if lot % 10 == 0 || lots < 10 { try? "\(lot)\n".write(toFile: "\(progress).\(parser)", atomically: false, encoding: .utf8) }
                            try await parser.feedLot(lot, seed: seed)
                        }
                        let seconds = (ContinuousClock.now - began).seconds
                        say("ok   \(parser): \(lots * Garbage.lot) inputs, no crash, no promise broken (\(Int(seconds)) s)")
                    } catch { say("MISS \(error)") }
                    try? FileManager.default.removeItem(atPath: "\(progress).\(parser)")
                }
            }
        }
        await site.end()
    }

    /// At once, also into a file: it may be the last word.
    private static func say(_ line: String) { FileHandle.standardOutput.write(Data("\(line)\n".utf8)) }
}
