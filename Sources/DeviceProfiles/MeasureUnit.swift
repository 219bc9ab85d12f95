/// A unit of measure a meter may count in, and what it is in the units Wellward keeps: litres, litres an hour, volts,
/// degrees Celsius.
///
/// Factors: the international foot (0.3048 m), the US gallon (3.785411784 L) and barrel (158.987294928 L), the imperial
/// gallon (4.54609 L) as NIST SP 811 gives them.
public enum MeasureUnit: String, Sendable, CaseIterable {
    case millilitre = "mL"
    case litre = "L"
    case cubicMetre = "m3"
    case usGallon = "USgal"
    case imperialGallon = "IGAL"
    case megaGallon = "Mgal"
    case cubicFoot = "ft3"
    case usBarrel = "bbl"
    case millilitrePerHour = "mL/h"
    case litrePerHour = "L/h"
    case litrePerMinute = "L/min"
    case litrePerSecond = "L/s"
    case cubicMetrePerHour = "m3/h"
    case cubicMetrePerMinute = "m3/min"
    case cubicMetrePerSecond = "m3/s"
    case volt = "V"
    case millivolt = "mV"
    case celsius = "°C"
    case percent = "%"
    case metrePerSecond = "m/s"
    case millimetrePerSecond = "mm/s"
    case millimetre = "mm"
    case megapascal = "MPa"
    case second = "s"
    case hour = "h"
    case nothing = ""

    /// The unit Wellward keeps values of this kind in.
    public var kept: MeasureUnit {
        switch self {
        case .millilitre, .litre, .cubicMetre, .usGallon, .imperialGallon, .megaGallon, .cubicFoot, .usBarrel: .litre
        case .millilitrePerHour, .litrePerHour, .litrePerMinute, .litrePerSecond, .cubicMetrePerHour,
            .cubicMetrePerMinute, .cubicMetrePerSecond:
            .litrePerHour
        case .volt, .millivolt: .volt
        default: self
        }
    }

    /// What to multiply by to get the kept unit.
    public var factor: Double {
        switch self {
        case .millilitre: 0.001
        case .cubicMetre: 1000
        case .usGallon: 3.785411784
        case .imperialGallon: 4.54609
        case .megaGallon: 3_785_411.784
        case .cubicFoot: 28.316846592
        case .usBarrel: 158.987294928
        case .millilitrePerHour: 0.001
        case .litrePerMinute: 60
        case .litrePerSecond: 3600
        case .cubicMetrePerHour: 1000
        case .cubicMetrePerMinute: 60_000
        case .cubicMetrePerSecond: 3_600_000
        case .millivolt: 0.001
        default: 1
        }
    }

    /// Whether this is a unit of volume.
    public var isVolume: Bool { kept == .litre }
}
