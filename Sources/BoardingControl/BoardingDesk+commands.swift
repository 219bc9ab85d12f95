import Phrasebook
import Telemetry

/// Commands, their answers, and the one retry.
extension BoardingDesk {
    mutating func command(
        _ action: BoardingCommand.Action, lease: Interval, reason: String, announcement: LocalizedText?, at now: Instant
    ) -> BoardingCommand {
        sequence += 1
        return BoardingCommand(
            id: identifiers.uuid(), sequence: sequence, action: action, issuedAt: now.wall, lease: lease, reason: reason,
            statusSequence: interlock.status?.sequence, announcement: announcement, boot: boot)
    }

    mutating func send(_ command: BoardingCommand, at now: Instant, _ effects: inout [Effect]) {
        if pending.count >= 8 { pending.removeFirst() }
        pending.append(Pending(command: command, sentAt: now.elapsed, retried: false))
        effects.append(.publish(command))
    }

    mutating func retryUnanswered(at now: Instant, _ effects: inout [Effect]) {
        for index in pending.indices.reversed() where now.elapsed - pending[index].sentAt >= BoardingPolicy.acknowledgementWithin {
            if !pending[index].retried, isStillWanted(pending[index].command, at: now) {
                pending[index].retried = true
                pending[index].sentAt = now.elapsed
                effects.append(.publish(pending[index].command))
            } else {
                let lost = pending.remove(at: index)
                if lost.retried { unanswered(lost.command, at: now, &effects) }
            }
        }
    }

    /// A hold is repeated only while it still stands and its status would still allow it.
    private func isStillWanted(_ command: BoardingCommand, at now: Instant) -> Bool {
        guard command.action == .holdDoor else { return true }
        return hold?.command == command.id && interlock.refusal(at: now.elapsed) == nil
    }

    private mutating func unanswered(_ command: BoardingCommand, at now: Instant, _ effects: inout [Effect]) {
        toldTrouble = true
        effects.append(.raise(finding("unanswered", .commandUnanswered, kind: .equipment, at: now)))
        if command.action == .holdDoor, hold?.command == command.id { end(.unanswered, at: now, &effects) }
    }

    mutating func take(
        _ id: String, _ result: AcknowledgementResult, _ reason: String?, _ boot: String?, at now: Instant, _ effects: inout [Effect]
    ) {
        // Somebody else answers. What lets the door go is believed of anybody; that the controller obeys is not.
        if let boot, let own = interlock.status?.boot, interlock.arrivedAt != nil, boot != own {
            contradict(.answer, at: now, &effects)
            if result == .accepted || result == .duplicate { return }
        }
        guard let index = pending.firstIndex(where: { $0.command.id == id }) else {
            // A controller says "completed" when a hold it had accepted has ended on its side.
            if hold?.command == id, result == .completed { end(.controller, at: now, &effects) }
            return
        }
        let answered = pending.remove(at: index).command
        if offlineSince == nil { settleTrouble(&effects) }
        guard answered.action == .holdDoor, hold?.command == id else { return }
        switch result {
        case .accepted, .duplicate: break
        case .rejected, .expired:
            end(.controller, at: now, &effects)
            let word = LocalizedText(chinese: "控制器拒绝", english: "the controller refused")
            effects.append(.raise(finding("refused_controller", .ebikeRefused, ["reason": .text(word)], kind: .equipment, at: now)))
        case .completed: end(.controller, at: now, &effects)
        }
    }
}
