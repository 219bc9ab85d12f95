import Glibc

/// One connection of a `ScriptedServer`, for the thread that serves it.
public struct ScriptedConnection: Sendable {
    let descriptor: Int32
    /// Which connection of its server this is, counted from 1.
    public let number: Int

    /// What comes next, as it arrives.
    /// - Parameters:
    ///   - most: bytes at the most
    ///   - milliseconds: how long to wait for the first of them; nil waits for ever
    /// - Returns: nil when the other side has hung up or nothing came in time
    public func read(most: Int = 65_536, within milliseconds: Int32? = nil) -> [UInt8]? {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&waiting, 1, milliseconds ?? -1) > 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: most)
        let count = recv(descriptor, &bytes, most, 0)
        return count > 0 ? Array(bytes.prefix(count)) : nil
    }

    /// Just so many bytes, however they arrive; nil when the other side hung up before.
    public func read(exactly count: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        while bytes.count < count {
            guard let more = read(most: count - bytes.count) else { return nil }
            bytes += more
        }
        return bytes
    }

    /// A line without its ending, as mail and HTTP send it; nil when the other side hung up before one was whole.
    public func readLine(longest: Int = 65_536) -> String? {
        var bytes: [UInt8] = []
        while bytes.count < longest, let byte = read(exactly: 1)?.first {
            if byte == 0x0A {
                if bytes.last == 0x0D { bytes.removeLast() }
                return String(decoding: bytes, as: UTF8.self)
            }
            bytes.append(byte)
        }
        return nil
    }

    /// Sends bytes as one piece, so far as the system lets it.
    /// - Returns: false when the other side has hung up
    @discardableResult
    public func write(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count <= 0 { return false }
            sent += count
        }
        return true
    }

    /// Sends text.
    @discardableResult
    public func write(_ text: String) -> Bool { write(Array(text.utf8)) }

    /// Waits as a slow peer does.
    public func pause(milliseconds: Int32) { poll(nil, 0, milliseconds) }

    /// Hangs up, with a reset instead of an end where `reset` is set.
    public func hangUp(reset: Bool = false) {
        if reset {
            var now = linger(l_onoff: 1, l_linger: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
        }
        shutdown(descriptor, Int32(SHUT_RDWR))
    }
}
