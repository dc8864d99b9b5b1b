//! Text drops: everything comes back, and nothing that was changed is taken.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::drops::{Counts, Covers, TimePrecision};
use crate::{ClockState, Level, LogEntry};

fn at(text: &str) -> Micros {
    Micros::parse_rfc3339(text).unwrap()
}

fn header(time: TimePrecision) -> DropHeader {
    DropHeader {
        machine: "VM001".parse().unwrap(),
        number: 17,
        epoch: 42,
        made_at: at("2026-01-22T15:00:07Z"),
        uptime_s: Some(86_400),
        covers: Covers {
            first: 101,
            last: 160,
            counts: Counts::from_array([40, 14, 3, 2, 1]),
        },
        left_out: Counts::from_array([0, 0, 2, 0, 0]),
        time,
    }
}

fn entry(seq: u64, timestamp: &str, message: &str, context: Value) -> DropEntry {
    let Value::Object(context) = context else {
        panic!("a context is an object")
    };
    DropEntry {
        entry: LogEntry {
            seq: Some(seq),
            timestamp: at(timestamp),
            level: Level::Error,
            component: "payment".to_owned(),
            message: message.to_owned(),
            context,
            clock: ClockState::Synced,
        },
        is_summary: false,
    }
}

#[test]
fn a_drop_reads_as_the_prd_has_it() {
    let entries = [
        entry(
            102,
            "2026-01-22T14:30:15Z",
            "Auth timeout 30s",
            json!({"txn": "abc123"}),
        ),
        entry(107, "2025-12-31T23:59:02Z", "a|b", json!({})),
    ];
    let text = encode(&header(TimePrecision::Second), &entries);
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].starts_with(
            "VM001|0122-1500|I|drop|17 covers 101-160 D40 I14 W3 E2 C1; left out W2|\
             e=42 y=2026 u=86400 l=2 k="
        ),
        "{text}"
    );
    assert_eq!(
        lines[1],
        "VM001|0122-1430|E|payment|Auth timeout 30s|txn:abc123#102@15"
    );
    assert_eq!(lines[2], "VM001|1231-2359|E|payment|a\\pb|#107@02");
    let read = decode(&text, at("2027-06-01T00:00:00Z")).unwrap();
    assert_eq!(read.header, Some(header(TimePrecision::Second)));
    assert_eq!(read.entries, entries);
}

#[test]
fn what_mail_and_transfers_do_around_and_to_the_lines_changes_nothing() {
    let entries = [entry(
        102,
        "2026-01-22T14:30:15Z",
        "Auth timeout",
        json!({}),
    )];
    let text = encode(&header(TimePrecision::Second), &entries);
    let wrapped = format!(
        "\u{feff}A file was uploaded by a device.\r\n\r\n{}\0\0\u{1a}\r\n-- \r\nThis mail | is | private",
        text.replace('\n', "   \r\n")
    );
    let read = decode(&wrapped, at("2026-01-22T15:01:00Z")).unwrap();
    assert_eq!(read.entries, entries);
}

#[test]
fn a_drop_edited_by_hand_is_refused_whole() {
    let entries = [
        entry(102, "2026-01-22T14:30:15Z", "Auth timeout", json!({"n": 1})),
        entry(103, "2026-01-22T14:30:16Z", "Auth declined", json!({})),
    ];
    let text = encode(&header(TimePrecision::Second), &entries);
    let received = at("2026-01-22T15:01:00Z");
    for (from, to) in [
        ("Auth timeout", "Auth time-out"),
        ("#103", "#104"),
        ("17 covers", "18 covers"),
        ("left out W2", "left out W3"),
        ("@07", "@08"),
        ("l=2", "l=1"),
        ("|E|payment|Auth declined", "|W|payment|Auth declined"),
    ] {
        assert!(text.contains(from), "{from}");
        let edited = text.replace(from, to);
        let error = decode(&edited, received).unwrap_err();
        assert_eq!(error.code(), "damaged", "{from}");
    }
    let cut = &text[..text.len() - 5];
    assert_eq!(decode(cut, received).unwrap_err().code(), "damaged");
    let only_first = text.lines().next().unwrap();
    assert_eq!(decode(only_first, received).unwrap_err().code(), "damaged");
}

#[test]
fn the_prds_examples_are_read() {
    let compressed = "VM001|0122-1430|E|payment|Auth timeout 30s|txn:abc123\n\
                      VM001|0122-1435|W|motor|GPIO conflict retry 2\n\
                      VM001|0122-1440|I|txn|47 completed $142.35";
    let read = decode(compressed, at("2026-01-22T15:00:00Z")).unwrap();
    assert_eq!(
        (read.form, read.machine.as_str()),
        (ReadForm::Bare, "VM001")
    );
    let entries: Vec<&LogEntry> = read.entries.iter().map(|entry| &entry.entry).collect();
    assert!(read.entries.iter().all(|entry| entry.is_summary));
    assert_eq!(entries[0].timestamp, at("2026-01-22T14:30:00Z"));
    assert_eq!(
        Value::from(entries[0].context.clone()),
        json!({"txn": "abc123"})
    );
    assert_eq!(
        (entries[1].level, entries[1].component.as_str()),
        (Level::Warn, "motor")
    );
    assert_eq!(entries[2].message, "47 completed $142.35");

    let after = "VM001|0122-1430|E|pay|Auth timeout 30s|abc123\n\
                 VM001|0122-1432|E|mtr|GPIO17 retry2|soap_hand\n\
                 VM001|0122-1435|W|flw|Pulse mismatch recal|54>52";
    let read = decode(after, at("2026-01-22T15:00:00Z")).unwrap();
    let notes: Vec<Value> = read
        .entries
        .iter()
        .map(|entry| Value::from(entry.entry.context.clone()))
        .collect();
    assert_eq!(
        notes,
        [
            json!({"note": "abc123"}),
            json!({"note": "soap_hand"}),
            json!({"note": "54>52"})
        ]
    );
}

