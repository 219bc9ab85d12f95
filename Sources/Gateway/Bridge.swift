import BoardingControl
import Casework
import Foundation
import Neighbourhood
import Synchronization
import Telemetry
import Watchkeeping

/// Carries news between the elevators' thread, the delivery desk and the site's desk, which are made one after another.
final class Bridge: Sendable {
    private struct Ends {
        var desk: SiteDesk?
        var boarding: BoardingRoom?
        var clock: GatewayClock?
    }

    private let ends = Mutex(Ends())

    func connect(desk: SiteDesk, boarding: BoardingRoom?, clock: GatewayClock) {
        ends.withLock { ends in
            ends.desk = desk
            ends.boarding = boarding
            ends.clock = clock
        }
    }

    func falseAlarm(_ elevator: ElevatorID) { ends.withLock { $0.boarding }?.falseAlarm(elevator) }

    func openCase(_ elevator: ElevatorID, _ id: CaseID?) { ends.withLock { $0.boarding }?.setOpenCase(elevator, id) }

    /// A channel or a reader on it does not work, or works again.
    func delivery(_ news: DeliveryHealth.News, waiting: Int) {
        let (desk, clock) = ends.withLock { ($0.desk, $0.clock) }
        guard let desk, let clock else { return }
        switch news {
        case .works(let matter): desk.tell(.cleared(matter.subject, .equipment))
        case .fails(let matter, let why): desk.tell(.finding(matter.finding(why, waiting: waiting, at: clock.now())))
        }
    }

    /// The elevators run in real time; the site's clock stamps what they report.
    func report(_ report: BoardingRoom.Report) {
        guard let (desk, clock) = ends.withLock({ ends in ends.desk.flatMap { desk in ends.clock.map { (desk, $0) } } }) else { return }
        switch report {
        case .finding(var finding):
            finding.at = clock.now()
            desk.tell(.finding(finding))
        case .clearEquipment(let elevator): desk.tell(.cleared(Subject(.elevator, elevator.rawValue), .equipment))
        case .record(let record):
            guard let body = try? JSONEncoder().encode(record) else { return }
            desk.tell(.record(Subject(.elevator, record.elevator.rawValue), kind: "boarding", body: String(decoding: body, as: UTF8.self)))
        case .changed(let elevator): desk.newsroom.publish(.elevator(elevator))
        }
    }
}
