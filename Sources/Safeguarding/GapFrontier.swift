import Foundation

/// One fit of the deadlines: for every clock time at which a silence may begin, how long to wait, so that the expected
/// delay of a detection is least for an expected number of false alarms (Lagrange: each slot minimises
/// delay cost + price × false alarms, one price for all slots; Neyman and Pearson's allocation).
struct GapFrontier {
    private typealias K = GapConstants

    /// What a fit knows of a home.
    struct Evidence {
        var silences: [PersonalGapModel.Silence]
        var day: Int64
        /// Observed days, weighed by recency.
        var weight: Double
        /// Silent hours by start slot and their weight, by recency.
        var silentHours: [Double]
        var silentWeight: Double
        /// Observed days since the beginning.
        var daysObserved: Double
        /// What the nominal rates are multiplied by for the budget to happen: attention, alarm.
        var factor: [Double]
        /// Budgets a year: attention, alarm.
        var budget: [Double]
        /// How much heavier this home's tails are than usual.
        var tailScale: Double
    }

    /// N[s][l]: silences a day that begin in slot s and last longer than lag l.
    private static func exceedances(_ evidence: Evidence) -> [Double] {
        let density = deposit(evidence)
        let survival = zip(K.normalSurvival, K.tailSurvival).map { $0 + evidence.tailScale * $1 }
        var result = [Double](repeating: 0, count: K.slots * K.lags)
        result.withUnsafeMutableBufferPointer { out in
            density.withUnsafeBufferPointer { density in
                survival.withUnsafeBufferPointer { survival in
                    for slot in 0..<K.slots {
                        let row = slot * K.lags
                        for end in 0..<K.lags where density[row + end] != 0 {
                            let mass = density[row + end]
                            for lag in 0..<K.lags { out[row + lag] += mass * survival[lag - end + K.lags] }
                        }
                    }
                }
            }
            for slot in 0..<K.slots {
                for lag in 0..<K.lags { out[slot * K.lags + lag] = out[slot * K.lags + lag] / evidence.weight + evidence.tailScale * K.outliers[lag] }
            }
        }
        return result
    }

    /// The lag of one slot that is cheapest at each price, prices rising: those lags lie on the lower hull of cost over false alarms,
    /// and a higher price only moves along it, so one walk answers for all prices.
    private struct Hull {
        private var lags: [Int] = []
        /// The price from which a lag is cheaper than the one before it.
        private var from: [Double] = []

        mutating func build(_ row: Int, _ cost: UnsafeBufferPointer<Double>, _ exceeding: UnsafeBufferPointer<Double>) {
            lags.removeAll(keepingCapacity: true)
            from.removeAll(keepingCapacity: true)
            for lag in K.shortestIndex..<K.lags {
                var price = -Double.infinity
                while let last = lags.last, let begins = from.last {
                    let saved = exceeding[row + last] - exceeding[row + lag]
                    let dearer = cost[row + lag] - cost[row + last]
                    if saved <= 0 {
                        // No fewer false alarms: worth it only where it costs less.
                        price = dearer < 0 ? -Double.infinity : Double.infinity
                    } else {
                        price = dearer / saved
                    }
                    guard price <= begins else { break }
                    lags.removeLast()
                    from.removeLast()
                    price = -Double.infinity
                }
                guard price < Double.infinity else { continue }
                lags.append(lag)
                from.append(price)
            }
        }

        /// The cheapest lags at rising prices, told with the place of each price.
        func walk(_ prices: [Double], _ take: (Int, Int) -> Void) {
            var place = 0
            for (index, price) in prices.enumerated() {
                while place + 1 < lags.count, from[place + 1] < price { place += 1 }
                take(index, lags[place])
            }
        }
    }

    /// Five tables of 48 lags in hours: attention, alarm, and the three shadow levels, rarest first.
    static func fit(_ evidence: Evidence) -> [[Double]] {
        let exceeding = exceedances(evidence)
        let gap = ownGap(exceeding, evidence)
        let cost = delayCost(exceeding, evidence, hinge: min(gap - K.hingeBefore, K.hingeMost))
        return tables(exceeding, cost, evidence)
    }

