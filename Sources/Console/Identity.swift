import Casework
import Phrasebook
import Telemetry

/// Who an act is by: an account by its own name, a link by the contact it was sent to. What somebody typed into `by` is a remark beside it and
/// never becomes somebody else's name.
struct Identity {
    /// The name the case and the audit keep.
    let by: String
    /// How notices speak of them.
    let speaker: CaseBook.Act.Speaker
    /// What was typed into `by`.
    private let remark: String

    /// - Parameters:
    ///   - hasAccounts: whether the console has accounts at all; without them the typed name is all there is
    ///   - contact: whose link it was
    init(_ account: Account, typed: String?, hasAccounts: Bool, contact: ContactID? = nil) {
        let typed = (typed ?? "").bounded(.name)
        if let contact {
            (by, speaker, remark) = (contact.rawValue, .contact, "")
        } else if !hasAccounts, account == .local {
            (by, speaker, remark) = (typed.isEmpty ? account.name : typed, .contact, "")
        } else {
            (by, speaker, remark) = (account.name.bounded(.name), .account(account.role.ofContacts), typed == account.name ? "" : typed)
        }
    }

    /// A note with the remark in front of it.
    func note(_ note: String?, _ language: Language) -> String {
        let words = (note ?? "").bounded(.note)
        guard !remark.isEmpty else { return words }
        let line = Phrase(.typedBy, ["who": .same(remark)]).text[language]
        return (words.isEmpty ? line : "\(line)\n\(words)").bounded(.note)
    }
}

extension AccountRole {
    /// The role of contacts that people know this account's role by; nil where they know none.
    var ofContacts: Role? {
        switch self {
        case .gridWorker: .gridWorker
        case .committee: .committee
        case .station: .station
        case .property: .property
        case .technician: .technician
        case .admin, .auditor, .integrator: nil
        }
    }
}
