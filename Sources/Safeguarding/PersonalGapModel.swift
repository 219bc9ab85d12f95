import Foundation
import Telemetry

/// What is usual in this home: remembers its silences and, at the moment a new one begins, says how long to wait.
///
/// During a silence nothing new is learnt, so all there is to decide is one function: the clock time at which the
/// silence began → its deadlines. The tables are refitted at local midnight (`GapFrontier`). Constant memory, below 8 KB.
struct PersonalGapModel: Sendable, Hashable, Codable {
    private typealias K = GapConstants

    /// A silence that ended.
    struct Silence: Sendable, Hashable {
        var endDay: Int64
        var startMinute: Int
        /// The local day number of its beginning, modulo seven.
        var weekday: Int
        var minutes: Int
    }

    /// Local time as the model counts it.
    struct Local: Sendable, Hashable, Codable {
        var day: Int64
        var second: Int64
    }

    @PackedSilences var silences: [Silence] = []
    private var observedQuarters = [UInt8](repeating: 0, count: 128)
    private var silentHours = [Double](repeating: 0, count: K.slots)
    private var silentWeight = 0.0
    private var daysObserved = 0.0
    private var silencesSeen = 0
    private var day: Int64?
    /// Where on the elapsed-time axis that day was begun; absent in states saved before it was kept.
    private var dayBegan: Interval?
    /// Added to the wall clock's days since that clock stepped by weeks or years; a multiple of seven, so that a Monday stays one.
    private var shift: Int64?
    private var firstDay: Int64 = 0
    private var observedToday: Int64 = 0
    private(set) var isLearnt = false
    private var tables: [[Double]] = []
    /// Exceedances of the shadow levels, rarest first, and how many were nominal; both fade.
    private var exceeded = [Double](repeating: 0, count: K.shadows)
    private var expected = [Double](repeating: 0, count: K.shadows)
    /// The logarithm of how much heavier this home's tails are than usual; absent in states saved before it was learnt.
    private var tailLog: Double?

    // The silence that is going on.
    private var last: Interval?
    private var lastLocal = Local(day: 0, second: 0)
    private var isSure = false
    private var deadlines: [Double]?

    /// Takes one stretch between two readings, both of which showed the register.
    /// - Parameters:
    ///   - life: whether there was use above the leak floor
    ///   - learns: false while visitors are there
    ///   - budgets: false alarms and attentions a month
    mutating func take(
        from: Interval, to: Interval, local: Local, life: Bool, learns: Bool, attention: Double, alarm: Double
    ) {
        let budget = [attention * 12, alarm * 12]
        let before = day
        let local = steady(local, at: to)
        turn(to: local.day, budget: budget)
        if day != before || dayBegan == nil { dayBegan = to }
        let step = (to - from).milliseconds / 1000
        if step <= K.sureWithin || !life { observedToday += step }
        guard life else { return }
        let sure = step <= K.sureWithin
        if learns { silenceEnded(at: to, local: local, sure: sure, budget: budget) }
        begin(at: to, local: local, sure: sure && learns)
    }

    /// The local day as the model counts it: it goes on with the seconds that pass. A wall clock that stood in 2036 for an hour must neither push
    /// what was learnt out of the window nor stop the learning until then.
    private mutating func steady(_ local: Local, at now: Interval) -> Local {
        guard let day else { return local }
        let passed = dayBegan.map { max(0, (now - $0).milliseconds / Interval.days(1).milliseconds) } ?? 0
        let expected = day + passed
        func fits(_ shift: Int64) -> Bool { (-1...Self.mostStep).contains(local.day + shift - expected) }
        if fits(0) {
            shift = nil
        } else if !fits(shift ?? 0) {
            let behind = expected - local.day
            shift = (behind >= 0 ? (behind + 6) / 7 : behind / 7) * 7
        }
        return Local(day: local.day + (shift ?? 0), second: local.second)
    }

    /// A step forward of so many days may be time that nobody saw.
    private static let mostStep: Int64 = 14

