import Phrasebook
import Telemetry

/// Says from how tries end which channels do not work as a whole and which readers cannot be reached by one. What it says becomes cases, whose
/// notices go out by channels too; so a notice about delivery never begins anything by failing, and what comes and goes is believed to be well ever
/// later. Whatever fails, and whoever reads, the number of cases is bounded. A pure value.
public struct DeliveryHealth: Sendable {
    /// What does not work, or works again.
    public enum Matter: Hashable, Sendable {
        case channel(ChannelID)
        /// One reader on a channel that others can be reached by.
        case reader(ChannelID, ContactID)

        /// What the case is about.
        public var subject: Subject {
            switch self {
            case .channel(let channel): Subject(.site, "channel-\(channel)")
            case .reader(let channel, let contact): Subject(.site, "reader-\(channel)-\(contact)")
            }
        }
    }

    /// What people must know.
    public enum News: Sendable, Hashable {
        /// It does not work, in the peer's own words.
        case fails(Matter, why: String)
        case works(Matter)
    }

    private struct State: Sendable {
        var failingSince: Interval?
        /// Whether the last try was refused for good.
        var isRefused = false
        var lastSuccess: Interval?
        var isTold = false
        /// How often it was told lately, and when last.
        var times = 0
        var toldAt = Interval.zero
        /// Since when it works again while it counts as told.
        var worksSince: Interval?
    }

    /// A channel on which nothing succeeds for so long is a case for technicians, long before a notice is given up.
    public static let channelTroubledAfter = Interval.minutes(10)
    /// A reader who is put off for so long while others are reached.
    public static let readerTroubledAfter = Interval.hours(1)
    /// What failed, was well and failed again is believed at once the first time, then after so long, then after four times as long, up to a day.
    static let steadyFor = Interval.minutes(10)
    static let longestSteady = Interval.days(1)
    /// After so long without being told, it starts anew.
    static let forgottenAfter = Interval.days(2)

    private var states: [Matter: State] = [:]
    /// Who is to be reached by each channel, as the configuration has it. Where none of them can be, it is the channel that does not work.
    public var readers: [ChannelID: Set<ContactID>] = [:]
    /// The last fault of each channel, for whoever looks.
    public private(set) var lastFault: [ChannelID: String] = [:]

    /// Knows of nothing.
    public init() {}

    /// Whether a case is about delivery itself.
    public static func isAboutDelivery(_ notice: Notice) -> Bool {
        notice.caseKind == .equipment && notice.subject.type == .site && (notice.subject.id.hasPrefix("channel-") || notice.subject.id.hasPrefix("reader-"))
    }

    /// Notes how a try ended.
    /// - Parameter items: the items as they stand after it
    /// - Returns: what people must know
    public mutating func note(_ channel: ChannelID, _ attempt: DeliverySchedule.Attempt, _ items: [DeliverySchedule.Item], at now: Interval) -> [News] {
        let readers = Set(items.map(\.notice.contact)).sorted()
        // The tries of notices about delivery count, but tell nobody.
        let mayTell = items.contains { !Self.isAboutDelivery($0.notice) }
        let hasDied = items.contains { $0.state == .dead }
        switch attempt {
        case .delivered:
            lastFault[channel] = nil
            return succeed(.channel(channel), at: now) + readers.flatMap { succeed(.reader(channel, $0), at: now) }
        case .failed(let why, _), .limited(let why, _):
            lastFault[channel] = why
            fail(.channel(channel), at: now)
            for reader in readers { fail(.reader(channel, reader), at: now) }
            guard mayTell else { return [] }
            if age(.channel(channel), at: now) >= Self.channelTroubledAfter { return tell(.channel(channel), why, at: now) }
            return readers.flatMap { reader in isAlone(channel, reader, hasDied, at: now) ? tell(.reader(channel, reader), why, at: now) : [] }
        case .deferred(let why):
            lastFault[channel] = why
            for reader in readers { fail(.reader(channel, reader), at: now) }
            guard mayTell else { return [] }
            return readers.flatMap { reader in
                hasDied || age(.reader(channel, reader), at: now) >= Self.readerTroubledAfter ? tell(.reader(channel, reader), why, at: now) : []
            }
        case .refused(let why):
            lastFault[channel] = why
            for reader in readers {
                fail(.reader(channel, reader), at: now)
                states[.reader(channel, reader)]?.isRefused = true
            }
            guard mayTell else { return [] }
            if let all = self.readers[channel], !all.isEmpty, all.allSatisfy({ states[.reader(channel, $0)]?.isRefused == true }) {
                fail(.channel(channel), at: now)
                return tell(.channel(channel), why, at: now)
            }
            return readers.flatMap { tell(.reader(channel, $0), why, at: now) }
        }
    }