    /// A young model is cautious: its expected rates times this.
    private static func caution(_ evidence: Evidence) -> Double { 1 + pow(K.ramp / max(evidence.daysObserved, 1), 1.5) }

    /// How often a silence is remembered: the weekdays that the fit serves weigh more.
    private static func recurs(_ silence: PersonalGapModel.Silence, _ evidence: Evidence) -> Double {
        let served = evidence.daysObserved >= K.settledAfter ? Int(K.settledEvery) : 1
        let today = Int((evidence.day % 7 + 7) % 7)
        let ahead = (silence.weekday - today + 7) % 7
        return (ahead < served ? 1 + 7 * K.weekday / Double(served) : 1) / (1 + K.weekday)
    }

    /// The remembered silences, smeared over start and end.
    private static func deposit(_ evidence: Evidence) -> [Double] {
        var density = [Double](repeating: 0, count: K.slots * K.lags)
        for silence in evidence.silences {
            let weight = exp(-Double(evidence.day - silence.endDay) / K.recency) * recurs(silence, evidence)
            let start = Double(silence.startMinute) / 30
            let length = Double(silence.minutes) / 30
            let home = silence.startMinute / 30
            let kernels = K.kernels[silence.startMinute % 30]
            for step in -K.kernelReach...K.kernelReach {
                let moved = Double(home + step) + 0.5 - start
                let kernel = kernels[step + K.kernelReach]
                guard kernel >= 1e-4 else { continue }
                let row = ((home + step + 2 * K.slots) % K.slots) * K.lags
                if silence.minutes >= 1440 {
                    let share = weight * kernel * K.tripShare / 24
                    for lag in 23..<47 { density[row + lag] += share }
                } else {
                    let place = min(max(length - moved * K.endShare, 1), Double(K.lags) - 1.001)
                    let whole = Int(place)
                    let part = place - Double(whole)
                    density[row + whole - 1] += weight * kernel * (1 - part)
                    density[row + whole] += weight * kernel * part
                }
            }
        }
        return density
    }

    /// The fixed gap, in hours, that would give this home as many false alarms as its alarm budget.
    private static func ownGap(_ exceeding: [Double], _ evidence: Evidence) -> Double {
        let caution = caution(evidence)
        let budget = max(evidence.budget[1], 0.01)
        var before = 0.0
        for lag in 0..<K.lags {
            var sum = 0.0
            for slot in 0..<K.slots { sum += exceeding[slot * K.lags + lag] - exceeding[slot * K.lags + K.lags - 1] }
            let rate = sum * 365.25 * caution
            if lag >= 3, rate <= budget {
                let part = before > rate ? (log(before) - log(budget)) / (log(before) - log(max(rate, 1e-9))) : 0
                return (Double(lag) + min(max(part, 0), 1)) * K.halfHour
            }
            before = rate
        }
        return 24
    }

