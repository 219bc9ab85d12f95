import Casework
import Foundation
import Phrasebook
import Simulation
import Telemetry
import Testing

@Suite struct CaseRestartTests {
    @Test(arguments: 0..<30)
    func `killed and restored at any point, nothing is skipped and nothing is told twice`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var whole = BookBench()
        var broken = BookBench()
        var next = 1
        for _ in 0..<40 {
            let step = Interval.seconds(Int64.random(in: 1...600, using: &random))
            let choice = Int.random(in: 0..<14, using: &random)
            for index in 0..<2 {
                func drive(_ bench: inout BookBench) {
                    bench.wait(step)
                    switch choice {
                    case 0: bench.silence()
                    case 1: bench.silence(.attention)
                    case 2: bench.take(.signOfLife("h"))
                    case 3: bench.actOnOpen(.accept, by: "grid")
                    case 4: bench.actOnOpen(.accept, by: "daughter")
                    case 5: bench.actOnOpen(.arrived, by: "grid")
                    case 6: bench.actOnOpen(.handBack, by: "grid")
                    case 7: bench.actOnOpen(.outcome(.noAccess, until: nil), by: "grid")
                    case 8: bench.actOnOpen(.outcome(.safe, until: nil), by: "grid")
                    case 9: bench.actOnOpen(.outcome(.away, until: nil), by: "daughter")
                    default: break
                    }
                }
                if index == 0 { drive(&whole) } else { drive(&broken) }
            }
            let open = try broken.book.cases.values.filter(\.isOpen).map { try JSONDecoder().decode(Case.self, from: try JSONEncoder().encode($0)) }
            // The store remembers the number of the newest case, open or not.
            next = max(next, (broken.book.cases.keys.compactMap { Int($0.rawValue.dropFirst(2)) }.max() ?? 0) + 1)
            broken.book = CaseBook(
                ladders: broken.book.ladders, directory: broken.book.directory, language: .english, civil: CivilClock(zone: .gmt), open: open,
                nextNumber: next)
            #expect(whole.notices.map(\.id) == broken.notices.map(\.id), "seed \(seed)")
            let isSame = whole.notices == broken.notices
            #expect(isSame, "seed \(seed)")
        }
        #expect(Set(whole.notices.map(\.id)).count == whole.notices.count)
    }
}
