import Fieldbus

extension ReadFault {
    /// What to do about it, in the language of the terminal.
    var advice: String { remedy[Spoken.language] }
}