    /// C[s][l]: the expected cost of delay of a collapse at any moment, if silences from slot s are told after lag l.
    /// - Parameter hinge: from this delay on, in hours, the cost is steep
    private static func delayCost(_ exceeding: [Double], _ evidence: Evidence, hinge: Double) -> [Double] {
        let kept = Int(K.shortestKept / 1800)
        var cost = [Double](repeating: 0, count: K.slots * K.lags)
        for slot in 0..<K.slots {
            let row = slot * K.lags
            let hours = evidence.silentHours
            let smooth = 0.25 * hours[(slot + K.slots - 1) % K.slots] + 0.5 * hours[slot] + 0.25 * hours[(slot + 1) % K.slots]
            let silent = smooth / max(evidence.silentWeight, 1e-9) + K.slotFloor
            let tail = exceeding[row + kept - 1..<row + K.lags - 1].reduce(0, +) * K.halfHour
            let early = max((silent - tail) / (Double(kept) * K.halfHour), exceeding[row + kept - 1])
            let weight = pow(silent, K.slotPower - 1)
            var (m0, m1, m2) = (0.0, 0.0, 0.0)
            // Of the onsets whose delay lies beyond the hinge: mass, mass times lateness, mass times its square; and the next of them.
            var (late0, late1, beyond) = (0.0, 0.0, 0.0)
            var next = 0
            for lag in 0..<K.lags {
                let mass = lag < kept ? early : exceeding[row + lag - 1]
                let middle = (Double(lag) + 0.5) * K.halfHour
                let x = Double(lag + 1) * K.halfHour
                m0 += mass * K.halfHour
                m1 += mass * middle * K.halfHour
                m2 += mass * middle * middle * K.halfHour
                // Every delay that was late before is half an hour later now; one more onset may have become late.
                beyond += 2 * K.halfHour * late1 + K.halfHour * K.halfHour * late0
                late1 += K.halfHour * late0
                while next <= lag {
                    let late = (Double(lag) + 0.5 - Double(next)) * K.halfHour - hinge
                    if late <= 0 { break }
                    let mass = (next < kept ? early : exceeding[row + next - 1]) * K.halfHour
                    late0 += mass
                    late1 += mass * late
                    beyond += mass * late * late
                    next += 1
                }
                cost[row + lag] = weight * (x * m0 - m1 + K.quadratic * (x * x * m0 - 2 * x * m1 + m2) + K.steep * beyond)
            }
        }
        return cost
    }

    /// Raises the price until the expected false alarms meet each budget, and reads the tables off.
    private static func tables(_ exceedingAll: [Double], _ cost: [Double], _ evidence: Evidence) -> [[Double]] {
        // What lasts past a day is the ceiling's.
        var exceeding = exceedingAll
        for slot in 0..<K.slots {
            let last = exceedingAll[slot * K.lags + K.lags - 1]
            for lag in 0..<K.lags { exceeding[slot * K.lags + lag] -= last }
        }
        let caution = caution(evidence)
        var sums = [Double](repeating: 0, count: K.prices)
        var choices = [[Int]](repeating: [Int](repeating: 0, count: K.slots), count: K.prices)
        var hull = Hull()
        cost.withUnsafeBufferPointer { cost in
            exceeding.withUnsafeBufferPointer { exceeding in
                for slot in 0..<K.slots {
                    hull.build(slot * K.lags, cost, exceeding)
                    hull.walk(K.priceList) { index, lag in
                        choices[index][slot] = lag
                        sums[index] += exceeding[slot * K.lags + lag]
                    }
                }
            }
        }
        let rates = sums.map { max($0 * 365.25 * caution, 1e-3) }
        let nominal = [
            evidence.budget[0] * K.bias[0] * evidence.factor[0], evidence.budget[1] * K.bias[1] * evidence.factor[1],
            evidence.budget[1], evidence.budget[0], evidence.budget[0] * K.frequent,
        ]
        return nominal.map { table(rate: max($0, 0.01), rates, choices) }
    }

    private static func table(rate: Double, _ rates: [Double], _ choices: [[Int]]) -> [Double] {
        let above = rates.firstIndex { $0 <= rate } ?? K.prices
        var place: Double
        if above == 0 {
            place = 0
        } else if above == K.prices {
            place = Double(K.prices) - 1.001
        } else {
            place = Double(above - 1) + (log(rates[above - 1]) - log(rate)) / (log(rates[above - 1]) - log(rates[above]) + 1e-12)
        }
        place = min(max(place, 0), Double(K.prices) - 1.001)
        let whole = Int(place)
        let part = place - Double(whole)
        return (0..<K.slots).map { slot in
            // To a minute or so: nobody needs more, and the saved state stays small.
            ((Double(choices[whole][slot] + 1) * (1 - part) + Double(choices[whole + 1][slot] + 1) * part) * K.halfHour * 64).rounded() / 64
        }
    }
}
