import Phrasebook
import Telemetry

/// The finding that says that the disk takes no more.
enum StorageTrouble {
    static func finding(at now: Instant, isFull: Bool = true) -> Finding {
        Finding(
            subject: Subject(.site, "storage"), kind: .equipment, rule: isFull ? "storage_full" : "storage_unwritable", severity: .attention, at: now,
            text: Phrase(isFull ? .storageFull : .storageUnwritable).text)
    }
}
