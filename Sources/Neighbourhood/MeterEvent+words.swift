import Phrasebook
import Telemetry

extension MeterEvent {
    /// The event as a sentence for people; `meter` is how the meter is called.
    public func told(of meter: String) -> LocalizedText {
        func litres(_ volume: Volume) -> Phrase.Filling { .same(Phrase.number(volume.litres)) }
        let sentence: Sentence
        var fillings: [String: Phrase.Filling] = ["meter": .same(meter)]
        switch self {
        case .rollover(let from, let to): (sentence, fillings["from"], fillings["to"]) = (.meterRollover, litres(from), litres(to))
        case .reset(let from, let to): (sentence, fillings["from"], fillings["to"]) = (.meterReset, litres(from), litres(to))
        case .replaced(let from, let to): (sentence, fillings["from"], fillings["to"]) = (.meterReplaced, litres(from), litres(to))
        case .reverse(let volume): (sentence, fillings["litres"]) = (.meterReverse, litres(volume))
        case .setBack(let from, let to, _): (sentence, fillings["from"], fillings["to"]) = (.meterSetBack, litres(from), litres(to))
        case .quarantined(let from, let to): (sentence, fillings["from"], fillings["to"]) = (.meterJump, litres(from), litres(to))
        case .glitchDropped(let value): (sentence, fillings["to"]) = (.meterGlitch, litres(value))
        }
        return Phrase(sentence, fillings).text
    }

    /// The event as a short line for the journal and the back-test.
    public var summary: String {
        switch self {
        case .rollover(let from, let to): "rollover from \(from.litres) L to \(to.litres) L"
        case .reset(let from, let to): "reset from \(from.litres) L to \(to.litres) L"
        case .replaced(let from, let to): "replaced: from \(from.litres) L to \(to.litres) L"
        case .reverse(let volume): "reverse flow of \(volume.litres) L"
        case .setBack(let from, let to, _): "set back from \(from.litres) L to \(to.litres) L"
        case .quarantined(let from, let to): "jump from \(from.litres) L to \(to.litres) L held back"
        case .glitchDropped(let value): "single false reading of \(value.litres) L dropped"
        }
    }
}
