import Casework
import Telemetry

extension Case {
    /// Whether it is a matter of devices, which those who repair may act on, and not of a person.
    var isEquipment: Bool { kind == .equipment || kind == .blind || kind == .incident || subject.type == .elevator }
}
