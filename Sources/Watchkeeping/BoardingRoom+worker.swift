import BoardingControl
import Foundation
import Logging
import Messaging
import SiteConfiguration
import Synchronization
import Telemetry
import Threads

extension BoardingRoom {
    /// All that belongs to the room's thread.
    struct Worker {
        let room: BoardingRoom
        var desks: [ElevatorID: BoardingDesk] = [:]
        /// How each controller speaks, and its own address.
        var lines: [ElevatorID: (speech: ElevatorProfile, address: String)] = [:]
        var arrivals: Int64 = 0
        /// When each desk next needs a tick; most need none, and two hundred are not asked for every message.
        var due: [ElevatorID: Interval] = [:]
        var openCases: [ElevatorID: CaseID] = [:]
        var sentBytes: [String: [UInt8]] = [:]
        var civil: CivilClock
        var loggedAt: Int64 = 0
        /// When a lift's unusable messages were logged last, by lift and field.
        var unusableLoggedAt: [String: Int64] = [:]
        /// Senders whose messages carry no boot, by lift and topic.
        var bootless: Set<String> = []

        init(_ room: BoardingRoom) {
            self.room = room
            civil = room.zone
        }

        mutating func work() {
            while true {
                let deadline = due.values.min().map { due in
                    OwnThread.monotonicMilliseconds() + max(0, (due - room.clock.now().elapsed).milliseconds)
                }
                switch room.queue.pop(until: min(deadline ?? .max, OwnThread.monotonicMilliseconds() + 1000)) {
                case .element(.event(let event)): take(event)
                case .element(.release(let id, let who)): handle(id, .release(by: who))
                case .element(.falseAlarm(let id)): handle(id, .falseAlarm)
                case .element(.openCase(let id, let open)): openCases[id] = open
                case .element(.configure(let elevators)): configure(elevators)
                case .element(.stop(let done)):
                    stop()
                    return done()
                case .timedOut: tickAll()
                case .closed: return
                }
                tickDue()
            }
        }

        private mutating func configure(_ elevators: [SiteConfiguration.Elevator]) {
            let now = room.clock.now()
            for elevator in elevators {
                lines[elevator.id] = (elevator.speech, elevator.address)
                if desks[elevator.id] != nil {
                    desks[elevator.id]?.policy = elevator.policy
                } else {
                    desks[elevator.id] = BoardingDesk(
                        elevator: elevator.id, policy: elevator.policy, boot: room.boot, seed: UInt64.random(in: 0...UInt64.max), at: now)
                    if room.isConnected { handle(elevator.id, .connected) }
                    desks[elevator.id]?.recall(holds: (room.heldLately[elevator.id] ?? []).map { now.elapsed - (now.wall - $0) })
                }
                show(elevator.id)
            }
            for id in desks.keys where !elevators.contains(where: { $0.id == id }) {
                handle(id, .stopping(why: "configuration"))
                desks[id] = nil
                due[id] = nil
                lines[id] = nil
                room.views.withLock { $0[id] = nil }
            }
        }

        private mutating func stop() {
            for (id, desk) in desks where desk.hold != nil { handle(id, .stopping(why: "gateway stopping")) }
            let client = room.client.withLock { client -> MQTTClient? in
                defer { client = nil }
                return client
            }
            client?.close()
        }

        private mutating func take(_ event: MQTTEvent) {
            switch event {
            case .connected:
                room.connected.withLock { $0 = true }
                for id in desks.keys { handle(id, .connected) }
            case .disconnected:
                room.connected.withLock { $0 = false }
                for id in desks.keys { handle(id, .disconnected) }
            case .message(let message): take(message)
            }
        }

        private mutating func take(_ message: MQTTMessage) {
            arrivals += 1
            guard message.topic.hasPrefix(BoardingRoom.root) else { return takeForeign(message) }
            let parts = message.topic.dropFirst(BoardingRoom.root.count).split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 2, let topic = ElevatorProfile.Topic(rawValue: String(parts[1])) else { return refuse(\.unknownTopic, "topic") }
            let address = String(parts[0])
            let id = ElevatorID(address)
            if lines[id]?.speech.isNative == true, lines[id]?.address == address { return take(message, topic, id, .native) }
            guard let found = lines.first(where: { $0.value.speech.isNative && $0.value.address == address })?.key else {
                return refuse(\.unknownElevator, "elevator")
            }
            take(message, topic, found, .native)
        }

        /// A message on a maker's own topic.
        private mutating func takeForeign(_ message: MQTTMessage) {
            for speech in room.speeches {
                for topic in ElevatorProfile.Topic.allCases {
                    guard let address = speech.address(in: message.topic, of: topic) else { continue }
                    guard let id = lines.first(where: { $0.value.speech.id == speech.id && $0.value.address == address })?.key else {
                        return refuse(\.unknownElevator, "elevator")
                    }
                    return take(message, topic, id, speech)
                }
            }
            refuse(\.unknownTopic, "topic")
        }

