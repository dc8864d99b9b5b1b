//! What is taken for a drop, in a folder and in a mailbox, and what waits for what reason.

use super::*;

const BARE: &str = "VM001|0122-1430|E|payment|Auth timeout 30s|txn:abc\n";

fn machine(id: &str) -> Machine {
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
        reader_serials: Vec::new(),
        created_at: Micros(0),
    }
}

fn raw(name: &str, bytes: &[u8], is_mailbox: bool) -> RawFile {
    RawFile {
        source: "s1".into(),
        is_mailbox,
        name: name.into(),
        content: Content::Whole(bytes.to_vec()),
        at: Micros::parse_rfc3339("2026-03-01T00:00:00Z").unwrap(),
    }
}

/// `drop`, `skipped`, or the code of what waits, for each part.
fn outcome(raw: &RawFile) -> Vec<String> {
    let machines = [machine("VM001")];
    let known = Known {
        machines: &machines,
        dictionary: &|_| None,
    };
    let word = |found: Found| match found {
        Found::Drop(_) => "drop".to_owned(),
        Found::Skipped => "skipped".to_owned(),
        Found::Waits(waits) => waits.code,
    };
    file(&known, raw).into_iter().map(word).collect()
}

fn mail(subject: &str, body: &str) -> Vec<u8> {
    format!(
        "From: a@example.com\r\nTo: drops@example.com\r\nSubject: {subject}\r\n\
         Date: Sun, 1 Mar 2026 00:00:00 +0000\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\n{body}"
    )
    .into_bytes()
}

#[test]
fn a_mail_about_something_else_is_passed_over_and_a_file_in_a_folder_is_not() {
    let note = "Dear all, the canteen is closed on Friday.\r\n";
    let of = |raw: RawFile| outcome(&raw);
    assert_eq!(
        of(raw("Canteen", &mail("Canteen", note), true)),
        ["skipped"]
    );
    assert_eq!(
        of(raw("canteen.txt", note.as_bytes(), false)),
        ["not_a_drop"]
    );
    let large = RawFile {
        content: Content::TooLarge {
            size_bytes: 40_000_000,
            head: Vec::new(),
        },
        ..raw("Slides", b"", true)
    };
    assert_eq!(of(large), ["skipped"]);
}

#[test]
fn in_a_mailbox_what_an_agent_named_waits_even_when_nothing_of_it_is_left() {
    let named = raw("VM001-1764-3.txt", b"lost", true);
    assert_eq!(outcome(&named), ["not_a_drop"]);
}

#[test]
fn a_drop_in_a_mail_is_read_and_its_footer_is_nothing_to_tell() {
    let body = format!("{BARE}\r\n-- \r\nThis mail may hold secrets.\r\n");
    let found = outcome(&raw("Report", &mail("Report", &body), true));
    assert_eq!(found, ["drop"]);
}

#[test]
fn every_reason_says_what_to_do() {
    let machines = [machine("VM002")];
    let known = Known {
        machines: &machines,
        dictionary: &|_| None,
    };
    let large = [b'x'; 100_000];
    for (bytes, code, words) in [
        (BARE.as_bytes(), "unknown_machine", "Add the machine"),
        (b"nothing", "not_a_drop", "discard it"),
        (&large, "too_large", "discard it"),
        (b"", "nothing_inside", "empty"),
    ] {
        let found = file(&known, &raw("x", bytes, false));
        let [Found::Waits(waits)] = found.as_slice() else {
            panic!("{code}: {found:?}");
        };
        assert_eq!(waits.code, code);
        assert!(waits.reason.contains(words), "{}", waits.reason);
        let begins_well = !waits.reason.starts_with(char::is_lowercase);
        assert!(
            begins_well && waits.reason.ends_with('.'),
            "{}",
            waits.reason
        );
    }
}
