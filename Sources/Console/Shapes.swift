import BoardingControl
import Casework
import Foundation
import Neighbourhood
import Phrasebook
import Safeguarding
import SiteConfiguration
import Telemetry
import TimeSeriesStore
import Watchkeeping

/// The contract's shapes, for a reader with a role.
struct Shapes {
    let configuration: SiteConfiguration
    let account: Account
    let now: Instant
    var civil: CivilClock

    init(_ premises: Premises, _ account: Account) {
        configuration = premises.configuration
        self.account = account
        now = premises.clock.now()
        civil = configuration.clock
    }

    mutating func time(_ time: WallTime?) -> JSON { time.map { .string(civil.rfc3339($0)) } ?? .null }

    // MARK: Meters

    mutating func meter(_ meter: SiteConfiguration.Meter, core: Neighbourhood, lastRead: WallTime?, last: Reading?) -> JSON {
        let profile = configuration.profiles[meter.profile]
        let home = configuration.household(of: meter.id)
        let resolution = profile?.resolution ?? .litres(1)
        let isPolled = configuration.isPolled(meter)
        let state: String
        if !isPolled {
            state = "disabled"
        } else if core.isSilent(meter.id) || lastRead == nil && last == nil {
            state = "silent"
        } else {
            state = last?.quality == .suspect || last?.quality == .bad ? "suspect" : last?.quality == .stale ? "stale" : "ok"
        }
        return .of([
            "id": .string(meter.id.rawValue), "bus": .string(meter.bus.rawValue), "unit": .integer(Int64(meter.unit)),
            "profile": .string(meter.profile.rawValue), "household": .text(home?.id.rawValue), "state": .string(state),
            "last_read_at": time(lastRead ?? last?.receivedAt), "last_quality": .text(last?.quality.rawValue),
            "volume_litres": .real(last?.value), "resolution_litres": .number(resolution.litres),
            "covered_by": .array(Coverage(resolution: resolution).words.map { .string($0) }),
        ])
    }

    mutating func reading(_ reading: Reading) -> JSON {
        .of([
            "at": time(reading.at), "received_at": time(reading.receivedAt), "device_at": time(reading.deviceAt),
            "point": .string(reading.point), "value": .real(reading.value), "unit": .string(reading.unit),
            "quality": .string(reading.quality.rawValue), "raw": .array(reading.raw.map { .string(hex($0)) }),
        ])
    }

    private func hex(_ word: UInt16) -> String {
        let digits = String(word, radix: 16, uppercase: true)
        return String(repeating: "0", count: 4 - digits.count) + digits
    }

    // MARK: Homes

    mutating func household(_ home: SiteConfiguration.Household, core: Neighbourhood) -> JSON {
        let watch = core.homes[home.id]?.watch
        let state = watch?.state(at: now) ?? .blind
        let named = account.role.may(.names)
        var presence = JSON.null
        if let entry = watch?.presence {
            presence = .of(["kind": .string(entry.kind.rawValue), "until": time(entry.until), "by": .string(account.role.may(.typedWords) ? entry.by : "")])
        }
        let reasons = watch.map { watch in
            watch.reasons(at: now).map { JSON.of(["rule": .string($0.rule), "text": .both($0.text), "numbers": .numbers($0.numbers)]) }
        }
        let unwatched: [JSON] = [.of(["rule": "consent", "text": .both(Phrase(.notArmed).text), "numbers": .object([])])]
        let open = core.book.openCase(Subject(.household, home.id.rawValue))
        return .of([
            "id": .string(home.id.rawValue), "name": named ? .string(home.name) : .null,
            "address": named ? .string(home.address) : .null, "meter": .text(home.meter?.rawValue),
            "state": .string(state.rawValue), "since": time(watch?.stateSince ?? nil), "last_use_at": time(watch?.lastUse?.wall),
            "first_use_today_at": time(watch?.firstUse(today: now)), "next_sign_expected_by": time(watch?.nextSignExpected(at: now)),
            "reasons": .array(reasons ?? unwatched), "presence": presence, "armed": .bool(watch != nil && home.consent != nil),
            "open_case": .text(open?.id.rawValue), "covered_by": .array((watch?.coverage.words ?? []).map { .string($0) }),
            "grid": .text(home.grid),
        ])
    }

    // MARK: Elevators

    mutating func elevator(_ view: BoardingRoom.View, core: Neighbourhood) -> JSON {
        var hold = JSON.null
        if let since = view.holdSince {
            hold = .of(["since": time(since), "ends_by": time(view.holdEndsBy), "command": .text(view.holdCommand)])
        }
        let open = core.book.openCase(Subject(.elevator, view.id.rawValue))
        return .of([
            "id": .string(view.id.rawValue), "online": .bool(view.online), "boarding": .string(view.mode.rawValue),
            "service_mode": .string((view.status?.serviceMode ?? .unknown).rawValue),
            "motion": .string((view.status?.motion ?? .unknown).rawValue), "floor": .text(view.status?.floor),
            "door": .string((view.status?.door ?? .unknown).rawValue),
            "door_zone": view.status?.doorZone.map { .bool($0) } ?? .null, "status_at": time(view.statusAt), "hold": hold,
            "cool_down_until": time(view.coolDownUntil), "open_case": .text(open?.id.rawValue),
        ])
    }

    // MARK: Cases

    mutating func caseFile(_ item: Case, notices: [DeliverySchedule.Item]) -> JSON {
        // Who acted, what they or other devices said and whom it was sent to are personal: other readers get the case without them.
        let (litres, typed, quoted) = (account.role.may(.litres), account.role.may(.typedWords), account.role.may(.deviceWords))
        let findings = item.findings.map { finding in
            JSON.of([
                "at": time(finding.at.wall), "rule": .string(finding.rule), "text": .both(finding.words(plain: !litres, quoted: quoted)),
                "numbers": .numbers(litres ? finding.numbers : finding.plainNumbers),
            ])
        }
        let ladder = item.rungs.enumerated().map { index, rung in
            JSON.of([
                "step": .integer(Int64(index)), "due_at": time(rung.dueAt.wall), "done_at": time(rung.doneAt?.wall),
                "roles": .array(rung.step.notify.map { .string($0.rawValue) }),
            ])
        }
        let told = notices.map { record in
            JSON.of([
                "id": .string(record.notice.id.rawValue), "channel": .string(record.notice.channel.rawValue),
                "contact": account.role.may(.contacts) ? .string(record.notice.contact.rawValue) : .null, "state": .string(record.state.rawValue),
                "attempts": .integer(Int64(record.attempts)), "sent_at": time(record.sentAt),
                "kind": .string(record.notice.kind.rawValue),
            ])
        }
        return .of([
            "id": .string(item.id.rawValue), "kind": .string(item.kind.rawValue), "severity": .string(item.severity.rawValue),
            "subject": .of(["type": .string(item.subject.type.rawValue), "id": .string(item.subject.id)]),
            "stage": .string(item.stage.rawValue), "opened_at": time(item.openedAt.wall), "accepted_at": time(item.acceptedAt?.wall),
            "accepted_by": typed ? .text(item.acceptedBy) : .null, "arrived_at": time(item.arrivedAt?.wall),
            "sign_of_life_at": time(item.signOfLifeAt?.wall), "closed_at": time(item.closedAt?.wall),
            "outcome": .text(item.outcome?.rawValue), "note": .string(typed ? item.note : ""), "ladder": .array(ladder),
            "findings": .array(findings), "notices": .array(told),
            "links": .array(item.passage.map { .of(["stage": .string($0.stage.rawValue), "at": time($0.at?.wall)]) }),
        ])
    }
}
