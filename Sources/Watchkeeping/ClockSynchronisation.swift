import CTimex

/// Whether the kernel says that the wall clock is set by the network (adjtimex(2)). Silences do not depend on it; times in notices do.
public enum ClockSynchronisation {
    /// Asks the kernel.
    public static var isSynchronised: Bool {
        var state = timex()
        return adjtimex(&state) >= 0 && state.status & STA_UNSYNC == 0
    }
}
