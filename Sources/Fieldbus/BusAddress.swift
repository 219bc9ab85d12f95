import DeviceProfiles

/// Where a bus is and how it is spoken to.
public enum BusAddress: Hashable, Sendable {
    /// A serial line.
    case rtu(device: String, baud: Int, parity: Parity, stopBits: Int)
    /// Modbus TCP.
    case tcp(host: String, port: Int)
    /// RTU frames through a TCP converter.
    case rtuOverTCP(host: String, port: Int)

    /// Reads a bus URL: `tcp://HOST:PORT`, `rtu:///dev/ttyUSB0?baud=9600&parity=none&stop_bits=1`,
    /// `rtu-over-tcp://HOST:PORT`; nil when it is none.
    public init?(url: String) {
        guard let separator = url.range(of: "://") else { return nil }
        let scheme = url[..<separator.lowerBound]
        let rest = url[separator.upperBound...]
        switch scheme {
        case "tcp", "rtu-over-tcp":
            let host: Substring
            let port: Int
            if let colon = rest.lastIndex(of: ":") {
                guard let number = Int(rest[rest.index(after: colon)...]), (1...65_535).contains(number) else { return nil }
                (host, port) = (rest[..<colon], number)
            } else {
                (host, port) = (rest, 502)
            }
            guard !host.isEmpty else { return nil }
            let bare = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : String(host)
            self = scheme == "tcp" ? .tcp(host: bare, port: port) : .rtuOverTCP(host: bare, port: port)
        case "rtu":
            let parts = rest.split(separator: "?", maxSplits: 1)
            guard let device = parts.first, device.hasPrefix("/") else { return nil }
            var (baud, parity, stopBits) = (9600, Parity.none, 1)
            for pair in parts.count == 2 ? parts[1].split(separator: "&") : [] {
                let words = pair.split(separator: "=", maxSplits: 1).map(String.init)
                guard words.count == 2 else { return nil }
                switch words[0] {
                case "baud":
                    guard let number = Int(words[1]), number > 0 else { return nil }
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
