import Casework
import Phrasebook
import Telemetry

/// A fault of the gateway itself, put in on purpose: a judge who never condemns anybody is worth nothing.
public enum Sabotage: String, Sendable, CaseIterable {
    /// Each reading shows a little more water than there was.
    case phantomWater
    /// A meter that does not answer is passed over in silence.
    case hidesSilence
    /// Cases do not reach the disk, though it said so.
    case losesCases
    /// Notices do not reach the disk before they are sent.
    case losesNotices
    /// Notices are never sent.
    case tellsNobody
    /// A name is used for two notices.
    case twoMeanings
    /// Some notices stay behind for hours.
    case outOfOrder
    /// A restart begins with homes it knows nothing of.
    case forgetsHabits
    /// A later step of a ladder goes before an earlier one.
    case skipsSteps
    /// Cases close without anybody.
    case closesByItself
    /// E-bikes are seen and kept to itself.
    case missesBikes
    /// No release arrives, and the controller's lease never ends.
    case neverLetsGo

    /// The promises that break by it; which of them first is the seed's.
    public var breaks: Set<Promise> {
        switch self {
        case .phantomWater: [.collapseAnswered]
        case .hidesSilence: [.blindNeverSafe, .blindTold, .samePerson]
        case .losesCases: [.actKept]
        case .losesNotices: [.durableFirst]
        case .tellsNobody: [.delivered]
        case .twoMeanings: [.toldOnce]
        case .outOfOrder: [.inOrder]
        case .forgetsHabits: [.samePerson]
        case .skipsSteps: [.ladderInOrder]
        case .closesByItself: [.closedByPerson]
        case .missesBikes: [.boardingTold]
        case .neverLetsGo: [.doorLetGo, .doorOnlyWhenSafe]
        }
    }

    /// A case as this gateway would have left it.
    func spoilt(_ item: Case) -> Case {
        var item = item
        if self == .closesByItself { item.closedBy = nil }
        if self == .skipsSteps, item.rungs.count > 1, item.rungs[1].doneAt != nil { item.rungs[0].doneAt = nil }
        return item
    }
}
