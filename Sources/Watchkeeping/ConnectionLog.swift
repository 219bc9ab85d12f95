import Logging
import Messaging
import Synchronization
import Threads

/// Writes into the log what is known to be wrong with one connection to a broker, each kind once a minute at most, and that it is over.
public final class ConnectionLog: Sendable {
    private struct Told {
        var kinds: [ConnectionTrouble.Kind: Int64] = [:]
        var isTroubled = false
    }

    private let connection: String
    private let log: Logger
    private let told = Mutex(Told())
    private static let pause: Int64 = 60_000

    /// A log for one connection.
    /// - Parameter connection: whose it is: `boarding`, `events`, `notices`, `upstream`
    public init(_ connection: String, _ log: Logger) {
        self.connection = connection
        self.log = log
    }

    /// Takes how the connection stands now.
    public func take(_ health: ConnectionHealth) {
        let now = OwnThread.monotonicMilliseconds()
        let (news, isMended) = told.withLock { told -> ([ConnectionTrouble], Bool) in
            let news = health.troubles.filter { trouble in told.kinds[trouble.kind].map { now - $0 >= Self.pause } ?? true }
            for trouble in news { told.kinds[trouble.kind] = now }
            let isMended = told.isTroubled && health.isGood
            told.isTroubled = health.isGood ? false : told.isTroubled || !health.troubles.isEmpty
            if isMended { told.kinds = told.kinds.filter { now - $0.value < Self.pause } }
            return (news, isMended)
        }
        for trouble in news {
            log.warning("\(trouble)", metadata: ["connection": "\(connection)", "trouble": "\(trouble.kind.rawValue)"])
        }
        if isMended { log.notice("the broker is reached again", metadata: ["connection": "\(connection)"]) }
    }
}
