import Foundation

/// The constants of the personal gap model, chosen by experiment on synthetic homes of eleven kinds and on the development homes
/// (the shared folder and one older person's recorded movements); homes of other seeds were held out.
enum GapConstants {
    /// Start slots of half an hour of the local clock.
    static let slots = 48
    /// Lags of half an hour: index l stands for (l + 1) / 2 hours.
    static let lags = 48
    static let halfHour = 0.5
    /// Silences of three hours and more are remembered, in seconds.
    static let shortestKept: Int64 = 3 * 3600
    /// A silence of a day is a trip, or the ceiling's: it says nothing of ordinary silences.
    static let trip: Int64 = 24 * 3600
    /// Recency in days.
    static let recency = 45.0
    /// Days remembered, and silences at most.
    static let window: Int64 = 120
    static let mostSilences = 560
    /// Kernel over the clock time at which a silence begins, in hours, and slots on either side.
    static let startWidth = 1.6
    static let kernelReach = 11
    /// 1 keeps the clock time of a silence's end, 0 its length, when it is moved to a neighbouring start.
    static let endShare = 0.8
    /// The noise of an end: normal, with two Laplace tails for unusual days; hours and shares.
    static let endNormal = 0.6
    static let tails: [(share: Double, width: Double)] = [(0.075, 1.5), (0.06, 6.0)]
    /// The tails, and the silences out of nowhere, are scaled to the home: each silence that exceeds the rarest shadow level, or
    /// the next, or does not, moves the logarithm of the scale by so much, over a prior that counts for so many exceedances.
    static let tailWeights = [0.5, 0.2]
    static let tailPrior = 8.0
    static let leastTail = 0.1
    static let mostTail = 2.0
    /// The same day of the week weighs (1 + 7·w)/(1 + w).
    static let weekday = 0.3
    /// Silences out of nowhere: a day, and their decay in hours.
    static let outlierRate = 0.005
    static let outlierDecay = 6.0
    /// A trip counts as so much of a silence with an end anywhere from 12 to 24 h.
    static let tripShare = 0.5
    /// The weight of a start slot is its silent hours to this power.
    static let slotPower = 0.6
    static let slotFloor = 0.01
    /// The shortest lag is four hours.
    static let shortestIndex = 7
    /// Prices of a false alarm: 28 of them from 2 upwards, each 1.65 times the one before.
    static let firstPrice = 2.0
    static let priceRatio = 1.65
    static let prices = 28
    static let priceList = (0..<prices).map { firstPrice * pow(priceRatio, Double($0)) }
    /// A young model is cautious: expected rates times 1 + (ramp/days)^1.5.
    static let ramp = 14.0
    static let daysToLearn = 6.5
    static let silencesToLearn = 7
    /// A use reported over a longer stretch has an unknown time, in seconds.
    static let sureWithin: Int64 = 3600

    /// The cost of a delay of d hours: d + quadratic·d² + steep·max(0, d − hinge)². The hinge lies so many hours before the
    /// fixed gap that would meet the home's alarm budget alone, and at `hingeMost` hours at most.
    static let quadratic = 0.5
    static let steep = 200.0
    static let hingeBefore = 2.0
    static let hingeMost = 17.0
    /// From so many days on the tables are refitted on every third day.
    static let settledAfter = 60.0
    static let settledEvery: Int64 = 3
    /// Attention, alarm: what the corrected nominal rate must be, in budgets, for the budget to happen. Attention is given more than its budget
    /// on purpose, 2.3 to 2.9 a month of 2: only its rate brings it forward, and ten hours after a fall matter more than a message more a month.
    static let bias = [1.4, 0.7]
    /// Shadow levels that are never shown, rarest first: the alarm budget, the attention budget and so many attention budgets.
    /// Their exceedances are counted to keep the promise.
    static let shadows = 3
    static let frequent = 4.75
    /// How many exceedances the forecast of a level counts for, rarest level first.
    static let shadowPrior = [6.0, 10.0, 8.0]
    /// A level's ratio of real to nominal exceedances is forecast as the more frequent level's to this power; rarest level first.
    static let shadowPower = [1.25, 1.5]
    /// How far the nominal rate may be moved.
    static let leastFactor = 0.25
    static let mostFactor = 8.0
    /// The memory of the counts, in days.
    static let controllerDays = 400.0

    /// The share of a silence that began `minute` minutes into its slot and is moved by −reach…reach slots. Exact: silences are
    /// remembered by the minute.
    static let kernels: [[Double]] = (0..<30).map { minute in
        let sum = (-kernelReach...kernelReach).reduce(0.0) { $0 + exp(-0.5 * square(Double($1) * halfHour / startWidth)) }
        return (-kernelReach...kernelReach).map { step in
            exp(-0.5 * square((Double(step) + 0.5 - Double(minute) / 30) * halfHour / startWidth)) / sum
        }
    }

    /// The chance that the noise of an end exceeds k half-hours, for k from −48 to 48: without tails, and what the tails add.
    static let normalSurvival: [Double] = (-lags...lags).map { 0.5 * erfc(Double($0) * halfHour / endNormal / 2.0.squareRoot()) }
    static let tailSurvival: [Double] = (-lags...lags).map { step in
        let x = Double(step) * halfHour
        return tails.reduce(0) { sum, tail in
            sum + tail.share * ((x > 0 ? 0.5 * exp(-x / tail.width) : 1 - 0.5 * exp(x / tail.width)) - normalSurvival[step + lags])
        }
    }
    static let outliers: [Double] = (0..<lags).map { outlierRate / Double(slots) * exp(-Double($0 + 1) * halfHour / outlierDecay) }

    static func square(_ x: Double) -> Double { x * x }
}
