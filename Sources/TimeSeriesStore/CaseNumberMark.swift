import Foundation
import Glibc

/// The highest number of a case, for the hour in which the record itself takes no more.
///
/// A case that could be told but not written down is forgotten by a power cut. Its number must not come again: somebody holds a link to it,
/// and a receiver knows its notices by name. The mark lies in a block that is there from the start and is only written over, which needs no
/// room on the disk.
public struct CaseNumberMark: Sendable {
    private static let width = 32
    private let path: String

    /// The mark of a record.
    public init(besides record: String) { path = record + ".number" }

    /// Makes the block, where there is none yet.
    public func keep() {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var status = stat()
        if fstat(descriptor, &status) == 0, status.st_size < Self.width { write(0, to: descriptor) }
    }

    /// The highest number noted; 0 when none was.
    public var highest: Int {
        guard let data = FileManager.default.contents(atPath: path) else { return 0 }
        return Int(String(decoding: data.prefix(Self.width), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
    }

    /// Writes over the block and waits for the disk.
    /// - Returns: whether it is there
    @discardableResult
    public func note(_ number: Int) -> Bool {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return write(number, to: descriptor)
    }

    @discardableResult
    private func write(_ number: Int, to descriptor: Int32) -> Bool {
        var bytes = Array("\(number)".utf8)
        bytes += Array(repeating: UInt8(ascii: " "), count: Self.width - bytes.count - 1) + [UInt8(ascii: "\n")]
        return pwrite(descriptor, bytes, bytes.count, 0) == bytes.count && fdatasync(descriptor) == 0
    }
}
