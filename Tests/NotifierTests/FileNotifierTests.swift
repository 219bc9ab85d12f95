import Casework
import Foundation
import Telemetry
import TestSupport
import Testing

@testable import Notifiers

/// A file that is none, or hangs.
@Suite struct FileNotifierTests {
    @Test func `a pipe that nobody reads fails at once, and gets its lines when somebody does`() async throws {
        let folder = try NotifierTests.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = "\(folder)/pipe"
        #expect(mkfifo(path, 0o600) == 0)
        let file = FileNotifier(path: path)
        #expect(await file.deliver(NotifierTests.letter()) == .failed("nobody reads the pipe", retryAfter: nil))
        let reader = open(path, O_RDONLY | O_NONBLOCK)
        #expect(reader >= 0)
        defer { close(reader) }
        #expect(await file.deliver(NotifierTests.letter("n-2")) == .delivered)
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = read(reader, &bytes, bytes.count)
        let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
        #expect(text.hasSuffix("\n") && text.contains(#""id":"n-2""#))
    }

    @Test func `a pipe whose reader sleeps fails, and what follows begins on a line of its own`() async throws {
        let folder = try NotifierTests.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = "\(folder)/pipe"
        #expect(mkfifo(path, 0o600) == 0)
        let reader = open(path, O_RDONLY | O_NONBLOCK)
        defer { close(reader) }
        let file = FileNotifier(path: path)
        let long = NotifierTests.letter(text: String(repeating: "没有动静", count: 10_000))
        guard case .failed = await file.deliver(long) else {
            Issue.record("a full pipe took it")
            return
        }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        while read(reader, &bytes, bytes.count) > 0 { continue }
        #expect(await file.deliver(NotifierTests.letter("n-2")) == .delivered)
        let count = read(reader, &bytes, bytes.count)
        let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
        #expect(text.hasPrefix("\n{") && text.hasSuffix("}\n"))
    }

    @Test func `many lines at once are whole lines, and the file is its owner's only`() async throws {
        let folder = try NotifierTests.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = "\(folder)/new/out.jsonl"
        let file = FileNotifier(path: path)
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<40 { group.addTask { #expect(await file.deliver(NotifierTests.letter("n-\(number)")) == .delivered) } }
        }
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 40 && lines.allSatisfy { $0.hasPrefix("{") && $0.hasSuffix("}") })
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber
        #expect(mode?.intValue == 0o600)
    }

    @Test func `a file that cannot be written says why`() async throws {
        let file = FileNotifier(path: "/proc/wellward/out.jsonl")
        guard case .failed(let why, _) = await file.deliver(NotifierTests.letter()) else {
            Issue.record("written into /proc")
            return
        }
        #expect(!why.isEmpty)
    }
}
