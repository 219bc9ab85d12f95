import Foundation
import Logging
import Threads
import TimeSeriesStore

/// Why a gateway that worked in memory ends itself: started again, it opens the real record and carries back what is open.
public struct WritableRecord: Error, Sendable, CustomStringConvertible {
    /// The reason.
    public init() {}

    /// What happens next.
    public var description: String { "the disk takes writes again; started again, the gateway works on its record" }
}

/// Work on a record in memory, while the disk takes nothing.
extension GatewayService {
    /// Says so, in the log and in a case.
    func tellSubstitute() async {
        guard let why = premises.store.substitutes else { return }
        log.critical(
            "the record cannot be opened for writing; homes are watched from memory",
            metadata: ["record": "\(premises.configuration.storage.path)", "why": "\(why)"])
        await premises.desk.reportStorageTrouble()
    }

    /// Waits until the real record can be written: from a few seconds on, and ever longer where that turned out to be wrong.
    func untilRecordIsWritable() async {
        let (store, path) = (premises.store, premises.configuration.storage.path)
        guard !store.isLasting else { return await untilCancelled() }
        let attempts = await OwnThread.value { SubstituteRecord.countAttempt(store) }
        let pause = min(3600, 3 << min(10, attempts - 1))
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(pause))
            guard await OwnThread.value({ SubstituteRecord(for: path).isRecordWritable }), !Task.isCancelled else { continue }
            log.notice("the disk takes writes again; the gateway starts anew on its record", metadata: ["record": "\(path)"])
            return
        }
    }

    private func untilCancelled() async {
        while !Task.isCancelled { try? await Task.sleep(for: .seconds(3600)) }
    }
}