    /// A silence begins: its deadlines are set now and stay.
    mutating func begin(at now: Interval, local: Local, sure: Bool) {
        last = now
        lastLocal = local
        isSure = sure
        deadlines = lags(local)
    }

    /// Nobody is there: nothing is judged or learnt until the next use.
    mutating func pause() {
        last = nil
        deadlines = nil
    }

    /// How long this silence may last before a severity begins; nil while learning or when none is going on.
    func deadline(_ severity: Severity) -> Interval? {
        guard last != nil, let deadlines else { return nil }
        return .milliseconds(Int64((deadlines[severity == .attention ? 0 : 1] * 1000).rounded()))
    }

    private func lags(_ local: Local) -> [Double]? {
        guard isLearnt else { return nil }
        let place = Double(local.second) / 1800 - 0.5
        let whole = Int(place.rounded(.down))
        let part = place - Double(whole)
        let (first, second) = ((whole + K.slots) % K.slots, (whole + 1) % K.slots)
        var result = tables.map { ($0[first] * (1 - part) + $0[second] * part) * 3600 }
        result[1] = min(result[1], Double(K.trip))
        result[0] = min(result[0], result[1])
        return result
    }

    private mutating func silenceEnded(at now: Interval, local: Local, sure: Bool, budget: [Double]) {
        guard let last, sure, isSure else { return }
        let seconds = (now - last).milliseconds / 1000
        if seconds < K.trip {
            silentHours[Int(lastLocal.second / 1800) % K.slots] += Double(seconds) / 3600
            count(Double(seconds), budget: budget)
        }
        guard seconds >= K.shortestKept else { return }
        silences.append(
            Silence(
                endDay: local.day, startMinute: Int(lastLocal.second / 60), weekday: Int((lastLocal.day % 7 + 7) % 7),
                minutes: Int(min(seconds, K.trip) / 60)))
        if silences.count > K.mostSilences { silences.removeFirst() }
        silencesSeen += 1
    }

    /// Whether a silence of so many seconds exceeded the shadow levels that were set when it began.
    private mutating func count(_ seconds: Double, budget: [Double]) {
        // A state saved before there were three levels has other counts and deadlines.
        if exceeded.count != K.shadows || expected.count != K.shadows {
            exceeded = [Double](repeating: 0, count: K.shadows)
            expected = exceeded
        }
        guard let deadlines, deadlines.count == 2 + K.shadows else { return }
        let days = seconds / 86_400
        let fade = exp(-days / K.controllerDays)
        let nominal = [budget[1], budget[0], budget[0] * K.frequent]
        learnTail(seconds, deadlines: deadlines, nominal: nominal.map { $0 * days / 365.25 })
        for level in 0..<K.shadows {
            exceeded[level] = exceeded[level] * fade + (seconds > deadlines[2 + level] ? 1 : 0)
            expected[level] = expected[level] * fade + nominal[level] * days / 365.25
        }
    }

    /// Homes differ in how far a silence strays: very regular ones have hardly a tail.
    private mutating func learnTail(_ seconds: Double, deadlines: [Double], nominal: [Double]) {
        var surprise = 0.0
        var weight = K.tailPrior
        for (level, share) in K.tailWeights.enumerated() {
            surprise += share * ((seconds > deadlines[2 + level] ? 1 : 0) - nominal[level])
            weight += share * expected[level]
        }
        tailLog = min(max((tailLog ?? 0) + surprise / weight, log(K.leastTail)), log(K.mostTail))
    }

    /// What the nominal rates are multiplied by for the budgets to happen: attention, alarm. The level that is exceeded often
    /// foretells the rarer one, whose own count corrects the forecast as it comes.
    private func factors(budget: [Double]) -> [Double] {
        guard exceeded.count == K.shadows, expected.count == K.shadows else { return [1, 1] }
        var ratio = [Double](repeating: 1, count: K.shadows)
        for level in (0..<K.shadows).reversed() {
            let forecast = level == K.shadows - 1 ? 1 : pow(ratio[level + 1], K.shadowPower[level])
            ratio[level] = (exceeded[level] + K.shadowPrior[level] * forecast) / (expected[level] + K.shadowPrior[level])
        }
        /// The ratio changes with the nominal rate as it does between this level and the next.
        func factor(_ level: Int, apart: Double) -> Double {
            let slope = min(max(log(ratio[level + 1] / ratio[level]) / log(max(apart, 1.05)), -0.5), 1.5)
            return min(max(exp(-log(ratio[level]) / (1 + slope)), K.leastFactor), K.mostFactor)
        }
        return [factor(1, apart: K.frequent), factor(0, apart: budget[0] / max(budget[1], 0.01))]
    }

