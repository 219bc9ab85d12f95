import Phrasebook
import Telemetry

/// The finding that says that the disk takes no more.
enum StorageTrouble {
    static func finding(at now: Instant) -> Finding {
        Finding(
            subject: Subject(.site, "storage"), kind: .equipment, rule: "storage_full", severity: .attention, at: now,
            text: Phrase(.storageFull).text)
    }
}
