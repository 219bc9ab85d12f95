/// Opens a gateway's record, or, where its disk takes nothing, a substitute in memory: homes are watched either way.
public struct RecordOpening: Sendable {
    /// The record at work.
    public var opening: StoreOpening
    /// Held as long as the gateway works, so that no second one works on the same record.
    public let locks: [StoreLock]
    /// How many open cases an earlier run's substitute gave back; nil when there was none.
    public let carriedBack: Int?

    /// Opens.
    /// - Throws: `StoreFault` when another gateway is at work, when the file is of a newer release, or when not even memory takes anything
    public init(path: String) throws(StoreFault) {
        let substitute = SubstituteRecord(for: path)
        var held: [StoreLock] = []
        do throws(StoreFault) {
            held.append(try StoreLock(path: path))
            let real = try StoreOpening(path: path)
            do throws(StoreFault) {
                carriedBack = try substitute.carryBack(into: real.store)
            } catch {
                // Gone on with from where it is: what it holds is newer than the record.
                try? real.store.close(inOrder: false)
                throw error
            }
            opening = real
            locks = held
        } catch {
            guard error.isOfDisk else { throw error }
            let (standIn, lock) = try substitute.open(why: error)
            opening = standIn
            locks = held + [lock]
            carriedBack = nil
        }
    }
}
