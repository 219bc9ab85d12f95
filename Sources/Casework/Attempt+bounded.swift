import Phrasebook

extension DeliverySchedule.Attempt {
    /// The attempt with the other server's words as they may be kept, logged and shown: its answer is a text from outside.
    public var bounded: Self {
        switch self {
        case .delivered: self
        case .failed(let why, let after): .failed(why.bounded(.fault), retryAfter: after)
        case .limited(let why, let after): .limited(why.bounded(.fault), retryAfter: after)
        case .deferred(let why): .deferred(why.bounded(.fault))
        case .refused(let why): .refused(why.bounded(.fault))
        }
    }
}
