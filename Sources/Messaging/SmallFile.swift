import Glibc

/// Files of a connection, read at each attempt on the connection's own thread.
enum SmallFile {
    /// The longest password that is read.
    private static let most = 4096

    /// The text of a file without the white space around it.
    static func text(_ path: String) throws(ConnectionTrouble) -> String {
        let descriptor = try opened(path)
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: most)
        let count = read(descriptor, &bytes, most)
        guard count >= 0 else { throw ConnectionTrouble(.file, "\(path): \(String(cString: strerror(errno)))") }
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0D).contains($0) }
        let trimmed = bytes.prefix(count).drop(while: isSpace).reversed().drop(while: isSpace).reversed()
        return String(decoding: trimmed, as: UTF8.self)
    }

    /// Says what is wrong with a file that cannot be read.
    static func check(_ path: String) throws(ConnectionTrouble) { close(try opened(path)) }

    private static func opened(_ path: String) throws(ConnectionTrouble) -> Int32 {
        // A pipe behind the name must not hold us up.
        let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw ConnectionTrouble(.file, "\(path): \(String(cString: strerror(errno)))") }
        return descriptor
    }
}
