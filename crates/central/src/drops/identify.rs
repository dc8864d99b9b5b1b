//! Whose a drop is: by what it says, else by its file's name, else by the card reader's serial
//! number. Pure; the machines are an argument.

use store::Machine;
use wire::MachineId;

/// A shorter serial number would be found in names by accident.
const SERIAL_MIN_CHARS: usize = 6;

/// The machine of a drop whose payload names `claimed`.
///
/// A drop of ours (`is_ours`) is believed or it waits: it was numbered by the machine that it
/// names. A bare drop's sender may know itself by another name, so that the file's name and the
/// reader's serial number count too when `claimed` is not registered.
pub fn owner(
    claimed: &MachineId,
    is_ours: bool,
    file_name: &str,
    machines: &[Machine],
) -> Option<MachineId> {
    let registered = |id: &MachineId| machines.iter().any(|machine| machine.id == *id);
    if registered(claimed) {
        return Some(claimed.clone());
    }
    if let Some(id) = by_serial(claimed.as_str(), machines) {
        return Some(id);
    }
    if is_ours {
        return None;
    }
    by_name(file_name)
        .filter(registered)
        .or_else(|| by_serial(file_name, machines))
}

/// The machine that a file's name begins with, registered or not: `VM001-17…-12.txt`.
pub fn by_name(file_name: &str) -> Option<MachineId> {
    let stem = file_name.split('.').next().unwrap_or_default();
    // An id may itself have a `-`: the last two parts are epoch and number.
    let mut parts = stem.rsplitn(3, '-');
    let (number, epoch, id) = (parts.next()?, parts.next()?, parts.next()?);
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    (is_number(number) && is_number(epoch))
        .then(|| id.parse().ok())
        .flatten()
}

/// The only machine one of whose readers' serial numbers stands in this text, as a whole word.
pub fn by_serial(text: &str, machines: &[Machine]) -> Option<MachineId> {
    let words: Vec<String> = text
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| word.len() >= SERIAL_MIN_CHARS)
        .map(str::to_ascii_uppercase)
        .collect();
    let has = |machine: &&Machine| {
        let mut serials = machine.reader_serials.iter();
        serials.any(|serial| words.iter().any(|word| *word == plain(serial)))
    };
    let mut found = machines.iter().filter(has);
    match (found.next(), found.next()) {
        (Some(machine), None) => Some(machine.id.clone()),
        _ => None, // none, or two machines claim the same reader
    }
}

/// A serial number as people write it, `K3-VS 2012345`, as it stands in a name.
fn plain(serial: &str) -> String {
    let kept = serial.chars().filter(char::is_ascii_alphanumeric);
    kept.map(|c| c.to_ascii_uppercase()).collect()
}

#[cfg(test)]
mod tests {
    use wire::Micros;

    use super::*;

    fn machine(id: &str, serials: &[&str]) -> Machine {
        Machine {
            id: id.parse().unwrap(),
            name: String::new(),
            location: String::new(),
            timezone: String::new(),
            site: String::new(),
            route: String::new(),
            tags: Vec::new(),
            owner: String::new(),
            opening_hours: String::new(),
            reader_serials: serials.iter().map(|serial| (*serial).to_owned()).collect(),
            created_at: Micros(0),
        }
    }

    fn fleet() -> Vec<Machine> {
        vec![
            machine("VM001", &["K3-CT1234567"]),
            machine("VM-2", &["VJ0110000", "VJ0110001"]),
            machine("VM003", &["VJ0110001"]),
        ]
    }

    fn found(claimed: &str, is_ours: bool, name: &str) -> Option<String> {
        let id = owner(&claimed.parse().unwrap(), is_ours, name, &fleet());
        id.map(|id| id.to_string())
    }

    #[test]
    fn the_payload_goes_before_the_name_and_the_name_before_the_serial() {
        let of = |id: &str| Some(id.to_owned());
        assert_eq!(found("VM001", true, "VM-2-17-1.txt"), of("VM001"));
        assert_eq!(found("VM1", false, "VM-2-17-1.txt"), of("VM-2"));
        assert_eq!(found("VM1", false, "file_K3CT1234567.txt"), of("VM001"));
        assert_eq!(found("VJ0110000", true, "x.txt"), of("VM-2"));
    }

    #[test]
    fn a_drop_of_ours_for_a_machine_that_is_not_registered_waits_for_it() {
        assert_eq!(found("VM009", true, "VM001-17-1.txt"), None);
        assert_eq!(found("VM009", false, "report.txt"), None);
    }

    #[test]
    fn a_serial_that_two_machines_claim_names_neither() {
        assert_eq!(found("VM9", false, "VJ0110001.txt"), None);
        assert_eq!(by_serial("K3CT12345678", &fleet()), None, "another reader");
        assert_eq!(by_serial("", &[machine("VM001", &[""])]), None);
    }

    #[test]
    fn only_the_names_that_agents_give_name_a_machine() {
        let id = |name| by_name(name).map(|id| id.to_string());
        assert_eq!(
            id("VM001-1764000000000000-17.txt").as_deref(),
            Some("VM001")
        );
        assert_eq!(id("VM-2-17-1.txt").as_deref(), Some("VM-2"));
        for name in [
            "",
            "VM001.txt",
            "report-2026-01.txt.zip",
            "-1-2",
            "a b-1-2.txt",
        ] {
            let expected = (name == "report-2026-01.txt.zip").then_some("report");
            assert_eq!(id(name).as_deref(), expected, "{name}");
        }
    }
}
