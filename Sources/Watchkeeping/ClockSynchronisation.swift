import CTimex
import Foundation

/// Whether the wall clock is set by the network. Silences do not depend on it; times in notices do.
public enum ClockSynchronisation {
    /// What the kernel says (adjtimex(2)); where a unit forbids asking, what systemd-timesyncd has left behind; nil when nobody says.
    public static var isSynchronised: Bool? {
        var state = timex()
        if adjtimex(&state) >= 0 { return state.status & STA_UNSYNC == 0 }
        return FileManager.default.fileExists(atPath: "/run/systemd/timesync/synchronized") ? true : nil
    }
}
