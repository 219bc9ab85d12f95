import DeviceProfiles
import Telemetry

extension LineState {
    /// Takes every whole frame out of the buffer.
    mutating func takeFrames(at now: Interval) {
        var from = 0
        while let frame = LineFrame.first(in: buffer, from: from, kind.framing, request: outgoing) {
            notes.noiseBytes += frame.place.lowerBound - from
            from = frame.place.upperBound
            take(frame, at: now)
        }
        if from == buffer.count { buffer.removeAll(keepingCapacity: true) } else { buffer.removeFirst(from) }
        // Longer than any frame: nothing at its beginning can become one.
        if buffer.count > 600 {
            notes.noiseBytes += buffer.count - 300
            buffer.removeFirst(buffer.count - 300)
        }
    }

    private mutating func take(_ frame: LineFrame, at now: Interval) {
        if frame.body == .echo {
            notes.echoes += 1
            return
        }
        heardFrame = true
        if kind == .tcp { takeNumbered(frame, at: now) } else { takeUnnumbered(frame, at: now) }
    }

    // MARK: Modbus TCP: the number says which request it answers.

    private mutating func takeNumbered(_ frame: LineFrame, at now: Interval) {
        guard let index = unsettled.lastIndex(where: { $0.transaction == frame.transaction }) else {
            notes.strayReplies += 1
            return
        }
        let sent = unsettled[index]
        guard let read, sent.read == number, isListening else {
            unsettled.remove(at: index)
            notes.lateReplies += 1
            learn(sent, at: now, exact: !isDropping)
            return
        }
        guard frame.unit == read.unit else {
            unsettled.remove(at: index)
            stranger = frame.unit
            tryAgain(read, .wrongUnit(frame.unit), at: now)
            return
        }
        guard frame.function == read.request.function else {
            tryAgain(read, .garbled, at: now)
            return
        }
        switch frame.body {
        case .words(let words):
            unsettled.remove(at: index)
            guard words.count == read.request.count else {
                tryAgain(read, .garbled, at: now)
                return
            }
            if now - sent.at > sent.timeout { notes.lateReplies += 1 }
            learn(sent, at: now, exact: true)
            unlearn(sent.unit, took: now - sent.at)
            accept(words, read, at: now)
        case .exception(let code):
            // After "busy" or "acknowledge" the data may still come by itself, under the same number.
            if !Self.isBusy(code) { unsettled.remove(at: index) }
            refuse(code, read, at: now)
        case .echo: break
        }
    }

    // MARK: RTU: unit, function and length are all there is.

    private mutating func takeUnnumbered(_ frame: LineFrame, at now: Interval) {
        if let read, isOwn(frame, read) {
            if isListening, ownCopies > 0 || isPausing {
                takeOwn(frame, read, at: now)
                return
            }
            if case .done(let words) = stage, case .words(let others) = frame.body {
                takeAfterward(others, words, read, at: now)
                return
            }
        }
        takeOther(frame, at: now)
    }

    private func isOwn(_ frame: LineFrame, _ read: Read) -> Bool {
        guard frame.unit == read.unit, frame.function == read.request.function else { return false }
        if case .words(let words) = frame.body { return words.count == read.request.count }
        return true
    }

    private mutating func takeOwn(_ frame: LineFrame, _ read: Read, at now: Interval) {
        switch frame.body {
        case .exception(let code):
            // An exception carries no length: while another request of this unit may be answered, it may be that one's.
            let isForeign = unsettled.contains { $0.unit == read.unit && $0.request.function == frame.function && $0.read != number }
            guard !isForeign else {
                notes.lateReplies += 1
                return
            }
            settleOwn(at: now)
            refuse(code, read, at: now)
        case .words(let words):
            if isDoubtful(words, read, at: now) {
                notes.repeats += doubting == nil ? 0 : 1
                if case .asking(_, let until) = stage { stage = .doubting(words, until: until) }
                return
            }
            if let doubting, doubting != words {
                // The one before was the repeated one.
                notes.repeats += 1
                repeatsReplies = true
            }
            settleOwn(at: now)
            accept(words, read, at: now)
        case .echo: break
        }
    }

    private var doubting: [UInt16]? { if case .doubting(let words, _) = stage { words } else { doubted } }

    /// Whether these may be the words of the answer before, which came a second time. Registers may well be equal: then
    /// asking once more settles it, and where no answer ever came twice it is not asked about again.
    private func isDoubtful(_ words: [UInt16], _ read: Read, at now: Interval) -> Bool {
        guard let memory = units[read.unit], let last = memory.lastReply, last.read != number, last.words == words,
            last.request.function == read.request.function
        else { return false }
        if doubted == words { return false }
        // The same registers within a second are the same value; one that came too late for its own read is not.
        if last.request == read.request, last.wasUsed { return repeatsReplies && now - last.at < .milliseconds(900) }
        if last.request == read.request { return now - last.at < .seconds(4) }
        return now - last.at < .seconds(4) && (repeatsReplies || !memory.equals.contains(read.request))
    }

    /// The oldest copy of this read has its answer.
    private mutating func settleOwn(at now: Interval) {
        guard let index = unsettled.firstIndex(where: { $0.read == number }) else { return }
        let isOnly = ownCopies == 1
        let sent = unsettled.remove(at: index)
        // With several copies out, nobody knows which of them took how long.
        guard isOnly else { return }
        if now - sent.at > sent.timeout { notes.lateReplies += 1 }
        learn(sent, at: now, exact: true)
        unlearn(sent.unit, took: now - sent.at)
    }

