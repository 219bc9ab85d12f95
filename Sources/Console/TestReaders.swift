import Casework
import SiteConfiguration
import Telemetry

/// Whom an account may send a test of a channel: a test is a message on a person's phone.
extension Shapes {
    /// Relatives, residents and volunteers only of homes that the account may see; others where their grids and the account's meet.
    func mayTest(_ contact: ContactCard) -> Bool {
        switch contact.role {
        case .family, .resident, .volunteer:
            guard account.role.may(.homes), account.role.may(.names) else { return false }
            guard account.role == .gridWorker, account.grid != nil else { return true }
            return visibleHomes.contains { $0.contacts.contains(contact.id) } || account.grid.map(contact.grids.contains) == true
        default:
            guard account.role == .gridWorker, let grid = account.grid else { return true }
            return contact.grids.isEmpty || contact.grids.contains(grid)
        }
    }
}
