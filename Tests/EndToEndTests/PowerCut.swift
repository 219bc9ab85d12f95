import Foundation
import Simulation
import TestSupport
import Testing

/// Cuts the power of a program that ran with `Tests/Receivers/powercut.c`: what it wrote after the last sync of a file is lost in part, write
/// by write and sector by sector, in any order.
struct PowerCut {
    private let folder: String
    private let files: String
    /// Words before the program's own.
    let words: [String]

    /// - Parameters:
    ///   - files: what the paths begin with that the power can hurt
    ///   - lies: syncs say yes and do nothing
    init(folder: String, files: String, lies: Bool) throws {
        self.folder = folder
        self.files = URL(fileURLWithPath: files).resolvingSymlinksInPath().path
        let library = "\(folder)/powercut.so"
        let source = ShippedProfiles.root.appendingPathComponent("Tests/Receivers/powercut.c").path
        let built = try TechnicianCommandTests.shell(["/usr/bin/env", "cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl", "-lpthread"])
        try #require(built.code == 0, "a C compiler is part of every machine that builds Swift")
        words =
            ["/usr/bin/env", "LD_PRELOAD=\(library)", "POWER_CUT_FILES=\(self.files)", "POWER_CUT_NOTES=\(folder)/power-notes"]
            + (lies ? ["POWER_CUT_LIES=1"] : [])
    }

    /// One note of the program's.
    private struct Note {
        var kind: UInt8
        var path: String
        var from: Int
        var old: [UInt8]
        var size: Int
        /// What was there after it, read while going back.
        var new: [UInt8] = []
        var newSize = 0
    }

    private func notes() -> [Note] {
        let bytes = [UInt8](FileManager.default.contents(atPath: "\(folder)/power-notes") ?? Data())
        var notes: [Note] = []
        var at = 0
        func number(_ place: Int) -> Int { (0..<8).reduce(0) { $0 | Int(bytes[at + 1 + place * 8 + $1]) << ($1 * 8) } }
        while at + 33 <= bytes.count {
            let (named, length) = (number(0), number(2))
            let end = at + 33 + named + length
            // The last one was being written when the program died.
            guard named >= 0, length >= 0, end <= bytes.count else { break }
            let path = String(decoding: bytes[(at + 33)..<(at + 33 + named)], as: UTF8.self)
            notes.append(Note(kind: bytes[at], path: path, from: number(1), old: Array(bytes[(at + 33 + named)..<end]), size: number(3)))
            at = end
        }
        return notes
    }

    /// Takes back what was not synced, all of it, and gives some of it again. The program must be dead.
    /// - Returns: how many writes were not synced
    @discardableResult func cut(_ random: inout SeededRandom) throws -> Int {
        var open: [Note] = []
        for note in notes() {
            if note.kind == UInt8(ascii: "s") { open.removeAll { $0.path == note.path } } else { open.append(note) }
        }
        var handles: [String: Int32] = [:]
        for path in Set(open.map(\.path)) { handles[path] = Glibc.open(path, O_RDWR | O_CLOEXEC) }
        defer { for file in handles.values where file >= 0 { close(file) } }
        for index in open.indices.reversed() {
            guard let file = handles[open[index].path], file >= 0 else { continue }
            var status = stat()
            guard fstat(file, &status) == 0 else { continue }
            open[index].newSize = status.st_size
            // A write that made the file longer reached to its end.
            let isInside = open[index].from + open[index].old.count < open[index].size
            let reach = open[index].kind != UInt8(ascii: "w") ? 0 : isInside ? open[index].old.count : max(0, status.st_size - open[index].from)
            if reach > 0 {
                var bytes = [UInt8](repeating: 0, count: reach)
                let got = pread(file, &bytes, reach, open[index].from)
                open[index].new = Array(bytes.prefix(max(got, 0)))
            }
            if !open[index].old.isEmpty { _ = pwrite(file, open[index].old, open[index].old.count, open[index].from) }
            _ = ftruncate(file, open[index].size)
        }
        for note in open where random.unit() < 0.5 {
            guard let file = handles[note.path], file >= 0 else { continue }
            if note.kind == UInt8(ascii: "t") { _ = ftruncate(file, note.newSize) }
            let isTorn = random.unit() < 0.3
            for sector in stride(from: 0, to: note.new.count, by: 512) where !isTorn || random.unit() < 0.5 {
                let piece = Array(note.new[sector..<min(sector + 512, note.new.count)])
                _ = pwrite(file, piece, piece.count, note.from + sector)
            }
        }
        try? FileManager.default.removeItem(atPath: "\(folder)/power-notes")
        try? FileManager.default.removeItem(atPath: "\(files)-shm")
        return open.count
    }
}
