import Casework
import Logging
import SiteConfiguration
import Synchronization
import Telemetry
import TimeSeriesStore
import Watchkeeping

extension SiteConfiguration {
    /// Whether nobody may be told of a subject any more: a home without consent, or that is gone, and the meter of such a home.
    /// - Parameter old: the configuration before, which knows whose meter it was
    func isWithdrawn(_ subject: Subject, before old: SiteConfiguration? = nil) -> Bool {
        switch subject.type {
        case .household: return households.first { $0.id.rawValue == subject.id }?.consent == nil
        case .meter:
            let meter = MeterID(subject.id)
            guard let home = household(of: meter)?.id ?? old?.household(of: meter)?.id else { return false }
            return isWithdrawn(Subject(.household, home.rawValue))
        default: return false
        }
    }
}

/// Consent that was withdrawn, and data that was erased, while the gateway is at work.
extension GatewayService {
    /// Before anything is told: what the last run left open of homes that may not be watched any more. What was erased before this start is not in
    /// memory, and its marks are needed no more.
    func beginWithoutWithdrawn(_ marks: Set<String>) async {
        if !marks.isEmpty { try? await premises.store.write { try $0.unmarkErased(marks) } }
        let configuration = premises.configuration
        let open = await premises.desk.snapshot.book.cases.values.filter { $0.isOpen && configuration.isWithdrawn($0.subject) }
        if !open.isEmpty { premises.desk.tell(.withdrawn(Set(open.map(\.subject)))) }
        await premises.delivery.withdraw { configuration.isWithdrawn($0.subject) }
    }

    /// Behind a reload: the open cases of homes that may not be watched any more end, and what waits to be told of them is dropped.
    func endWithdrawn(in new: SiteConfiguration, before old: SiteConfiguration) async {
        let open = await premises.desk.snapshot.book.cases.values.filter { $0.isOpen && new.isWithdrawn($0.subject, before: old) }
        if !open.isEmpty {
            _ = await premises.desk.ask(.withdrawn(Set(open.map(\.subject))))
            log.notice("consent was withdrawn: open cases were ended", metadata: ["cases": "\(open.map(\.id.rawValue).sorted().joined(separator: ", "))"])
        }
        await premises.delivery.withdraw { new.isWithdrawn($0.subject, before: old) }
        await welcomeBack(new)
    }

    /// Whoever is watched again, with a new consent, is written down again.
    private func welcomeBack(_ configuration: SiteConfiguration) async {
        let subjects = Set(
            configuration.watchedHomes.map { Subject(.household, $0.id.rawValue).description }
                + configuration.polledMeters.map { Subject(.meter, $0.id.rawValue).description })
        do {
            let marks = try await premises.store.read { try $0.erasureMarks() }.intersection(subjects)
            guard !marks.isEmpty else { return }
            try await premises.store.write { try $0.unmarkErased(marks) }
            erased.withLock { $0.subtract(marks) }
        } catch { log.error("marks of erased homes could not be read", metadata: ["why": "\(error)"]) }
    }

    /// With every tick: what a command beside us has erased is dropped here too. Until then the store's writer respects the marks.
    func heedErasures() async {
        guard let marks = try? await premises.store.read({ try $0.erasureMarks() }) else { return }
        let new = erased.withLock { known in
            defer { known = marks }
            return marks.subtracting(known)
        }
        let subjects = Set(new.compactMap(Subject.init(written:)))
        guard !subjects.isEmpty else { return }
        // Erased while the old configuration was in force: the file on disk is the word.
        if subjects.contains(where: { !premises.configuration.isWithdrawn($0) && $0.type == .household }) { await reload() }
        _ = await premises.desk.ask(.erased(subjects))
        await premises.delivery.withdraw { subjects.contains($0.subject) }
        log.notice("data of a home was erased; nothing of it is kept")
    }
}

extension Subject {
    /// Reads `household/h-0101`; nil for what is no subject, as a case's mark.
    init?(written text: String) {
        let parts = text.split(separator: "/", maxSplits: 1)
        guard parts.count == 2, let type = Kind(rawValue: String(parts[0])) else { return nil }
        self.init(type, String(parts[1]))
    }
}
