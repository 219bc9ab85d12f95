import Foundation
import Phrasebook
import Telemetry
import TimeSeriesStore

extension GatewayService {
    /// A record that an earlier release filled with texts of any length is cut to what this one keeps, beside the work and a few lines at a
    /// time; people are told how many lines it were.
    func cutLongTexts() async {
        var walk = StoreWriter.LongTextWalk()
        while !walk.isDone, !Task.isCancelled {
            do {
                walk = try await premises.store.write { [walk] writer in
                    var next = walk
                    try writer.cutLongTexts(&next)
                    return next
                }
            } catch {
                // Every reading cuts them too: the next start tries again.
                return log.warning("long texts of the record could not be cut", metadata: ["why": "\(error)"])
            }
        }
        guard walk.cut > 0 else { return }
        log.warning("texts of unreasonable length in the record were cut", metadata: ["lines": "\(walk.cut)"])
        premises.desk.tell(
            .finding(
                Finding(
                    subject: Subject(.site, premises.configuration.siteID.rawValue), kind: .incident, rule: "texts_cut", severity: .attention,
                    at: premises.clock.now(), text: Phrase(.textsCut, ["count": .same("\(walk.cut)")]).text, numbers: ["lines": Double(walk.cut)])))
    }
}
