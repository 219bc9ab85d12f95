import DeviceProfiles

/// Where a bus is and how it is spoken to.
public enum BusAddress: Hashable, Sendable {
    /// A serial line.
    case rtu(device: String, baud: Int, parity: Parity, stopBits: Int)
    /// Modbus TCP.
    case tcp(host: String, port: Int)
    /// RTU frames through a TCP converter.
    case rtuOverTCP(host: String, port: Int)

    /// Baud rates a serial line may have.
    public static let bauds = 50...4_000_000

    /// Reads a bus URL: `tcp://HOST:PORT`, `rtu:///dev/ttyUSB0?baud=9600&parity=none&stop_bits=1`,
    /// `rtu-over-tcp://HOST:PORT`; nil when it is none. An IPv6 address stands in brackets (RFC 3986, §3.2.2).
    public init?(url: String) {
        guard let separator = url.range(of: "://") else { return nil }
        let scheme = url[..<separator.lowerBound]
        let rest = url[separator.upperBound...]
        switch scheme {
        case "tcp", "rtu-over-tcp":
            guard let (host, port) = Self.hostAndPort(rest) else { return nil }
            self = scheme == "tcp" ? .tcp(host: host, port: port) : .rtuOverTCP(host: host, port: port)
        case "rtu":
            let parts = rest.split(separator: "?", maxSplits: 1)
            guard let device = parts.first, device.hasPrefix("/") else { return nil }
            var (baud, parity, stopBits) = (9600, Parity.none, 1)
            for pair in parts.count == 2 ? parts[1].split(separator: "&") : [] {
                let words = pair.split(separator: "=", maxSplits: 1).map(String.init)
                guard words.count == 2 else { return nil }
                switch words[0] {
                case "baud":
                    guard let number = Int(words[1]), Self.bauds.contains(number) else { return nil }
                    baud = number
                case "parity":
                    guard let word = Parity(rawValue: words[1]) else { return nil }
                    parity = word
                case "stop_bits":
                    guard let number = Int(words[1]), (1...2).contains(number) else { return nil }
                    stopBits = number
                default: return nil
                }
            }
            self = .rtu(device: String(device), baud: baud, parity: parity, stopBits: stopBits)
        default: return nil
        }
    }

    private static func hostAndPort(_ text: Substring) -> (host: String, port: Int)? {
        let host: Substring
        var rest: Substring
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            host = text[text.index(after: text.startIndex)..<end]
            guard host.contains(":") else { return nil }
            rest = text[text.index(after: end)...]
        } else {
            let end = text.firstIndex(of: ":") ?? text.endIndex
            (host, rest) = (text[..<end], text[end...])
        }
        guard !host.isEmpty, host.utf8.count <= 255, !host.utf8.contains(0) else { return nil }
        guard !rest.isEmpty else { return (String(host), 502) }
        guard rest.removeFirst() == ":", let port = Int(rest), (1...65_535).contains(port) else { return nil }
        return (String(host), port)
    }
}

extension String {
    fileprivate func range(of needle: String) -> Range<String.Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(needle) { return start..<index(start, offsetBy: needle.count) }
            start = index(after: start)
        }
        return nil
    }
}