    // MARK: Once a day

    private mutating func turn(to today: Int64, budget: [Double]) {
        guard let before = day else {
            day = today
            firstDay = today
            return
        }
        guard today > before else { return }
        let fade = exp(-1 / K.recency)
        for passed in before..<min(today, before + 200) {
            let share = passed == before ? Double(min(observedToday, 86_400)) / 86_400 : 0
            observedQuarters[Int((passed % 128 + 128) % 128)] = UInt8((share * 96).rounded(.toNearestOrEven))
            daysObserved += share
            for slot in 0..<K.slots { silentHours[slot] *= fade }
            silentWeight = silentWeight * fade + share
        }
        day = today
        observedToday = 0
        refit(on: today, budget: budget)
    }

    private mutating func refit(on today: Int64, budget: [Double]) {
        guard daysObserved >= K.daysToLearn, silencesSeen >= K.silencesToLearn else { return }
        if isLearnt, daysObserved >= K.settledAfter, today % K.settledEvery != 0 { return }
        silences.removeAll { today - $0.endDay > K.window }
        var oldest = max(today - K.window, firstDay)
        if silences.count >= K.mostSilences, let first = silences.first { oldest = max(oldest, first.endDay) }
        var weight = 0.0
        for age in 1...K.window where today - age >= oldest {
            weight += exp(-Double(age) / K.recency) * Double(observedQuarters[Int(((today - age) % 128 + 128) % 128)]) / 96
        }
        // Blind for months: the old tables are better than none.
        guard weight >= 2 else { return }
        tables = GapFrontier.fit(
            .init(
                silences: silences, day: today, weight: weight, silentHours: silentHours, silentWeight: silentWeight,
                daysObserved: daysObserved, factor: factors(budget: budget), budget: budget, tailScale: exp(tailLog ?? 0)))
        isLearnt = true
    }

    // MARK: Words

    /// The longest silence that stood by this clock time in the last 30 days, of those that began within three hours of the
    /// clock time at which the present one began. Where none stood by now, the longest of those that is shorter than the
    /// present one; nil when all were shorter than three hours, which is the shortest that is remembered.
    func longest(by local: Local, present: Interval) -> Interval? {
        let began = Int(lastLocal.second / 60)
        let minute = Int(local.second / 60)
        let presentMinutes = Int(present.milliseconds / 60_000)
        var standing: Int?
        var ended: Int?
        for silence in silences where local.day - silence.endDay <= 30 && silence.minutes < 1440 {
            let apart = ((silence.startMinute - began + 720) % 1440 + 1440) % 1440 - 720
            guard abs(apart) <= 180 else { continue }
            let stood = ((minute - silence.startMinute) % 1440 + 1440) % 1440
            if stood > 0, stood <= silence.minutes, stood > standing ?? 0 { standing = stood }
            if silence.minutes < presentMinutes, silence.minutes > ended ?? 0 { ended = silence.minutes }
        }
        return (standing ?? ended).map { .minutes(Int64($0)) }
    }

    /// How many silences of the last 30 days had lasted as long by this clock time.
    func count(by local: Local, atLeast present: Interval) -> Int {
        let minute = Int(local.second / 60)
        let presentMinutes = Int(present.milliseconds / 60_000)
        return silences.count { silence in
            let stood = ((minute - silence.startMinute) % 1440 + 1440) % 1440
            return local.day - silence.endDay <= 30 && silence.minutes < 1440 && stood <= silence.minutes && stood >= presentMinutes
        }
    }
}
