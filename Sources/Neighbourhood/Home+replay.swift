import Safeguarding
import Telemetry

extension Neighbourhood.Home {
    /// Takes what the store holds since the watch was saved, after a restart.
    /// - Parameters:
    ///   - readings: the totaliser by the wall clock, oldest first; nil where it could not be used
    ///   - now: the moment of the start
    /// - Returns: what was found on the way and still stands, and may not have been told
    public mutating func replay(_ readings: [(at: WallTime, register: Volume?)], at now: Instant) -> [Finding] {
        var raised: [Finding] = []
        for reading in readings {
            // The wall clock's distance is the best word there is on when an old reading was taken.
            let at = Instant(elapsed: now.elapsed - (now.wall - reading.at), wall: reading.at)
            for effect in watch.handle(reading.register.map { .register($0) } ?? .unreadable, at: at) {
                if case .raise(let finding) = effect { raised.append(finding) }
            }
        }
        return raised.filter { finding in watch.standing.values.contains(finding) }
    }
}
