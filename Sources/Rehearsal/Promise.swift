/// The contract's promises as something that can be broken. Each is judged by what really happened in the village, not by what the gateway
/// believes.
public enum Promise: String, Sendable, CaseIterable {
    /// Whoever collapses has an open alarm within the ceiling of silence, counted while a gateway runs, or has been visited. Water that ran
    /// during an outage is seen when the outage ends: silence is counted from there.
    case collapseAnswered = "collapse_answered"
    /// A home that was not seen for `no_data` is BLIND or in alarm, never SAFE.
    case blindNeverSafe = "blind_never_safe"
    /// A home out of sight has an open case: its own, its bus's or the site's.
    case blindTold = "blind_told"
    /// Who is away by the ledger raises no inactivity.
    case awayNotAlarmed = "away_not_alarmed"
    /// No notice leaves before its case is on the disk, unless it says so itself.
    case durableFirst = "durable_first"
    /// One name, one notice, and after a kill at most the same again.
    case toldOnce = "told_once"
    /// Within a case and a channel notices arrive in the order in which they were made.
    case inOrder = "in_order"
    /// A notice reaches its channel soon after the channel works.
    case delivered
    /// An alarm that nobody has taken is told again and again.
    case alarmKeepsOn = "alarm_keeps_on"
    /// The steps of a ladder are climbed one after the other, none before its time.
    case ladderInOrder = "ladder_in_order"
    /// A case for which somebody was asked to go is closed by a person.
    case closedByPerson = "closed_by_person"
    /// What a person was told is done is still so after a power cut.
    case actKept = "act_kept"
    /// A home's watch after a restart is the one that was killed: whatever it decides later is what it would have decided.
    case samePerson = "same_person"
    /// One open case for a subject and kind.
    case oneCase = "one_case"
    /// An e-bike that was certain has a case.
    case boardingTold = "boarding_told"
    /// No door is held longer than agreed, nor beyond the last lease.
    case doorLetGo = "door_let_go"
    /// A door is held only in normal service, standing, open, with nobody who must not be kept.
    case doorOnlyWhenSafe = "door_only_when_safe"
}