    /// Behind an answer that was already believed, in the same piece, stands another one of its kind.
    private mutating func takeAfterward(_ words: [UInt16], _ believed: [UInt16], _ read: Read, at now: Interval) {
        if words == believed {
            notes.repeats += 1
            if ownCopies == 0 { repeatsReplies = true }
        } else if let index = unsettled.firstIndex(where: { $0.read == number }) {
            // The answer to a later copy: the newer the better.
            unsettled.remove(at: index)
            remember(words, read, at: now, isUsed: true)
            stage = .done(words)
        } else {
            // Two different answers to one request: one of them is another's.
            notes.strayReplies += 1
            distrust(read.unit, read.request, at: now)
            tryAgain(read, .garbled, at: now)
        }
    }

    private mutating func takeOther(_ frame: LineFrame, at now: Interval) {
        let waiting = unsettled.firstIndex { sent in
            guard sent.unit == frame.unit, sent.request.function == frame.function else { return false }
            if case .words(let words) = frame.body { return words.count == sent.request.count }
            return true
        }
        if case .words(let words) = frame.body, let last = units[frame.unit]?.lastReply, last.words == words, now - last.at < .seconds(4) {
            // Byte for byte the one before: no proof that an open request was answered.
            units[frame.unit]?.lastReply?.at = now
            if let waiting {
                notes.lateReplies += 1
                learn(unsettled[waiting], at: now, exact: !isDropping)
                units[frame.unit]?.lastReply?.wasUsed = false
            } else {
                notes.repeats += 1
                repeatsReplies = true
            }
            return
        }
        if let waiting {
            let sent = unsettled[waiting]
            notes.lateReplies += 1
            learn(sent, at: now, exact: !isDropping)
            // An exception could be any open request's of its unit: it settles none.
            guard case .words(let words) = frame.body else { return }
            unsettled.remove(at: waiting)
            units[frame.unit, default: UnitMemory()].lastReply = Reply(
                request: sent.request, read: sent.read, words: words, at: now, wasUsed: false)
            return
        }
        if let read, isListening, ownCopies > 0, frame.unit != read.unit, frame.function == read.request.function {
            if case .words(let words) = frame.body, words.count != read.request.count { return noteStray(frame, at: now) }
            // Somebody answered what we asked, under another number.
            stranger = frame.unit
            answersForOthers = true
            if let index = unsettled.firstIndex(where: { $0.read == number }) { unsettled.remove(at: index) }
            return
        }
        noteStray(frame, at: now)
    }

    private mutating func noteStray(_ frame: LineFrame, at now: Interval) {
        notes.strayReplies += 1
        guard case .words(let words) = frame.body else { return }
        distrust(frame.unit, ReadRequest(function: frame.function, address: 0, count: words.count), at: now)
    }

    /// Whatever comes for such a request is doubtful until the unit was silent for long enough.
    private mutating func distrust(_ unit: UInt8, _ request: ReadRequest, at now: Interval) {
        unsettled.removeAll { $0.read == 0 && $0.unit == unit && $0.request == request }
        if unsettled.count >= 64 { unsettled.removeFirst() }
        unsettled.append(
            Sent(request: request, unit: unit, read: 0, transaction: 0, at: now, timeout: responseTimeout, until: now + .seconds(4)))
    }

    // MARK: What becomes of an answer

    private var isPausing: Bool { if case .pausing = stage { true } else { false } }

    private var isListening: Bool {
        switch stage {
        case .asking, .doubting, .pausing, .preparing: true
        case .idle, .done, .failed: false
        }
    }

    private mutating func accept(_ words: [UInt16], _ read: Read, at now: Interval) {
        if doubted == words, (units[read.unit]?.equals.count ?? 0) < 64 { units[read.unit]?.equals.insert(read.request) }
        remember(words, read, at: now, isUsed: true)
        earliestSend = now + gap
        if isDiscarding {
            isDiscarding = false
            triesLeft -= 1
            earliestSend = now + max(gap, .milliseconds(20))
            prepare()
        } else {
            stage = .done(words)
        }
    }

    private mutating func remember(_ words: [UInt16], _ read: Read, at now: Interval, isUsed: Bool) {
        var memory = units[read.unit] ?? UnitMemory()
        memory.lastSpoke = now
        if kind != .tcp { memory.lastReply = Reply(request: read.request, read: number, words: words, at: now, wasUsed: isUsed) }
        units[read.unit] = memory
    }

    private static func isBusy(_ code: UInt8) -> Bool { code == 5 || code == 6 }

    private mutating func refuse(_ code: UInt8, _ read: Read, at now: Interval) {
        units[read.unit, default: UnitMemory()].lastSpoke = now
        earliestSend = now + gap
        if Self.isBusy(code), busyTurns < Self.busyPauses.count {
            stage = .pausing(until: now + Self.busyPauses[busyTurns])
            busyTurns += 1
        } else if isDiscarding, !Self.isBusy(code) {
            isDiscarding = false
            triesLeft -= 1
            prepare()
        } else {
            stage = .failed(.exception(Int(code)))
        }
    }
}