    /// What is believed to be well by now although nothing more was tried.
    public mutating func due(at now: Interval) -> [News] {
        states.keys.filter { states[$0].map { $0.isTold && isSteady($0, at: now) } ?? false }.sorted { $0.subject.id < $1.subject.id }.flatMap { end($0) }
    }

    /// The next moment at which `due` has something to say.
    public var nextDue: Interval? {
        states.values.compactMap { state in state.isTold ? state.worksSince.map { $0 + Self.steady(state.times) } : nil }.min()
    }

    /// Since when nothing has gone through a channel although it was tried; nil while it works.
    public func failingSince(_ channel: ChannelID) -> Interval? { states[.channel(channel)]?.failingSince }

    /// Readers who cannot be reached by a channel, as far as is told.
    public func unreached(_ channel: ChannelID) -> [ContactID] {
        states.compactMap { matter, state in
            if case .reader(channel, let contact) = matter, state.isTold { contact } else { nil }
        }.sorted()
    }

    /// Forgets what the configuration does not have any more.
    /// - Returns: what ends with it
    public mutating func keep(channels: Set<ChannelID>, contacts: Set<ContactID>) -> [News] {
        let gone = states.keys.filter { matter in
            switch matter {
            case .channel(let channel): !channels.contains(channel)
            case .reader(let channel, let contact): !channels.contains(channel) || !contacts.contains(contact)
            }
        }
        let news = gone.sorted { $0.subject.id < $1.subject.id }.flatMap { states[$0]?.isTold == true ? end($0) : [] }
        for matter in gone { states[matter] = nil }
        lastFault = lastFault.filter { channels.contains($0.key) }
        return news
    }

    // MARK: Counting

    private mutating func fail(_ matter: Matter, at now: Interval) {
        var state = states[matter] ?? State()
        state.failingSince = state.failingSince ?? now
        state.worksSince = nil
        states[matter] = state
    }

    private func age(_ matter: Matter, at now: Interval) -> Interval { states[matter]?.failingSince.map { now - $0 } ?? .zero }

    /// Whether a reader is not reached while the channel reaches others.
    private func isAlone(_ channel: ChannelID, _ reader: ContactID, _ hasDied: Bool, at now: Interval) -> Bool {
        guard let since = states[.reader(channel, reader)]?.failingSince, let success = states[.channel(channel)]?.lastSuccess else { return false }
        return success > since && (hasDied || now - since >= Self.readerTroubledAfter)
    }

    private mutating func tell(_ matter: Matter, _ why: String, at now: Interval) -> [News] {
        var state = states[matter] ?? State()
        guard !state.isTold else { return [] }
        state.times = now - state.toldAt >= Self.forgottenAfter ? 1 : state.times + 1
        state.isTold = true
        state.toldAt = now
        states[matter] = state
        return [.fails(matter, why: why)]
    }

    private mutating func succeed(_ matter: Matter, at now: Interval) -> [News] {
        let isFirst = states[matter]?.lastSuccess == nil
        var state = states[matter] ?? State()
        state.failingSince = nil
        state.isRefused = false
        state.lastSuccess = now
        state.worksSince = state.worksSince ?? now
        states[matter] = state
        guard state.isTold else {
            // A case from before the start ends with the first success after it.
            return isFirst ? [.works(matter)] : []
        }
        return isSteady(state, at: now) ? end(matter) : []
    }

    private mutating func end(_ matter: Matter) -> [News] {
        states[matter]?.isTold = false
        return [.works(matter)]
    }

    private func isSteady(_ state: State, at now: Interval) -> Bool { state.worksSince.map { now - $0 >= Self.steady(state.times) } ?? false }

    private static func steady(_ times: Int) -> Interval {
        times <= 1 ? .zero : min(longestSteady, .milliseconds(steadyFor.milliseconds << Int64(min(2 * (times - 2), 20))))
    }
}

extension DeliveryHealth.Matter {
    /// What technicians are told.
    /// - Parameters:
    ///   - why: the peer's words
    ///   - waiting: how many notices wait on the channel
    public func finding(_ why: String, waiting: Int, at now: Instant) -> Finding {
        let (rule, phrase) =
            switch self {
            case .channel(let channel):
                ("channel_dead", Phrase(.channelDead, ["channel": .same(channel.rawValue), "count": .same("\(waiting)"), "why": .same(why)]))
            case .reader(let channel, let contact):
                ("reader_unreached", Phrase(.readerUnreached, ["channel": .same(channel.rawValue), "contact": .same(contact.rawValue), "why": .same(why)]))
            }
        return Finding(subject: subject, kind: .equipment, rule: rule, severity: .attention, at: now, text: phrase.text)
    }
}
