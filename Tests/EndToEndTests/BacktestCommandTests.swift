import Foundation
import Testing

/// `wellward backtest` as somebody with a folder of files uses it, mistakes included.
@Suite struct BacktestCommandTests {
    /// Files in a folder of their own, which goes with the value.
    final class Desk {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("wellward-backtest-\(UUID().uuidString)")

        init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }
        deinit { try? FileManager.default.removeItem(at: folder) }

        func write(_ name: String, _ text: String) throws { try Data(text.utf8).write(to: folder.appendingPathComponent(name)) }

        func run(_ arguments: String..., language: String = "en_US.UTF-8") throws -> (code: Int32, out: String, err: String) {
            try TechnicianCommandTests.run(["backtest"] + arguments, in: folder.path, language: language)
        }

        /// A register read every so many minutes.
        func register(_ name: String, every minutes: Int = 15, days: Int, _ value: (Int) -> Double) throws {
            let rows = (0...(days * 1440 / minutes)).map { "\(1_700_006_400 + $0 * minutes * 60),\(value($0 * minutes))" }
            try write(name, "unix_seconds,litres_cumulative\n" + rows.joined(separator: "\n") + "\n")
        }
    }

    /// Six litres at each of these minutes of the day.
    static func usual(_ minute: Int) -> Double {
        let draws = [390, 450, 570, 720, 780, 930, 1080, 1200, 1290]
        let (day, rest) = (minute / 1440, minute % 1440)
        return Double(6 * (day * draws.count + draws.count { $0 <= rest }))
    }

    @Test func `an empty cell or a word in a file is a gap, counted and told with its line`() throws {
        let desk = try Desk()
        try desk.register("plain.csv", days: 4) { Self.usual($0) }
        let text = try String(contentsOf: desk.folder.appendingPathComponent("plain.csv"), encoding: .utf8)
        var rows = text.split(separator: "\n").map(String.init)
        for (line, cell) in [(9, ""), (40, "no answer"), (41, "NaN")] { rows[line - 1] = rows[line - 1].split(separator: ",")[0] + ",\(cell)" }
        try desk.write("holes.csv", rows.joined(separator: "\n") + "\n")
        let plain = try desk.run("plain.csv", "--timezone", "UTC")
        let done = try desk.run("holes.csv", "--timezone", "UTC")
        #expect(done.code == 0 && done.err.contains("3 lines hold no reading") && done.err.contains("9, 40, 41"), "\(done)")
        #expect(!plain.err.contains("no reading"))
        func rules(_ text: String) -> [String] { TechnicianCommandTests.lines(text).compactMap { $0["rule"] as? String } }
        #expect(rules(done.out) == rules(plain.out))
        let chinese = try desk.run("holes.csv", "--timezone", "UTC", language: "zh_CN.UTF-8")
        #expect(chinese.err.contains("3行没有读数"))
        try desk.write("none.csv", "unix_seconds,litres_cumulative\n1700006400,\n")
        let none = try desk.run("none.csv", "--timezone", "UTC")
        #expect(none.code == 1 && none.err.contains("line 2"))
    }

    @Test(arguments: [500, 0]) func `a register that never moves is guarded by the volume rule and the ceiling, from the first hour`(value: Double) throws {
        let desk = try Desk()
        try desk.register("h1.csv", days: 4) { _ in value }
        try desk.write("falls.csv", "household,unix_seconds\nh1,1700010000\n")
        let done = try desk.run("h1.csv", "--onsets", "falls.csv", "--timezone", "UTC")
        let lines = TechnicianCommandTests.lines(done.out)
        #expect(done.code == 0)
        #expect(lines.compactMap { $0["rule"] as? String } == ["volume", "volume", "longest_silence"])
        #expect(lines.contains { $0["detected_at"] as? Int == 1_700_006_400 + 12 * 3600 })
    }

    @Test func `a single step of a hundred litres does not make a meter too coarse, and many steps do, which is said once`() throws {
        let desk = try Desk()
        try desk.register("bath.csv", days: 3) { $0 < 300 ? 500 : 600 }
        try desk.register("coarse.csv", days: 12) { Double($0 / 1000 * 100) }
        let bath = TechnicianCommandTests.lines(try desk.run("bath.csv", "--timezone", "UTC").out)
        #expect(bath.contains { $0["rule"] as? String == "longest_silence" })
        let coarse = TechnicianCommandTests.lines(try desk.run("coarse.csv", "--timezone", "UTC").out)
        #expect(coarse.count == 1 && coarse[0]["kind"] as? String == "degraded" && coarse[0]["rule"] as? String == "resolution")
    }

    @Test func `rows written late count in their time, and one from the far future hides nothing`() throws {
        let desk = try Desk()
        let fall = 20 * 1440 + 600
        try desk.register("sorted.csv", days: 22) { Self.usual(min($0, fall)) }
        let text = try String(contentsOf: desk.folder.appendingPathComponent("sorted.csv"), encoding: .utf8)
        var rows = text.split(separator: "\n").map(String.init)
        let header = rows.removeFirst()
        let late = Array(rows[1800..<1990])
        rows.removeSubrange(1800..<1990)
        try desk.write("late.csv", ([header] + rows + late).joined(separator: "\n"))
        rows.insert("2015539200,9", at: 900)
        try desk.write("future.csv", ([header] + rows + late).joined(separator: "\n"))
        func alarms(_ name: String) throws -> [Int] {
            TechnicianCommandTests.lines(try desk.run(name, "--timezone", "UTC").out).filter {
                $0["kind"] as? String == "inactivity" && $0["severity"] as? String == "alarm"
            }.compactMap { $0["raised_at"] as? Int }
        }
        let sorted = try alarms("sorted.csv")
        #expect(sorted.contains { $0 > 1_700_006_400 + fall * 60 })
        #expect(try alarms("late.csv") == sorted)
        #expect(try alarms("future.csv").starts(with: sorted))
    }

    @Test(arguments: [
        ("h1,99999999999999999", "line 2, unix_seconds"), ("h1,-9223372036854775808", "line 2, unix_seconds"), ("h1,soon", "line 2, unix_seconds"),
        ("h1", "line 2, unix_seconds"), (",1700010000", "line 2, household"),
    ]) func `a fall that cannot be read is a fault with its line, not a crash and not lost`(row: String, place: String) throws {
        let desk = try Desk()
        try desk.register("h1.csv", days: 2) { Self.usual($0) }
        try desk.write("falls.csv", "household,unix_seconds\n\(row)\n")
        let done = try desk.run("h1.csv", "--onsets", "falls.csv")
        #expect(done.code == 1 && done.err.contains("falls.csv, \(place)") && done.out.isEmpty, "\(done)")
    }

    @Test func `a presence entry that cannot be read is a fault, and rows about homes without a file are said`() throws {
        let desk = try Desk()
        try desk.register("h1.csv", days: 2) { Self.usual($0) }
        try desk.write("away.csv", "household,kind,from,until\nh1,away,1700010000,9223372036854775807\n")
        let endless = try desk.run("h1.csv", "--presence", "away.csv")
        #expect(endless.code == 1 && endless.err.contains("away.csv, line 2, until"))
        try desk.write("away.csv", "household,kind,from,until\nh1,holiday,1700010000,1700020000\n")
        let kind = try desk.run("h1.csv", "--presence", "away.csv")
        #expect(kind.code == 1 && kind.err.contains("line 2, kind"))
        try desk.write("falls.csv", "household,unix_seconds\nh2,1700010000.0\nh1,1700010000.0\n")
        let other = try desk.run("h1.csv", "--onsets", "falls.csv")
        #expect(other.code == 0 && other.err.contains("`h2`") && other.out.contains("\"onset\":1700010000"))
    }

    @Test(arguments: ["nan", "0", "1e300", "-1"]) func `a count of the meter that is none is a fault`(litres: String) throws {
        let desk = try Desk()
        try desk.register("h1.csv", days: 1) { Self.usual($0) }
        let done = try desk.run("h1.csv", "--resolution-litres=\(litres)")
        #expect(done.code == 1 && done.err.contains("0.001"))
    }

    @Test func `faults are told in the language of the terminal`() throws {
        let desk = try Desk()
        let chinese = try desk.run("none.csv", language: "zh_CN.UTF-8")
        #expect(chinese.code == 1 && chinese.err.contains("打不开"))
        #expect(try desk.run("none.csv").err.contains("cannot be opened"))
    }

    @Test func `the same input gives the same bytes, text is sentences, and hourly rows are no water without a pause`() throws {
        let desk = try Desk()
        try desk.register("h1.csv", every: 60, days: 20) { Self.usual($0) }
        let first = try desk.run("h1.csv", "--timezone", "UTC")
        #expect(try desk.run("h1.csv", "--timezone", "UTC").out == first.out)
        #expect(!first.out.contains("continuous_flow"))
        #expect(first.err.contains("no_data"), "why the home is blind between rows is said")
        let text = try desk.run("h1.csv", "--timezone", "UTC", "--format", "text").out
        #expect(!text.contains("{") && text.contains("  h1  "))
    }

    @Test func `the committee's page says how many falls were not noticed, in words of its language, without months nobody was guarded in`() throws {
        let desk = try Desk()
        try desk.register("coarse.csv", days: 40) { Double($0 / 1000 * 100) }
        try desk.write("empty.csv", "unix_seconds,litres_cumulative\n")
        try desk.write("falls.csv", "household,unix_seconds\ncoarse,1701000000\n")
        let page = try desk.run("coarse.csv", "empty.csv", "--onsets", "falls.csv", "--report", "html", language: "zh_CN.UTF-8").out
        #expect(page.contains("72小时内没有发现</dt><dd>1</dd>"))
        #expect(page.contains("观察（户月）</dt><dd>0.00</dd>"))
        #expect(page.contains("分不清 1") && !page.contains("1970"))
    }
}
