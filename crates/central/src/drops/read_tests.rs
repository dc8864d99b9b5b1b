//! What is taken for a drop, in a folder and in a mailbox, and what waits for what reason.

use wire::drops::{Counts, Covers, DropEntry, DropHeader, TimePrecision, dense, text};
use wire::{ClockState, Level, LogEntry};

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
        dictionary: &|_| Some(Dictionary::shipped()),
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

/// A drop of one entry.
fn ours(number: u64) -> (DropHeader, [DropEntry; 1]) {
    let at = Micros::parse_rfc3339("2026-02-28T12:00:00Z").unwrap();
    let mut counts = Counts::default();
    counts.add(Level::Error, 1);
    let header = DropHeader {
        machine: "VM001".parse().unwrap(),
        number,
        epoch: 7,
        made_at: at,
        uptime_s: None,
        covers: Covers {
            first: number,
            last: number,
            counts,
        },
        left_out: Counts::default(),
        time: TimePrecision::Second,
    };
    let entry = LogEntry {
        seq: Some(number),
        timestamp: at,
        level: Level::Error,
        component: "payment".into(),
        message: format!("Reader {number} is silent for long"),
        context: serde_json::Map::new(),
        clock: ClockState::Synced,
    };
    let entry = DropEntry {
        entry,
        is_summary: false,
    };
    (header, [entry])
}

#[test]
fn every_drop_of_files_that_were_joined_is_read() {
    let as_text = |number| {
        let (header, entries) = ours(number);
        text::encode(&header, &entries)
    };
    let shipped = Dictionary::shipped();
    let as_dense = |number| {
        let (header, entries) = ours(number);
        dense::encode(&header, &entries, &shipped)
    };
    let (text, text2, dense, dense2) = (as_text(1), as_text(2), as_dense(1), as_dense(2));
    let bare2 = "VM404|0122-1430|E|payment|Auth timeout 30s|\n";
    let wrapped = text2.replace('\n', "\r\n\r\n");
    for (joined, expected) in [
        (format!("{text}{text2}"), vec!["drop"; 2]),
        // A dense drop ends without a line end.
        (format!("{dense}{dense2}{text}{text2}"), vec!["drop"; 4]),
        (
            format!("{dense}\n-- \nA footer #12@30\n\n{wrapped}{dense2}"),
            vec!["drop"; 3],
        ),
        (format!("{BARE}{text}{BARE}{dense}"), vec!["drop"; 4]),
        (format!("{text}{bare2}"), vec!["drop", "unknown_machine"]),
        // One that was changed takes no other with it, wherever it stands.
        (
            format!("{text}{}{dense2}", text2.replace("silent", "loud")),
            vec!["drop", "damaged", "drop"],
        ),
        (
            format!("{}\n{text}{dense2}", &dense[..dense.len() - 5]),
            vec!["damaged", "drop", "drop"],
        ),
        (format!("{text}{}", &text2[10..]), vec!["drop", "damaged"]),
        (format!("Dear all,\n\n{text}Regards\nA\n"), vec!["drop"]),
    ] {
        for is_mailbox in [false, true] {
            let found = outcome(&raw("all.txt", joined.as_bytes(), is_mailbox));
            assert_eq!(found, expected, "{joined}");
        }
    }
    let many: String = (1..=1_000).map(as_text).collect();
    assert!(many.len() > 64 * 1024, "more than one drop may have");
    let found = outcome(&raw("all.txt", many.as_bytes(), false));
    assert_eq!(found, vec!["drop"; 1_000]);
}

#[test]
fn no_card_number_waits_in_a_name_a_reason_or_a_cut_beginning() {
    const CARD: &str = "4111111111111111";
    let known = Known {
        machines: &[],
        dictionary: &|_| None,
    };
    let large = RawFile {
        content: Content::TooLarge {
            size_bytes: 2_000_000,
            head: format!("{} card 4111 1111 1111 111", "x ".repeat(500)).into_bytes(),
        },
        ..raw("large.txt", b"", false)
    };
    for raw in [
        raw(&format!("{CARD}.txt"), b"nothing", false),
        raw("a.txt", BARE.replace("VM001", CARD).as_bytes(), false),
        raw(&format!("{CARD}-1764-3.txt"), b"lost", false),
        large,
    ] {
        let found = file(&known, &raw);
        let [Found::Waits(waits)] = found.as_slice() else {
            panic!("{found:?}");
        };
        let kept = String::from_utf8_lossy(&waits.bytes);
        let said = format!("{} {} {:?} {kept}", waits.name, waits.reason, waits.machine);
        assert!(!said.contains("4111"), "{said}");
    }
}
