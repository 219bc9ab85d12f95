import Safeguarding
import Telemetry

extension Neighbourhood.Home {
    /// Nobody uses so much in the hours by which a clock is wrong; a total that lies so far below is another meter's.
    private static let anotherMeter = Volume.litres(1000)

    /// Takes what the store holds since the watch was saved, after a restart.
    /// - Parameters:
    ///   - readings: the totaliser by the wall clock, oldest first; nil where it could not be used
    ///   - now: the moment of the start
    /// - Returns: what was found on the way and still stands, and may not have been told
    public mutating func replay(_ readings: [(at: WallTime, register: Volume?)], at now: Instant) -> [Finding] {
        var raised: [Finding] = []
        // A wall clock that was set back has left readings in the wrong place, and an old total among new ones would look like water that ran:
        // a sign of life where there was none. So a total that fell is left out, unless it fell far and stayed there: another meter.
        let last = readings.last { $0.register != nil }?.register
        var highest = watch.register
        for reading in readings {
            if let register = reading.register {
                if let highest, register < highest {
                    let limit = highest - Self.anotherMeter
                    guard register <= limit, let last, last <= limit else { continue }
                }
                highest = register
            }
            // The wall clock's distance is the best word there is on when an old reading was taken.
            let at = Instant(elapsed: now.elapsed - (now.wall - reading.at), wall: reading.at)
            for effect in watch.handle(reading.register.map { .register($0) } ?? .unreadable, at: at) {
                if case .raise(let finding) = effect { raised.append(finding) }
            }
        }
        return raised.filter { finding in watch.standing.values.contains(finding) }
    }
}