#[test]
fn a_bare_drop_cut_in_its_last_line_keeps_the_lines_before_and_says_so() {
    let cut = "VM001|0122-1430|E|payment|Auth timeout|\nVM001|0122-14\n-- \nfooter";
    let read = decode(cut, at("2026-01-22T15:00:00Z")).unwrap();
    assert_eq!((read.entries.len(), read.unread_lines), (1, 1));
}

#[test]
fn bare_lines_of_two_machines_are_refused_and_a_letter_is_no_drop() {
    let two = "VM001|0122-1430|E|a|b|\nVM002|0122-1430|E|a|b|";
    let received = at("2026-01-22T15:00:00Z");
    assert_eq!(decode(two, received).unwrap_err().code(), "damaged");
    let letter = "Dear customer,\nyour invoice | is | attached";
    assert_eq!(decode(letter, received).unwrap_err().code(), "not_a_drop");
    assert_eq!(decode("", received).unwrap_err().code(), "not_a_drop");
}

#[test]
fn a_machine_whose_clock_is_at_1970_is_read_exactly() {
    let mut early = entry(1, "1970-01-01T00:03:20Z", "booted", json!({}));
    early.entry.clock = ClockState::Unsynced;
    let mut header = header(TimePrecision::Second);
    header.made_at = at("1970-01-01T01:00:00Z");
    let later = entry(2, "2026-03-01T08:00:00Z", "clock set", json!({}));
    let text = encode(&header, &[early.clone(), later.clone()]);
    let read = decode(&text, at("2026-03-01T08:05:00Z")).unwrap();
    assert_eq!(read.entries, [early, later]);
}

fn any_context() -> impl Strategy<Value = Map<String, Value>> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1_000_000i32..1_000_000).prop_map(|n| Value::from(f64::from(n) / 64.0)),
        ".{0,12}".prop_map(Value::from),
        "[a-z:,#@|\"\\\\]{0,8}".prop_map(Value::from),
        Just(Value::from("true")),
    ];
    let value = leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            vec((".{0,4}", inner), 0..3)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    });
    vec((prop_oneof!["[a-z_]{1,6}", ".{0,5}"], value), 0..4)
        .prop_map(|pairs| pairs.into_iter().collect())
}

fn any_entry() -> impl Strategy<Value = DropEntry> {
    let component = prop_oneof!["[a-z-]{1,10}", ".{1,12}"];
    let message = prop_oneof![
        "[ -~]{0,40}",
        ".{0,40}",
        "[|#@\\\\\r\n\t\u{0}-\u{1f}é😀]{0,10}"
    ];
    let micros = prop_oneof![
        1_700_000_000_000_000i64..1_800_000_000_000_000,
        -60_000_000_000_000_000i64..250_000_000_000_000_000,
    ];
    (
        (1..=i64::MAX as u64, micros, 0u8..5, 0u8..3),
        (component, message, any_context(), any::<bool>()),
    )
        .prop_map(
            |((seq, at, level, clock), (component, message, context, is_summary))| DropEntry {
                entry: LogEntry {
                    seq: Some(seq),
                    timestamp: Micros(at),
                    level: Level::from_u8(level).unwrap(),
                    component,
                    message,
                    context,
                    clock: ClockState::from_u8(clock),
                },
                is_summary,
            },
        )
}

proptest! {
    #[test]
    fn any_entries_come_back_but_for_the_cut_of_their_time(
        mut entries in vec(any_entry(), 0..6),
        time in prop_oneof![
            Just(TimePrecision::Minute), Just(TimePrecision::Second), Just(TimePrecision::Millisecond)
        ],
        made_at in 0i64..4_000_000_000,
        covered in any::<bool>(),
    ) {
        let mut header = header(time);
        header.made_at = Micros(made_at * 1_000_000);
        if !covered {
            header.covers = Covers::default();
            header.uptime_s = None;
        }
        let text = encode(&header, &entries);
        prop_assert!(text.bytes().all(|b| b == b'\n' || (b' '..=b'~').contains(&b)));
        let read = decode(&text, at("2026-11-23T12:00:00Z")).unwrap();
        for entry in &mut entries {
            entry.entry.timestamp = time.cut(entry.entry.timestamp);
        }
        prop_assert_eq!(read.header, Some(header));
        prop_assert_eq!(read.entries, entries);
    }

    #[test]
    fn a_changed_byte_is_never_read_as_something_else(
        entries in vec(any_entry(), 1..4), place in any::<prop::sample::Index>(), to in 0x20u8..0x7f
    ) {
        let text = encode(&header(TimePrecision::Second), &entries);
        let mut bytes = text.clone().into_bytes();
        let at_byte = place.index(bytes.len());
        prop_assume!(bytes[at_byte] != to);
        bytes[at_byte] = to;
        let changed = String::from_utf8(bytes).unwrap();
        if let Ok(read) = decode(&changed, at("2026-11-23T12:00:00Z")) {
            let as_sent = decode(&text, at("2026-11-23T12:00:00Z")).unwrap();
            prop_assert_eq!(read, as_sent);
        }
    }
}