        private mutating func take(_ message: MQTTMessage, _ topic: ElevatorProfile.Topic, _ id: ElevatorID, _ speech: ElevatorProfile) {
            do throws(NativeElevatorMessages.Fault) {
                switch topic {
                case .status:
                    do throws(NativeElevatorMessages.Fault) {
                        let status = try speech.status(message.payload, arrival: arrivals)
                        if speech.isNative { note(boot: status.boot, id, topic) }
                        handle(id, .status(status, fresh: !message.retained))
                    } catch {
                        // A status nobody can read leaves nothing known of the door.
                        if !message.retained { handle(id, .unreadableStatus) }
                        throw error
                    }
                case .detection:
                    let detections = try speech.detections(message.payload, arrival: arrivals)
                    if speech.isNative, let first = detections.first { note(boot: first.boot, id, topic) }
                    handle(id, .detections(detections, fresh: !message.retained))
                case .availability: handle(id, .availability(online: try speech.availability(message.payload)))
                case .ack:
                    let answer = try speech.acknowledgement(message.payload)
                    if !message.retained { handle(id, .acknowledgement(id: answer.id, answer.result, reason: answer.reason, boot: answer.boot)) }
                case .command:
                    // Our own commands come back to us; a kept one is somebody's mistake and worth telling.
                    if message.retained { refuse(\.retainedCommand, "retained command") }
                }
            } catch {
                refuse(\.malformed, "payload")
                note(unusable: "\(topic.rawValue).\(error.field)", id)
                if !message.retained { handle(id, .unusable(field: "\(topic.rawValue).\(error.field)")) }
            }
        }

        /// A message of a lift that we know and cannot use: counted and told by lift and field, each once a minute at most.
        private mutating func note(unusable field: String, _ id: ElevatorID) {
            // Field names come from the message's own keys where they are ours, so there are few; the bound is for what nobody foresaw.
            let count = room.refused.withLock { refused -> Int in
                var fields = refused.byElevator[id] ?? [:]
                if fields.count < 32 || fields[field] != nil { fields[field, default: 0] += 1 }
                refused.byElevator[id] = fields
                return fields[field] ?? 0
            }
            let now = OwnThread.monotonicMilliseconds()
            let key = "\(id)/\(field)"
            guard now - (unusableLoggedAt[key] ?? -60_000) >= 60_000 else { return }
            if unusableLoggedAt.count > 1000 { unusableLoggedAt.removeAll() }
            unusableLoggedAt[key] = now
            room.log.warning("messages of a lift cannot be used", metadata: ["elevator": "\(id)", "field": "\(field)", "count": "\(count)"])
        }

        /// A sender without a boot is believed, and said once: its restart and a replay cannot be told apart.
        private mutating func note(boot: String?, _ id: ElevatorID, _ topic: ElevatorProfile.Topic) {
            guard boot == nil, bootless.insert("\(id)/\(topic.rawValue)").inserted else { return }
            room.log.notice(
                "messages carry no boot: a restart and a replay cannot be told apart", metadata: ["elevator": "\(id)", "topic": "\(topic.rawValue)"])
        }

        private mutating func refuse(_ counter: WritableKeyPath<Refusals, Int>, _ what: String) {
            room.refused.withLock { $0[keyPath: counter] += 1 }
            let now = OwnThread.monotonicMilliseconds()
            guard now - loggedAt >= 60_000 else { return }
            loggedAt = now
            room.log.warning("MQTT messages that cannot be used", metadata: ["newest": "\(what)"])
        }

        private mutating func tickAll() {
            for id in desks.keys { handle(id, .tick) }
        }

        private mutating func tickDue() {
            let now = room.clock.now().elapsed
            for (id, moment) in due where moment <= now { handle(id, .tick) }
        }

        private mutating func handle(_ id: ElevatorID, _ event: BoardingDesk.Event) {
            guard var desk = desks.removeValue(forKey: id) else { return }
            let effects = desk.handle(event, at: room.clock.now())
            due[id] = desk.nextDeadline
            desks[id] = desk
            for effect in effects {
                switch effect {
                case .publish(let command): publish(command, id)
                case .raise(let finding): room.report(.finding(finding))
                case .clearEquipment: room.report(.clearEquipment(id))
                case .record(let record): room.report(.record(record))
                }
            }
            show(id)
        }

        private mutating func publish(_ command: BoardingCommand, _ id: ElevatorID) {
            guard let (speech, address) = lines[id] else { return }
            guard
                let bytes = sentBytes[command.id]
                    ?? speech.encode(command, address: address, clock: &civil, openCase: openCases[id]?.rawValue)
            else { return }
            if sentBytes.count > 512 { sentBytes.removeAll(keepingCapacity: true) }
            sentBytes[command.id] = bytes
            let topic = speech.isNative ? "\(BoardingRoom.root)\(address)/command" : speech.topic(.command, address: address)
            guard let topic else { return }
            do {
                try room.client.withLock { client in try client?.publish(bytes, to: topic, quality: 1, retain: false) }
            } catch {
                room.log.warning("a command could not be published", metadata: ["elevator": "\(id)", "why": "\(error)"])
            }
        }

        private func show(_ id: ElevatorID) {
            guard let desk = desks[id] else { return }
            let now = room.clock.now()
            func wall(_ elapsed: Interval) -> WallTime { now.wall - (now.elapsed - elapsed) }
            // Without the broker nobody knows of any lift whether it is there.
            let isOnline = room.connected.withLock { $0 } && desk.online(at: now.elapsed) ?? false
            let view = View(
                id: id, online: isOnline, mode: desk.policy.mode, status: desk.status,
                statusAt: desk.statusArrivedAt.map(wall), holdSince: desk.hold?.since.wall, holdEndsBy: desk.hold?.endsBy.wall,
                holdCommand: desk.hold?.command,
                coolDownUntil: desk.coolDownUntil.elapsed > now.elapsed ? wall(desk.coolDownUntil.elapsed) : nil)
            let changed = room.views.withLock { views in
                let before = views.updateValue(view, forKey: id)
                return before?.status?.floor != view.status?.floor || before?.status?.door != view.status?.door
                    || before?.online != view.online || before?.holdSince != view.holdSince
                    || before?.status?.serviceMode != view.status?.serviceMode || (before?.coolDownUntil == nil) != (view.coolDownUntil == nil)
            }
            if changed { room.report(.changed(id)) }
        }
    }
}
